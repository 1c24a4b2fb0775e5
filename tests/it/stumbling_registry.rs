//! Images are pulled from a registry that stumbles.

use std::collections::BTreeMap;
use std::path::Path;

use hyper::Method;
use pierhead::deploy::docker_target::Sources;
use pierhead::domain::pinned::Pinned;
use pierhead::domain::release::PinnedImages;
use pierhead::image::Build;
use pierhead::image::layer::{LayerBuild, LayerTag, Placement, User};
use tokio::sync::mpsc;

use crate::docker_host::{DockerHost, folder};
use crate::support::registry::PASSWORD;
use crate::support::stumbling::{At, Stumble, Stumbling};

/// Each time it gets an image, the engine asks for the manifest in two ways.
const WAYS: usize = 2;

fn is_manifest(_: &Method, path: &str) -> bool {
    path.contains("/manifests/")
}

/// A registry with an image that the engine does not have.
struct Shelf {
    server: Stumbling,
    id: String,
    reference: String,
}

impl Shelf {
    /// Builds an image that is nobody's, and has it in the registry only.
    async fn filled() -> Self {
        let host = DockerHost::connect().await;
        let server = Stumbling::start().await;
        let word = format!("RUN echo {} > /word\n", host.environment);
        let root = folder(&[("Dockerfile", &host.dockerfile(&word))]);
        let mut plan = host.plan("base");
        plan.labels.clear();
        let id = host.build(&plan, root.path()).await.0.unwrap();
        let registry = server.registry.with(PASSWORD);
        let (sender, _lines) = mpsc::channel(1_000);
        host.engine().push(&id, "private/base:1", &registry, &sender).await.unwrap();
        let reference = registry.address.repository("private/base:1");
        let shelf = Self { server, id, reference };
        shelf.clear(&host).await;
        shelf
    }

    fn sources(&self, host: &DockerHost) -> Sources {
        let registry = Some(self.server.registry.with(PASSWORD));
        Sources { registry, ..host.sources(Path::new("/")) }
    }

    fn stumbles(&self, at: At, status: u16, times: usize) {
        self.server.stumble(Stumble { at, status, times });
    }

    /// Takes the image from the engine.
    async fn clear(&self, host: &DockerHost) {
        let image = host.engine().image(&self.id).await.unwrap().unwrap();
        for name in image.tags.iter().chain(&image.digests) {
            host.engine().remove_image(name).await.unwrap();
        }
    }
}

/// Those lines that say that a registry is asked again.
fn again(lines: &mut mpsc::Receiver<String>) -> Vec<String> {
    let lines = std::iter::from_fn(|| lines.try_recv().ok());
    lines.filter(|line| line.contains("again")).collect()
}

#[tokio::test]
async fn an_image_is_pulled_from_a_registry_that_stumbles() {
    let host = DockerHost::connect().await;
    let shelf = Shelf::filled().await;
    let sources = shelf.sources(&host);
    let (sender, mut lines) = mpsc::channel(1_000);
    let at_greeting = |_: &Method, path: &str| path == "/v2/";
    let unavailable = "received unexpected HTTP status: 503 Service Unavailable";
    let stumbles: [(u16, usize, At, &str); 4] = [
        (503, 2 * WAYS, is_manifest, unavailable),
        (429, WAYS, is_manifest, "toomanyrequests: slow down"),
        (500, WAYS, is_manifest, "received unexpected HTTP status: 500 Internal Server Error"),
        (503, 1, at_greeting, "unauthorized: authentication required"),
    ];
    for (status, times, at, words) in stumbles {
        shelf.stumbles(at, status, times);
        let stock = host.target.stock_image(&shelf.reference, &sources, &sender).await;
        assert_eq!(stock.unwrap(), Pinned::ImageId(shelf.id.clone()));
        assert_eq!(shelf.server.stumbled(), times, "{words}");
        let pauses: &[u8] = if times > WAYS { &[1, 2] } else { &[1] };
        let line = |pause| format!("trying again in {pause} s: {words} ({})", shelf.reference);
        let expected: Vec<_> = pauses.iter().map(line).collect();
        assert_eq!(again(&mut lines), expected);
        shelf.clear(&host).await;
    }
    shelf.stumbles(is_manifest, 503, usize::MAX);
    let refused = host.target.stock_image(&shelf.reference, &sources, &sender).await;
    let expected = format!("cannot get image `{}`: {unavailable}", shelf.reference);
    assert_eq!(refused.unwrap_err().to_string(), expected);
    assert_eq!(shelf.server.stumbled(), 4 * WAYS, "one time, and three again");
}

