//! The rounds: each an image by Pierhead, and the same by docker's own client.

use std::env;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use pierhead::builder::Builder;
use pierhead::config::DockerBuilds;
use tokio::runtime::Runtime;

use crate::by_hand::{With, client, context, docker};
use crate::docker_host::DockerHost;
use crate::layers::layers;
use crate::memory;
use crate::numbers::Numbers;
use crate::push::pushes;

pub(crate) fn run() {
    Runtime::new().unwrap().block_on(async {
        if !memory::build_if_asked().await {
            measure().await;
        }
    });
}

async fn measure() {
    let asked: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|word| word == name);
    let mut numbers = Numbers::default();
    for (name, files, rounds) in [("trivial", 0, 10), ("large", 500, 4)] {
        if is_asked(name) {
            for with in [With::Buildkit, With::Classic] {
                builds(&mut numbers, (name, with), (files, rounds)).await;
            }
        }
    }
    if is_asked("push") {
        pushes(&mut numbers, 6).await;
    }
    if is_asked("layers") {
        layers(&mut numbers, 10).await;
    }
    writeln!(stdout(), "{numbers}").unwrap();
    if is_asked("memory") {
        memory::measure();
    }
}

/// Builds contexts of so many files, with both and in turns.
async fn builds(
    numbers: &mut Numbers,
    (name, with): (&str, With),
    (files, rounds): (usize, usize),
) {
    let (builder, with, own) = match with {
        With::Buildkit => (DockerBuilds::Buildkit, client(), "BuildKit"),
        With::Classic => (DockerBuilds::Classic, With::Classic, "classic"),
    };
    let theirs = match with {
        With::Buildkit => "BuildKit",
        With::Classic => "classic",
    };
    let host = DockerHost::with(Builder::Docker(builder), None).await;
    // Connections are open and programs in memory before anything counts.
    ours(&host, context(0).path()).await;
    by_hand(&host, context(0).path(), with);
    for round in 0..rounds {
        let (first, second) = (context(files), context(files));
        let (ours, by_hand) = if round % 2 == 0 {
            let ours = ours(&host, first.path()).await;
            (ours, by_hand(&host, second.path(), with))
        } else {
            let by_hand = by_hand(&host, first.path(), with);
            (ours(&host, second.path()).await, by_hand)
        };
        numbers.add(&format!("{name}: Pierhead, {own}"), ours);
        numbers.add(&format!("{name}: docker build, {theirs}"), by_hand);
    }
}

async fn ours(host: &DockerHost, folder: &Path) -> Duration {
    let began = Instant::now();
    let (built, lines) = host.build(&host.plan("bench"), folder).await;
    let took = began.elapsed();
    built.unwrap_or_else(|error| panic!("{error}: {lines:?}"));
    took
}

fn by_hand(host: &DockerHost, folder: &Path, with: With) -> Duration {
    let label = format!("{}={}", host.target.labels.environment(), host.environment);
    let tag = format!("pierhead-test/{}/by-hand:test", host.environment);
    let folder = folder.to_str().unwrap();
    docker(&["build", "--no-cache", "-q", "-t", &tag, "--label", &label, folder], with)
}
