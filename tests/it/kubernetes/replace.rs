//! What can never change is made again, at the least cost.

use kube::api::DeleteParams;
use pierhead::kubernetes::{ApplyOptions, Change, DryRun, Ended, ObjectRef, Patience};
use serde_json::json;
use tokio::time::Instant;

use crate::kubernetes::{
    Ground, PATIENCE, deployment, job, options, ours, script, stateful_set, waiting,
};

#[tokio::test]
async fn a_deployment_with_another_selector_is_made_again_over_its_pods() {
    let Some(ground) = Ground::open("selector").await else { return };
    let wanted = deployment("web", waiting());
    let mut former = wanted.clone();
    for path in ["/spec/selector/matchLabels", "/spec/template/metadata/labels"] {
        former.pointer_mut(path).unwrap()["tier"] = "a".into();
    }
    let mut wanted = former.clone();
    wanted["spec"]["selector"]["matchLabels"] = json!({"name": "web"});
    assert!(matches!(ground.roll_out(&former, &Patience::default()).await, Ended::Done));
    let before = ground.pods("web").await;

    let dry = ApplyOptions { dry_run: DryRun::Yes, ..options() };
    let planned = ground.cluster.apply(&wanted, &dry).await.unwrap();
    let recreated = (Change::Recreated, Vec::new());
    assert_eq!((planned.change, planned.warnings), recreated);
    let uid = ground.found(&former).await["metadata"]["uid"].clone();
    let applied = ground.apply(&wanted).await.unwrap();
    assert_eq!((applied.change, applied.warnings), recreated);
    assert_ne!(applied.stored["metadata"]["uid"], uid);
    assert!(matches!(ground.roll_out(&wanted, &Patience::default()).await, Ended::Done));
    assert_eq!(ground.pods("web").await, before, "the same pods serve on");

    // What the new selector does not see runs on, and is told.
    let other = deployment("other", waiting());
    let mut other = other;
    other["metadata"]["name"] = "web".into();
    let planned = ground.cluster.apply(&other, &dry).await.unwrap();
    let applied = ground.apply(&other).await.unwrap();
    assert_eq!(applied.change, Change::Recreated);
    assert_eq!(planned.warnings, applied.warnings);
    let [warning] = applied.warnings.as_slice() else { panic!("{:?}", applied.warnings) };
    let is_of = warning.starts_with("ReplicaSet web-");
    assert!(is_of && warning.ends_with("runs on: delete it"), "{warning}");
}

#[tokio::test]
async fn a_stateful_set_with_another_service_is_made_again_over_its_pods() {
    let Some(ground) = Ground::open("service").await else { return };
    let former = stateful_set("db", 1, waiting());
    assert!(matches!(ground.roll_out(&former, &Patience::default()).await, Ended::Done));
    let before = ground.pods("db").await;
    let mut wanted = former.clone();
    wanted["spec"]["serviceName"] = "db-hl".into();
    let applied = ground.apply(&wanted).await.unwrap();
    assert_eq!((applied.change, applied.warnings), (Change::Recreated, Vec::new()));
    assert!(matches!(ground.roll_out(&wanted, &Patience::default()).await, Ended::Done));
    assert_eq!(ground.pods("db").await, before);

    let mut faulty = wanted.clone();
    faulty["spec"]["serviceName"] = "db".into();
    faulty["spec"]["replicas"] = (-1).into();
    let error = ground.apply(&faulty).await.unwrap_err().to_string();
    assert!(error.contains("spec.replicas"), "{error}");
    assert_eq!(ground.pods("db").await, before, "nothing is deleted for what cannot be made");
}

#[tokio::test]
async fn a_job_runs_again_when_all_of_the_former_one_is_gone() {
    let Some(ground) = Ground::open("job").await else { return };
    let job = job("work", script("sleep 600"), json!({}));
    let first = ground.apply(&job).await.unwrap();
    assert_eq!(first.change, Change::Created);
    let again = ground.apply(&job).await.unwrap();
    assert_eq!(again.change, Change::Replaced);
    assert_ne!(first.stored["metadata"]["uid"], again.stored["metadata"]["uid"]);
    let pods = ground.api("v1", "Pod").list(&kube::api::ListParams::default()).await.unwrap();
    let uid = again.stored["metadata"]["uid"].as_str().unwrap();
    for pod in pods.items {
        let labels = pod.metadata.labels.unwrap();
        assert_eq!(labels["batch.kubernetes.io/controller-uid"], uid);
    }
    assert!(ground.cluster.remove(&ObjectRef::of(&job)).await.unwrap());
    assert!(!ground.cluster.remove(&ObjectRef::of(&job)).await.unwrap());
}

#[tokio::test]
async fn a_secret_of_another_type_takes_the_place_of_the_former_one() {
    let Some(ground) = Ground::open("secret").await else { return };
    let opaque = ours("v1", "Secret", "key-secret", json!({"data": {"username": "YQ=="}}));
    let mut basic = opaque.clone();
    basic["type"] = "kubernetes.io/basic-auth".into();
    assert_eq!(ground.apply(&opaque).await.unwrap().change, Change::Created);
    // Tried beside the former one, of which a quota allows no second one.
    ground
        .create(json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "one"},
            "spec": {"hard": {"count/secrets": "1"}},
        }))
        .await;
    let quotas = ground.api("v1", "ResourceQuota");
    let deadline = Instant::now() + PATIENCE;
    while quotas.get("one").await.unwrap().data["status"]["used"]["count/secrets"] != "1" {
        assert!(Instant::now() < deadline, "it counts");
    }
    let dry = ApplyOptions { dry_run: DryRun::Yes, ..options() };
    let planned = ground.cluster.apply(&basic, &dry).await.unwrap();
    assert_eq!(planned.change, Change::Replaced);
    let [warning] = planned.warnings.as_slice() else { panic!("{:?}", planned.warnings) };
    assert!(warning.starts_with("Secret key-secret has room in the quota"), "{warning}");
    quotas.delete("one", &DeleteParams::default()).await.unwrap();
    let mut faulty = basic.clone();
    faulty["data"] = json!({"other": "YQ=="});
    let error = ground.cluster.apply(&faulty, &dry).await.unwrap_err().to_string();
    assert!(error.starts_with("Secret key-secret is not valid"), "{error}");
    assert_eq!(ground.apply(&basic).await.unwrap().change, Change::Replaced);
    assert_eq!(ground.apply(&basic).await.unwrap().change, Change::Unchanged);
    assert_eq!(ground.found(&basic).await["type"], "kubernetes.io/basic-auth");
}
