//! Something is killed, or goes away, in the middle.

use std::process::Stdio;

use rustix::process::Signal;
use tokio::process::{Child, Command};

use crate::support::app::gate::{BuildGate, healthy_when_told};
use crate::support::app::{App, Settings};

fn apart() -> Settings {
    Settings { roles: &["ssh", "worker", "router"], ..Settings::default() }
}

#[tokio::test]
async fn the_pusher_is_killed_and_the_branch_moves_all_the_same() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    push.kill().await;
    gate.open(&app).await;
    app.ended(1).await;
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(copy.head().await));
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    app.until_count("SELECT count(*) FROM pushes WHERE finished_at IS NULL", 0).await;
    assert_eq!(app.count("SELECT count(*) FROM pushes WHERE exit_code IS NOT NULL").await, 0);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_worker_killed_before_it_applied_anything_is_replaced_and_the_push_goes_on() {
    let mut app = App::start_with(apart()).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    app.take("worker").kill().await;
    app.until_gone(&gate).await;
    app.spawn("worker").await;
    gate.open(&app).await;
    push.finish().await.assert_ok();
    assert_eq!(app.count("SELECT count(*) FROM job_runs WHERE outcome = 'lost'").await, 1);
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    app.until_swept().await;
    app.stop().await;
}

#[tokio::test]
async fn a_worker_killed_twice_before_it_applied_anything_loses_the_job() {
    let mut app = App::start_with(apart()).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let push = copy.start_push(&["main"]);
    for _ in 0..2 {
        gate.reached().await;
        app.take("worker").kill().await;
        app.until_gone(&gate).await;
        app.spawn("worker").await;
    }
    push.finish().await.assert_code(1).assert_says("job 1: its worker was lost twice");
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    app.until_swept().await;
    app.stop().await;
}

#[tokio::test]
async fn a_worker_killed_while_it_applies_is_taken_over_and_the_old_release_put_back() {
    let mut app = App::start_with(apart()).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let first = copy.head().await;
    let environment = app.environment("shop", "production").await.id;
    copy.write(".paas.yaml", &healthy_when_told(&copy.paas_yaml()));
    copy.write("index.html", "never seen");
    copy.commit("Wait for a word").await;
    let push = copy.start_push(&["main"]);
    app.started(environment, 1).await;
    app.take("worker").kill().await;
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    app.spawn("worker").await;
    let push = push.finish().await;
    push.assert_code(1).assert_says("job 2: its worker was lost").assert_says("v1 kept serving");
    assert_eq!(app.job(2).await.state.to_string(), "lost");
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(first));
    app.until_swept().await;
    app.stop().await;
}

#[tokio::test]
async fn a_worker_that_stands_still_loses_its_environment_and_touches_nothing_more() {
    // BuildKit would run what both workers want built once.
    let settings = apart().with("builder", "docker = \"classic\"");
    let mut app = App::start_with(settings).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    let frozen = app.take("worker");
    frozen.signal(Signal::STOP);
    app.spawn("worker").await;
    gate.reached_by(2).await;
    frozen.signal(Signal::CONT);
    frozen.until_logged("Left job 1: another worker owns it").await;
    gate.reached_by(1).await;
    gate.open(&app).await;
    push.finish().await.assert_ok();
    assert_eq!(app.count("SELECT count(*) FROM history WHERE kind = 'end'").await, 1);
    frozen.terminate().await;
    app.until_swept().await;
    app.stop().await;
}

#[tokio::test]
async fn redis_stops_and_starts_and_the_waiting_push_deploys() {
    let folder = tempfile::Builder::new().prefix("phr").tempdir_in("/tmp").unwrap();
    let mut redis = start_redis(folder.path()).await;
    let url = format!("redis+unix://{}", folder.path().join("r.sock").display());
    let app = App::start_with(Settings { redis: Some(url), ..Settings::default() }).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    redis.kill().await.unwrap();
    copy.write("index.html", "without a bell");
    copy.commit("Second").await;
    let push = copy.start_push(&["main"]);
    app.until(2, "waited", |_| true).await;
    app.process("worker").until_logged("Could not ring bells").await;
    let mut redis = start_redis(folder.path()).await;
    push.finish().await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "without a bell".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
    redis.kill().await.unwrap();
}

async fn start_redis(folder: &std::path::Path) -> Child {
    let child = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--dir"])
        .arg(folder)
        .arg("--unixsocket")
        .arg(folder.join("r.sock"))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let deadline = tokio::time::Instant::now() + crate::support::app::PATIENCE;
    while tokio::net::UnixStream::connect(folder.join("r.sock")).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "Redis did not start");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    child
}

#[tokio::test]
async fn postgres_goes_away_and_comes_back_and_the_push_deploys() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    app.database.go_away().await;
    app.process("ssh").until_logged("Lost the connection that listens").await;
    app.database.come_back().await;
    gate.open(&app).await;
    push.finish().await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}
