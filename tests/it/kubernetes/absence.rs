//! An API server that goes away for a while costs time and nothing else.

use std::fs;
use std::time::Duration;

use pierhead::kubernetes::{Change, Cluster, Ended, Limits, ObjectRef, OldPods, Patience};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::kubernetes::{Ground, deployment, map, options, soon, waiting};

/// Where the cluster for tests writes which process its API server is.
const PID_FILE: &str = "/var/lib/pierhead-cluster/pid/kube-apiserver";

/// How long it is away.
const AWAY: Duration = Duration::from_secs(6);

/// A process that is stopped, until it is dropped.
pub(crate) struct Stopped(Pid);

impl Stopped {
    pub(crate) fn new(pid: Pid) -> Self {
        kill_process(pid, Signal::STOP).unwrap();
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        kill_process(self.0, Signal::CONT).unwrap();
    }
}

/// The API server's process, where this may stop it.
#[expect(clippy::print_stdout, reason = "whoever runs the tests is told")]
pub(crate) fn api_server() -> Option<Pid> {
    let pid = fs::read_to_string(PID_FILE).ok().and_then(|text| text.trim().parse().ok());
    let pid = pid.and_then(Pid::from_raw).filter(|_| rustix::process::geteuid().is_root());
    if pid.is_none() {
        println!("not run: it takes root and the cluster for tests to stop an API server");
    }
    pid
}

#[tokio::test]
async fn an_api_server_that_goes_away_and_comes_back_is_waited_for() {
    let limits = Limits { answer: Duration::from_secs(2), ..Limits::default() };
    let Some(ground) = Ground::alone("gone", limits).await else { return };
    let Some(pid) = api_server() else { return };
    let web = deployment("web", waiting());
    let impatient = Limits { patience: Duration::from_secs(1), ..limits };
    let impatient = Cluster::connect(&ground.access, impatient).unwrap();
    let stopped = Stopped::new(pid);
    let comes_back = async {
        tokio::time::timeout(AWAY, std::future::pending::<()>()).await.unwrap_err();
        drop(stopped);
    };
    let settings = map("settings-map", json!({"a": "1"}));
    let (options, patience) = (options(), Patience::default());
    let applied = ground.cluster.apply(&settings, &options);
    let given_up = impatient.apply(&settings, &options);
    let rolled_out = ground.roll_out(&web, &patience);
    let all = futures::future::join4(comes_back, applied, given_up, rolled_out);
    let ((), applied, given_up, ended) = soon(Box::pin(all)).await;
    assert_eq!(applied.unwrap().change, Change::Created);
    let given_up = given_up.unwrap_err().to_string();
    assert!(
        given_up.contains("does not answer: no answer within 2 s; see that it runs"),
        "{given_up}"
    );
    assert!(matches!(ended, Ended::Done), "{ended:?}");

    // While something is waited for.
    let next = deployment("web", super::script("sleep 600"));
    ground.apply(&next).await.unwrap();
    let name = ObjectRef::of(&next);
    let waiting = ground.cluster.wait_rollout(&name, OldPods::Roll, &patience, |_| {});
    let stopped = Stopped::new(pid);
    let comes_back = async {
        tokio::time::timeout(AWAY, std::future::pending::<()>()).await.unwrap_err();
        drop(stopped);
    };
    let ((), ended) = soon(futures::future::join(comes_back, waiting)).await;
    assert!(matches!(ended.unwrap(), Ended::Done));
}
