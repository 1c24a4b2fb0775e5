//! Accounts, members, people, keys and the audit log.

use chrono::{TimeDelta, Utc};
use pierhead::domain::access::Role;
use serde_json::json;

use crate::api::Api;

const KEY: &str = "ssh-ed25519 \
    AAAAC3NzaC1lZDI1NTE5AAAAIPyoEF562Xt1qeYViSt3hKzO2ILAsRnFBiTcdbespCCq ana@laptop";

#[tokio::test]
async fn accounts_have_quotas_that_are_set_as_a_whole() {
    let api = Api::start().await;
    let root = api.administrator().await;
    let post = "POST /accounts";
    let made = api.tell(&root, post, &json!({"account": "beta"})).await.assert(201);
    assert_eq!(made.header("location"), Some("/api/v1/accounts/beta"));
    api.tell(&root, post, &json!({"account": "beta"})).await.assert(409);
    let nobody = json!({"account": "gamma", "owner": "nobody@example.org"});
    assert_eq!(api.tell(&root, post, &nobody).await.assert(422).pointer(), "/owner");

    let patch = "PATCH /accounts/beta";
    let cpu = json!({"category": "compute", "type": "cpu", "capacity": "8", "requires": "4"});
    let memory =
        json!({"category": "memory", "type": "memory", "capacity": "16Gi", "requires": null});
    let both = json!({"name": "Beta", "quotas": [cpu, memory]});
    let changed = api.change(&root, patch, &made.etag(), &both).await.assert(200);
    assert_eq!(changed.body["quotas"], json!([cpu, memory]));
    api.change(&root, patch, &made.etag(), &both).await.assert(412);
    let one = json!({"quotas": [memory]});
    let changed = api.change(&root, patch, &changed.etag(), &one).await.assert(200);
    assert_eq!(changed.body["quotas"], json!([memory]));
    assert_eq!(changed.body["name"], "Beta");
    for (new, place) in [
        (json!({"quotas": [{"category": "x", "type": "cpu", "capacity": "8"}]}), "/quotas"),
        (json!({"quotas": [{"category": "compute", "type": "cpu", "capacity": "50%"}]}), "/quotas"),
        (json!({"quotas": [{"category": "compute", "type": "cpu"}]}), "/quotas/0/capacity"),
        (json!({"namespace_prefix": "-"}), "/namespace_prefix"),
        (json!({"namespace": "Not a namespace"}), "/namespace"),
        (json!({"name": ""}), "/name"),
        (json!({"deleted_at": null}), "/deleted_at"),
    ] {
        let refused = api.change(&root, patch, "*", &new).await.assert(422);
        assert_eq!(refused.pointer(), place, "{new}");
    }
    let list = api.ask(&root, "GET /accounts").await.assert(200);
    let names: Vec<_> = list.items().iter().map(|row| row["account"].clone()).collect();
    assert_eq!(names, ["acme", "beta"]);
    assert_eq!(list.items()[1]["quotas"], json!([memory]));
    api.ask(&root, "DELETE /accounts/beta").await.assert(204);
    api.ask(&root, "GET /accounts/beta").await.assert(404);
    api.stop().await;
}

#[tokio::test]
async fn owners_say_who_is_there() {
    let api = Api::start().await;
    let olga = api.person("olga", Some(Role::Owner)).await;
    let bea = api.person("bea", None).await;
    let put = "PUT /accounts/acme/members/bea%40example.org";
    api.ask(&bea, "GET /accounts/acme").await.assert(404);
    api.tell(&olga, put, &json!({"role": "viewer"})).await.assert(200);
    let account = api.ask(&bea, "GET /accounts/acme").await.assert(200);
    assert_eq!(account.body["role"], "viewer");
    let members = api.ask(&bea, "GET /accounts/acme/members").await.assert(200);
    let emails: Vec<_> = members.items().iter().map(|row| row["email"].clone()).collect();
    assert_eq!(emails, ["bea@example.org", "olga@example.org"]);
    let refused = api.tell(&bea, put, &json!({"role": "owner"})).await.assert(403);
    assert_eq!(refused.problem(), "forbidden");
    let unknown = api.tell(&olga, put, &json!({"role": "king"})).await.assert(422);
    assert_eq!(unknown.pointer(), "/role");
    let more = json!({"role": "viewer", "administrator": true});
    assert_eq!(api.tell(&olga, put, &more).await.assert(422).pointer(), "/administrator");
    api.ask(&olga, "DELETE /accounts/acme/members/bea@example.org").await.assert(204);
    api.ask(&bea, "GET /accounts/acme").await.assert(404);
    api.ask(&olga, "DELETE /accounts/acme/members/bea@example.org").await.assert(404);
    api.stop().await;
}

