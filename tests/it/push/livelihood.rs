//! What a person sees while nothing happens, and how long they wait.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bollard::query_parameters::RemoveContainerOptionsBuilder;

use crate::support::app::gate::BuildGate;
use crate::support::app::{App, Settings};

#[tokio::test]
async fn a_quiet_step_shows_a_sign_of_life_that_is_not_stored() {
    let settings = Settings::default().with("push", "heartbeat = \"200ms\"");
    let app = App::start_with(settings).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let mut push = copy.start_push(&["main"]);
    gate.reached().await;
    push.until_says("image     still at it").await;
    gate.open(&app).await;
    push.finish().await.assert_ok();
    let logs = ana.ssh(&["logs", "1"]).await;
    assert!(!logs.assert_ok().stdout.contains("still at it"));
    app.stop().await;
}

#[tokio::test]
async fn a_push_that_is_followed_for_too_long_is_told_how_to_go_on() {
    let settings = Settings::default().with("push", "wait_limit = \"500ms\"");
    let app = App::start_with(settings).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    push.assert_says("(job 1 goes on: ssh -p 2222 git@localhost attach 1)");
    gate.open(&app).await;
    app.ended(1).await;
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(copy.head().await));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_job_that_no_worker_takes_fails_in_time() {
    // A worker whose queue nobody can ring at still has a janitor that looks.
    let nowhere = Some("redis+unix:///nowhere/r.sock".to_owned());
    let settings = Settings { redis: nowhere, ..Settings::default() };
    let app = App::start_with(settings.with("worker", "queue_limit = \"1s\"")).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("(queue: not started in time, job 1)");
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn what_serves_is_brought_back_when_somebody_removes_it() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let environment = app.environment("shop", "production").await.id;
    let containers = app.started(environment, 0).await;
    for container in &containers {
        let force = RemoveContainerOptionsBuilder::default().force(true).build();
        app.docker().remove_container(container, Some(force)).await.unwrap();
    }
    assert_eq!(containers.len(), 1);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while app.get(&copy.host(), "/").await.0 != 200 {
        assert!(tokio::time::Instant::now() < deadline, "{}", app.process("serve").log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_client_that_never_finishes_its_push_is_told_and_let_go() {
    let settings = Settings::default().with("git", "time_limit = \"500ms\"");
    let settings = settings.with("push", "heartbeat = \"700ms\"");
    let app = App::start_with(settings).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let mut command = ana.command("ssh", Path::new("/"));
    command.args(ana.ssh_options()).args(["git@127.0.0.1", "git-receive-pack 'acme/shop'"]);
    let mut client = command.stdin(Stdio::piped()).spawn().unwrap();
    // An open pipe on which nothing comes.
    let stdin = client.stdin.take();
    let output = client.wait_with_output().await.unwrap();
    drop(stdin);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(128), "{said}");
    assert!(said.contains("this took longer than the server allows (git.time_limit)"), "{said}");

    // A push that waits for its deployment may wait.
    let copy = ana.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let mut push = copy.start_push(&["main"]);
    gate.reached().await;
    push.until_says("still at it").await;
    gate.open(&app).await;
    push.finish().await.assert_ok();
    app.assert_nothing_left().await;
    app.stop().await;
}
