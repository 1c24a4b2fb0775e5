//! An environment on several clusters: what became of each is told and stored.

use kube::api::DeleteParams;
use serde_json::json;

use crate::kubernetes::Ground;
use crate::push::kubernetes::{CHECK, Harbour, kubeconfig, page};
use crate::support::app::Settings;

/// A page whose pod has a disk, and a pod of it that comes first or not.
fn with_disk(said: &str, reset: bool) -> String {
    let disk = format!(
        "volumes: {{data: {{mount-path: /data, persistent: true, name: disk, storage-size: 64Mi, \
         reset-on-deployment: {reset}}}}}"
    );
    format!(
        "{}  store:
    containers:
      app:
        image: runner
        listen: [8080]
        {disk}
        variables: {{RUN: {}}}
        {CHECK}
",
        page("same"),
        super::serving(said),
    )
}

#[tokio::test]
async fn what_became_of_each_cluster_is_told_and_stored_with_the_release() {
    let settings = Settings::default()
        .with("limits", "rollout = \"20s\"")
        .with("worker", "put_back_limit = \"1s\"");
    let Some(harbour) = Harbour::with("several", settings).await else { return };
    let other = Ground::open("several-2").await.unwrap();
    let create = format!(
        "create cluster acme/shop other --environment production --kind kubernetes \
         --kubeconfig {} --namespace {}",
        kubeconfig(),
        other.namespace
    );
    harbour.administrate(&create, "").await;
    let copy = harbour.ana.empty("acme/shop").await;
    copy.write("Dockerfile", crate::push::kubernetes::RUNNER);
    copy.write(".paas.yaml", &with_disk("first", false));
    harbour.push(&copy, "First").await.assert_ok();
    assert_eq!((harbour.ground.pods("web").await.len(), other.pods("web").await.len()), (2, 2));

    // A disk of somebody else is met before the other cluster is come to.
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "taken"},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}},
        },
    });
    harbour.create(claim).await;
    copy.write(".paas.yaml", &with_disk("second", false).replace("name: disk", "name: taken"));
    let push = harbour.push(&copy, "Second").await;
    push.assert_code(1).assert_says("| main: put back").assert_says("| other: untouched");

    copy.write(".paas.yaml", &with_disk("no luck; exit 3", true));
    copy.commit("Third").await;
    let mut push = copy.start_push(&["main"]);
    push.until_says("other: store 0/1 ready").await;
    let namespaces = kube::Api::<k8s_openapi::api::core::v1::Namespace>::all(other.admin.clone());
    drop(namespaces.delete(&other.namespace, &DeleteParams::default()).await.unwrap());
    let push = push.finish().await;
    push.assert_code(1).assert_says("| main: put back").assert_says("| other: not put back: ");
    push.assert_says("| main: disk data of store was reset and is lost");

    let jobs = harbour.ana.ssh(&["jobs", "acme/shop", "--json"]).await;
    let jobs: Vec<serde_json::Value> =
        jobs.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(jobs[0]["undone"]["main"], json!({"state": "put-back", "lost": ["data of store"]}));
    assert_eq!(jobs[0]["undone"]["other"]["state"], "not-put-back");
    let second = json!({"main": {"state": "put-back"}, "other": {"state": "untouched"}});
    assert_eq!((&jobs[1]["undone"], &jobs[2]["undone"]), (&second, &json!(null)));
    harbour.close().await;
}
