//! Whether a workload is done, read from what the cluster says of it.

use serde_json::Value;

use crate::kubernetes::digest::Why;
use crate::kubernetes::json::{annotation, condition, count, holds, label, number, text};
use crate::kubernetes::rollout::OldPods;

/// The number under which a Deployment keeps what it was.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kubernetes) enum Stand {
    /// Something is still to come.
    Going,
    /// Everything is there.
    Done,
    /// It will not come.
    Failed(Why),
}

/// Whether the cluster has begun to do what the object says.
pub(super) fn is_observed(object: &Value) -> bool {
    count(object, "/status/observedGeneration") >= count(object, "/metadata/generation")
}

/// How many pods there shall be.
pub(super) fn wanted(object: &Value) -> i64 {
    number(object, "/spec/replicas").unwrap_or(1)
}

/// Since when a Deployment is past its deadline, in RFC 3339.
///
/// The cluster goes on to say so of what the Deployment becomes next, until that makes progress.
pub(super) fn past_deadline(object: &Value) -> Option<&str> {
    let progressing = condition(object, "Progressing")?;
    // Other reasons are told by what its ReplicaSet says.
    let is_late = text(progressing, "/status") == "False"
        && text(progressing, "/reason") == "ProgressDeadlineExceeded";
    is_late.then(|| text(progressing, "/lastUpdateTime"))
}

/// How a Deployment stands, which may have been past its deadline before it became what it is.
pub(super) fn deployment(object: &Value, past_before: Option<&str>) -> Stand {
    if !is_observed(object) {
        return Stand::Going;
    }
    let past = past_deadline(object);
    if past.is_some() && past != past_before {
        let seconds = number(object, "/spec/progressDeadlineSeconds").unwrap_or(600);
        return Stand::Failed(Why::Late { seconds: u64::try_from(seconds).unwrap_or_default() });
    }
    let wanted = wanted(object);
    let all = ["/status/updatedReplicas", "/status/replicas", "/status/availableReplicas"];
    let are_all = all.iter().all(|path| count(object, path) == wanted);
    if are_all && count(object, "/status/unavailableReplicas") == 0 {
        Stand::Done
    } else {
        Stand::Going
    }
}

/// How a StatefulSet stands.
///
/// `currentRevision` is not compared: where pods are deleted by others it stays behind.
pub(super) fn stateful_set(object: &Value, old_pods: OldPods) -> Stand {
    if !is_observed(object) {
        return Stand::Going;
    }
    if old_pods == OldPods::Stay {
        return Stand::Done;
    }
    let wanted = wanted(object);
    let waits = count(object, "/spec/minReadySeconds") > 0;
    let all = [
        ("/status/updatedReplicas", true),
        ("/status/readyReplicas", true),
        ("/status/replicas", true),
        ("/status/availableReplicas", waits),
    ];
    let are_all = all.iter().all(|(path, counts)| !counts || count(object, path) == wanted);
    if are_all { Stand::Done } else { Stand::Going }
}

/// Whether a ReplicaSet is the one that its Deployment now wants.
pub(super) fn is_current(set: &Value, deployment: &Value) -> bool {
    let revision = annotation(deployment, REVISION);
    is_observed(deployment) && !revision.is_empty() && annotation(set, REVISION) == revision
}

/// What the cluster says when it may not create pods of a ReplicaSet.
pub(super) fn replica_failure(set: &Value) -> Option<&str> {
    let failure = condition(set, "ReplicaFailure");
    failure.filter(|it| text(it, "/status") == "True").map(|it| text(it, "/message"))
}

/// What a pod of a StatefulSet was made from.
pub(super) fn revision_of(pod: &Value) -> &str {
    label(pod, "controller-revision-hash")
}

