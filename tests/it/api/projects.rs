//! Projects and their deploy rules: listed in parts, changed from a state that is known.

use pierhead::domain::access::Role;
use serde_json::json;

use crate::api::Api;

const SHOP: &str = "/projects/acme/shop";

#[tokio::test]
async fn a_list_is_read_part_by_part() {
    let api = Api::start().await;
    let ana = api.person("ana", Some(Role::Developer)).await;
    for name in ["a", "b", "c", "z"] {
        api.project(name).await;
    }
    let mut seen = Vec::new();
    let mut line = "GET /projects?limit=2&account=acme".to_owned();
    loop {
        let part = api.ask(&ana, &line).await.assert(200);
        assert!(part.items().len() <= 2, "{part:?}");
        let names = part.items().iter().map(|row| row["name"].as_str().unwrap().to_owned());
        seen.extend(names);
        let Some(next) = part.body["next"].as_str() else {
            assert_eq!(part.header("link"), None);
            break;
        };
        assert_eq!(part.header("link"), Some(format!("<{next}>; rel=\"next\"").as_str()));
        line = format!("GET {}", next.strip_prefix("/api/v1").unwrap());
    }
    assert_eq!(seen, ["acme/a", "acme/b", "acme/c", "acme/shop", "acme/z"]);
    for query in ["limit=0", "limit=201", "limit=x", "cursor=!", "cursor=YQ", "page=2", "account=-"]
    {
        let refused = api.ask(&ana, &format!("GET /projects?{query}")).await.assert(400);
        assert_eq!(refused.problem(), "bad-request", "{query}");
    }
    let eve = api.person("eve", None).await;
    assert!(api.ask(&eve, "GET /projects").await.assert(200).items().is_empty());
    api.stop().await;
}

#[tokio::test]
async fn a_change_says_what_it_was_made_from() {
    let api = Api::start().await;
    let olga = api.person("olga", Some(Role::Owner)).await;
    let patch = format!("PATCH {SHOP}");
    let first = api.ask(&olga, &format!("GET {SHOP}")).await.assert(200);
    assert_eq!(first.body["prefix"], "");
    let missing = api.tell(&olga, &patch, &json!({"prefix": "x"})).await.assert(428);
    assert_eq!(missing.problem(), "no-precondition");

    let etag = first.etag();
    let changed = api.change(&olga, &patch, &etag, &json!({"prefix": "acme"})).await.assert(200);
    assert_eq!(changed.body["prefix"], "acme");
    assert_ne!(changed.etag(), etag);
    // Somebody who had read the first state does not undo this.
    for stale in [etag.as_str(), "\"\"", "W/\"1\"", "\"1\", \"2\"", "nonsense"] {
        let late = api.change(&olga, &patch, stale, &json!({"prefix": "late"})).await.assert(412);
        assert_eq!(late.problem(), "changed", "{stale}");
    }
    let now = api.ask(&olga, &format!("GET {SHOP}")).await;
    assert_eq!((&now.body["prefix"], now.etag()), (&json!("acme"), changed.etag()));
    api.change(&olga, &patch, "*", &json!({"prefix": ""})).await.assert(200);
    api.stop().await;
}

#[tokio::test]
async fn of_two_changes_from_one_state_one_is_made() {
    let api = Api::start().await;
    let olga = api.person("olga", Some(Role::Owner)).await;
    let etag = api.ask(&olga, &format!("GET {SHOP}")).await.etag();
    let patch = format!("PATCH {SHOP}");
    let bodies: Vec<_> = (0..6).map(|n| json!({"prefix": format!("p{n}")})).collect();
    let all = bodies.iter().map(|body| api.change(&olga, &patch, &etag, body));
    let statuses: Vec<u16> =
        futures::future::join_all(all).await.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 5, "{statuses:?}");

    let rules = format!("{SHOP}/deploy-rules");
    let etag = api.ask(&olga, &format!("GET {rules}")).await.etag();
    let put = format!("PUT {rules}");
    let rule = |n: i32| json!({"items": [{"pattern": "refs/heads/main", "environment": "production", "priority": n}]});
    let bodies: Vec<_> = (1..6).map(rule).collect();
    let all = bodies.iter().map(|body| api.change(&olga, &put, &etag, body));
    let statuses: Vec<u16> =
        futures::future::join_all(all).await.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    api.stop().await;
}

