//! The roles apart, each in a process of its own.

use crate::support::app::gate::BuildGate;
use crate::support::app::{App, Settings};

fn apart() -> Settings {
    Settings { roles: &["ssh", "web", "worker", "router"], ..Settings::default() }
}

#[tokio::test]
async fn a_push_deploys_with_the_four_roles_apart() {
    let app = App::start_with(apart()).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn two_workers_share_the_work_and_do_nothing_twice() {
    let mut app = App::start_with(apart()).await;
    app.spawn("worker").await;
    app.project("shop").await;
    app.project("blog").await;
    let ana = app.developer("ana").await;
    let (shop, blog) = (ana.hello("acme/shop").await, ana.hello("acme/blog").await);
    let (one, other) = tokio::join!(shop.push(&["main"]), blog.push(&["main"]));
    one.assert_ok();
    other.assert_ok();
    assert_eq!(app.count("SELECT count(*) FROM job_runs").await, 2);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn the_ssh_role_is_killed_and_the_deployment_goes_on() {
    let mut app = App::start_with(apart()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    app.take("ssh").kill().await;
    let push = push.finish().await;
    assert_ne!(push.code, 0);
    gate.open(&app).await;
    app.ended(1).await;
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(copy.head().await));
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    app.spawn("ssh").await;
    let moved = ana.at(app.process("ssh").port("SSH"));
    moved.ssh(&["attach", "1"]).await.assert_ok();
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn the_ssh_role_stops_and_tells_its_pushers_how_to_go_on() {
    let mut app = App::start_with(apart()).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    app.take("ssh").terminate().await;
    let push = push.finish().await;
    push.assert_code(1).assert_says("job 1 goes on: ssh -p 2222 git@localhost attach 1");
    gate.open(&app).await;
    app.ended(1).await;
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_stopping_worker_gives_back_what_it_has_not_applied() {
    let mut app = App::start_with(apart().with("worker", "drain_limit = \"100ms\"")).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    app.take("worker").terminate().await;
    app.until_gone(&gate).await;
    assert_eq!(app.job(1).await.state.to_string(), "queued");
    app.spawn("worker").await;
    gate.open(&app).await;
    push.finish().await.assert_ok();
    app.assert_nothing_left().await;
    app.stop().await;
}