/// Whether a pod serves.
pub(super) fn is_ready(pod: &Value) -> bool {
    holds(pod, "Ready")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workload(generation: i64, observed: i64, numbers: [i64; 4]) -> Value {
        let [replicas, updated, ready, available] = numbers;
        json!({
            "metadata": {"generation": generation},
            "spec": {"replicas": 2},
            "status": {
                "observedGeneration": observed, "replicas": replicas, "updatedReplicas": updated,
                "readyReplicas": ready, "availableReplicas": available,
            },
        })
    }

    #[test]
    fn a_deployment_is_done_when_all_are_new_and_available() {
        for (generation, observed, numbers, done) in [
            (2, 2, [2, 2, 2, 2], true),
            (3, 2, [2, 2, 2, 2], false), // what it says is about what it was
            (2, 2, [3, 2, 2, 2], false), // an old one is left
            (2, 2, [2, 1, 2, 2], false),
            (2, 2, [2, 2, 2, 1], false),
            (2, 2, [0, 0, 0, 0], false),
            (2, 3, [2, 2, 2, 2], true),
        ] {
            let stand = deployment(&workload(generation, observed, numbers), None);
            assert_eq!(stand == Stand::Done, done, "{numbers:?}");
        }
        let mut none = workload(1, 1, [0, 0, 0, 0]);
        none["spec"]["replicas"] = 0.into();
        none["status"] = json!({"observedGeneration": 1});
        assert_eq!(deployment(&none, None), Stand::Done);
    }

    #[test]
    fn a_deployment_fails_at_its_deadline_and_not_for_what_it_was() {
        let past = |at: &str| json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "lastUpdateTime": at}]);
        let mut late = workload(2, 2, [3, 1, 2, 2]);
        late["status"]["conditions"] = past("2026-01-01T00:10:00Z");
        late["spec"]["progressDeadlineSeconds"] = 60.into();
        assert_eq!(deployment(&late, None), Stand::Failed(Why::Late { seconds: 60 }));
        let since = past_deadline(&late);
        assert_eq!(since, Some("2026-01-01T00:10:00Z"));

        let mut before = workload(3, 2, [3, 1, 2, 2]);
        before["status"]["conditions"] = past("2026-01-01T00:10:00Z");
        assert_eq!(deployment(&before, None), Stand::Going);
        before["status"]["observedGeneration"] = 3.into();
        assert_eq!(deployment(&before, since), Stand::Going);
        before["status"]["conditions"] = past("2026-01-01T00:20:00Z");
        assert!(matches!(deployment(&before, since), Stand::Failed(_)));
    }

    #[test]
    fn a_stateful_set_is_done_when_all_are_new_and_ready() {
        for (numbers, old_pods, seconds, done) in [
            ([2, 2, 2, 2], OldPods::Roll, 0, true),
            ([2, 2, 2, 2], OldPods::Together, 0, true),
            ([2, 1, 2, 2], OldPods::Roll, 0, false),
            ([2, 2, 1, 1], OldPods::Roll, 0, false),
            ([2, 2, 2, 0], OldPods::Roll, 0, true),
            ([2, 2, 2, 0], OldPods::Roll, 10, false),
            ([3, 2, 2, 2], OldPods::Roll, 0, false),
            ([2, 0, 1, 1], OldPods::Stay, 0, true),
        ] {
            let mut set = workload(2, 2, numbers);
            set["spec"]["minReadySeconds"] = seconds.into();
            set["status"]["currentRevision"] = "old".into();
            set["status"]["updateRevision"] = "new".into();
            assert_eq!(stateful_set(&set, old_pods) == Stand::Done, done, "{numbers:?}");
        }
        assert_eq!(stateful_set(&workload(2, 1, [2, 2, 2, 2]), OldPods::Stay), Stand::Going);
    }

    #[test]
    fn the_replica_set_that_counts_is_that_of_the_revision() {
        let revision = |number: &str| json!({"metadata": {"annotations": {REVISION: number}}});
        assert!(is_current(&revision("3"), &revision("3")));
        assert!(!is_current(&revision("2"), &revision("3")));
        assert!(!is_current(&json!({}), &json!({})));
    }
}
