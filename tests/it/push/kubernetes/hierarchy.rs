//! A namespace below the cluster's one, made by a controller of hierarchies.

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::{
    await_condition,
    conditions::{is_crd_established, is_deleted},
};
use serde_json::json;
use tokio::time::Instant;

use crate::kubernetes::Ground;
use crate::push::kubernetes::{Harbour, write};
use crate::support::PATIENCE;

const ANCHORS: &str = "subnamespaceanchors.hnc.x-k8s.io";

/// Lets a cluster know anchors; `None` if it does already.
async fn install(ground: &Ground) -> Option<Api<CustomResourceDefinition>> {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": ANCHORS},
        "spec": {
            "group": "hnc.x-k8s.io", "scope": "Namespaced",
            "names": {
                "kind": "SubnamespaceAnchor", "plural": "subnamespaceanchors",
                "singular": "subnamespaceanchor",
            },
            "versions": [{
                "name": "v1alpha2", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    });
    let definition: CustomResourceDefinition = serde_json::from_value(definition).unwrap();
    let definitions: Api<CustomResourceDefinition> = Api::all(ground.admin.clone());
    let is_new = match definitions.create(&PostParams::default(), &definition).await {
        Ok(_) => true,
        Err(kube::Error::Api(status)) if status.code == 409 => false,
        Err(error) => panic!("{error}"),
    };
    await_condition(definitions.clone(), ANCHORS, is_crd_established()).await.unwrap();
    is_new.then_some(definitions)
}

/// Does what the controller does: makes the namespace of an anchor, and says so.
async fn control(ground: &Ground) -> String {
    let anchors = ground.api("hnc.x-k8s.io/v1alpha2", "SubnamespaceAnchor");
    let deadline = Instant::now() + PATIENCE;
    let name = loop {
        assert!(Instant::now() < deadline, "an anchor comes");
        let found = anchors.list(&ListParams::default()).await.unwrap().items.pop();
        if let Some(name) = found.and_then(|anchor| anchor.metadata.name) {
            break name;
        }
    };
    let mark = async |state: &str| {
        let status = Patch::Merge(json!({"status": {"status": state}}));
        drop(anchors.patch(&name, &PatchParams::default(), &status).await.unwrap());
    };
    mark("Missing").await;
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
    let namespaces: Api<Namespace> = Api::all(ground.admin.clone());
    drop(namespaces.create(&PostParams::default(), &namespace).await.unwrap());
    mark("Ok").await;
    name
}

#[tokio::test]
async fn a_project_is_deployed_to_a_namespace_of_its_own_when_its_controller_has_made_it() {
    let Some(harbour) = Harbour::alone("hierarchy").await else { return };
    let installed = install(&harbour.ground).await;
    let words = "set cluster acme/shop main --hierarchical-namespaces true";
    harbour.administrate(words, "").await;
    let below = Ground::unmade(&harbour.ground, "shop");
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "");
    let (push, made) =
        futures::future::join(harbour.push(&copy, "First"), control(&harbour.ground)).await;
    push.assert_ok().assert_says("web 2/2 ready");
    assert_eq!(made, below.namespace);
    assert_eq!(below.pods("web").await.len(), 2);
    assert_eq!(harbour.ground.pods("web").await.len(), 0);

    // The anchor is there: nobody has to be waited for.
    harbour.administrate("set cluster acme/shop main --tls-verify false", "").await;
    write(&copy, "second", "");
    harbour.push(&copy, "Second").await.assert_ok();
    let unchecked = "does not check who answers as cluster main";
    harbour.app.process("worker").until_logged(unchecked).await;
    if let Some(definitions) = installed {
        let uid = definitions.get(ANCHORS).await.unwrap().metadata.uid.unwrap();
        drop(definitions.delete(ANCHORS, &DeleteParams::background()).await.unwrap());
        await_condition(definitions, ANCHORS, is_deleted(&uid)).await.unwrap();
    }
    harbour.close().await;
}
