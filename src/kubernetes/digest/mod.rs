//! Why something does not serve: gathered, and told in one line with what to do about it.

mod headline;
mod output;

use serde_json::Value;

use crate::kubernetes::happening::Happening;
use crate::kubernetes::json::{count, list, number, text};
use crate::kubernetes::object::ObjectRef;
use crate::kubernetes::rollout::trouble::Trouble;

/// Why a wait failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It took too long.
    Late {
        /// The time it had.
        seconds: u64,
    },
    /// No pod may be made.
    Refused {
        /// In the cluster's words.
        words: String,
    },
    /// A pod cannot serve, and that will not change.
    Trouble(Trouble),
    /// A Job failed.
    Job {
        /// In a word, such as `DeadlineExceeded`.
        reason: String,
        /// In the cluster's words.
        words: String,
    },
    /// It was deleted.
    Gone,
}

/// What explains a failure. Its `Display` is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// What failed.
    pub object: ObjectRef,
    /// Why the wait ended.
    pub why: Why,
    /// Pods that serve.
    pub ready: i64,
    /// Pods that should.
    pub wanted: i64,
    /// What keeps pods from serving, what explains most first.
    pub troubles: Vec<Trouble>,
    /// What the cluster told last about all of it.
    pub happenings: Vec<Happening>,
    /// What the container printed last that is to blame.
    pub output: Option<Output>,
    pub(super) suspects: Vec<Suspect>,
}

/// What a container printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The last lines, safe to show.
    pub lines: Vec<String>,
}

/// A container that ended, or runs and does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suspect {
    pod: String,
    container: String,
    code: Option<i64>,
    /// Whether what it printed is that of the one before.
    is_previous: bool,
}

impl Digest {
    pub(super) const fn new(object: ObjectRef, why: Why) -> Self {
        Self {
            object,
            why,
            ready: 0,
            wanted: 0,
            troubles: Vec::new(),
            happenings: Vec::new(),
            output: None,
            suspects: Vec::new(),
        }
    }

    /// The code with which the container ended that is to blame.
    pub fn exit_code(&self) -> Option<i64> {
        self.ended().and_then(|suspect| suspect.code)
    }

    /// The container that ended and is to blame.
    pub fn ended_container(&self) -> Option<&str> {
        self.ended().map(|suspect| suspect.container.as_str())
    }

    fn ended(&self) -> Option<&Suspect> {
        self.suspects.iter().find(|suspect| suspect.code.is_some_and(|code| code != 0))
    }
}

/// Containers of a pod that are not well.
pub(super) fn ended_containers(pod: &Value) -> Vec<Suspect> {
    let statuses = list(pod, "/status/initContainerStatuses").iter();
    let statuses = statuses.chain(list(pod, "/status/containerStatuses"));
    let suspect = |status: &Value| {
        let now = number(status, "/state/terminated/exitCode");
        let before = number(status, "/lastState/terminated/exitCode");
        let runs = status.pointer("/state/running").is_some();
        let is_ready = status["ready"] == Value::Bool(true);
        let is_suspect =
            now.is_some_and(|code| code != 0) || (!is_ready && (before.is_some() || runs));
        is_suspect.then(|| Suspect {
            pod: text(pod, "/metadata/name").to_owned(),
            container: text(status, "/name").to_owned(),
            code: now.or(before),
            is_previous: now.is_none() && count(status, "/restartCount") > 0,
        })
    };
    statuses.filter_map(suspect).collect()
}
