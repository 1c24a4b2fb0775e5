//! What is changed while a repository is fetched.

use tokio::sync::mpsc;

use crate::sources::https_server::{HttpsServer, Manner, TOKEN};
use crate::sources::{Elsewhere, admin, settings};
use crate::support::app::App;
use crate::support::app::typed::administrate;
use crate::support::soon;

#[tokio::test]
async fn whoever_loses_their_right_while_it_is_fetched_deploys_nothing() {
    let app = App::start_with(settings()).await;
    app.project("shop").await;
    let elsewhere = Elsewhere::new(&app).await;
    elsewhere.greet("hello").await;
    let server = HttpsServer::start(&elsewhere.root()).await;
    let source = format!("admin set source acme/shop {} --token -", server.url("shop.git"));
    let ana = &elsewhere.copy.developer;
    let member = "create member acme ana@example.org --role";
    let key = format!("delete key {}", ana.fingerprint());
    let again = format!("create key ana@example.org {}.pub", ana.key().display());
    for (words, told, undone) in [
        (format!("{member} viewer"), "but not do this", format!("{member} developer")),
        ("unset source acme/shop".to_owned(), "changed while it was looked at", String::new()),
        (key, "the key of whoever asked was removed", again),
        // Last: its repository goes to the trash as it is, with what is being fetched.
        ("delete project acme/shop".to_owned(), "this project is deleted", String::new()),
    ] {
        administrate(&app, &source, TOKEN).await.assert_ok();
        let (held, mut holds) = mpsc::channel(1);
        server.behave(Manner::Hold(held));
        let meanwhile = async {
            let release = soon(holds.recv()).await.unwrap();
            admin(&app, &words).await.assert_ok();
            server.behave(Manner::Serve);
            release.send(()).unwrap();
        };
        let (refused, ()) = tokio::join!(ana.ssh(&["fetch", "shop"]), meanwhile);
        refused.assert_code(1).assert_says(told);
        if !undone.is_empty() {
            admin(&app, &undone).await.assert_ok();
        }
    }
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 0);
    app.assert_nothing_left().await;
    app.stop().await;
}
