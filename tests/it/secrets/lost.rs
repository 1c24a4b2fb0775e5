//! Keys that are gone, and the way on without them.

use std::fs;
use std::path::PathBuf;

use insta::assert_snapshot;

use crate::secrets::{ask, configure};
use crate::support::app::typed::{administrate, typed};
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
    refused.assert_code(1).assert_says("move the public key away, run `pierhead keygen`");
    fs::remove_file(&public).unwrap();
    administrate(&app, "keygen", "").await.assert_ok();
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

#[tokio::test]
async fn a_worker_makes_no_keys_for_a_database_that_has_others() {
    let (mut app, public, private) = with_own_keys().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    app.take("worker").terminate().await;
    for name in ["A", "B"] {
        let words = format!("vars shop set {name} --secret");
        typed(&ana, &words, b"hunter2-of-project").await.assert_ok();
    }
    let set = "admin set registry acme/shop localhost:5000/x --username ci";
    administrate(&app, set, "hunter2-of-registry").await.assert_ok();
    copy.commit("Again").await;
    copy.push(&["-o", "no-wait", "main"]).await.assert_ok();
    let key = ask(&app, "SELECT DISTINCT sealed ->> 'kid' AS line FROM variables").await.concat();

    let (kept, folder) = (private.with_extension("kept"), private.parent().unwrap().to_owned());
    fs::rename(&private, &kept).unwrap();
    fs::remove_file(&public).unwrap();
    let refused = administrate(&app, "worker", "").await;
    let said = refused.assert_code(1).stderr.lines().last().unwrap_or_default();
    let said = said.replace(&folder.display().to_string(), "[folder]").replace(&key, "[key]");
    assert_snapshot!(said, @"pierhead: there is no private sealing key [folder]/private.pem, and the database has what only others open: key [key] (2 variables, 1 registry password, 1 live release, 1 open job); bring its file back, or, when it is lost for good, run `pierhead keygen`, set secrets and passwords of registries anew, and push again");
    assert!(!private.exists() && !public.exists(), "nothing was made");

    administrate(&app, "keygen", "").await.assert_ok();
    app.spawn("worker").await;
    let warning = format!(
        "None of seal.private_keys opens what is sealed for key {key} (2 variables, 1 registry \
         password, 1 live release, 1 open job): add the file of that key"
    );
    app.process("worker").until_logged(&warning).await;
    app.ended(2).await;
    app.take("worker").terminate().await;
    configure(&mut app, &public, &[&private, &kept]);
    app.spawn("worker").await;
    assert!(!app.process("worker").log().contains("None of seal.private_keys"));
    app.assert_nothing_left().await;
    app.stop().await;
}
