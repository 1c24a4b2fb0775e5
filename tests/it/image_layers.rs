//! Images of files upon others, made on a real engine.

use std::collections::BTreeMap;

use pierhead::deploy::docker_target::Sources;
use pierhead::domain::pinned::Pinned;
use pierhead::domain::release::PinnedImages;
use pierhead::image::Build;
use pierhead::image::layer::{LayerBuild, LayerTag, Placement, User};
use tokio::sync::mpsc;

use crate::docker_host::{self, DockerHost, folder};
use crate::support::registry::{OwnRegistry, PASSWORD};

/// Files upon a base, as one project makes them whoever asks.
fn plan(base: &str, host: &DockerHost) -> LayerBuild {
    LayerBuild {
        reference: "web:1-abc".to_owned(),
        repository: format!("pierhead-test/{}/web", host.environment),
        tag: LayerTag::Fixed("1".to_owned()),
        own_tag: "1-job1".to_owned(),
        base: base.to_owned(),
        placements: vec![Placement { source: "site".to_owned(), folder: "/www".to_owned() }],
        writables: vec!["/www/site/var".to_owned(), "/bin/[b]usybox".to_owned()],
        user: User { uid: 1_000, gid: 1_000 },
        command: None,
        annotations: BTreeMap::new(),
        labels: host.labels(1),
    }
}

async fn made(host: &DockerHost, build: &LayerBuild, base: Pinned, sources: &Sources) -> Pinned {
    let (sender, _lines) = mpsc::channel(1_000);
    let pinned = PinnedImages::from([(build.base.clone(), base)]);
    let build = Build::Layers(build.clone());
    host.target.obtain(&build, (sources, &pinned), &sender).await.unwrap().pinned
}

/// Takes an image from the engine, under all its names.
async fn forget(host: &DockerHost, image: &Pinned) {
    let image = host.engine().image(image.reference()).await.unwrap().unwrap();
    for name in image.tags.iter().chain(&image.digests).chain([&image.id]) {
        host.engine().remove_image(name).await.unwrap();
    }
    assert_eq!(host.engine().image(&image.id).await.unwrap(), None);
}

#[tokio::test]
async fn the_same_files_are_the_same_image_for_whoever_knows_nothing_of_it() {
    let first = DockerHost::connect().await;
    let root = folder(&[("site/index.html", "hello"), ("site/var/cache", "warm")]);
    let busybox = first.engine().image("busybox:stable").await.unwrap().unwrap();
    let base = Pinned::ImageId(busybox.id);
    let build = plan("busybox:stable", &first);
    let image = made(&first, &build, base.clone(), &first.sources(root.path())).await;
    forget(&first, &image).await;
    // Another worker, that has read no base yet.
    let second = DockerHost::connect().await;
    let again = made(&second, &build, base, &second.sources(root.path())).await;
    assert_eq!(again, image);
}

#[tokio::test]
async fn the_same_files_have_the_same_digest_in_an_empty_registry() {
    let root = folder(&[("site/index.html", "hello"), ("site/var/cache", "warm")]);
    let (sender, _lines) = mpsc::channel(1_000);
    let first = DockerHost::connect().await;
    let mut digests = Vec::new();
    for _ in 0..2 {
        let host = DockerHost::connect().await;
        let registry = OwnRegistry::start().await;
        let base = registry.take(&docker_host::address(), "busybox:stable", "shared/base:1");
        let sources =
            Sources { registry: Some(registry.with(PASSWORD)), ..host.sources(root.path()) };
        let pinned = host.target.stock_image(&base, &sources, &sender).await.unwrap();
        let image = made(&host, &plan(&base, &first), pinned, &sources).await;
        digests.push(image.reference().rsplit_once('@').unwrap().1.to_owned());
        forget(&host, &image).await;
        let base = host.engine().image(&base).await.unwrap().unwrap();
        let names = base.tags.iter().chain(&base.digests);
        for name in names.filter(|name| !name.starts_with("busybox")) {
            // One name may go with another.
            host.engine().remove_image(name).await.unwrap();
        }
    }
    assert_eq!(digests[0], digests[1]);
}