#[tokio::test]
async fn owners_add_change_and_delete_projects_and_suspend_none() {
    let api = Api::start().await;
    let olga = api.person("olga", Some(Role::Owner)).await;
    let post = "POST /accounts/acme/projects";
    let made = api.tell(&olga, post, &json!({"project": "blog"})).await.assert(201);
    assert_eq!(made.header("location"), Some("/api/v1/projects/acme/blog"));
    assert_eq!(
        (&made.body["name"], &made.body["default_branch"]),
        (&json!("acme/blog"), &json!("main"))
    );
    let again = api.tell(&olga, post, &json!({"project": "blog"})).await.assert(409);
    assert_eq!(again.problem(), "conflict");
    for (new, place) in [
        (json!({"project": "Blog"}), "/project"),
        (json!({"project": "b\u{043b}og"}), "/project"),
        (json!({"project": "x", "default_branch": "a b"}), "/default_branch"),
        (json!({"project": "x", "account_id": "1"}), "/account_id"),
        (json!({}), "/project"),
    ] {
        let refused = api.tell(&olga, post, &new).await.assert(422);
        assert_eq!(refused.pointer(), place, "{new}");
    }
    let patch = "PATCH /projects/acme/blog";
    let refused = api.change(&olga, patch, "*", &json!({"suspended": true})).await.assert(422);
    assert_eq!(refused.pointer(), "/suspended");
    let refused = api.change(&olga, patch, "*", &json!({"prefix": "-"})).await.assert(422);
    assert_eq!(refused.pointer(), "/prefix");
    let refused = api.change(&olga, patch, "*", &json!({"slug": "x"})).await.assert(422);
    assert_eq!(refused.pointer(), "/slug");
    let root = api.administrator().await;
    let done = api.change(&root, patch, "*", &json!({"suspended": true})).await.assert(200);
    assert_eq!(done.body["inactive"], true);
    api.ask(&olga, "DELETE /projects/acme/blog").await.assert(204);
    api.ask(&olga, "GET /projects/acme/blog").await.assert(404);
    let noted = api.ask(&root, "GET /audit?who=olga@example.org&deed=delete-project").await;
    let noted = noted.assert(200);
    let entry = &noted.items()[0];
    assert_eq!((&entry["door"], &entry["subject"]), (&json!("api"), &json!("acme/blog")));
    assert!(entry["key"].as_str().unwrap().starts_with("token "), "{entry}");
    api.stop().await;
}

#[tokio::test]
async fn deploy_rules_are_replaced_as_a_whole() {
    let api = Api::start().await;
    let olga = api.person("olga", Some(Role::Owner)).await;
    let rules = format!("{SHOP}/deploy-rules");
    let before = api.ask(&olga, &format!("GET {rules}")).await.assert(200);
    assert_eq!(before.items()[0]["pattern"], "refs/heads/main");
    let new = json!({"items": [
        {"pattern": "refs/heads/main", "environment": "production", "protected": true},
        {"pattern": "refs/heads/release/*", "environment": "staging", "priority": 2},
    ]});
    let put = format!("PUT {rules}");
    let after = api.change(&olga, &put, &before.etag(), &new).await.assert(200);
    assert_eq!(after.items().len(), 2);
    assert_eq!(after.items()[1]["environment"], "staging");
    api.change(&olga, &put, &before.etag(), &new).await.assert(412);
    let none = json!({"items": []});
    let after = api.change(&olga, &put, &after.etag(), &none).await.assert(200);
    assert!(after.items().is_empty());
    for (new, place) in [
        (json!({"items": [{"pattern": "main", "environment": "production"}]}), "/items/0/pattern"),
        (
            json!({"items": [{"pattern": "refs/heads/x", "environment": "1"}]}),
            "/items/0/environment",
        ),
        (
            json!({"items": [
                {"pattern": "refs/heads/x", "environment": "a"},
                {"pattern": "refs/heads/x", "environment": "b"},
            ]}),
            "/items",
        ),
    ] {
        let refused = api.change(&olga, &put, "*", &new).await.assert(422);
        assert_eq!(refused.pointer(), place);
    }
    let environments = api.ask(&olga, &format!("GET {SHOP}/environments")).await.assert(200);
    let names: Vec<_> = environments.items().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["production", "staging"]);
    api.stop().await;
}
