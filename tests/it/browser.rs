//! The page of a job in a real browser.

use serde_json::json;

use crate::support::app::App;
use crate::support::app::gate::BuildGate;
use crate::support::browser::Browser;
use crate::support::signed_in::cookie_of;

#[tokio::test]
async fn the_page_follows_a_deployment_whose_pusher_hung_up() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Take a while").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    let browser = Browser::start().await;
    let port = app.process("web").port("web");
    // A cookie is taken on a page of its host.
    browser.open(port, "/healthz").await;
    let cookie = cookie_of(&app.db, "ana@example.org").await;
    let set = format!("document.cookie = \"{cookie}; path=/\"");
    browser.client.execute(&set, vec![]).await.unwrap();
    browser.open(port, &format!("/jobs/{}", app.job(1).await.id)).await;
    browser.until_says("#history", "building hello:production").await;
    assert_eq!(browser.text("#state").await, "running");
    // A page that was loaded again would have forgotten this.
    browser.client.execute("window.seen = true", vec![]).await.unwrap();
    push.kill().await;
    gate.open(&app).await;
    browser.until_says("#state", "live").await;
    browser.until_says("#history", &format!("http://{}:8080", copy.host())).await;
    assert_eq!(browser.text("#release").await, "v1");
    let seen = browser.client.execute("return window.seen", vec![]).await.unwrap();
    assert_eq!(seen, json!(true));
    drop(browser);
    app.stop().await;
}
