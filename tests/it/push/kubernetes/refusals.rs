//! Each mistake is told in one line with its cause and what to do, and what served still does.

use std::fs;

use serde_json::{Value, json};

use crate::kubernetes::Ground;
use crate::push::kubernetes::{CHECK, Harbour, RUNNER, kubeconfig, page, write};
use crate::support::app::developer::{Copy, Done};
use crate::support::app::typed::administrate;

impl Harbour {
    /// Pushes something that must fail for a reason, while what served goes on.
    async fn refused(&self, copy: &Copy, words: &str) -> Done {
        let push = self.push(copy, words).await;
        push.assert_code(1);
        assert!(told(&push).contains(words), "{words:?} is not in\n{}", push.stderr);
        assert_eq!(self.ask("web:80", "/").await, Ok("first".to_owned()), "{words}");
        push
    }
}

/// What a push says, where long words stand on several lines.
fn told(push: &Done) -> String {
    let said = push.remote().join(" ");
    said.split_whitespace().filter(|word| *word != "|").collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn whoever_may_not_sign_in_or_do_everything_is_told_and_nothing_is_touched() {
    let Some(harbour) = Harbour::open("signing").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "");
    harbour.push(&copy, "First").await.assert_ok();
    let before = harbour.everything().await;
    write(&copy, "second", "maps: {new: {a: b}}\n");
    let ca = harbour.app.folder.path().join("ca.pem");
    fs::write(&ca, harbour.ground.access.credentials.ca.as_deref().unwrap()).unwrap();
    let set = "set cluster acme/shop main";
    let with_token = format!("{set} --ca {} --token -", ca.display());

    harbour.administrate(&with_token, "hunter2-of-nobody").await;
    let words = "does not accept who signs in: the token or client certificate is wrong, revoked or \
                 has run out; store a new one";
    harbour.refused(&copy, words).await;

    let (expired, few) = tokens(&harbour.ground).await;
    harbour.administrate(&with_token, &expired).await;
    harbour.refused(&copy, words).await;

    harbour.administrate(&with_token, &few).await;
    let push = harbour.refused(&copy, "no permission to create configmaps in namespace").await;
    push.assert_says("grant them, as docs/kubernetes-role.yaml does");
    push.assert_says("create, delete, patch deployments.apps in namespace");

    let other = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/cluster-ca.pem");
    harbour.administrate(&format!("{set} --ca {other} --token -"), &few).await;
    harbour
        .refused(&copy, "cannot prove who it is: another CA issued its certificate; store the CA")
        .await;

    assert_eq!(harbour.everything().await, before);
    let elsewhere = administrate(&harbour.app, &format!("admin {set} --namespace other"), "").await;
    elsewhere.assert_code(1).assert_says("a release serves in namespace");

    harbour.administrate(&format!("{set} --kubeconfig {}", kubeconfig()), "").await;
    harbour.push(&copy, "With rights").await.assert_ok();
    harbour.close().await;
}

/// A token that has run out, and one of somebody who may only look.
async fn tokens(ground: &Ground) -> (String, String) {
    ground
        .create(json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "few"},
        }))
        .await;
    ground.create(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "few"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "few", "namespace": ground.namespace}],
    }))
    .await;
    // Bound to something that is not there any more, a token is worth nothing at once.
    ground
        .create(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bound"},
        }))
        .await;
    let expired = token(
        ground,
        json!({"boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": "bound"}}),
    )
    .await;
    let secrets = ground.api("v1", "Secret");
    drop(secrets.delete("bound", &kube::api::DeleteParams::default()).await.unwrap());
    (expired, token(ground, json!({})).await)
}

async fn token(ground: &Ground, more: Value) -> String {
    let mut request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"audiences": [], "expirationSeconds": 600},
    });
    request["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let path = format!("/api/v1/namespaces/{}/serviceaccounts/few/token", ground.namespace);
    let request = hyper::Request::post(path)
        .header("content-type", "application/json")
        .body(request.to_string().into_bytes())
        .unwrap();
    let answer: Value = ground.admin.request(request).await.unwrap();
    answer["status"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_namespace_is_made_where_deployments_may() {
    let Some(harbour) = Harbour::open("made").await else { return };
    let missing = format!("{}-not", harbour.ground.namespace);
    harbour.administrate(&format!("set cluster acme/shop main --namespace {missing}"), "").await;
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "");
    let push = harbour.push(&copy, "Nowhere").await;
    push.assert_code(1).assert_says(&format!("there is no namespace `{missing}`"));
    push.assert_says("create it, or let deployments create it");

    let made = Ground::unmade(&harbour.ground, "made-below");
    let words = format!(
        "set cluster acme/shop main --namespace {} --namespace-manage create",
        made.namespace
    );
    harbour.administrate(&words, "").await;
    harbour.push(&copy, "First").await.assert_ok().assert_says("web 2/2 ready");
    assert_eq!(made.pods("web").await.len(), 2);
    harbour.close().await;
}

#[tokio::test]
async fn what_a_cluster_does_not_have_is_told_and_put_back() {
    let Some(harbour) = Harbour::impatient("lacking", "40s").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "");
    harbour.push(&copy, "First").await.assert_ok();
    let before = harbour.everything().await;
    let pod = |rest: &str| format!("{}  more:\n    containers:\n      app:\n{rest}", page("first"));

    let registry = &harbour.registry.address;
    copy.write(".paas.yaml", &pod(&format!("        {{image: '{registry}/shop/nothing'}}\n")));
    harbour.refused(&copy, "there is no image `").await;

    let disk = "volumes: {data: {mount-path: /data, persistent: true, name: disk, \
                storage-size: 64Mi, storage-provider: nowhere}}";
    copy.write(
        ".paas.yaml",
        &pod(&format!(
            "        image: runner\n        {disk}\n        {CHECK}\n        listen: [8080]\n"
        )),
    );
    let push = harbour.refused(&copy, "waits for its volume: ").await;
    assert!(told(&push).contains("see the claim and its storage class"), "{}", push.stderr);
    push.assert_says("| .paas.yaml:18 (pods.more.containers.app.volumes.data), cluster main");
    push.assert_says("v1 kept serving");
    assert_eq!(harbour.everything().await, before);

    harbour
        .create(json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"},
            "spec": {"hard": {"pods": "2"}},
        }))
        .await;
    write(&copy, "second", "");
    let words = "Deployment web-dplmt: its pods do not fit the quota of the namespace (few, ";
    let push = harbour.refused(&copy, words).await;
    assert!(told(&push).contains("ask for less, or raise it"), "{}", push.stderr);
    assert_eq!(harbour.everything().await, before);
    harbour.close().await;
}

#[tokio::test]
async fn a_project_that_builds_and_has_no_registry_is_told_before_it_builds() {
    let Some(harbour) = Harbour::open("homeless").await else { return };
    harbour.project_without_registry("quay").await;
    let copy = harbour.ana.empty("acme/quay").await;
    copy.write("Dockerfile", RUNNER);
    copy.write(".paas.yaml", &page("first"));
    let push = harbour.push(&copy, "First").await;
    push.assert_code(1).assert_says("is built, and the project has no registry to pull it from");
    push.assert_says("ask an administrator for `pierhead admin set registry`");
    assert_eq!(harbour.everything().await.len(), 0);
    harbour.close().await;
}
