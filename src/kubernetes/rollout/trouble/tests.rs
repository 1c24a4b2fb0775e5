//! Pods as kubelets tell of them.

use serde_json::json;

use super::*;

fn event(reason: &str, words: &str, times: i64) -> Happening {
    Happening::of(&json!({
        "involvedObject": {
            "kind": "Pod", "name": "web-1", "uid": "u", "fieldPath": "spec.containers{app}",
        },
        "reason": reason,
        "message": words, "count": times, "type": if reason == "Pulling" { "Normal" } else { "Warning" },
    }))
}

fn pod(status: &Value) -> Value {
    json!({
        "metadata": {"name": "web-1", "uid": "u"},
        "spec": {"containers": [{"name": "app", "image": "r/app:1"}]},
        "status": {"containerStatuses": [status]},
    })
}

fn waiting(reason: &str, words: &str) -> Value {
    pod(
        &json!({"name": "app", "ready": false, "state": {"waiting": {"reason": reason, "message": words}}}),
    )
}

fn first(pod: &Value, told: &[Happening]) -> (Cause, Outlook) {
    let trouble = troubles(pod, told).remove(0);
    let outlook = trouble.outlook(4);
    (trouble.cause, outlook)
}

/// An image that was asked for so often, and did not come so often.
fn pulls(begun: i64, failures: i64) -> [Happening; 2] {
    let failed = event("Failed", "Failed to pull image \"r/app:1\": not found", failures);
    [event("Pulling", "Pulling image \"r/app:1\"", begun), failed]
}

#[test]
fn what_was_said_before_an_image_is_asked_for_again_ends_nothing() {
    let waiting = waiting("ImagePullBackOff", "rpc error: 401 Unauthorized");
    for failures in [1, 2] {
        assert_eq!(first(&waiting, &pulls(failures + 1, failures)).1, Outlook::Open);
    }
    // A neighbour in the pod has pulled its own.
    let mut neighbour = event("Pulling", "Pulling image \"r/side:1\"", 1);
    neighbour.container = Some("side".to_owned());
    let told = [&pulls(2, 2)[..], &[neighbour]].concat();
    assert_eq!(first(&waiting, &told).1, Outlook::NONE);
}

#[test]
fn a_registry_that_has_no_such_image_is_believed_when_asked_twice() {
    for (words, is_refused) in [
        (
            "rpc error: code = NotFound desc = failed to pull and unpack image \"r/app:1\": not found",
            true,
        ),
        ("pull access denied, repository does not exist or may require authorization", true),
        ("unexpected status from HEAD request to https://r/v2/: 401 Unauthorized", true),
        (
            "failed to do request: Head \"https://r/v2/\": dial tcp 10.0.0.1:443: connect: connection refused",
            false,
        ),
        ("dial tcp: lookup r: i/o timeout", false),
        ("unexpected status code: 503 Service Unavailable: not found in cache", false),
        ("toomanyrequests: You have reached your pull rate limit", false),
    ] {
        let is_coming = false;
        for (failures, over) in [(1, false), (2, true)] {
            let told = pulls(failures, failures);
            let (cause, outlook) = first(&waiting("ErrImagePull", words), &told);
            assert_eq!(cause, Cause::Image { failures, is_refused, is_coming }, "{words}");
            let ends = outlook == Outlook::NONE;
            assert_eq!(ends, is_refused && over, "{words}");
        }
    }
}

#[test]
fn older_kubelets_tell_why_an_image_does_not_come_in_events() {
    let told = [
        event("Pulling", "Pulling image \"r/app:1\"", 3),
        event("Failed", "Failed to pull image \"r/app:1\": manifest unknown", 3),
    ];
    let waiting = waiting("ImagePullBackOff", "Back-off pulling image \"r/app:1\"");
    assert_eq!(first(&waiting, &told).1, Outlook::NONE);
    assert!(troubles(&waiting, &told)[0].words.contains("manifest unknown"));
}

#[test]
fn what_is_missing_is_waited_for_a_moment() {
    let config = waiting("CreateContainerConfigError", "secret \"key\" not found");
    assert_eq!(first(&config, &[]), (Cause::Config, Outlook::Until(MISSING)));
    let name = waiting("InvalidImageName", "Failed to apply default image tag \"A\"");
    assert_eq!(first(&name, &[]), (Cause::ImageName, Outlook::NONE));
    let mount = waiting("ContainerCreating", "");
    let told = [event("FailedMount", "MountVolume.SetUp failed: configmap \"c\" not found", 1)];
    assert_eq!(first(&mount, &told), (Cause::Mount, Outlook::Until(REPEATED)));
    assert!(troubles(&mount, &[]).is_empty());
}

#[test]
fn a_container_that_ends_again_and_again_is_broken() {
    let crashed = |restarts: i64, code: i64, reason: &str| {
        pod(&json!({
            "name": "app", "ready": false, "restartCount": restarts,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": code, "reason": reason}},
        }))
    };
    let told = |pod: &Value| first(pod, &[]);
    assert_eq!(
        told(&crashed(1, 3, "Error")),
        (Cause::Crash { code: 3, restarts: 1 }, Outlook::Open)
    );
    assert_eq!(told(&crashed(4, 3, "Error")).1, Outlook::NONE);
    assert_eq!(told(&crashed(4, 0, "Completed")).1, Outlook::NONE);
    assert_eq!(told(&crashed(4, 137, "OOMKilled")), (Cause::Memory { restarts: 4 }, Outlook::NONE));
    assert_eq!(told(&crashed(2, 128, "StartError")), (Cause::Start { restarts: 2 }, Outlook::NONE));
}

#[test]
fn a_probe_that_fails_is_told_while_the_container_runs() {
    let runs = |ready: bool| pod(&json!({"name": "app", "ready": ready, "state": {"running": {}}}));
    let told = [event("Unhealthy", "Readiness probe failed: connection refused", 9)];
    assert_eq!(first(&runs(false), &told), (Cause::Probe, Outlook::Open));
    assert!(troubles(&runs(true), &told).is_empty());
}

#[test]
fn a_container_that_is_ended_for_its_probe_has_not_crashed() {
    let ended = pod(&json!({
        "name": "app", "ready": false, "restartCount": 1, "state": {"running": {}},
        "lastState": {"terminated": {"exitCode": 0, "reason": "Completed"}},
    }));
    let killing = |name: &str| {
        let words = format!("Container {name} failed liveness probe, will be restarted");
        [event("Killing", &words, 1), event("Unhealthy", "Liveness probe failed: 404", 3)]
    };
    let found = &troubles(&ended, &killing("app"))[0];
    assert_eq!(found.cause, Cause::Killed { restarts: 1 });
    assert_eq!(found.words, "Liveness probe failed: 404");
    let crash = (Cause::Crash { code: 0, restarts: 1 }, Outlook::Open);
    assert_eq!(first(&ended, &killing("application")), crash);
}

#[test]
fn a_pod_without_a_node_waits_and_one_without_its_claim_not_for_long() {
    let unscheduled = |words: &str| {
        json!({"metadata": {"name": "web-1", "uid": "u"}, "status": {"conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words},
        ]}})
    };
    let full = unscheduled("0/3 nodes are available: 3 Insufficient cpu.");
    assert_eq!(first(&full, &[]), (Cause::Unschedulable, Outlook::Open));
    let claim = unscheduled("0/1 nodes are available: persistentvolumeclaim \"data\" not found.");
    assert_eq!(first(&claim, &[]).1, Outlook::Until(REPEATED));
}
