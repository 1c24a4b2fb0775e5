//! Sources on the page and in the API, with a worker that looks.

use std::net::SocketAddr;

use pierhead::domain::access::Standing;
use pierhead::people::create_user;
use serde_json::{Value, json};

use crate::sources::https_server::{HttpsServer, TOKEN};
use crate::sources::{Elsewhere, admin, settings};
use crate::support::app::App;
use crate::support::http::body;
use crate::support::signed_in::Visitor;

const SHOP: &str = "/admin/projects/acme/shop";

/// What a program is told.
async fn api(root: &Visitor, bearer: &str, line: (&str, &str), text: &str) -> (u16, Value) {
    let mut program = Visitor::new(root.address);
    let path = format!("/api/v1/projects/acme/shop/{}", line.1);
    let fields = format!("{bearer}Content-Type: application/json\r\n");
    let answer = program.send((line.0, &path), &fields, text).await;
    let said = body(&answer.text);
    (answer.status, if said.is_empty() { Value::Null } else { serde_json::from_str(said).unwrap() })
}

#[tokio::test]
async fn a_source_is_set_tried_and_deployed_from_the_page_and_by_the_api() {
    let app = App::start_with(settings()).await;
    app.project("shop").await;
    let elsewhere = Elsewhere::new(&app).await;
    elsewhere.greet("from the page").await;
    let server = HttpsServer::start(&elsewhere.root()).await;
    let url = server.url("shop.git");
    let host = elsewhere.copy.host();
    create_user(&app.admin(), "root@example.org", "root", Standing::Administrator).await.unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], app.process("web").port("web")));
    let mut root = Visitor::signed_in(address, &app.db, "root@example.org").await;

    let set = root.post(&format!("{SHOP}/source"), &[("url", &url)]).await;
    assert_eq!(set.status, 303, "{}", set.page());
    let denied = root.post(&format!("{SHOP}/source/check"), &[("purpose", "test")]).await;
    assert_eq!(denied.status, 422);
    assert!(denied.page().contains("does not let git in"), "{}", denied.page());
    let set = root.post(&format!("{SHOP}/source"), &[("url", &url), ("token", TOKEN)]).await;
    assert_eq!(set.status, 303, "{}", set.page());
    let tried = root.post(&format!("{SHOP}/source/check"), &[("purpose", "test")]).await;
    assert!(tried.page().contains("would be deployed to production"), "{}", tried.page());
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 0);
    let checked = root.post(&format!("{SHOP}/source/check"), &[("purpose", "deploy")]).await;
    assert!(checked.page().contains("job 1 deploys it to production"), "{}", checked.page());
    app.ended(1).await;
    let by_page = "SELECT count(*) FROM jobs WHERE number = 1 AND fingerprint = 'page'";
    assert_eq!(app.count(by_page).await, 1);
    assert_eq!(app.get(&host, "/").await, (200, "from the page".to_owned()));

    let token = admin(&app, "create token --name ci root@example.org").await;
    let bearer = format!("Authorization: Bearer {}\r\n", token.assert_ok().stdout.trim());
    let (status, told) = api(&root, &bearer, ("GET", "source"), "").await;
    assert_eq!((status, &told["url"], &told["signs_in"]), (200, &json!(url), &json!(true)));
    elsewhere.greet("by the api").await;
    let (status, told) = api(&root, &bearer, ("POST", "source/checks"), "").await;
    assert_eq!((status, &told["refs"][0]["job"]), (200, &json!(2)), "{told}");
    app.ended(2).await;
    let by_token = "SELECT count(*) FROM jobs WHERE number = 2 AND fingerprint LIKE 'token %'";
    assert_eq!(app.count(by_token).await, 1);
    assert_eq!(app.get(&host, "/").await, (200, "by the api".to_owned()));
    let change = json!({"url": url, "token": TOKEN, "new_key": true}).to_string();
    assert_eq!(api(&root, &bearer, ("PUT", "source"), &change).await.0, 422);
    let change = json!({"url": url, "check_every": "1d"}).to_string();
    let (status, told) = api(&root, &bearer, ("PUT", "source"), &change).await;
    assert_eq!((status, &told["check_every"]), (200, &json!("1d")), "{told}");
    assert_eq!(api(&root, &bearer, ("DELETE", "source"), "").await.0, 204);
    assert_eq!(api(&root, &bearer, ("GET", "source"), "").await.0, 404);
    let (status, told) = api(&root, &bearer, ("POST", "source/checks"), "{}").await;
    assert_eq!(status, 404, "{told}");

    // The engine that it deploys to is asked by the worker.
    let (_, targets) = api(&root, &bearer, ("GET", "clusters"), "").await;
    let name = targets["items"][0]["name"].as_str().unwrap().to_owned();
    let asked = format!("clusters/{name}/test");
    let (status, told) = api(&root, &bearer, ("POST", &asked), "").await;
    let says = format!("The engine of {name} answers.");
    assert_eq!((status, &told["summary"]), (200, &json!(says)), "{told}");
    let tried = root.post(&format!("{SHOP}/{asked}"), &[]).await;
    assert!(tried.page().contains(&says), "{}", tried.page());
    app.stop().await;
}
