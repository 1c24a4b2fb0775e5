//! What keeps a pod from serving, and whether it may pass.

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::Value;

use crate::kubernetes::happening::{Happening, one_line};
use crate::kubernetes::json::{condition, count, list, number, text};

/// Words of a registry that has something and cannot give it now.
const PASSING: [&str; 18] = [
    "timeout",
    "timed out",
    "deadline exceeded",
    "connection refused",
    "connection reset",
    "no route to host",
    "network is unreachable",
    "temporary failure",
    "server misbehaving",
    "toomanyrequests",
    "too many requests",
    "qps exceeded",
    "status: 5",
    " 500 ",
    " 502 ",
    " 503 ",
    " 504 ",
    "unexpected eof",
];

/// Words of a registry that has no such thing, or does not give it to the one who asks.
const LASTING: [&str; 13] = [
    "not found",
    "manifest unknown",
    "manifest_unknown",
    "name unknown",
    "does not exist",
    "pull access denied",
    "unauthorized",
    "authentication required",
    "forbidden",
    "insufficient_scope",
    "no match for platform",
    "no matching manifest",
    "invalid reference",
];

/// Failures after which a registry that has no such thing is believed: the first may come of a node
/// that had not read the registry's password yet.
const PULLS: i64 = 2;

/// How long something may be missing that somebody else may be about to make.
const MISSING: Duration = Duration::from_secs(10);

/// How long what the machine cannot do may be tried again.
const REPEATED: Duration = Duration::from_secs(30);

/// What keeps a pod from serving; what explains more comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The name of an image is none.
    ImageName,
    /// An image does not come.
    Image {
        /// How often it did not come.
        failures: i64,
        /// Whether the registry said that there is none for us.
        is_refused: bool,
        /// Whether it is asked for again at this moment.
        is_coming: bool,
    },
    /// A Secret, a ConfigMap or a key of one is missing, or the container may not run as who it is.
    Config,
    /// Its command cannot be started.
    Start {
        /// How often that was tried.
        restarts: i64,
    },
    /// It needed more memory than it may have.
    Memory {
        /// How often.
        restarts: i64,
    },
    /// It ends.
    Crash {
        /// With this code.
        code: i64,
        /// How often.
        restarts: i64,
    },
    /// It is ended and started again, because it does not answer as it should.
    Killed {
        /// How often.
        restarts: i64,
    },
    /// A volume does not come.
    Mount,
    /// No node takes the pod.
    Unschedulable,
    /// It runs and does not answer as it should.
    Probe,
    /// The node took it away.
    Evicted,
    /// The node cannot make the pod.
    Sandbox,
}

/// Something that keeps a pod from serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The pod.
    pub pod: String,
    /// The container, if it is one's.
    pub container: Option<String>,
    /// The image of the container.
    pub image: Option<String>,
    /// What it is.
    pub cause: Cause,
    /// In the cluster's words.
    pub words: String,
}

/// A kind of trouble of one pod, over which time is counted.
pub(super) type Key = (String, Option<String>, std::mem::Discriminant<Cause>);

/// Whether something may come right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kubernetes) enum Outlook {
    /// It may.
    Open,
    /// It may for so long.
    Until(Duration),
}

impl Outlook {
    const NONE: Self = Self::Until(Duration::ZERO);

    pub(super) fn is_over_after(self, time: Duration) -> bool {
        match self {
            Self::Open => false,
            Self::Until(limit) => time >= limit,
        }
    }
}

impl Trouble {
    pub(super) fn key(&self) -> Key {
        (self.pod.clone(), self.container.clone(), std::mem::discriminant(&self.cause))
    }

