//! Environments with several targets: a release is on all of them, or on none.

use std::fs;

use serde_json::json;

use crate::kubernetes::Ground;
use crate::push::kubernetes::{Harbour, kubeconfig, page, serving, write};

impl Harbour {
    /// One more namespace that `shop` is deployed to.
    async fn second(&self) -> Ground {
        let second = Ground::another("second").await.expect("there is a cluster");
        let words = format!(
            "create cluster acme/shop second --environment production --kind kubernetes \
             --kubeconfig {} --namespace {}",
            kubeconfig(),
            second.namespace
        );
        self.administrate(&words, "").await;
        second
    }
}

#[tokio::test]
async fn a_release_is_on_both_clusters_or_on_none() {
    let Some(harbour) = Harbour::open("both").await else { return };
    let second = harbour.second().await;
    let copy = harbour.ana.empty("acme/shop").await;
    let answers = async |said: &str| {
        for ground in [&harbour.ground, &second] {
            assert_eq!(ground.asked("services", "web:80", "/").await, Ok(said.to_owned()));
        }
    };
    write(&copy, "first", "maps: {kept: {a: b}}\n");
    let push = harbour.push(&copy, "First").await;
    push.assert_ok().assert_says("main: web 2/2 ready, second: web 2/2 ready");
    answers("first").await;
    let before = [harbour.everything().await, second.everything().await];
    let pods = [harbour.ground.pods("web").await, second.pods("web").await];
    let after = async || [harbour.everything().await, second.everything().await];

    // Before anything that serves is touched on any of them.
    second
        .create(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new-map"},
        }))
        .await;
    write(&copy, "second", "maps: {kept: {a: b}, new: {a: b}}\n");
    let push = harbour.push(&copy, "A name that is taken").await;
    push.assert_code(1).assert_says("cluster second: ConfigMap new-map belongs to another owner");
    push.assert_says("v1 kept serving")
        .assert_says("| main: put back")
        .assert_says("| second: put back");
    let mut left = after().await;
    assert!(left[1].remove("ConfigMap new-map").is_some());
    assert_eq!(left, before);
    assert_eq!([harbour.ground.pods("web").await, second.pods("web").await], pods);

    // When one of them has begun to replace its pods.
    second
        .create(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api-dplmt"},
            "spec": {
                "replicas": 0, "selector": {"matchLabels": {"name": "theirs"}},
                "template": {
                    "metadata": {"labels": {"name": "theirs"}},
                    "spec": {"containers": [{"name": "app", "image": "127.0.0.1:5000/pause:1"}]},
                },
            },
        }))
        .await;
    let api = format!(
        "  api:\n    containers: {{app: {{image: runner, variables: {{RUN: {}}}}}}}\n",
        serving("api")
    );
    copy.write(".paas.yaml", &format!("{}{api}maps: {{kept: {{a: c}}}}\n", page("third")));
    let push = harbour.push(&copy, "A pod whose name is taken").await;
    push.assert_code(1)
        .assert_says("cluster second: Deployment api-dplmt belongs to another owner");
    push.assert_says("v1 kept serving")
        .assert_says("| main: put back")
        .assert_says("| second: put back");
    let mut left = after().await;
    for name in ["ConfigMap new-map", "Deployment api-dplmt"] {
        assert!(left[1].remove(name).is_some(), "{name}");
    }
    assert_eq!(left, before);
    answers("first").await;

    write(&copy, "fourth", "");
    harbour.push(&copy, "Fourth").await.assert_ok();
    answers("fourth").await;
    harbour.close().await;
}

#[tokio::test]
async fn rights_and_room_of_every_cluster_count() {
    let Some(harbour) = Harbour::impatient("each", "40s").await else { return };
    let second = harbour.second().await;
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "");
    harbour.push(&copy, "First").await.assert_ok();
    let before = [harbour.everything().await, second.everything().await];
    let after = async || [harbour.everything().await, second.everything().await];
    write(&copy, "second", "");

    // Nothing is left of what it may use beside what it uses.
    second
        .create(json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"},
            "spec": {"hard": {"pods": "2"}},
        }))
        .await;
    let push = harbour.push(&copy, "Without room").await;
    push.assert_code(1).assert_says("its pods do not fit the quota of the namespace");
    push.assert_says("(pods.web), cluster second");
    push.assert_says("v1 kept serving")
        .assert_says("| main: put back")
        .assert_says("| second: put back");
    assert_eq!(after().await, before);

    let ca = harbour.app.folder.path().join("ca.pem");
    fs::write(&ca, second.access.credentials.ca.as_deref().unwrap()).unwrap();
    let words = format!("set cluster acme/shop second --ca {} --token -", ca.display());
    harbour.administrate(&words, "hunter2-of-nobody").await;
    let pods = harbour.ground.pods("web").await;
    let push = harbour.push(&copy, "Signed out").await;
    push.assert_code(1).assert_says("cluster second: ").assert_says("does not accept who signs in");
    assert_eq!(after().await, before);
    assert_eq!(harbour.ground.pods("web").await, pods);
    harbour.close().await;
}

#[tokio::test]
async fn an_engine_and_a_cluster_have_the_same_release() {
    let Some(harbour) = Harbour::open("mixed").await else { return };
    harbour.app.cluster("shop", "engine", "production").await;
    let host = format!("{}.example", harbour.ground.namespace);
    let entrance =
        format!("ingresses: {{web: {{host: {host}, service: {{name: web, port: 80}}}}}}\n");
    let copy = harbour.ana.empty("acme/shop").await;
    let answers = async |said: &str| {
        assert_eq!(harbour.ask("web:80", "/").await, Ok(said.to_owned()));
        let (status, body) = harbour.app.get(&host, "/").await;
        assert_eq!((status, body.trim_end()), (200, said));
    };
    write(&copy, "first", &entrance);
    harbour.push(&copy, "First").await.assert_ok();
    answers("first").await;

    harbour
        .create(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new-map"},
        }))
        .await;
    let before = harbour.everything().await;
    write(&copy, "second", &format!("{entrance}maps: {{new: {{a: b}}}}\n"));
    let push = harbour.push(&copy, "A name that is taken").await;
    push.assert_code(1).assert_says("ConfigMap new-map belongs to another owner");
    push.assert_says("v1 kept serving").assert_says("| main: put back");
    assert_eq!(harbour.everything().await, before);
    answers("first").await;

    write(&copy, "third", &entrance);
    harbour.push(&copy, "Third").await.assert_ok();
    answers("third").await;
    harbour.close().await;
}
