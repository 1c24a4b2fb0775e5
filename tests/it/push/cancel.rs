//! Ending a deployment before it is live.

use insta::assert_snapshot;

use crate::support::app::App;
use crate::support::app::gate::{BuildGate, healthy_when_told};

#[tokio::test]
async fn a_cancelled_build_ends_and_leaves_nothing() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Never ready").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    ana.ssh(&["cancel", "1"]).await.assert_ok().assert_says("job 1 is being cancelled");
    let push = push.finish().await;
    push.assert_code(1);
    assert_snapshot!(push.refs().join("\n"), @"! [remote rejected] main -> main (job 1: cancelled by ana)");
    app.until_gone(&gate).await;
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    ana.ssh(&["cancel", "1"]).await.assert_code(1).assert_says("job 1 has ended: cancelled");
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_cancelled_rollout_is_put_back() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let environment = app.environment("shop", "production").await.id;
    copy.write(".paas.yaml", &healthy_when_told(&copy.paas_yaml()));
    copy.write("index.html", "never seen");
    copy.commit("Wait for a word").await;
    let push = copy.start_push(&["main"]);
    app.started(environment, 1).await;
    ana.ssh(&["cancel", "2"]).await.assert_ok();
    let push = push.finish().await;
    push.assert_code(1).assert_says("undone    v1 kept serving");
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn cancelling_the_newest_lets_the_one_before_it_run() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("First").await;
    let first = copy.start_push(&["main"]);
    gate.reached().await;
    copy.write_hello("second");
    copy.commit("Second").await;
    let second = copy.start_push(&["main"]);
    app.until(3, "waited", |_| true).await;
    copy.write_hello("third");
    copy.commit("Third").await;
    let third = copy.start_push(&["main"]);
    app.until(4, "waited", |_| true).await;
    ana.ssh(&["cancel", "4", "--json"]).await.assert_ok().assert_says("\"answer\":\"cancelled\"");
    third.finish().await.assert_code(1).assert_says("cancelled by ana");
    gate.open(&app).await;
    first.finish().await.assert_ok();
    second.finish().await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "second".to_owned()));
    ana.ssh(&["cancel", "3"]).await.assert_code(1);
    app.assert_nothing_left().await;
    app.stop().await;
}
