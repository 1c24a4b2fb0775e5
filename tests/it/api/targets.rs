//! Clusters and registries: who signs in goes in and never comes out.

use pierhead::domain::access::Role;
use serde_json::json;

use crate::api::Api;
use crate::support::database::count;

const CLUSTERS: &str = "/projects/acme/shop/clusters";
const REGISTRY: &str = "/projects/acme/shop/registry";
const SECRET: &str = "not-for-your-eyes-nor-mine";

#[tokio::test]
async fn administrators_say_where_a_project_goes() {
    let api = Api::start().await;
    let root = api.administrator().await;
    let new = json!({
        "name": "east", "environment": "staging", "kind": "kubernetes",
        "address": "https://10.0.0.1:6443", "namespace": "shop", "login": {"token": SECRET},
    });
    let made = api.tell(&root, &format!("POST {CLUSTERS}"), &new).await.assert(201);
    assert_eq!(made.header("location"), Some(format!("/api/v1{CLUSTERS}/east").as_str()));
    assert_eq!((&made.body["signs_in"], &made.body["tls_verify"]), (&json!(true), &json!(true)));
    let etag = made.etag();
    let east = format!("{CLUSTERS}/east");
    let patch = format!("PATCH {east}");
    // Who signs in is for one address.
    let moved = json!({"address": "https://10.0.0.2:6443"});
    let refused = api.change(&root, &patch, &etag, &moved).await.assert(422);
    assert_eq!(refused.pointer(), "/login");
    let moved = json!({"address": "https://10.0.0.2:6443", "login": {"token": SECRET}});
    let changed = api.change(&root, &patch, &etag, &moved).await.assert(200);
    assert_eq!(changed.body["address"], "https://10.0.0.2:6443");
    api.change(&root, &patch, &etag, &moved).await.assert(412);
    let namespace = json!({"namespace_manage": "create"});
    api.change(&root, &patch, &changed.etag(), &namespace).await.assert(200);

    let vic = api.person("vic", Some(Role::Viewer)).await;
    for line in [format!("GET {CLUSTERS}"), format!("GET {east}"), "GET /audit".to_owned()] {
        let who = if line.ends_with("audit") { &root } else { &vic };
        let shown = api.ask(who, &line).await.assert(200);
        assert!(!shown.body.to_string().contains("eyes"), "{}", shown.body);
    }
    let rows = "SELECT count(*) FROM clusters WHERE clusters::text LIKE '%eyes%'";
    assert_eq!(count(api.db(), rows).await, 0);
    api.ask(&root, &format!("DELETE {east}")).await.assert(204);
    api.ask(&root, &format!("GET {east}")).await.assert(404);
    for (new, place) in [
        (
            json!({"name": "a", "environment": "b", "kind": "docker", "address": "tcp://x:1"}),
            "/address",
        ),
        (
            json!({"name": "a", "environment": "b", "kind": "kubernetes", "address": "http://x"}),
            "/address",
        ),
        (json!({"name": "a", "environment": "b", "kind": "vm", "address": "http://x"}), "/kind"),
        (
            json!({"name": "a", "environment": "b", "kind": "docker", "address": "unix:///x", "login": {"token": SECRET}}),
            "/kind",
        ),
        (
            json!({"name": "a", "environment": "b", "kind": "kubernetes", "address": "https://x", "login": {}}),
            "/login",
        ),
        (
            json!({"name": "a", "environment": "b", "kind": "kubernetes", "address": "https://x", "login": {"ca": "no PEM", "token": SECRET}}),
            "/login",
        ),
        (
            json!({"name": "a", "environment": "b", "kind": "docker", "address": "unix:///x", "locked": true}),
            "/locked",
        ),
    ] {
        let refused = api.tell(&root, &format!("POST {CLUSTERS}"), &new).await.assert(422);
        assert_eq!(refused.pointer(), place, "{new}");
    }
    api.stop().await;
}

#[tokio::test]
async fn a_registry_is_shown_without_its_password() {
    let api = Api::start().await;
    let root = api.administrator().await;
    api.ask(&root, &format!("GET {REGISTRY}")).await.assert(404);
    let login = json!({"username": "robot", "password": SECRET});
    let new = json!({"address": "reg.example:5000/team", "login": login});
    let set = api.tell(&root, &format!("PUT {REGISTRY}"), &new).await.assert(200);
    let expected =
        json!({"address": "reg.example:5000/team", "plain_http": null, "username": "robot"});
    assert_eq!(set.body, expected);
    let vic = api.person("vic", Some(Role::Viewer)).await;
    assert_eq!(api.ask(&vic, &format!("GET {REGISTRY}")).await.assert(200).body, expected);
    let rows = "SELECT count(*) FROM registries WHERE registries::text LIKE '%eyes%'";
    assert_eq!(count(api.db(), rows).await, 0);
    let bad = json!({"address": "reg.example", "login": {"username": "a:b", "password": SECRET}});
    let refused = api.tell(&root, &format!("PUT {REGISTRY}"), &bad).await.assert(422);
    assert_eq!(refused.pointer(), "/login");
    let refused = api.tell(&root, &format!("PUT {REGISTRY}"), &json!({"address": "-"})).await;
    assert_eq!(refused.assert(422).pointer(), "/address");
    api.ask(&root, &format!("DELETE {REGISTRY}")).await.assert(204);
    api.ask(&root, &format!("DELETE {REGISTRY}")).await.assert(404);
    api.stop().await;
}
