//! Tokens: made, shown once, used, ended.

use chrono::{DateTime, TimeDelta, Utc};
use pierhead::domain::access::Role;
use serde_json::json;

use crate::accounts::admin;
use crate::api::rights::execute;
use crate::api::{Api, bearer};
use crate::support::app::developer::Done;
use crate::support::app::{App, Settings};
use crate::support::database::count;
use crate::support::http::{body, say, status};

#[tokio::test]
async fn a_token_is_shown_once_and_kept_as_a_hash() {
    let api = Api::start().await;
    let ana = api.person("ana", Some(Role::Developer)).await;
    let new = json!({"name": "ci", "access": "write", "project": "acme/shop"});
    let made = api.tell(&ana, "POST /users/me/tokens", &new).await.assert(201);
    let token = made.body["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("pierhead_"), "{token}");
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.header("location"), Some(format!("/api/v1/users/me/tokens/{id}").as_str()));

    let list = api.ask(&ana, "GET /users/me/tokens").await.assert(200);
    let listed = list.items().iter().find(|row| row["id"] == id).unwrap();
    assert_eq!((&listed["name"], &listed["project"]), (&json!("ci"), &json!("acme/shop")));
    assert_eq!((&listed["access"], &listed["last_used_at"]), (&json!("write"), &json!(null)));
    assert!(!list.body.to_string().contains("pierhead_"), "{}", list.body);
    let rows = "SELECT count(*) FROM api_tokens WHERE api_tokens::text LIKE '%pierhead_%'";
    assert_eq!(count(api.db(), rows).await, 0);

    // It is for one project, and says so.
    let me = api.ask(&token, "GET /users/me").await.assert(200);
    assert_eq!(me.body["email"], "ana@example.org");
    assert_eq!(me.body["token"]["project"], "acme/shop");
    api.project("other").await;
    let seen = api.ask(&token, "GET /projects").await.assert(200);
    assert_eq!(seen.items().len(), 1);
    assert_eq!(api.ask(&ana, "GET /projects").await.items().len(), 2);
    api.ask(&token, "GET /projects/acme/other").await.assert(404);
    let list = api.ask(&ana, "GET /users/me/tokens").await.assert(200);
    let listed = list.items().iter().find(|row| row["id"] == id).unwrap();
    assert_eq!(listed["last_used_from"], "127.0.0.1");

    api.ask(&ana, &format!("DELETE /users/me/tokens/{id}")).await.assert(204);
    let gone = api.ask(&token, "GET /users/me").await.assert(401);
    assert_eq!(
        gone.header("www-authenticate"),
        Some(r#"Bearer realm="pierhead", error="invalid_token""#)
    );
    api.ask(&ana, &format!("DELETE /users/me/tokens/{id}")).await.assert(404);
    api.stop().await;
}

#[tokio::test]
async fn a_token_makes_none_that_is_for_more_or_lasts_longer() {
    let api = Api::start().await;
    let ana = api.person("ana", Some(Role::Developer)).await;
    let post = "POST /users/me/tokens";
    let make = |access: &str, project: Option<&str>| json!({"name": "ci", "access": access, "project": project});
    for new in [make("read", None), make("write", Some("acme/shop"))] {
        let made = api.tell(&ana, post, &new).await.assert(201);
        let narrow = made.body["token"].as_str().unwrap();
        let refused = api.tell(narrow, post, &make("read", None)).await.assert(403);
        assert_eq!(refused.problem(), "forbidden");
    }
    // That of the test ends in a day.
    let later = Utc::now() + TimeDelta::days(2);
    let longer = json!({"name": "ci", "access": "read", "expires_at": later});
    let refused = api.tell(&ana, post, &longer).await.assert(422);
    assert_eq!(refused.pointer(), "/expires_at");
    let made = api.tell(&ana, post, &make("read", None)).await.assert(201);
    let end: DateTime<Utc> = made.body["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(end <= Utc::now() + TimeDelta::days(1), "{end}");

    for (new, place) in [
        (json!({"name": "ci", "access": "read", "expires_at": Utc::now()}), "/expires_at"),
        (json!({"name": "\u{202e}", "access": "read"}), "/name"),
        (json!({"name": "ci", "access": "everything"}), "/access"),
        (json!({"name": "ci", "access": "read", "project": "acme/none"}), "/project"),
        (json!({"name": "ci", "access": "read", "project": "shop"}), "/project"),
        (json!({"name": "ci", "access": "read", "account": "none"}), "/account"),
        (
            json!({"name": "ci", "access": "read", "account": "acme", "project": "acme/shop"}),
            "/project",
        ),
        (json!({"name": "ci", "access": "read", "hash": "0"}), "/hash"),
    ] {
        let refused = api.tell(&ana, post, &new).await.assert(422);
        assert_eq!((refused.problem(), refused.pointer()), ("invalid", place));
    }
    api.stop().await;
}

#[tokio::test]
async fn a_token_ends_with_its_user_and_its_time() {
    let api = Api::start().await;
    let root = api.administrator().await;
    let ana = api.person("ana", Some(Role::Owner)).await;
    api.ask(&ana, "GET /users/me").await.assert(200);
    let user = "PATCH /users/ana@example.org";
    api.change(&root, user, "*", &json!({"disabled": true})).await.assert(200);
    let refused = api.ask(&ana, "GET /users/me").await.assert(401);
    assert!(refused.body["detail"].as_str().unwrap().contains("disabled"), "{refused:?}");
    api.change(&root, user, "*", &json!({"disabled": false})).await.assert(200);
    api.ask(&ana, "GET /users/me").await.assert(200);

    execute(&api, "UPDATE api_tokens SET expires_at = now()").await;
    let refused = api.ask(&ana, "GET /users/me").await.assert(401);
    assert!(refused.body["detail"].as_str().unwrap().contains("expired"), "{refused:?}");
    let purge = "DELETE FROM users WHERE name = 'ana'";
    execute(&api, purge).await;
    let left =
        "SELECT count(*) FROM api_tokens JOIN users ON users.id = user_id WHERE users.name = 'ana'";
    assert_eq!(count(api.db(), left).await, 0);
    api.ask(&ana, "GET /users/me").await.assert(401);
    api.stop().await;
}

/// `GET /api/v1/users/me` with what a command printed.
async fn me(app: &App, made: &Done) -> (u16, String) {
    let port = app.process("web").port("web");
    let fields = bearer(made.stdout.trim());
    let request = format!(
        "GET /api/v1/users/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n"
    );
    let answer = say(([127, 0, 0, 1], port).into(), request).await;
    (status(&answer), body(&answer).to_owned())
}

#[tokio::test]
async fn tokens_are_made_over_ssh_and_at_the_terminal() {
    let settings = Settings { roles: &["ssh", "web"], ..Settings::default() };
    let app = App::start_with(settings).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let made = ana.ssh(&["tokens add ci --project shop --expires 2w"]).await;
    made.assert_ok();
    let (status, text) = me(&app, &made).await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("\"project\":\"acme/shop\""), "{text}");
    let listed = ana.ssh(&["tokens"]).await;
    listed.assert_ok().assert_says("ci  acme/shop  expires ");
    assert!(!listed.stdout.contains("pierhead_"), "{listed:?}");
    let id = listed.stdout.split(' ').next().unwrap();
    ana.ssh(&[&format!("tokens remove {id}")]).await.assert_ok();
    assert_eq!(me(&app, &made).await.0, 401);
    let long = ana.ssh(&["tokens add ci --expires 400d"]).await;
    long.assert_code(1).assert_says("at most 366 days");
    let other = ana.ssh(&["tokens add ci --project acme/none"]).await;
    other.assert_code(128).assert_says("not found");

    let words = "create token ana@example.org --name backup --read-only";
    let made = admin(&app, words).await;
    made.assert_ok();
    assert_eq!(me(&app, &made).await.0, 200);
    let listed = admin(&app, "list tokens ana@example.org").await;
    listed.assert_ok().assert_says("backup  read  all projects  used ");
    let id = listed.stdout.split_whitespace().nth(1).unwrap();
    admin(&app, &format!("delete token {id}")).await.assert_ok();
    assert_eq!(me(&app, &made).await.0, 401);
    let noted = admin(&app, "audit --json").await;
    assert!(!noted.stdout.contains("pierhead_"), "{}", noted.stdout);
    assert_eq!(noted.stdout.matches("\"create-token\"").count(), 2, "{}", noted.stdout);
    assert_eq!(noted.stdout.matches("\"delete-token\"").count(), 2, "{}", noted.stdout);
    app.stop().await;
}