#[tokio::test]
async fn administrators_add_and_change_people() {
    let api = Api::start().await;
    let root = api.administrator().await;
    let new = json!({"email": "Ana@Example.org", "name": "Ana"});
    let made = api.tell(&root, "POST /users", &new).await.assert(201);
    assert_eq!(made.body["email"], "ana@example.org");
    assert!(made.body["password"].as_str().unwrap().len() > 20);
    api.tell(&root, "POST /users", &new).await.assert(409);
    let user = "/users/ana@example.org";
    let shown = api.ask(&root, &format!("GET {user}")).await.assert(200);
    assert!(!shown.body.to_string().contains("password"), "{}", shown.body);
    let patch = format!("PATCH {user}");
    let etag = shown.etag();
    let other = json!({"email": "ana2@example.org", "administrator": true});
    let changed = api.change(&root, &patch, &etag, &other).await.assert(200);
    assert_eq!(changed.body["administrator"], true);
    api.change(&root, &patch, &etag, &other).await.assert(404);
    let patch = "PATCH /users/ana2@example.org";
    api.change(&root, patch, &etag, &json!({"name": "x"})).await.assert(412);
    for (new, place) in [
        (json!({"email": "nobody"}), "/email"),
        (json!({"email": "аna@example.org"}), "/email"),
        (json!({"name": "\u{200b}"}), "/name"),
        (json!({"password_hash": "x"}), "/password_hash"),
    ] {
        let refused = api.change(&root, patch, "*", &new).await.assert(422);
        assert_eq!(refused.pointer(), place, "{new}");
    }
    let reset = api.ask(&root, "POST /users/ana2@example.org/password").await.assert(200);
    assert_ne!(reset.body["password"], made.body["password"]);
    api.ask(&root, "DELETE /users/ana2@example.org").await.assert(204);
    let part = api.ask(&root, "GET /users?limit=1").await.assert(200);
    assert_eq!(part.items()[0]["email"], "ana2@example.org");
    let next = part.body["next"].as_str().unwrap().strip_prefix("/api/v1").unwrap();
    let rest = api.ask(&root, &format!("GET {next}")).await.assert(200);
    assert_eq!(rest.items()[0]["email"], "root@example.org");
    api.stop().await;
}

#[tokio::test]
async fn keys_are_registered_and_removed() {
    let api = Api::start().await;
    let ana = api.person("ana", Some(Role::Developer)).await;
    let me = api.ask(&ana, "GET /users/me").await;
    let end = me.body["token"]["expires_at"].clone();
    let post = "POST /users/me/keys";
    let new = json!({"public_key": KEY, "expires_at": end, "projects": ["acme/shop"]});
    let made = api.tell(&ana, post, &new).await.assert(201);
    assert_eq!(
        (&made.body["name"], &made.body["projects"]),
        (&json!("ana@laptop"), &json!(["acme/shop"]))
    );
    let again = api.tell(&ana, post, &new).await.assert(409);
    assert_eq!(again.body["detail"], "this key is registered already");
    let bea = api.person("bea", Some(Role::Developer)).await;
    let longer = json!({"public_key": KEY, "expires_at": Utc::now() + TimeDelta::days(2)});
    let refused = api.tell(&bea, post, &longer).await.assert(422);
    assert_eq!(refused.pointer(), "/expires_at");
    let end = api.ask(&bea, "GET /users/me").await.body["token"]["expires_at"].clone();
    let hers = json!({"public_key": KEY, "expires_at": end});
    let taken = api.tell(&bea, post, &hers).await.assert(409);
    assert_eq!(taken.body["detail"], "this key is already in use");
    for (key, says) in [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", "this is a private key"),
        ("ssh-dss AAAA", "are not accepted"),
        ("nonsense", "not an OpenSSH public key"),
    ] {
        let new = json!({"public_key": key, "expires_at": end});
        let refused = api.tell(&bea, post, &new).await.assert(422);
        assert_eq!(refused.pointer(), "/public_key");
        assert!(refused.body["detail"].as_str().unwrap().contains(says), "{refused:?}");
    }
    let id = made.body["id"].as_str().unwrap();
    api.ask(&bea, &format!("DELETE /users/me/keys/{id}")).await.assert(404);
    api.ask(&ana, &format!("DELETE /users/me/keys/{id}")).await.assert(204);
    assert!(api.ask(&ana, "GET /users/me/keys").await.assert(200).items().is_empty());
    api.stop().await;
}

#[tokio::test]
async fn the_log_is_read_in_parts_and_by_what_is_asked() {
    let api = Api::start().await;
    let root = api.administrator().await;
    for name in ["a", "b", "c"] {
        api.project(name).await;
    }
    let mut subjects = Vec::new();
    let mut line = "GET /audit?limit=2&deed=create-project".to_owned();
    loop {
        let part = api.ask(&root, &line).await.assert(200);
        subjects.extend(part.items().iter().map(|row| row["subject"].as_str().unwrap().to_owned()));
        let Some(next) = part.body["next"].as_str() else { break };
        line = format!("GET {}", next.strip_prefix("/api/v1").unwrap());
    }
    assert_eq!(subjects, ["acme/c", "acme/b", "acme/a", "acme/shop"]);
    let of = api.ask(&root, "GET /audit?subject=acme/b&who=test").await.assert(200);
    assert_eq!(of.items().len(), 1);
    for query in ["deed=nope", "since=yesterday", "subject=%00", "cursor=eA"] {
        api.ask(&root, &format!("GET /audit?{query}")).await.assert(400);
    }
    api.stop().await;
}