    /// Whether it may come right, when a container may end so often.
    pub(in crate::kubernetes) fn outlook(&self, crashes: i64) -> Outlook {
        let lower = self.words.to_ascii_lowercase();
        let missing = lower.contains("not found") || lower.contains("non-existent");
        match self.cause {
            Cause::ImageName => Outlook::NONE,
            Cause::Image { is_coming: true, .. } => Outlook::Open,
            Cause::Image { is_refused: true, failures, .. } if failures >= PULLS => Outlook::NONE,
            Cause::Image { is_refused: true, .. } => Outlook::Until(REPEATED),
            Cause::Config => Outlook::Until(MISSING),
            Cause::Start { restarts } if restarts >= 2 => Outlook::NONE,
            Cause::Start { .. } => Outlook::Until(REPEATED),
            Cause::Memory { restarts }
            | Cause::Crash { restarts, .. }
            | Cause::Killed { restarts }
                if restarts >= crashes =>
            {
                Outlook::NONE
            }
            Cause::Mount if missing => Outlook::Until(REPEATED),
            Cause::Unschedulable if missing => Outlook::Until(REPEATED),
            Cause::Image { .. }
            | Cause::Memory { .. }
            | Cause::Crash { .. }
            | Cause::Killed { .. }
            | Cause::Mount
            | Cause::Unschedulable
            | Cause::Probe
            | Cause::Evicted
            | Cause::Sandbox => Outlook::Open,
        }
    }
}

/// What keeps a pod from serving, by its status and by what the cluster tells about it.
pub(in crate::kubernetes) fn troubles(pod: &Value, told: &[Happening]) -> Vec<Trouble> {
    let name = text(pod, "/metadata/name");
    let uid = text(pod, "/metadata/uid");
    let told: Vec<_> = told.iter().filter(|it| it.uid == uid).collect();
    let own: Vec<_> = told.iter().copied().filter(|it| it.is_warning).collect();
    let killed = told.iter().copied().filter(|it| it.reason == "Killing");
    let killed: Vec<_> = killed.filter(|it| it.words.contains("failed liveness probe")).collect();
    let mut found = Vec::new();
    let mut add = |container: Option<&Value>, cause, words: &str| {
        found.push(Trouble {
            pod: name.to_owned(),
            container: container.map(|status| text(status, "/name").to_owned()),
            image: container.map(|status| image_of(pod, text(status, "/name"))),
            cause,
            words: one_line(words),
        });
    };
    if text(pod, "/status/reason") == "Evicted" {
        add(None, Cause::Evicted, text(pod, "/status/message"));
    }
    let scheduled = condition(pod, "PodScheduled");
    if let Some(refused) = scheduled.filter(|it| text(it, "/status") == "False") {
        add(None, Cause::Unschedulable, text(refused, "/message"));
    }
    let containers = list(pod, "/status/initContainerStatuses").iter();
    for status in containers.chain(list(pod, "/status/containerStatuses")) {
        let trouble = of_container(status, &told);
        if let Some((cause, words)) = trouble.map(|it| killed_by_probe(status, it, (&killed, &own)))
        {
            add(Some(status), cause, &words);
        }
    }
    let last = |reason: &str| own.iter().filter(|it| it.reason == reason).max_by_key(|it| &it.last);
    let is_waiting = list(pod, "/status/containerStatuses").iter().any(|status| {
        ["ContainerCreating", "PodInitializing"].contains(&text(status, "/state/waiting/reason"))
    });
    if is_waiting {
        let mount = last("FailedMount").or_else(|| last("FailedAttachVolume"));
        if let Some(mount) = mount {
            add(None, Cause::Mount, &mount.words);
        }
        if let Some(sandbox) = last("FailedCreatePodSandBox") {
            add(None, Cause::Sandbox, &sandbox.words);
        }
    }
    found.sort_by(|a, b| a.cause.cmp(&b.cause));
    found
}

/// The image as it was asked for.
fn image_of(pod: &Value, container: &str) -> String {
    let all = list(pod, "/spec/initContainers").iter().chain(list(pod, "/spec/containers"));
    let mut of_it = all.filter(|spec| text(spec, "/name") == container);
    of_it.next().map(|spec| text(spec, "/image").to_owned()).unwrap_or_default()
}

