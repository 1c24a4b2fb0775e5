//! Jobs are waited for until they end, and their codes mean what was declared.

use std::time::Duration;

use insta::assert_snapshot;
use pierhead::kubernetes::{Digest, JobEnded, ObjectRef, Patience, SuccessCodes};
use serde_json::{Value, json};

use crate::kubernetes::{Ground, job, script, soon};

async fn run(ground: &Ground, job: &Value, success_codes: &[i64]) -> JobEnded {
    ground.apply(job).await.unwrap();
    let patience = Patience { limit: Duration::from_secs(80), ..Patience::default() };
    let name = ObjectRef::of(job);
    let container = Some("app".to_owned());
    let successes = SuccessCodes { codes: success_codes.to_vec(), container };
    soon(ground.cluster.wait_job(&name, &successes, &patience, |_| {})).await.unwrap()
}

fn failed(ended: JobEnded) -> Digest {
    match ended {
        JobEnded::Failed(digest) => *digest,
        JobEnded::Succeeded { .. } => panic!("{ended:?}"),
    }
}

fn rule(codes: &[i64]) -> Value {
    let codes = json!({"operator": "In", "values": codes});
    json!({"podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": codes}]}})
}

#[tokio::test]
async fn a_job_that_ended_well_expires() {
    let Some(ground) = Ground::open("well").await else { return };
    let well = job("work", script("echo done"), json!({}));
    let ended = run(&ground, &well, &[]).await;
    assert!(matches!(ended, JobEnded::Succeeded { translated: None }), "{ended:?}");
    let name = ObjectRef::of(&well);
    ground.cluster.expire_job(&name, 3600).await.unwrap();
    assert_eq!(ground.found(&well).await["spec"]["ttlSecondsAfterFinished"], 3600);
    assert!(ground.cluster.delete(&name).await.unwrap());
    ground.cluster.expire_job(&name, 3600).await.unwrap();
}

#[tokio::test]
async fn a_code_is_a_failure_unless_it_was_declared_a_success() {
    let Some(ground) = Ground::open("codes").await else { return };
    let plain = job("plain", script("echo why; exit 3"), json!({}));
    let digest = failed(run(&ground, &plain, &[0, 3]).await);
    assert_snapshot!(digest, @"Job plain: ended with code 3; its last lines say why");
    assert_eq!(digest.output.unwrap().lines, ["why"]);

    let declared = job("declared", script("exit 3"), rule(&[3]));
    let ended = run(&ground, &declared, &[0, 3]).await;
    assert!(matches!(ended, JobEnded::Succeeded { translated: Some(3) }), "{ended:?}");

    // Only `app` counts.
    let mut beside = job("beside", script("exit 3"), rule(&[3]));
    let rules = "/spec/podFailurePolicy/rules/0/onExitCodes";
    beside.pointer_mut(rules).unwrap()["containerName"] = "app".into();
    let mut side = script("exit 143");
    side["name"] = "side".into();
    let containers = beside.pointer_mut("/spec/template/spec/containers").unwrap();
    containers.as_array_mut().unwrap().push(side);
    let ended = run(&ground, &beside, &[0, 3]).await;
    assert!(matches!(ended, JobEnded::Succeeded { translated: Some(3) }), "{ended:?}");

    let other = job("other", script("exit 4"), rule(&[3, 4]));
    let digest = failed(run(&ground, &other, &[0, 3]).await);
    assert_snapshot!(digest, @"Job other: ended with code 4, which counts as a failure; its last lines say why");
}

#[tokio::test]
async fn a_job_that_cannot_end_well_is_not_waited_for() {
    let Some(ground) = Ground::open("ends").await else { return };
    let late = job("late", script("sleep 600"), json!({"activeDeadlineSeconds": 2}));
    let digest = failed(run(&ground, &late, &[]).await);
    assert_snapshot!(digest, @"Job late: ran longer than its time limit; raise it, or make the job shorter");

    let absent = job("absent", json!({"name": "app", "image": "127.0.0.1:5000/none:1"}), json!({}));
    let digest = failed(run(&ground, &absent, &[]).await).to_string();
    assert!(
        digest.starts_with("Job absent: the image `127.0.0.1:5000/none:1` cannot be pulled: "),
        "{digest}"
    );

    let startless = job(
        "startless",
        json!({"name": "app", "image": super::PAUSE, "command": ["/none"]}),
        json!({}),
    );
    let digest = failed(run(&ground, &startless, &[]).await).to_string();
    assert!(digest.starts_with("Job startless: container `app` cannot be started: "), "{digest}");
}
