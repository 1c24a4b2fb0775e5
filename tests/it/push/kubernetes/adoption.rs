//! What people have made by hand is refused, and taken over when an administrator says so.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::kubernetes::BUSYBOX;
use crate::push::kubernetes::{CHECK, Harbour, page, serving, write};
use crate::support::PATIENCE;
use crate::support::app::developer::Copy;

/// A Deployment as somebody makes it with kubectl, under the name of the file's pod.
fn by_hand() -> Value {
    let script = "mkdir -p /www; echo hand > /www/index.html; httpd -f -p 8080 -h /www";
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web-dplmt", "labels": {"of": "hand"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"name": "web"}},
            "template": {
                "metadata": {"labels": {"name": "web"}},
                "spec": {"terminationGracePeriodSeconds": 5, "containers": [{
                    "name": "by-hand", "image": BUSYBOX, "command": ["sh", "-c", script],
                    "readinessProbe": {"httpGet": {"port": 8080, "path": "/"}, "periodSeconds": 1},
                }]},
            },
        },
    })
}

/// A disk as somebody makes it.
fn disk_by_hand() -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "disk", "labels": {"of": "hand"}},
        "spec": {
            "accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "64Mi"}},
        },
    })
}

/// The page and a pod with the disk, which is emptied if that is said.
fn write_with_disk(copy: &Copy, said: &str, disk: &str, more: &str) {
    write(copy, said, "");
    let store = format!(
        "  store:
    containers:
      app:
        image: runner
        listen: [8080]
        variables: {{RUN: {}}}
        {CHECK}
        volumes: {{data: {{mount-path: /data, persistent: true, name: disk, storage-size: 64Mi, \
         write-many: true{disk}}}}}
",
        serving("store")
    );
    copy.write(".paas.yaml", &(page(said) + &store + more));
}

/// What somebody has said of it.
fn said(found: &Value) -> Value {
    let metadata = &found["metadata"];
    json!({"uid": metadata["uid"], "labels": metadata["labels"], "spec": found["spec"]})
}

/// Who has written of it what people write.
fn writers(found: &Value) -> Vec<Value> {
    let fields = found["metadata"]["managedFields"].as_array().unwrap().iter();
    let of_people = fields.filter(|it| it["manager"] != "kube-controller-manager");
    of_people.map(|it| json!([it["manager"], it["fieldsV1"]])).collect()
}

#[tokio::test]
async fn what_was_made_by_hand_is_taken_over_when_that_is_said_and_given_back_on_failure() {
    let Some(harbour) = Harbour::impatient("adoption", "20s").await else { return };
    harbour.create(by_hand()).await;
    harbour
        .create(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": {"name": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        }))
        .await;
    let deadline = Instant::now() + PATIENCE;
    while harbour.ask("web:80", "/").await != Ok("hand".to_owned()) {
        assert!(Instant::now() < deadline, "it serves");
    }
    let found = harbour.object("apps/v1", "Deployment", "web-dplmt").await;
    let (before, writer) = (said(&found), writers(&found));
    let pods = harbour.ground.pods("web").await;

    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "maps: {later: {a: b}}\n");
    let push = harbour.serving("web:80", "hand", harbour.push(&copy, "Refused")).await;
    push.assert_code(1).assert_says("web-dplmt belongs to another owner");
    push.assert_says("| .paas.yaml:6 (pods.web)");
    push.assert_says("to have it taken over, ask an administrator for");
    push.assert_says("|   pierhead admin set cluster <project> main --adoption next");
    assert_eq!(said(&harbour.object("apps/v1", "Deployment", "web-dplmt").await), before);
    assert_eq!(harbour.ground.pods("web").await, pods);

    harbour.create(disk_by_hand()).await;
    let claim = async || harbour.object("v1", "PersistentVolumeClaim", "disk").await;
    let uid = claim().await["metadata"]["uid"].clone();
    let labels = async || {
        let found = claim().await;
        assert_eq!(found["metadata"]["uid"], uid, "what is in it stays");
        found["metadata"]["labels"].clone()
    };
    harbour.administrate("set cluster acme/shop main --adoption next", "").await;
    write_with_disk(&copy, "first", ", reset-on-deployment: true", "");
    let push = harbour.push(&copy, "Would empty it").await;
    push.assert_code(1).assert_says("PersistentVolumeClaim disk belongs to another owner");
    assert!(!push.told().contains("--adoption"), "{}", push.stderr);
    write_with_disk(&copy, "no luck; exit 3", "", "maps: {later: {a: b}}\n");
    let push = harbour.serving("web:80", "hand", harbour.push(&copy, "Fails")).await;
    push.assert_code(1).assert_says("container `app` ends with code 3");
    assert_eq!(said(&harbour.object("apps/v1", "Deployment", "web-dplmt").await), before);
    assert_eq!(labels().await, json!({"of": "hand"}));
    let given = harbour.object("apps/v1", "Deployment", "web-dplmt").await;
    assert_eq!(writers(&given), writer);
    let deadline = Instant::now() + PATIENCE;
    while harbour.ground.pods("web").await != pods {
        assert!(Instant::now() < deadline, "the pods are those that were there");
    }

    write_with_disk(&copy, "first", "", "");
    let all = ["hand", "first"];
    let push = harbour.answering("web:80", &all, harbour.push(&copy, "Taken over")).await;
    push.assert_ok().assert_says("web 2/2 ready");
    assert_eq!(harbour.ask("web:80", "/").await, Ok("first".to_owned()));
    let taken = harbour.object("apps/v1", "Deployment", "web-dplmt").await;
    assert_eq!(taken["metadata"]["uid"], before["uid"]);
    assert_eq!(taken["metadata"]["labels"]["of"], Value::Null, "{taken}");
    assert_eq!(taken["spec"]["template"]["spec"]["containers"].as_array().unwrap().len(), 1);

    assert_eq!(labels().await.as_object().unwrap().len(), 3, "a project, an environment, a hand");

    // It was for that deployment only.
    harbour
        .create(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "c"},
            "metadata": {"name": "later-map"},
        }))
        .await;
    write_with_disk(&copy, "first", "", "maps: {later: {a: b}}\n");
    let push = harbour.serving("web:80", "first", harbour.push(&copy, "Later")).await;
    push.assert_code(1).assert_says("later-map belongs to another owner");
    write_with_disk(&copy, "second", "", "");
    harbour.push(&copy, "What was taken over is ours").await.assert_ok();
    harbour.close().await;
}
