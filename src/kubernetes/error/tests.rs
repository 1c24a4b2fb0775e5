//! Refusals as API servers word them.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;

fn told(status: u16, body: &Value) -> String {
    let object = ObjectRef {
        namespace: Some("shop".to_owned()),
        ..ObjectRef::new("apps/v1", "Deployment", "web-dplmt")
    };
    refused("https://c:6443", status, body, "patch", &object).to_string()
}

fn message(status: u16, words: &str) -> String {
    told(status, &json!({"message": words}))
}

#[test]
fn who_asks_is_told_what_is_missing() {
    assert_snapshot!(message(401, "Unauthorized"), @"the cluster at https://c:6443 does not accept who signs in: the token or client certificate is wrong, revoked or has run out; store a new one");
    assert_snapshot!(message(403, r#"deployments.apps "web-dplmt" is forbidden: User "u" cannot patch resource "deployments" in API group "apps" in the namespace "shop""#), @"no permission to patch deployments.apps in namespace shop: grant it, as docs/kubernetes-role.yaml does");
    assert_snapshot!(message(403, r#"ingressclasses.networking.k8s.io is forbidden: User "u" cannot list resource "ingressclasses" in API group "networking.k8s.io" at the cluster scope"#), @"no permission to list ingressclasses.networking.k8s.io in the whole cluster: grant it, as docs/kubernetes-role.yaml does");
    assert_snapshot!(message(403, "Forbidden"), @"no permission to patch deployments.apps in namespace shop: grant it, as docs/kubernetes-role.yaml does");
}

#[test]
fn namespaces_are_missing_or_ending() {
    let missing = json!({"message": r#"namespaces "shop" not found"#, "details": {"kind": "namespaces", "name": "shop"}});
    assert_snapshot!(told(404, &missing), @"there is no namespace `shop`: create it, or let deployments create it");
    assert_snapshot!(message(403, r#"deployments.apps "web-dplmt" is forbidden: unable to create new content in namespace shop because it is being terminated"#), @"the namespace `shop` is being deleted: wait until it is gone, and create it again");
    assert_snapshot!(message(404, "the server could not find the requested resource"), @"the cluster does not know Deployment of apps/v1: use a cluster of Kubernetes 1.30 or later, or install what serves it");
}

#[test]
fn rules_of_the_cluster_say_their_words() {
    assert_snapshot!(message(403, r#"pods "web" is forbidden: exceeded quota: paas-quota, requested: requests.cpu=2, used: requests.cpu=1, limited: requests.cpu=2"#), @"no room for Deployment web-dplmt in the quota of its namespace: paas-quota, requested: requests.cpu=2, used: requests.cpu=1, limited: requests.cpu=2; ask for less, or raise it");
    assert_snapshot!(message(400, r#"admission webhook "images.example.com" denied the request: image is not signed"#), @"Deployment web-dplmt is refused by the admission rule `images.example.com` of the cluster: image is not signed; ask who runs it");
    assert_snapshot!(message(500, r#"Internal error occurred: failed calling webhook "w.io": failed to call webhook: Post "https://w.svc:443/": no endpoints available"#), @r#"Deployment web-dplmt is refused by the admission rule `w.io` of the cluster: failed to call webhook: Post "https://w.svc:443/": no endpoints available; ask who runs it"#);
    assert_snapshot!(message(422, "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding 'b' denied request: at most 3"), @"Deployment web-dplmt is refused by the admission rule `replicas` of the cluster: at most 3; ask who runs it");
}

#[test]
fn faults_are_told_with_their_fields() {
    let invalid = json!({"message": "…", "details": {"causes": [
        {"reason": "FieldValueInvalid", "field": "metadata.name", "message": "Invalid value: \"A\": a lowercase RFC 1123 subdomain"},
        {"reason": "FieldValueInvalid", "field": "spec.selector", "message": "Invalid value: {}: field is immutable"},
    ]}});
    assert_snapshot!(told(422, &invalid), @r#"Deployment web-dplmt is not valid: metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain, spec.selector: Invalid value: {}: field is immutable; correct what it is made of"#);
    assert_snapshot!(message(400, r#"Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.strateg", unknown field "spec.a""#), @"Deployment web-dplmt has fields that this cluster does not know: spec.strateg, spec.a; set the level of Kubernetes to the cluster's, or upgrade it");
    assert_snapshot!(message(500, "failed to create typed patch object (shop/web-dplmt; apps/v1, Kind=Deployment): .spec.strateg: field not declared in schema"), @"Deployment web-dplmt has fields that this cluster does not know: spec.strateg; set the level of Kubernetes to the cluster's, or upgrade it");
    assert_snapshot!(message(409, "the object has been modified"), @"the cluster refused Deployment web-dplmt (409): the object has been modified; correct it and deploy again");
}
