//! One push, start to end.

use insta::assert_snapshot;

use crate::support::app::App;

#[tokio::test]
async fn a_push_deploys_and_moves_the_branch() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let push = copy.push(&["main"]).await;
    push.assert_ok();
    assert_snapshot!(push.told(), @r#"
    pierhead · shop/production · [id] "Say hello" · job 1 · ana (SHA256:[key])
    checkout  [id]: 3 files, 1 KiB [time]
    check     .paas.yaml: 1 pod, 1 image [time]
    image     building hello:production
              | Step 1/2 : FROM docker.io/library/busybox:stable
              | Step 2/2 : COPY index.html /www/
    image     hello:production [id]  [n] of 1 steps cached [time]
    release   v1: the first [time]
    rollout   web 1/1 ready [time]
    route     acme-shop.localhost/ [time]
    ref       main at [id] [time]
    live      http://acme-shop.localhost:8080   v1, [time] in all
    "#);
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(copy.head().await));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn the_next_push_replaces_what_serves_and_keeps_its_place() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    copy.write("index.html", "hello again");
    copy.commit("Say it again").await;
    let push = copy.push(&["main"]).await;
    push.assert_ok().assert_says("v2: 1 image changed since v1");
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello again".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_failing_build_is_told_and_the_same_commit_deploys_once_it_can() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    // What the image is built from is missing on the server, and comes later.
    let base = format!("pierhead-test/{}:1", copy.host());
    copy.write("Dockerfile", &format!("FROM {base}\nCOPY index.html /www/\n"));
    copy.write(".dockerignore", ".git\n");
    let commit = copy.commit("Build from a base that is not there").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    assert!(push.refs()[0].contains("main -> main (image: hello"), "{:?}", push.refs());
    app.assert_nothing_left().await;

    app.tag_hello_base(&base).await;
    let again = copy.push(&["main"]).await;
    again.assert_ok();
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(commit));
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_command_that_fails_in_a_build_says_its_own_words_in_the_rejection_line() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.write("Dockerfile", "FROM busybox:stable\nRUN echo tests failed; exit 3\n");
    copy.commit("Break it").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    assert_snapshot!(push.told(), @r#"
    pierhead · shop/production · [id] "Break it" · job 1 · ana (SHA256:[key])
    checkout  [id]: 3 files, 1 KiB [time]
    check     .paas.yaml: 1 pod, 1 image [time]
    image     building hello:production
              | Step 1/2 : FROM docker.io/library/busybox:stable
              | Step 2/2 : RUN echo tests failed; exit 3
              | tests failed
    image     hello:production: `echo tests failed; exit 3` exited 3 [time]
    help      ssh -p 2222 git@localhost logs 1 --step image
    "#);
    assert_snapshot!(push.refs().join("\n"), @"! [remote rejected] main -> main (image: hello:production: `echo tests failed; exit 3` exited 3, job 1)");
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn an_application_that_exits_leaves_the_old_release_serving() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let first = copy.head().await;
    copy.write(
        "Dockerfile",
        "FROM busybox:stable\nCMD [\"sh\", \"-c\", \"echo missing env DATABASE_URL; exit 1\"]\n",
    );
    copy.commit("Need a database").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    push.assert_says("rollout   web: container \"app\" exited 1 after start, ")
        .assert_says("(pods.web.containers.app)")
        .assert_says("          | missing env DATABASE_URL")
        .assert_says("undone    v1 kept serving")
        .assert_says("help      ssh -p 2222 git@localhost logs 2 --step rollout");
    let refs = push.refs().join("\n");
    // An engine may have started it once more before anybody looked.
    let refs = refs.replace(", 4 restarts", ", 3 restarts");
    assert_snapshot!(refs, @r#"! [remote rejected] main -> main (rollout: web: container "app" exited 1 after start, 3 restarts, job 2)"#);
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(first));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn an_application_that_never_becomes_healthy_is_taken_back_in_time() {
    let settings = crate::support::app::Settings::default().with("limits", "rollout = \"3s\"");
    let app = App::start_with(settings).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let file = copy
        .paas_yaml()
        .replace("path: /}}", "path: /missing}}\n          threshold: {failure: 1000}");
    copy.write(".paas.yaml", &file);
    copy.commit("Ask for a page that is not there").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("container \"app\" is not ready after 3 s");
    assert_eq!(app.get(&copy.host(), "/").await.0, 404);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn launch_variables_reach_the_application_and_the_next_release_tells_them_apart() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.write(
        "Dockerfile",
        "FROM busybox:stable\nRUN mkdir /www\n\
         CMD [\"sh\", \"-c\", \"echo $GREETING > /www/index.html; httpd -f -p 8080 -h /www\"]\n",
    );
    let file = copy.paas_yaml().replace(
        "        listen: [8080]",
        "        listen: [8080]\n        variables: {GREETING: \"${GREETING}, world\"}",
    );
    copy.write(".paas.yaml", &file);
    copy.commit("Greet").await;
    let missing = copy.push(&["main"]).await;
    missing.assert_code(1).assert_says("GREETING");
    copy.push(&["-o", "GREETING=ahoy", "main"]).await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "ahoy, world\n".to_owned()));
    copy.commit("Again").await;
    copy.push(&["-o", "GREETING=hello", "main"])
        .await
        .assert_ok()
        .assert_says("v2: 1 image, 1 variable changed since v1");
    app.stop().await;
}
