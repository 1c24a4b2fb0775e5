//! Files of a commit upon a base, by a layer and by a Dockerfile.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use pierhead::domain::pinned::Pinned;
use pierhead::domain::release::PinnedImages;
use pierhead::image::Build;
use pierhead::image::layer::{LayerBuild, LayerTag, Placement, User};
use tokio::sync::mpsc;

use crate::by_hand::{client, context, docker};
use crate::docker_host::DockerHost;
use crate::numbers::Numbers;

/// Whom the files belong to.
const USER: User = User { uid: 1_000, gid: 1_000 };

/// Makes images of 20 files of 1 MB, with both and in turns.
pub(crate) async fn layers(numbers: &mut Numbers, rounds: usize) {
    let host = DockerHost::connect().await;
    let base = host.engine().image("busybox:stable").await.unwrap().unwrap();
    let pinned = PinnedImages::from([("busybox:stable".to_owned(), Pinned::ImageId(base.id))]);
    // What is known of a base is known after the first one.
    ours(&host, files(0).path(), &pinned).await;
    by_hand(&host, files(0).path());
    for round in 0..rounds {
        let (first, second) = (files(20), files(20));
        let (ours, by_hand) = if round % 2 == 0 {
            let ours = ours(&host, first.path(), &pinned).await;
            (ours, by_hand(&host, second.path()))
        } else {
            let by_hand = by_hand(&host, first.path());
            (ours(&host, second.path(), &pinned).await, by_hand)
        };
        numbers.add("layers: Pierhead", ours);
        numbers.add("layers: docker build, COPY and RUN chown", by_hand);
    }
}

fn files(count: usize) -> tempfile::TempDir {
    let folder = context(count);
    let text = "FROM busybox:stable\nCOPY . /app\nRUN chown -R 1000:1000 /app\nUSER 1000:1000\n";
    std::fs::write(folder.path().join("Dockerfile"), text).unwrap();
    folder
}

async fn ours(host: &DockerHost, folder: &Path, pinned: &PinnedImages) -> Duration {
    let build = LayerBuild {
        reference: "bench:1".to_owned(),
        repository: format!("pierhead-test/{}/layer", host.environment),
        tag: LayerTag::Fixed("test".to_owned()),
        own_tag: "test-job42".to_owned(),
        base: "busybox:stable".to_owned(),
        placements: vec![Placement { source: "./".to_owned(), folder: "/app".to_owned() }],
        writables: vec!["/app".to_owned()],
        user: USER,
        command: None,
        annotations: BTreeMap::new(),
        labels: host.labels(1),
    };
    let (sender, _lines) = mpsc::channel(100);
    let sources = host.sources(folder);
    let began = Instant::now();
    let obtained = host.target.obtain(&Build::Layers(build), (&sources, pinned), &sender).await;
    let took = began.elapsed();
    obtained.unwrap();
    took
}

fn by_hand(host: &DockerHost, folder: &Path) -> Duration {
    let label = format!("{}={}", host.target.labels.environment(), host.environment);
    let tag = format!("pierhead-test/{}/layer-by-hand:test", host.environment);
    let folder = folder.to_str().unwrap();
    docker(&["build", "--no-cache", "-q", "-t", &tag, "--label", &label, folder], client())
}
