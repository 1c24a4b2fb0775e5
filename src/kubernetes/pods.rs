//! Pods as people ask for them: which there are, and how their containers are.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::kubernetes::json::{condition, count, list, number, some_text, text};
use crate::kubernetes::object::POD;
use crate::kubernetes::{Cluster, Error};

/// A pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its containers.
    pub containers: Vec<PodContainer>,
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodContainer {
    /// Its name.
    pub name: String,
    /// What it does, such as `running`.
    pub state: String,
    /// Whether the cluster sends it requests.
    pub is_ready: bool,
    /// How often it was started again.
    pub restarts: i64,
    /// When it was last started.
    pub since: Option<DateTime<Utc>>,
}

impl Cluster {
    /// The pods with these labels, by name.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer, or may not be asked.
    pub async fn pods(&self, labels: &str) -> Result<Vec<Pod>, Error> {
        let found = self.list(&POD, labels, "application/json").await?;
        let mut pods: Vec<Pod> = found.iter().map(pod).collect();
        pods.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(pods)
    }
}

fn pod(found: &Value) -> Pod {
    let containers = list(found, "/spec/containers").iter().map(|container| {
        let name = text(container, "/name");
        let mut statuses = list(found, "/status/containerStatuses").iter();
        match statuses.find(|status| text(status, "/name") == name) {
            Some(status) => known(found, name, status),
            None => PodContainer {
                name: name.to_owned(),
                state: waits(found),
                is_ready: false,
                restarts: 0,
                since: None,
            },
        }
    });
    Pod { name: text(found, "/metadata/name").to_owned(), containers: containers.collect() }
}

fn known(pod: &Value, name: &str, status: &Value) -> PodContainer {
    let state = if let Some(code) = number(status, "/state/terminated/exitCode") {
        format!("exited {code}")
    } else if let Some(reason) = some_text(status, "/state/waiting/reason") {
        match number(status, "/lastState/terminated/exitCode") {
            Some(code) => format!("{reason}, exited {code}"),
            None => reason,
        }
    } else if pod.pointer("/metadata/deletionTimestamp").is_some() {
        "ending".to_owned()
    } else {
        "running".to_owned()
    };
    let since = some_text(status, "/state/running/startedAt");
    PodContainer {
        name: name.to_owned(),
        state,
        is_ready: status["ready"] == Value::Bool(true),
        restarts: count(status, "/restartCount"),
        since: since.and_then(|since| since.parse().ok()),
    }
}

/// Why a pod has no containers yet.
fn waits(pod: &Value) -> String {
    let scheduled = condition(pod, "PodScheduled");
    let reason = scheduled.and_then(|scheduled| some_text(scheduled, "/reason"));
    reason.unwrap_or_else(|| text(pod, "/status/phase").to_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_is_told_by_its_containers_also_before_there_are_any() {
        let status = |state: Value| {
            json!({"name": "app", "ready": false, "restartCount": 2, "state": state,
                "lastState": {"terminated": {"exitCode": 3}}})
        };
        let state = |of: Value| pod(&of).containers[0].state.clone();
        let with = |status: Value| {
            json!({"metadata": {"name": "web-1"}, "spec": {"containers": [{"name": "app"}]},
                "status": {"phase": "Pending", "containerStatuses": [status]}})
        };
        let running = with(status(json!({"running": {"startedAt": "2026-01-31T10:00:00Z"}})));
        let told = pod(&running);
        assert_eq!((told.name.as_str(), told.containers[0].restarts), ("web-1", 2));
        assert_eq!(told.containers[0].since, "2026-01-31T10:00:00Z".parse().ok());
        assert_eq!(state(running), "running");
        let waiting = status(json!({"waiting": {"reason": "CrashLoopBackOff"}}));
        assert_eq!(state(with(waiting)), "CrashLoopBackOff, exited 3");
        assert_eq!(state(with(status(json!({"terminated": {"exitCode": 1}})))), "exited 1");
        assert_eq!(state(with(json!({}))), "pending");
        let mut unscheduled = with(json!({}));
        unscheduled["status"]["conditions"] =
            json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]);
        assert_eq!(state(unscheduled), "Unschedulable");
    }
}
