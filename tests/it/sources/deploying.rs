//! From a commit elsewhere to an answer of the application.

use crate::sources::https_server::{HttpsServer, TOKEN};
use crate::sources::ssh_server::SshServer;
use crate::sources::{Elsewhere, admin, set_with_new_key, settings};
use crate::support::app::App;
use crate::support::app::typed::administrate;

#[tokio::test]
async fn a_source_by_ssh_is_pinned_fetched_and_deployed() {
    let app = App::start_with(settings()).await;
    app.project("shop").await;
    let elsewhere = Elsewhere::new(&app).await;
    let commit = elsewhere.greet("from elsewhere").await;
    let server = SshServer::start().await;
    let url = server.url("127.0.0.1", &elsewhere.path);
    server.allow(&set_with_new_key(&app, &url, "").await);

    let tested = admin(&app, "test source acme/shop").await;
    let pinned = format!("host key {} is pinned from now on", server.fingerprint());
    tested.assert_ok().assert_says(&pinned).assert_says("would be deployed to production");
    assert_eq!(app.tip("shop", "refs/heads/main").await, None, "a test stores nothing");

    let checked = admin(&app, "check source acme/shop").await;
    checked.assert_ok().assert_says(": job 1 deploys it to production");
    let job = app.ended(1).await;
    assert_eq!(job.reason, "");
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(commit));
    let host = elsewhere.copy.host();
    assert_eq!(app.get(&host, "/").await, (200, "from elsewhere".to_owned()));

    let again = admin(&app, "check source acme/shop").await;
    again.assert_ok().assert_says(": nothing new");
    let ana = &elsewhere.copy.developer;
    let logs = ana.ssh(&["logs", "1"]).await;
    logs.assert_ok().assert_says("\"from elsewhere\" from 127.0.0.1:");
    elsewhere.copy.commit("Pushed").await;
    let pushed = elsewhere.copy.push(&["main"]).await;
    // The rest of the line has no room.
    pushed.assert_code(1).assert_says("this project takes its commits from ssh://root@127.0.0.1:");
    ana.ssh(&["info", "shop"]).await.assert_ok().assert_says(&format!("comes from      {url}"));

    // What is deployed is cloned from here, and fetched by whoever may deploy.
    let next = elsewhere.greet("and again").await;
    let fetched = ana.ssh(&["fetch", "shop"]).await;
    fetched.assert_ok().assert_says(": job 2 deploys it to production").assert_says("live");
    let (copy, cloned) = ana.clone_of("acme/shop", "cloned", &[]).await;
    cloned.assert_ok();
    assert_eq!(copy.head().await, next);
    assert_eq!(app.get(&host, "/").await, (200, "and again".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_source_by_https_is_fetched_with_a_token_and_taken_away_again() {
    let app = App::start_with(settings()).await;
    app.project("shop").await;
    let elsewhere = Elsewhere::new(&app).await;
    elsewhere.greet("over https").await;
    let server = HttpsServer::start(&elsewhere.root()).await;
    let url = server.url("shop.git");

    admin(&app, &format!("set source acme/shop {url}")).await.assert_ok();
    let denied = admin(&app, "check source acme/shop").await;
    denied.assert_code(1).assert_says("does not let git in");
    let words = format!("admin set source acme/shop {url} --token -");
    administrate(&app, &words, &format!("{TOKEN}\n")).await.assert_ok();
    let checked = admin(&app, "check source acme/shop").await;
    checked.assert_ok().assert_says(": job 1 deploys it to production");
    app.ended(1).await;
    let host = elsewhere.copy.host();
    assert_eq!(app.get(&host, "/").await, (200, "over https".to_owned()));

    // What was said before stays, as long as the address does.
    admin(&app, &format!("set source acme/shop {url} --check-every 1d")).await.assert_ok();
    admin(&app, "test source acme/shop").await.assert_ok().assert_says("nothing new");
    admin(&app, "unset source acme/shop").await.assert_ok();
    let gone = admin(&app, "check source acme/shop").await;
    gone.assert_code(1).assert_says("`acme/shop` has no source: it is pushed to");
    elsewhere.copy.write_hello("pushed again");
    elsewhere.copy.commit("Push again").await;
    elsewhere.copy.push(&["main"]).await.assert_ok();
    assert_eq!(app.get(&host, "/").await, (200, "pushed again".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}
