//! Work that ends.

use serde_json::json;

use super::*;
use crate::paas::compiled::Import;

#[test]
fn jobs_that_run_before_read_copies() {
    let mut early = job("early", Planning::BeforeDeployment);
    let run = &mut early.pods[0].containers[0];
    run.env_from = vec![Import::Secret("pw".to_owned()), Import::Secret("theirs".to_owned())];
    run.volumes.insert("conf".to_owned(), map("conf", "site", "/conf"));
    let mut scene = Scene::new(vec![web()]);
    scene.deployment.jobs.push(early);
    scene.deployment.secrets = vec![secret("pw", "default", &[("a", "b")]), secret("x", "y", &[])];
    scene.deployment.maps.push(Map { name: "site".to_owned(), options: IndexMap::new() });
    assert_eq!(
        scene.names()[..5],
        [
            "Secret pw-secret-abcdef01",
            "ConfigMap site-map-abcdef01",
            "Job early-run-job",
            "Secret pw-secret",
            "Secret x-secret"
        ]
    );
    assert_eq!(scene.get("pw-secret-abcdef01").duty, Duty::Copy);
    let env = scene.at("early-run-job", &format!("{POD}/containers/0/envFrom"));
    let names = json!([
        {"secretRef": {"name": "pw-secret-abcdef01"}}, {"secretRef": {"name": "theirs-secret"}}
    ]);
    assert_eq!(env, names);
    let volume = scene.at("early-run-job", &format!("{POD}/volumes/0/configMap/name"));
    assert_eq!(volume, json!("site-map-abcdef01"));
}

#[test]
fn exit_codes_decide_about_jobs() {
    let mut work = job("load", Planning::DuringDeployment);
    work.success_condition = codes(&[0, 5, 300], &[3, 42, 5, 3], Some("run"));
    work.pods.push(Pod::new("other", vec![container("other")]));
    work.time_limit = Some(0);
    let mut scene = Scene::new(vec![web()]);
    scene.deployment.jobs.push(work);
    let rules = |name: &str| scene.at(name, "/spec/podFailurePolicy/rules");
    let expected = json!([
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "FailJob",
         "onExitCodes": {"containerName": "run", "operator": "In", "values": [3, 42]}},
        {"action": "FailJob", "onExitCodes": {"containerName": "run", "operator": "In", "values": [5]}},
    ]);
    assert_eq!(rules("load-run-job"), expected);
    assert_eq!(rules("load-other-job")[1]["onExitCodes"].get("containerName"), None);
    insta::assert_json_snapshot!(scene.get("load-run-job").duty, @r#"
    {
      "is": "work",
      "success_codes": [
        5
      ],
      "container": "run",
      "time_limit_s": null,
      "shelf_life_s": 3600
    }
    "#);
    assert_eq!(scene.at("load-run-job", "/spec/backoffLimit"), json!(0));
    assert_eq!(scene.at("load-run-job", "/spec/ttlSecondsAfterFinished"), Json::Null);

    scene.deployment.jobs[0].success_condition = codes(&[0], &[0, 256], None);
    assert_eq!(scene.at("load-run-job", "/spec/podFailurePolicy"), Json::Null);
}