fn of_container(status: &Value, told: &[&Happening]) -> Option<(Cause, String)> {
    let waiting = text(status, "/state/waiting/reason");
    let words = text(status, "/state/waiting/message");
    let restarts = count(status, "/restartCount");
    match waiting {
        "InvalidImageName" => return Some((Cause::ImageName, words.to_owned())),
        "ErrImageNeverPull" => {
            let cause = Cause::Image { failures: PULLS, is_refused: true, is_coming: false };
            return Some((cause, words.to_owned()));
        }
        "ErrImagePull" | "ImagePullBackOff" | "ImageInspectError" | "RegistryUnavailable" => {
            return Some(of_image(text(status, "/name"), words, told));
        }
        "CreateContainerConfigError" => return Some((Cause::Config, words.to_owned())),
        "CreateContainerError"
        | "RunContainerError"
        | "PreStartHookError"
        | "PostStartHookError" => {
            return Some((Cause::Start { restarts }, words.to_owned()));
        }
        _ => {}
    }
    let ended = ["/state/terminated", "/lastState/terminated"];
    let ended = ended.iter().filter_map(|path| status.pointer(path)).next();
    let is_ready = status["ready"] == Value::Bool(true);
    if let Some(ended) = ended.filter(|_| !is_ready) {
        let code = number(ended, "/exitCode").unwrap_or_default();
        let words = text(ended, "/message").to_owned();
        // One that ends well and is started again serves no better.
        let cause = match text(ended, "/reason") {
            "StartError" | "ContainerCannotRun" => Some(Cause::Start { restarts }),
            "OOMKilled" => Some(Cause::Memory { restarts }),
            _ if code != 0 || restarts > 0 => Some(Cause::Crash { code, restarts }),
            _ => None,
        };
        if let Some(cause) = cause {
            return Some((cause, words));
        }
    }
    let runs = status.pointer("/state/running").is_some();
    let container = format!("{{{}}}", text(status, "/name"));
    let unhealthy = told.iter().filter(|it| it.is_warning && it.reason == "Unhealthy");
    let unhealthy = unhealthy.max_by_key(|it| &it.last);
    match unhealthy {
        Some(unhealthy) if runs && !is_ready => {
            Some((Cause::Probe, unhealthy.words.replace(&container, "")))
        }
        _ => None,
    }
}

/// An image that did not come: the status of its container stays as it is while it is asked for again.
fn of_image(container: &str, words: &str, told: &[&Happening]) -> (Cause, String) {
    let own = || told.iter().filter(|it| it.container.as_deref().is_none_or(|it| it == container));
    let failed = || own().filter(|it| it.reason == "Failed" && it.words.contains("pull image"));
    let failures = failed().map(|it| it.times).sum();
    let begun: i64 = own().filter(|it| it.reason == "Pulling").map(|it| it.times).sum();
    // Older kubelets say in the status only that they wait.
    let is_bare = words.starts_with("Back-off") && !words.contains("rpc error");
    let last = failed().max_by_key(|it| &it.last).filter(|_| is_bare);
    let words = last.map_or(words, |it| it.words.as_str());
    let is_refused = is_refused(words);
    (Cause::Image { failures, is_refused, is_coming: begun > failures }, words.to_owned())
}

/// What ended a container: not itself, where its node did because it did not answer.
fn killed_by_probe(
    status: &Value,
    (cause, words): (Cause, String),
    (killed, own): (&[&Happening], &[&Happening]),
) -> (Cause, String) {
    let name = text(status, "/name");
    let begins = format!("Container {name} failed");
    let Cause::Crash { restarts, .. } = cause else { return (cause, words) };
    if !killed.iter().any(|it| it.words.starts_with(&begins)) {
        return (cause, words);
    }
    let probes = own.iter().filter(|it| it.words.starts_with("Liveness probe failed"));
    let words = probes.max_by_key(|it| &it.last).map_or(words, |it| it.words.clone());
    (Cause::Killed { restarts }, words)
}

/// Whether a registry says that it has no such image for us, and not that it cannot answer now.
fn is_refused(words: &str) -> bool {
    let lower = words.to_ascii_lowercase();
    let says = |all: &[&str]| all.iter().any(|words| lower.contains(words));
    says(&LASTING) && !says(&PASSING)
}
