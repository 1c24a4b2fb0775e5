//! What cannot be done.

use serde_json::json;

use super::*;
use crate::paas::compiled::{EnvValue, Resource, RestartPolicy};

#[test]
fn everything_that_cannot_be_done_is_told_with_its_place() {
    let mut pod = web();
    pod.restart_policy = Some(RestartPolicy::Never);
    pod.requires = vec!["a b".to_owned()];
    pod.oci_registry_config_name = Val::Text("Pull Me".to_owned());
    let app = &mut pod.containers[0];
    let resource = |kind: &str, require, limit| Resource {
        kind: kind.to_owned(),
        require,
        limit,
        automatic: false,
    };
    app.resources = vec![resource("gpu", 1, 1), resource("nvidia.com/gpu", 1_000, 2_000)];
    app.env.insert("1st".to_owned(), EnvValue::Text(String::new()));
    let key = EnvValue::MapKey { map: "no_name".to_owned(), key: "a b".to_owned() };
    app.env.insert("B".to_owned(), key);
    app.volumes.insert("a".to_owned(), map("a", "site", "/a:b"));
    app.volumes.insert("b".to_owned(), map("b", "site", "/a:b"));
    let mut sizeless = disk("big");
    if let Mount::Persistent { storage_size, .. } = &mut sizeless {
        *storage_size = Val::default_of("storage-size");
    }
    let db = stateful("1db", with_mounts("db", [("big", sizeless)]));
    let mut scene = Scene::new(vec![pod, db]);
    let nested = Value::Mapping(IndexMap::from([("a".to_owned(), Value::Null)]));
    let options = IndexMap::from([("x y".to_owned(), text("")), ("n".to_owned(), nested)]);
    scene.deployment.maps.push(Map { name: "site".to_owned(), options });
    scene.deployment.secrets = vec![
        secret("bad", "default", &[("a", "base64:?")]),
        secret("cert", "tls", &[("tls.crt", "")]),
        secret("reg", "kubernetes.io/dockerconfigjson", &[(".dockerconfigjson", "nope")]),
        secret("big", "default", &[("a", &"x".repeat(1 << 20))]),
    ];
    scene.deployment.services = vec![
        service("1st", "web", Protocol::Tcp, &[(80, 80)]),
        service("none", "web", Protocol::Tcp, &[]),
        service("Web", "web", Protocol::Tcp, &[(80, 80)]),
        service("web", "web", Protocol::Tcp, &[(80, 80)]),
    ];
    let mut site = Ingress::new("site", "10.0.0.1");
    site.aliases = vec!["a_b.example".to_owned()];
    let own = [("a/b/c", ""), ("nginx.ingress.kubernetes.io/server-snippet", "")];
    let own = own.map(|(name, value)| (name.to_owned(), text(value)));
    let own = Value::Mapping(own.into_iter().collect());
    site.meta = Value::Mapping(IndexMap::from([("annotations".to_owned(), own)]));
    scene.deployment.ingresses.push(site);
    let mut work = job("load", Planning::DuringDeployment);
    work.success_condition = codes(&[5], &[1], None);
    work.completions.count = 2;
    work.pods[0].restart_policy = Some(RestartPolicy::OnFailure);
    scene.deployment.jobs.push(work);
    insta::assert_snapshot!(scene.faults());
}

#[test]
fn where_a_quota_counts_containers_say_what_they_use() {
    let mut scene = Scene::new(vec![web()]);
    scene.quotas = vec![QuotaRow { kind: "cpu".to_owned(), requires: 2_000, capacity: 4_500 }];
    assert!(scene.render().is_ok(), "quotas are off by default");
    scene.settings.namespace.quota = true;
    insta::assert_snapshot!(scene.faults(), @"pods.web.containers.app.resources: the account's quota counts cpu: add a row for it under `resources`");
    scene.deployment.pods[0].containers[0].resources.push(Resource {
        kind: "cpu".to_owned(),
        require: 100,
        limit: 200,
        automatic: true,
    });
    let hard = scene.at("paas-quota", "/spec/hard");
    assert_eq!(hard, json!({"requests.cpu": "2", "limits.cpu": "4500m"}));
}
