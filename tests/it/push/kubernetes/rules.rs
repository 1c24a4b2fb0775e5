//! Rules of whoever runs a cluster, and namespaces that are going away.

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::kubernetes::Ground;
use crate::push::kubernetes::{Harbour, page, write};
use crate::support::PATIENCE;

/// Group and version of rules.
const RULES: (&str, &str) = ("admissionregistration.k8s.io", "v1");

/// Objects of the whole cluster, by the hand of an administrator.
fn rules(ground: &Ground, kind: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk(RULES.0, RULES.1, kind);
    Api::all_with(ground.admin.clone(), &ApiResource::from_gvk(&kind))
}

async fn create(ground: &Ground, kind: &str, spec: Value) {
    let object = json!({
        "apiVersion": format!("{}/{}", RULES.0, RULES.1), "kind": kind,
        "metadata": {"name": ground.namespace}, "spec": spec,
    });
    let object = serde_json::from_value(object).unwrap();
    rules(ground, kind).create(&PostParams::default(), &object).await.unwrap();
}

/// A rule about Deployments of the namespace, in force when this is done.
async fn at_most_two(ground: &Ground) {
    create(
        ground,
        "ValidatingAdmissionPolicy",
        json!({
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                "resources": ["deployments"],
            }]},
            "validations": [{
                "expression": "object.spec.replicas <= 2", "message": "at most 2 pods",
            }],
        }),
    )
    .await;
    let named = json!({"kubernetes.io/metadata.name": ground.namespace});
    create(
        ground,
        "ValidatingAdmissionPolicyBinding",
        json!({
            "policyName": ground.namespace, "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": named}},
        }),
    )
    .await;
    let deadline = Instant::now() + PATIENCE;
    let params = PatchParams { dry_run: true, ..PatchParams::default() };
    let many = Patch::Merge(json!({"spec": {"replicas": 3}}));
    let deployments = ground.api("apps/v1", "Deployment");
    while deployments.patch("web-dplmt", &params, &many).await.is_ok() {
        assert!(Instant::now() < deadline, "the rule comes into force");
    }
}

async fn no_rules(ground: &Ground) {
    for kind in ["ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"] {
        rules(ground, kind).delete(&ground.namespace, &DeleteParams::default()).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_rule_of_the_cluster_or_the_end_of_a_namespace_refuses_is_told() {
    let Some(harbour) = Harbour::open("rules").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "");
    harbour.push(&copy, "First").await.assert_ok();
    let before = harbour.everything().await;

    at_most_two(&harbour.ground).await;
    copy.write(".paas.yaml", &page("second").replace("replicas: 2", "replicas: 3"));
    let push = harbour.push(&copy, "Too many").await;
    no_rules(&harbour.ground).await;
    push.assert_code(1).assert_says("Deployment web-dplmt is refused by the admission rule `");
    push.assert_says("at most 2 pods; ask who runs it");
    push.assert_says("v1 kept serving");
    assert_eq!(harbour.everything().await, before);
    assert_eq!(harbour.ask("web:80", "/").await, Ok("first".to_owned()));

    // It goes when that is taken off.
    let keeper = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "keeper", "finalizers": ["pierhead.dev/test"]},
    });
    harbour.create(keeper).await;
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Namespace"));
    let namespaces: Api<DynamicObject> = Api::all_with(harbour.ground.admin.clone(), &kind);
    let namespace = harbour.ground.namespace.clone();
    namespaces.delete(&namespace, &DeleteParams::default()).await.unwrap();
    write(&copy, "third", "");
    let push = harbour.push(&copy, "Too late").await;
    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let maps = harbour.ground.api("v1", "ConfigMap");
    maps.patch("keeper", &PatchParams::default(), &free).await.unwrap();
    push.assert_code(1).assert_says(&format!("the namespace `{namespace}` is being deleted"));
    harbour.close().await;
}
