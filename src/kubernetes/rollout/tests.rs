//! What is decided about time, and about pods that block others.

use serde_json::json;

use super::*;
use crate::kubernetes::rollout::trouble::{Cause, Trouble};

fn look(ready: i64) -> Look {
    Look {
        stand: Stand::Going,
        is_observed: true,
        ready,
        wanted: 2,
        refused: None,
        troubles: Vec::new(),
    }
}

fn over(wait: &mut Wait, look: &Look) -> Option<Why> {
    wait.verdict(look).and_then(Result::err)
}

#[tokio::test(start_paused = true)]
async fn time_without_progress_runs_out_and_progress_begins_it_anew() {
    let stall = Duration::from_secs(600);
    let mut wait = Wait::new(Patience::default(), Some(stall));
    assert_eq!(wait.progressed(&look(0)), Some((0, 2)));
    tokio::time::advance(stall / 2).await;
    assert_eq!(wait.progressed(&look(0)), None);
    assert_eq!(wait.progressed(&look(1)), Some((1, 2)));
    tokio::time::advance(stall - Duration::from_secs(1)).await;
    assert_eq!(over(&mut wait, &look(1)), None);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(over(&mut wait, &look(1)), Some(Why::Late { seconds: 600 }));
    assert_eq!(wait.verdict(&Look { stand: Stand::Done, ..look(2) }), Some(Ok(())));
}

#[tokio::test(start_paused = true)]
async fn what_the_cluster_watches_over_itself_has_all_the_time_there_is() {
    let mut wait = Wait::new(Patience::default(), None);
    tokio::time::advance(Duration::from_secs(1799)).await;
    assert_eq!(over(&mut wait, &look(1)), None);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(over(&mut wait, &look(1)), Some(Why::Late { seconds: 1800 }));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_counts_when_it_lasts() {
    let mut wait = Wait::new(Patience::default(), None);
    let refused = Look { refused: Some("exceeded quota".to_owned()), ..look(0) };
    let nearly = Duration::from_secs(29);
    assert_eq!(over(&mut wait, &refused), None);
    tokio::time::advance(nearly).await;
    assert_eq!(over(&mut wait, &refused), None);
    // Room came, and went again.
    assert_eq!(over(&mut wait, &look(0)), None);
    assert_eq!(over(&mut wait, &refused), None);
    tokio::time::advance(nearly).await;
    assert_eq!(over(&mut wait, &refused), None);
    tokio::time::advance(nearly).await;
    let words = "exceeded quota".to_owned();
    assert_eq!(over(&mut wait, &refused), Some(Why::Refused { words }));
}

#[tokio::test(start_paused = true)]
async fn a_trouble_that_may_pass_is_given_its_time_pod_by_pod() {
    let mut wait = Wait::new(Patience::default(), None);
    let config = |pod: &str| Trouble {
        pod: pod.to_owned(),
        container: Some("app".to_owned()),
        image: None,
        cause: Cause::Config,
        words: "secret \"key\" not found".to_owned(),
    };
    let troubled = |pod| Look { troubles: vec![config(pod)], ..look(0) };
    assert_eq!(over(&mut wait, &troubled("a")), None);
    tokio::time::advance(Duration::from_secs(9)).await;
    assert_eq!(over(&mut wait, &troubled("a")), None);
    assert_eq!(over(&mut wait, &troubled("b")), None);
    tokio::time::advance(Duration::from_secs(9)).await;
    assert_eq!(over(&mut wait, &troubled("b")), None);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(over(&mut wait, &troubled("b")), Some(Why::Trouble(config("b"))));
}

#[test]
fn pods_block_that_are_old_and_broken() {
    let set = |observed: i64, replicas: i64| {
        json!({
            "metadata": {"generation": 2}, "spec": {"replicas": replicas},
            "status": {"observedGeneration": observed, "updateRevision": "new"},
        })
    };
    let pod = |name: &str, revision: &str, ready: &str| {
        json!({
            "metadata": {"name": name, "labels": {"controller-revision-hash": revision}},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        })
    };
    let mut ending = pod("ending", "old", "False");
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let pods = [
        pod("old-broken", "old", "False"),
        pod("old-well", "old", "True"),
        pod("new-broken", "new", "False"),
        ending,
    ];
    let names = |set: &Value, old_pods| {
        let stuck = stuck(set, pods.iter(), old_pods);
        stuck.iter().map(|pod| text(pod, "/metadata/name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&set(2, 2), OldPods::Roll), ["old-broken"]);
    assert_eq!(names(&set(2, 2), OldPods::Stay), ["old-broken"]);
    assert_eq!(names(&set(2, 2), OldPods::Together), ["old-broken", "old-well"]);
    assert_eq!(names(&set(1, 2), OldPods::Together), [""; 0], "the new revision is not known yet");
}
