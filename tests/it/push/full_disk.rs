//! Deployments to an engine whose disk is full.

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CommitContainerOptionsBuilder, CreateContainerOptions};

use crate::support::app::{App, Settings};
use crate::support::small_engine::{SmallEngine, may_start};

const MIB: u64 = 1024 * 1024;

/// An image of some thirty megabytes, run without a port.
const DOCKERFILE: &str = "FROM busybox:stable\n\
     COPY word /\n\
     RUN dd if=/dev/urandom of=/large bs=1M count=30 2> /dev/null\n\
     CMD [\"sh\", \"-c\", \"trap exit TERM; sleep 1000 & wait\"]\n";

const FILE: &str = "paas:\n  version: v1.1\n\
     images:\n  app:\n    path: .\n\
     pods:\n  web:\n    containers:\n      app:\n        image: app\n";

#[tokio::test]
async fn a_full_disk_fails_the_job_before_anything_is_built_and_only_our_images_make_room() {
    if !may_start() {
        return;
    }
    // BuildKit runs no command on an engine without a bridge.
    let builder = "docker = \"classic\"\nkeep_free = 20971520";
    let settings = Settings::default().with("builder", builder);
    let app = App::start_with(settings.with("docker", "min_ready = \"100ms\"")).await;
    let engine = SmallEngine::start(200, app.docker()).await;
    app.project_without_target("shop").await;
    app.cluster_at(&engine.address, "shop", ("small", "production")).await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.write(".paas.yaml", FILE);
    copy.write("Dockerfile", DOCKERFILE);
    copy.write("word", "first");
    copy.commit("Deploy something large").await;
    copy.push(&["main"]).await.assert_ok();
    let tip = app.tip("shop", "refs/heads/main").await;
    let foreign = foreign_image(&engine).await;
    let before = images(&engine).await;

    // As much again as the last build, and what stays free, would not fit.
    let ballast = engine.leave_free(40 * MIB);
    copy.write("word", "second");
    copy.commit("Deploy it again").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    push.assert_says("as much as the last build took, and 20 MiB that stay free");
    let line = push.refs().join("\n");
    let why = "(image: the Docker Engine's disk has 39 MiB free, 51 MiB are needed, job 2)";
    assert!(line.contains(why), "{line}");
    assert_eq!(app.tip("shop", "refs/heads/main").await, tip);
    assert_eq!(images(&engine).await, before);
    assert!(before.contains(&foreign));

    std::fs::remove_file(ballast).unwrap();
    copy.push(&["main"]).await.assert_ok();
    assert!(images(&engine).await.contains(&foreign));
    app.stop().await;
}

/// An image of somebody else, which has no name and that nothing uses.
async fn foreign_image(engine: &SmallEngine) -> String {
    let body =
        ContainerCreateBody { image: Some("busybox:stable".to_owned()), ..Default::default() };
    let made = engine.docker.create_container(None::<CreateContainerOptions>, body).await.unwrap();
    let options = CommitContainerOptionsBuilder::default().container(&made.id).build();
    let config = bollard::models::ContainerConfig::default();
    let image = engine.docker.commit_container(options, config).await.unwrap();
    engine.docker.remove_container(&made.id, None).await.unwrap();
    image.id
}

async fn images(engine: &SmallEngine) -> Vec<String> {
    let images = engine.docker.list_images(None::<bollard::query_parameters::ListImagesOptions>);
    let mut ids: Vec<_> = images.await.unwrap().into_iter().map(|image| image.id).collect();
    ids.sort();
    ids
}
