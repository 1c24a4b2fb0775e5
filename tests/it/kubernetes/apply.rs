//! Objects are made what they shall be, and nobody else's is touched.

use insta::assert_snapshot;
use pierhead::domain::cluster::Adoption;
use pierhead::kubernetes::{ApplyOptions, Change, Cluster, DryRun, ObjectRef};
use serde_json::json;

use crate::kubernetes::{Ground, deployment, job, map, options, ours, script, waiting};

#[tokio::test]
async fn what_is_applied_twice_changes_once_and_draws_no_warning() {
    let Some(ground) = Ground::open("apply").await else { return };
    let rule = json!({"host": "shop.example.com", "http": {"paths": [{
        "path": "/", "pathType": "Prefix",
        "backend": {"service": {"name": "web", "port": {"number": 80}}},
    }]}});
    let job_spec = job("tick", script("true"), json!({}))["spec"].clone();
    let port = json!({"name": "web-80", "protocol": "TCP", "port": 80, "targetPort": 8080});
    let objects = [
        map("settings-map", json!({"a": "1", "b": "2"})),
        ours("v1", "Secret", "key-secret", json!({"type": "Opaque", "data": {"k": "dg=="}})),
        ours(
            "v1",
            "Service",
            "web",
            json!({"spec": {"selector": {"name": "web"}, "ports": [port]}}),
        ),
        deployment("web", waiting()),
        ours("networking.k8s.io/v1", "Ingress", "web-ingress", json!({"spec": {"rules": [rule]}})),
        ours(
            "batch/v1",
            "CronJob",
            "tick",
            json!({"spec": {
                "schedule": "@hourly", "suspend": true, "jobTemplate": {"spec": job_spec},
            }}),
        ),
    ];
    for object in &objects {
        for change in [Change::Created, Change::Unchanged] {
            let applied = ground.apply(object).await.unwrap();
            assert_eq!((applied.change, applied.warnings), (change, Vec::new()), "{object}");
        }
    }
    let applied = ground.apply(&map("settings-map", json!({"a": "1"}))).await.unwrap();
    assert_eq!(applied.change, Change::Changed);
    assert_eq!(applied.stored["data"], json!({"a": "1"}), "what is left out disappears");
}

#[tokio::test]
async fn what_the_cluster_does_not_know_or_doubts_is_told() {
    let Some(ground) = Ground::open("strict").await else { return };
    let mut unknown = deployment("web", waiting());
    unknown["spec"]["strateg"] = json!({});
    assert_snapshot!(ground.apply(&unknown).await.unwrap_err(), @"Deployment web has fields that this cluster does not know: spec.strateg; set the level of Kubernetes to the cluster's, or upgrade it");

    let mut doubtful = deployment("web", waiting());
    let ports = json!([{"containerPort": 80}]);
    let containers = ["a", "b"].map(|name| {
        let mut container = waiting();
        container["name"] = name.into();
        container["ports"] = ports.clone();
        container
    });
    doubtful["spec"]["template"]["spec"]["containers"] = json!(containers);
    let applied = ground.apply(&doubtful).await.unwrap();
    assert_snapshot!(applied.warnings.join("\n"), @"spec.template.spec.containers[1].ports[0]: duplicate port definition with spec.template.spec.containers[0].ports[0]");

    let long = map(&"a".repeat(254), json!({}));
    let error = ground.apply(&long).await.unwrap_err().to_string();
    assert!(error.contains("metadata.name: ") && error.contains("253"), "{error}");
    assert_snapshot!(ground.apply(&map("A_b", json!({}))).await.unwrap_err(), @r#"ConfigMap A_b is not valid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'); correct what it is made of"#);
}

#[tokio::test]
async fn what_somebody_else_owns_is_left_alone_unless_it_is_adopted() {
    let Some(ground) = Ground::open("adopt").await else { return };
    let foreign = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings-map", "labels": {"app.kubernetes.io/managed-by": "Helm"}},
        "data": {"theirs": "1", "both": "2"},
    });
    ground.create(foreign.clone()).await;
    let wanted = map("settings-map", json!({"both": "3"}));
    assert_snapshot!(ground.apply(&wanted).await.unwrap_err(), @"ConfigMap settings-map belongs to another owner (managed by Helm): rename yours, or delete it there");
    assert_eq!(ground.found(&wanted).await["data"], foreign["data"]);

    let adopting = ApplyOptions { adoption: Adoption::Adopt, ..options() };
    let adopted = ground.cluster.apply(&wanted, &adopting).await.unwrap();
    assert_eq!(adopted.change, Change::Changed);
    assert_eq!(adopted.stored["data"], json!({"both": "3"}), "nothing of theirs is left");
    assert_eq!(ground.apply(&wanted).await.unwrap().change, Change::Unchanged);
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_stores_nothing() {
    let Some(ground) = Ground::open("dry").await else { return };
    let dry = ApplyOptions { dry_run: DryRun::Yes, ..options() };
    let object = map("settings-map", json!({"a": "1"}));
    let change = async |object| ground.cluster.apply(object, &dry).await.unwrap().change;
    assert_eq!(change(&object).await, Change::Created);
    assert_eq!(ground.cluster.get(&ObjectRef::of(&object)).await.unwrap(), None);
    ground.apply(&object).await.unwrap();
    assert_eq!(change(&object).await, Change::Unchanged);
    assert_eq!(change(&map("settings-map", json!({"a": "2"}))).await, Change::Changed);
    assert_eq!(ground.found(&object).await["data"], json!({"a": "1"}));
}

#[tokio::test]
async fn namespaces_are_made_once_and_a_missing_one_is_told() {
    let Some(ground) = Ground::open("space").await else { return };
    let name = format!("{}-b", ground.namespace);
    let namespace = ours("v1", "Namespace", &name, json!({}));
    for change in [Change::Created, Change::Unchanged] {
        assert_eq!(ground.apply(&namespace).await.unwrap().change, change);
    }
    let within: Cluster = ground.cluster.clone().within(&name);
    let object = map("settings-map", json!({}));
    assert_eq!(within.apply(&object, &options()).await.unwrap().change, Change::Created);
    assert!(ground.cluster.remove(&ObjectRef::of(&namespace)).await.unwrap());
    let missing = within.apply(&object, &options()).await.unwrap_err().to_string();
    assert_eq!(
        missing,
        format!("there is no namespace `{name}`: create it, or let deployments create it")
    );
}

#[tokio::test]
async fn without_its_controller_there_is_no_hierarchy_of_namespaces() {
    let Some(ground) = Ground::open("anchor").await else { return };
    let groups = ground.cluster.api_groups().await.unwrap();
    if groups.iter().any(|group| group.name == "hnc.x-k8s.io") {
        // It has its controller.
        return;
    }
    let anchor = ours("hnc.x-k8s.io/v1alpha2", "SubnamespaceAnchor", "shop", json!({}));
    assert_snapshot!(ground.apply(&anchor).await.unwrap_err(), @"the cluster does not know SubnamespaceAnchor of hnc.x-k8s.io/v1alpha2: install its controller, or deploy without a hierarchy of namespaces");
}
