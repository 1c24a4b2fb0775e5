//! Jobs: listed, followed, started and ended.

use pierhead::db::models::job::Job;
use pierhead::domain::access::Role;
use pierhead::domain::history::{EntryKind, NewEntry, Step};
use pierhead::domain::ids::JobNumber;
use pierhead::history::{Appended, Writer, append};
use serde_json::json;

use crate::api::Api;
use crate::support::database::count;

const DEPLOY: &str = "POST /projects/acme/shop/environments/production/jobs";

#[tokio::test]
async fn a_deployment_is_started_found_and_ended() {
    let api = Api::start().await;
    let ana = api.person("ana", Some(Role::Developer)).await;
    let made = api.ask(&ana, DEPLOY).await.assert(202);
    assert_eq!(made.header("location"), Some("/api/v1/jobs/1"));
    let facts = ["number", "state", "outcome", "project", "environment", "pusher", "kind"]
        .map(|name| made.body[name].clone());
    let expected = json!([1, "queued", null, "shop", "production", "ana", "redeploy"]);
    assert_eq!(json!(facts), expected);
    // The same again is the same job.
    let again = api.tell(&ana, DEPLOY, &json!({"no_cache": false})).await.assert(202);
    assert_eq!(again.body["id"], made.body["id"]);
    let id = made.body["id"].as_str().unwrap();
    let shown = api.ask(&ana, &format!("GET /jobs/{id}")).await.assert(200);
    assert_eq!(shown.body, made.body);

    let done = api.ask(&ana, "POST /jobs/1/cancel").await.assert(202);
    assert_eq!(done.body, json!({"job": 1, "answer": "cancelled"}));
    let late = api.ask(&ana, "POST /jobs/1/cancel").await.assert(409);
    assert_eq!(late.body["detail"], "job 1 has ended: cancelled");
    let shown = api.ask(&ana, "GET /jobs/1").await.assert(200);
    assert_eq!(
        (&shown.body["state"], &shown.body["outcome"]),
        (&json!("ended"), &json!("cancelled"))
    );
    let noted = "SELECT count(*) FROM audit WHERE door = 'api' AND deed IN ('redeploy', 'cancel')";
    assert_eq!(count(api.db(), noted).await, 4);
    for line in ["GET /jobs/2", "GET /jobs/x", "GET /jobs/99999999999999999999"] {
        api.ask(&ana, line).await.assert(404);
    }
    api.ask(&ana, &DEPLOY.replace("production", "nowhere")).await.assert(404);
    api.stop().await;
}

#[tokio::test]
async fn jobs_are_listed_newest_first_and_only_those_that_were_asked_for() {
    let api = Api::start().await;
    let ana = api.person("ana", Some(Role::Developer)).await;
    for number in 1..=3 {
        api.ask(&ana, DEPLOY).await.assert(202);
        api.ask(&ana, &format!("POST /jobs/{number}/cancel")).await.assert(202);
    }
    api.ask(&ana, DEPLOY).await.assert(202);
    let numbers = |reply: &crate::api::Reply| -> Vec<i64> {
        reply.items().iter().map(|row| row["number"].as_i64().unwrap()).collect()
    };
    let part = api.ask(&ana, "GET /jobs?limit=3").await.assert(200);
    assert_eq!(numbers(&part), [4, 3, 2]);
    let next = part.body["next"].as_str().unwrap().strip_prefix("/api/v1").unwrap();
    let rest = api.ask(&ana, &format!("GET {next}")).await.assert(200);
    assert_eq!((numbers(&rest), &rest.body["next"]), (vec![1], &json!(null)));
    for (query, expected) in [
        ("state=queued", vec![4]),
        ("state=ended&limit=2", vec![3, 2]),
        ("environment=staging", vec![]),
        ("since=2999-01-01T00:00:00Z", vec![]),
    ] {
        let line = format!("GET /projects/acme/shop/jobs?{query}");
        assert_eq!(numbers(&api.ask(&ana, &line).await.assert(200)), expected, "{query}");
    }
    api.ask(&ana, "GET /jobs?state=nope").await.assert(400);
    let eve = api.person("eve", None).await;
    assert!(api.ask(&eve, "GET /jobs").await.assert(200).items().is_empty());
    let root = api.administrator().await;
    assert_eq!(api.ask(&root, "GET /jobs").await.assert(200).items().len(), 4);
    api.stop().await;
}

#[tokio::test]
async fn a_history_is_read_from_where_one_stopped() {
    let api = Api::start().await;
    let ana = api.person("ana", Some(Role::Developer)).await;
    api.ask(&ana, DEPLOY).await.assert(202);
    let rows: Vec<_> =
        (0..5).map(|n| NewEntry::new(Step::Queue, EntryKind::Line, format!("line {n}"))).collect();
    let written = api.db().transaction(async move |connection| {
        let job = Job::by_number(connection, JobNumber(1)).await?.unwrap().0.id;
        append(connection, job, Writer::Outside, &rows).await
    });
    assert_eq!(written.await.unwrap(), Appended::Written);
    let part = api.ask(&ana, "GET /jobs/1/history?limit=2").await.assert(200);
    assert_eq!(part.items()[0]["seq"], 1);
    assert_eq!(part.body["next"], "/api/v1/jobs/1/history?limit=2&after=2");
    let rest = api.ask(&ana, "GET /jobs/1/history?after=2").await.assert(200);
    let last = rest.items().last().unwrap();
    assert_eq!((&last["text"], &rest.body["next"]), (&json!("line 4"), &json!(null)));
    let seen = last["seq"].as_i64().unwrap();
    let nothing = api.ask(&ana, &format!("GET /jobs/1/history?after={seen}")).await.assert(200);
    assert!(nothing.items().is_empty());
    api.ask(&ana, "GET /jobs/1/history?after=-1").await.assert(400);
    api.stop().await;
}
