//! Keys that are gone, and the way on without them.

use std::fs;
use std::path::PathBuf;

use crate::secrets::configure;
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};

/// An installation whose worker has made its keys, and where they are: the public one, and the
/// private one.
async fn with_own_keys() -> (App, PathBuf, PathBuf) {
    let mut app = App::start_with(Settings { roles: &[], ..Settings::default() }).await;
    let folder = app.folder.path().join("seal");
    let (public, private) = (folder.join("public.pem"), folder.join("private.pem"));
    configure(&mut app, &public, &[&private]);
    for role in ["router", "worker", "ssh"] {
        app.spawn(role).await;
    }
    (app, public, private)
}

#[tokio::test]
async fn without_the_old_key_a_push_deploys_and_says_what_it_cannot_tell() {
    let (mut app, public, private) = with_own_keys().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();

    app.take("worker").terminate().await;
    fs::remove_file(&private).unwrap();
    let refused = administrate(&app, "worker", "").await;
    refused.assert_code(1).assert_says("move the public key away");
    fs::remove_file(&public).unwrap();
    app.spawn("worker").await;
    copy.write("index.html", "again");
    copy.commit("Say it again").await;
    let push = copy.push(&["main"]).await;
    push.assert_ok()
        .assert_says("v2: what changed since v1 cannot be told: its variables cannot be opened");
    assert_eq!(app.get(&copy.host(), "/").await, (200, "again".to_owned()));

    copy.commit("Once more").await;
    copy.push(&["main"]).await.assert_ok().assert_says("changed since v2");
    app.assert_nothing_left().await;
    app.stop().await;
}
