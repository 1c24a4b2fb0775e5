//! Sources that are looked at by themselves.

use crate::sources::https_server::{HttpsServer, TOKEN};
use crate::sources::{Elsewhere, admin, settings};
use crate::support::app::App;
use crate::support::app::typed::administrate;

const CHECKED: &str = "SELECT count(*) FROM source_checks WHERE ended_at IS NOT NULL";
const JOBS: &str = "SELECT count(*) FROM jobs";
const DUE: &str = "UPDATE project_sources SET next_check_at = now()";

#[tokio::test]
async fn what_is_new_is_deployed_by_itself_and_what_failed_is_not_tried_again() {
    let app = App::start_with(settings()).await;
    app.project("shop").await;
    let elsewhere = Elsewhere::new(&app).await;
    elsewhere.copy.write(".paas.yaml", "paas: {version: v9}\n");
    elsewhere.copy.commit("Break it").await;
    elsewhere.publish(&["main"]).await;
    let server = HttpsServer::start(&elsewhere.root()).await;
    let url = server.url("shop.git");
    let words = format!("admin set source acme/shop {url} --token - --check-every 1h");
    administrate(&app, &words, TOKEN).await.assert_ok();

    app.until_count(CHECKED, 1).await;
    let job = app.ended(1).await;
    assert_eq!((job.pusher.as_str(), job.new_oid.is_some()), ("schedule", true));
    app.execute(DUE).await;
    app.until_count(CHECKED, 2).await;
    assert_eq!(app.count(JOBS).await, 1);
    elsewhere.greet("mended").await;
    app.execute(DUE).await;
    app.until_count(CHECKED, 3).await;
    app.ended(2).await;
    assert_eq!(app.get(&elsewhere.copy.host(), "/").await, (200, "mended".to_owned()));
    let logs = elsewhere.copy.developer.ssh(&["logs", "2"]).await;
    logs.assert_ok().assert_says("job 2 · schedule\n");

    // One that fails is looked at later and later, and says why.
    drop(server);
    app.execute(DUE).await;
    app.until_count(CHECKED, 4).await;
    app.execute(DUE).await;
    app.until_count(CHECKED, 5).await;
    let later = "SELECT count(*) FROM project_sources WHERE failures = 2
        AND next_check_at BETWEEN now() + interval '100 minutes' AND now() + interval '140 minutes'";
    assert_eq!(app.count(later).await, 1);
    let listed = admin(&app, "list sources").await;
    listed.assert_ok().assert_says("every 1h").assert_says("failed: localhost:");
    // A project that is suspended is not looked at, and is told so to whoever asks.
    admin(&app, "set project acme/shop --suspended true").await.assert_ok();
    let asked = admin(&app, "check source acme/shop").await;
    asked.assert_code(1).assert_says("this project is suspended");
    app.execute(DUE).await;
    app.project_without_target("other").await;
    let other = "set source acme/other https://127.0.0.1:1/other --check-every 1h";
    admin(&app, other).await.assert_ok();
    // What is due is asked for together.
    app.until_count("SELECT count(*) FROM project_sources WHERE failures = 1", 1).await;
    let shop = "SELECT count(*) FROM source_checks JOIN projects ON projects.id = project_id
        WHERE slug = 'shop'";
    assert_eq!(app.count(shop).await, 5);
    app.assert_nothing_left().await;
    app.stop().await;
}
