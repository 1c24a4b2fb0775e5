//! Workloads are waited for until they serve.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use pierhead::kubernetes::{Ended, ObjectRef, OldPods, Patience, Progress};
use serde_json::json;

use crate::kubernetes::{Ground, deployment, script, soon, stateful_set, waiting};

/// Time that may go by between the last pod's readiness and the end of the wait.
const AT_ONCE: Duration = Duration::from_millis(250);

fn impatient() -> Patience {
    Patience { limit: Duration::from_secs(12), crashes: 2, ..Patience::default() }
}

#[tokio::test]
async fn a_deployment_is_told_pod_by_pod_and_its_end_at_once() {
    let Some(ground) = Ground::open("rolls").await else { return };
    let mut web = deployment("web", waiting());
    web["spec"]["replicas"] = 3.into();
    web["spec"]["minReadySeconds"] = 1.into();
    let deployments = ground.api("apps/v1", "Deployment");
    let seen: Arc<Mutex<Option<Instant>>> = Arc::default();
    let watching = {
        let seen = Arc::clone(&seen);
        async move {
            let mut events = Box::pin(watcher(deployments, watcher::Config::default()));
            while let Some(event) = events.next().await {
                let (Ok(Event::Apply(found)) | Ok(Event::InitApply(found))) = event else {
                    continue;
                };
                if found.data["status"]["availableReplicas"] == 3 {
                    *seen.lock().unwrap() = Some(Instant::now());
                    return;
                }
            }
        }
    };
    ground.apply(&web).await.unwrap();
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let waiting = async {
        let name = ObjectRef::of(&web);
        let tell = |progress| told.lock().unwrap().push(progress);
        let patience = Patience::default();
        let ended = ground.cluster.wait_rollout(&name, OldPods::Roll, &patience, tell).await;
        (ended.unwrap(), Instant::now())
    };
    let ((), (ended, at)) = soon(futures::future::join(watching, waiting)).await;
    assert!(matches!(ended, Ended::Done), "{ended:?}");
    let latency = at.saturating_duration_since(seen.lock().unwrap().unwrap());
    assert!(latency <= AT_ONCE, "{latency:?}");
    let told = told.lock().unwrap();
    assert!(told.iter().all(|progress| progress.wanted == 3));
    assert!(told.is_sorted_by_key(|progress| progress.ready), "{told:?}");
    assert_eq!(told.last().map(|progress| progress.ready), Some(3));
}

#[tokio::test]
async fn a_rollout_is_not_done_by_the_pods_of_the_one_before() {
    let Some(ground) = Ground::open("newer").await else { return };
    let patience = Patience::default();
    let web = deployment("web", waiting());
    assert!(matches!(ground.roll_out(&web, &patience).await, Ended::Done));
    let before = ground.pods("web").await;
    let next = deployment("web", script("sleep 600"));
    assert!(matches!(ground.roll_out(&next, &patience).await, Ended::Done));
    let after = ground.pods("web").await;
    assert!(after.len() == 1 && after != before, "{after:?}");

    ground.cluster.remove(&ObjectRef::of(&next)).await.unwrap();
    let name = ObjectRef::of(&next);
    let gone = ground.cluster.wait_rollout(&name, OldPods::Roll, &patience, |_| {}).await.unwrap();
    let Ended::Failed(digest) = gone else { panic!("it is gone") };
    assert_eq!(
        digest.to_string(),
        "Deployment web: was deleted by somebody while it was waited for; deploy again"
    );
}

#[tokio::test]
async fn a_broken_pod_of_a_stateful_set_does_not_block_the_next_rollout() {
    let Some(ground) = Ground::open("stuck").await else { return };
    let mut broken = stateful_set("db", 2, script("exit 3"));
    // A container that runs for a moment is ready for a moment.
    broken["spec"]["minReadySeconds"] = 5.into();
    let digest = ground.failure(&broken, &impatient()).await;
    assert!(digest.to_string().contains("ends with code 3"), "{digest}");
    assert_eq!((digest.ready, digest.wanted), (0, 2));
    let whole = stateful_set("db", 2, waiting());
    let ended = soon(ground.roll_out(&whole, &Patience::default())).await;
    assert!(matches!(ended, Ended::Done), "{ended:?}");
}

#[tokio::test]
async fn pods_of_a_stateful_set_are_replaced_together_or_left_as_it_says() {
    let Some(ground) = Ground::open("together").await else { return };
    let on_delete = |container| {
        let mut set = stateful_set("db", 2, container);
        set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
        set["spec"]["podManagementPolicy"] = "Parallel".into();
        set
    };
    let wait = async |set: &serde_json::Value, old_pods| {
        ground.apply(set).await.unwrap();
        let patience = Patience::default();
        let name = ObjectRef::of(set);
        soon(ground.cluster.wait_rollout(&name, old_pods, &patience, |_| {})).await.unwrap()
    };
    let first = on_delete(waiting());
    assert!(matches!(wait(&first, OldPods::Together).await, Ended::Done));
    let before = ground.pods("db").await;
    let second = on_delete(script("sleep 600"));
    assert!(matches!(wait(&second, OldPods::Stay).await, Ended::Done));
    assert_eq!(ground.pods("db").await, before, "they stay until somebody deletes them");
    let third = on_delete(script("sleep 601"));
    assert!(matches!(wait(&third, OldPods::Together).await, Ended::Done));
    let after = ground.pods("db").await;
    assert!(after.len() == 2 && after.iter().all(|pod| !before.contains(pod)), "{after:?}");
}
