//! Several pushes to one environment.

use insta::assert_snapshot;

use crate::support::app::App;
use crate::support::app::gate::BuildGate;

#[tokio::test]
async fn the_newest_waiting_push_runs_next_and_the_older_is_told_by_whom() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("First").await;
    let first = copy.start_push(&["main"]);
    gate.reached().await;

    let dockerfile = gate.dockerfile().replace(&format!("{}\n", gate.line()), "");
    copy.write("Dockerfile", &dockerfile);
    copy.write("index.html", "second");
    copy.commit("Second").await;
    let second = copy.start_push(&["main"]);
    app.until(3, "waited", |_| true).await;
    copy.write("index.html", "third");
    let third_commit = copy.commit("Third").await;
    let third = copy.start_push(&["main"]);
    app.until(4, "waited", |_| true).await;
    gate.open(&app).await;

    first.finish().await.assert_ok();
    let second = second.finish().await;
    second.assert_code(1);
    assert_snapshot!(second.refs().join("\n"), @"! [remote rejected] main -> main (job 3: superseded by job 4)");
    third.finish().await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "third".to_owned()));
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(third_commit));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_push_built_on_one_that_deploys_waits_and_then_deploys() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("First").await;
    let first = copy.start_push(&["main"]);
    gate.reached().await;
    copy.write_hello("built on the first");
    let commit = copy.commit("Second").await;
    let second = copy.start_push(&["main"]);
    app.until(3, "waited", |_| true).await;
    gate.open(&app).await;
    first.finish().await.assert_ok();
    let second = second.finish().await;
    second.assert_ok().assert_says("1 job ahead").assert_says("Ctrl-C is safe");
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(commit));
    assert_eq!(app.get(&copy.host(), "/").await, (200, "built on the first".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn of_two_pushes_from_the_same_commit_the_later_is_stale_when_the_first_is_live() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let bob = app.developer("bob").await;
    let (other, cloned) = bob.clone_of("acme/shop", "acme-shop", &[]).await;
    cloned.assert_ok();

    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    let commit = copy.commit("Ana's").await;
    let anas = copy.start_push(&["main"]);
    gate.reached().await;
    other.write("index.html", "bob's");
    other.commit("Bob's").await;
    let bobs = other.start_push(&["main"]);
    app.until(3, "waited", |_| true).await;
    gate.open(&app).await;
    anas.finish().await.assert_ok();
    let bobs = bobs.finish().await;
    bobs.assert_code(1);
    assert_snapshot!(bobs.refs().join("\n"), @"! [remote rejected] main -> main (job 3: main moved to [id] while this waited: fetch, merge, push again)");
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(commit));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn the_same_commit_pushed_twice_at_once_is_one_job() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let first = copy.start_push(&["main"]);
    gate.reached().await;
    let second = copy.start_push(&["main"]);
    app.until_count("SELECT count(*) FROM push_refs WHERE decision = 'attached'", 1).await;
    gate.open(&app).await;
    first.finish().await.assert_ok();
    second.finish().await.assert_ok();
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 1);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_no_wait_push_joins_an_open_job_and_moves_its_branch() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    let commit = copy.commit("Slowly").await;
    let first = copy.start_push(&["main"]);
    gate.reached().await;
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    copy.push(&["-o", "no-wait", "main"]).await.assert_ok();
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(commit));
    gate.open(&app).await;
    first.finish().await.assert_ok();
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 1);
    app.assert_nothing_left().await;
    app.stop().await;
}
