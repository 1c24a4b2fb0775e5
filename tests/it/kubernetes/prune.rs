//! What is not needed any more goes, and nothing else.

use pierhead::kubernetes::{JobEnded, ObjectRef, Owned, Patience, SuccessCodes};
use serde_json::{Value, json};

use crate::kubernetes::{Ground, claim, deployment, job, map, script, waiting};

#[tokio::test]
async fn pruning_leaves_claims_running_jobs_and_what_is_others() {
    let Some(ground) = Ground::open("prune").await else { return };
    let (kept, dropped) = (map("kept-map", json!({})), map("dropped-map", json!({})));
    let web = deployment("web", waiting());
    let volume = claim("data", "1Gi");
    let (runs, ended) =
        (job("runs", script("sleep 600"), json!({})), job("ended", script("true"), json!({})));
    for object in [&kept, &dropped, &web, &volume, &runs, &ended] {
        ground.apply(object).await.unwrap();
    }
    let mut half = map("half-map", json!({}));
    half["metadata"]["labels"]["pierhead.dev/environment"] = "e2".into();
    let foreign = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "foreign"}});
    for object in [&half, &foreign] {
        ground.create(object.clone()).await;
    }
    let name = ObjectRef::of(&ended);
    let end = ground
        .cluster
        .wait_job(&name, &SuccessCodes::default(), &Patience::default(), |_| {})
        .await
        .unwrap();
    assert!(matches!(end, JobEnded::Succeeded { .. }), "{end:?}");

    let is_kept = |owned: &Owned| owned.object.name == "kept-map";
    ground.cluster.prune(&super::owner(), is_kept).await.unwrap();
    for object in [&kept, &volume, &runs, &half, &foreign] {
        ground.found(object).await;
    }
    for object in [&ended, &web, &dropped] {
        let found = ground.cluster.get(&ObjectRef::of(object)).await.unwrap();
        // A Job waits for its pods.
        let is_going = |found: Value| found["metadata"]["deletionTimestamp"].is_string();
        assert!(found.is_none_or(is_going), "{object}");
    }
    ground.cluster.prune(&super::owner(), is_kept).await.unwrap();
}