#[tokio::test]
async fn a_base_is_pulled_from_a_registry_that_stumbles_at_its_layers() {
    for host in DockerHost::for_each_builder().await {
        let shelf = Shelf::filled().await;
        let text = format!("FROM {}\nRUN cat /word\n", shelf.reference);
        let root = folder(&[("Dockerfile", &text)]);
        let sources = Sources { checkout: root.path().to_owned(), ..shelf.sources(&host) };
        let mut build = host.plan("upon");
        build.bases = vec![shelf.reference.clone()];
        let (sender, mut lines) = mpsc::channel(1_000);
        // The engine asks for a layer, not for the configuration, a second time by itself.
        shelf.stumbles(|_, path| path.contains("/blobs/"), 429, 2);
        let built =
            host.target.obtain(&Build::Dockerfile(build), (&sources, &host.images), &sender).await;
        built.unwrap_or_else(|error| panic!("{host:?}: {error}"));
        assert_eq!(shelf.server.stumbled(), 2, "{host:?}");
        let again = again(&mut lines);
        assert!((1..=2).contains(&again.len()), "{host:?}: {again:?}");
        let words = format!("toomanyrequests: slow down ({})", shelf.reference);
        assert!(again.iter().all(|line| line.ends_with(&words)), "{host:?}: {again:?}");
        shelf.clear(&host).await;
    }
}

#[tokio::test]
async fn an_image_is_given_to_another_project_by_a_registry_that_stumbles() {
    let (first, second) = (DockerHost::connect().await, DockerHost::connect().await);
    let shelf = Shelf::filled().await;
    let (sender, mut lines) = mpsc::channel(1_000);
    let own = shelf.sources(&first);
    first.target.stock_image(&shelf.reference, &own, &sender).await.unwrap();

    let sources = shelf.sources(&second);
    let words = "received unexpected HTTP status: 503 Service Unavailable";
    shelf.stumbles(is_manifest, 503, usize::MAX);
    let refused = second.target.stock_image(&shelf.reference, &sources, &sender).await;
    let expected = format!("cannot get image `{}`: {words}", shelf.reference);
    assert_eq!(refused.unwrap_err().to_string(), expected, "nobody said that it is private");
    assert_eq!(again(&mut lines).len(), 3);
    shelf.stumbles(is_manifest, 503, WAYS);
    second.target.stock_image(&shelf.reference, &sources, &sender).await.unwrap();
    assert_eq!(again(&mut lines), [format!("trying again in 1 s: {words} ({})", shelf.reference)]);
    shelf.clear(&first).await;
}

#[tokio::test]
async fn a_layer_is_pushed_to_a_registry_that_stumbles() {
    let host = DockerHost::connect().await;
    let shelf = Shelf::filled().await;
    let (sender, _lines) = mpsc::channel(1_000);
    let stock = host.target.stock_image(&shelf.reference, &shelf.sources(&host), &sender).await;
    let pinned = PinnedImages::from([(shelf.reference.clone(), stock.unwrap())]);
    let stumbles: [(u16, usize, At); 3] = [
        (503, 2, |method, path| method == Method::PUT && path.contains("/manifests/")),
        (429, 1, |method, path| method == Method::POST && path.contains("/blobs/uploads/")),
        (500, 1, |method, path| method == Method::PUT && path.contains("/blobs/uploads/")),
    ];
    for (status, times, at) in stumbles {
        let root = folder(&[("file", &format!("{status} {}", host.environment))]);
        let sources = Sources { checkout: root.path().to_owned(), ..shelf.sources(&host) };
        let placement = Placement { source: "file".to_owned(), folder: "/x".to_owned() };
        let build = LayerBuild {
            reference: "web:1-abc".to_owned(),
            repository: format!("pierhead-test/{}/web", host.environment),
            tag: LayerTag::Fixed("1".to_owned()),
            own_tag: format!("1-job{status}"),
            base: shelf.reference.clone(),
            placements: vec![placement],
            writables: Vec::new(),
            user: User { uid: 1_000, gid: 1_000 },
            command: None,
            annotations: BTreeMap::new(),
            labels: host.labels(1),
        };
        shelf.stumbles(at, status, times);
        let obtained =
            host.target.obtain(&Build::Layers(build), (&sources, &pinned), &sender).await;
        let Pinned::Digest(pushed) = obtained.unwrap().pinned else { panic!("it was pushed") };
        assert_eq!(shelf.server.stumbled(), times, "{status}");
        assert!(host.engine().image(&pushed).await.unwrap().is_some(), "{status}");
    }
    shelf.clear(&host).await;
}
