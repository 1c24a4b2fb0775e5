//! Pushes to a server whose images are built beside the engine.

use insta::assert_snapshot;

use crate::docker_host::DockerHost;
use crate::support::app::gate::BuildGate;
use crate::support::app::{App, Settings};

/// A server that builds with Buildah, where the machine can.
async fn app() -> Option<App> {
    DockerHost::beside("buildah").await?;
    Some(App::start_with(Settings::default().with("builder", "program = \"buildah\"")).await)
}

#[tokio::test]
async fn a_push_is_built_and_live_without_any_registry() {
    let Some(app) = app().await else { return };
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let push = copy.push(&["main"]).await;
    push.assert_ok();
    assert_snapshot!(push.told(), @r#"
    pierhead · shop/production · [id] "Say hello" · job 1 · ana (SHA256:[key])
    checkout  [id]: 3 files, 1 KiB [time]
    check     .paas.yaml: 1 pod, 1 image [time]
    image     building hello:production
              | Step 1 : FROM busybox:stable
              | Step 2 : COPY index.html /www/
              | Step 3 : CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
    image     hello:production [id]  [n] of 2 steps cached [time]
    release   v1: the first [time]
    rollout   web 1/1 ready [time]
    route     acme-shop.localhost/ [time]
    ref       main at [id] [time]
    live      http://acme-shop.localhost:8080   v1, [time] in all
    "#);
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    copy.write("other", "ignored by the steps");
    copy.commit("Change nothing of the image").await;
    copy.push(&["main"]).await.assert_ok().assert_says("2 of 2 steps cached");
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_cancelled_build_ends_and_leaves_nothing() {
    let Some(app) = app().await else { return };
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Never ready").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    ana.ssh(&["cancel", "1"]).await.assert_ok();
    push.finish().await.assert_code(1).assert_says("job 1: cancelled by ana");
    app.until_gone(&gate).await;
    let runs = std::fs::read_dir(app.state().join("builder/runs")).unwrap();
    assert_eq!(runs.count(), 0, "folders of runs are left");
    copy.write_hello("hello");
    copy.commit("Ready").await;
    copy.push(&["main"]).await.assert_ok();
    app.assert_nothing_left().await;
    app.stop().await;
}
