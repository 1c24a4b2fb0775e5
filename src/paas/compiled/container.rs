//! Containers.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::paas::compiled::ImageRef;

/// One container of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its name, unique in the pod.
    pub name: String,
    /// What it runs.
    pub image: ImageRef,
    /// Ports it listens on.
    pub listen: Vec<u16>,
    /// Files it sees besides its image's.
    pub volumes: IndexMap<String, Mount>,
    /// Environment variables.
    pub env: IndexMap<String, EnvValue>,
    /// Secrets and maps all of whose entries are variables too, unless `env` has them.
    pub env_from: Vec<Import>,
    /// When it is well.
    pub healthcheck: Option<HealthCheck>,
    /// What it may use, explicit rows first.
    pub resources: Vec<Resource>,
}

impl Container {
    /// One that has only its image.
    pub fn new(name: &str, image: ImageRef) -> Self {
        Self {
            name: name.to_owned(),
            image,
            listen: Vec::new(),
            volumes: IndexMap::new(),
            env: IndexMap::new(),
            env_from: Vec::new(),
            healthcheck: None,
            resources: Vec::new(),
        }
    }
}

/// What a pod or a volume left out is a default of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Val {
    /// The value itself.
    Text(String),
    /// The target's value of this key ([`super::Defaults::resolve`]).
    Default {
        /// Such as `storage-size`.
        default: String,
    },
}

impl Val {
    /// The target's value of a key.
    pub fn default_of(key: &str) -> Self {
        Self::Default { default: key.to_owned() }
    }
}

/// Files that a container sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Mount {
    /// Files of the repository, which nobody writes.
    Shared {
        /// Key of the deployment's volume.
        volume: String,
        /// Its name.
        name: String,
        /// Where they are seen.
        mount_path: String,
    },
    /// A disk that outlives the pod.
    Persistent {
        /// One name, one disk.
        name: String,
        /// Where it is seen.
        mount_path: String,
        /// Who provides it.
        storage_provider: Val,
        /// How large it is.
        storage_size: Val,
        /// Whether every deployment begins with an empty one.
        reset_on_deployment: bool,
        /// Whether several write it at a time.
        write_many: bool,
    },
    /// A map's entries as files.
    Map {
        /// Its key; not unique in a pod.
        name: String,
        /// The map.
        map: String,
        /// Where they are seen.
        mount_path: String,
    },
    /// A secret's entries as files.
    Secret {
        /// Its key; not unique in a pod.
        name: String,
        /// The secret.
        secret: String,
        /// Where they are seen.
        mount_path: String,
    },
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EnvValue {
    /// The value itself.
    Text(String),
    /// An entry of a secret.
    SecretKey {
        /// The secret.
        secret: String,
        /// The entry.
        key: String,
    },
    /// An entry of a map.
    MapKey {
        /// The map.
        map: String,
        /// The entry.
        key: String,
    },
}

/// A set all of whose entries are variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Import {
    /// A secret.
    Secret(String),
    /// A map.
    Map(String),
}

/// How to find out whether a container is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "FlatHealthCheck", try_from = "FlatHealthCheck")]
pub struct HealthCheck {
    /// What is asked.
    pub probe: Probe,
    /// Seconds before the first question.
    pub initial_delay: u32,
    /// Seconds between two questions, at least 1.
    pub period: u32,
    /// Good answers in a row that make it well, at least 1.
    pub success_threshold: u32,
    /// Bad answers in a row that make it ill, at least 1.
    pub failure_threshold: u32,
}

/// What a container is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A program inside it exits with 0; no shell takes part.
    Command {
        /// The program and its arguments; never empty.
        command: Vec<String>,
    },
    /// It answers this path with a status from 200 to 399.
    Http {
        /// The port it listens on.
        port: u16,
        /// The path asked for, beginning with `/`.
        path: String,
        /// Over TLS, whose certificate is not checked.
        secure: bool,
    },
    /// It accepts connections.
    Tcp {
        /// The port it listens on.
        port: u16,
    },
}

/// A health check as JSON: all fields of all probes.
#[derive(Serialize, Deserialize)]
struct FlatHealthCheck {
    #[serde(rename = "type")]
    kind: ProbeKind,
    initial_delay: u32,
    period: u32,
    command: Option<Vec<String>>,
    port: Option<u16>,
    path: Option<String>,
    secure: bool,
    success_threshold: u32,
    failure_threshold: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ProbeKind {
    Command,
    Http,
    Tcp,
}

impl From<HealthCheck> for FlatHealthCheck {
    fn from(check: HealthCheck) -> Self {
        let (kind, command, port, path, secure) = match check.probe {
            Probe::Command { command } => (ProbeKind::Command, Some(command), None, None, false),
            Probe::Http { port, path, secure } => {
                (ProbeKind::Http, None, Some(port), Some(path), secure)
            }
            Probe::Tcp { port } => (ProbeKind::Tcp, None, Some(port), None, false),
        };
        let HealthCheck { initial_delay, period, success_threshold, failure_threshold, .. } = check;
        Self {
            kind,
            initial_delay,
            period,
            command,
            port,
            path,
            secure,
            success_threshold,
            failure_threshold,
        }
    }
}

impl TryFrom<FlatHealthCheck> for HealthCheck {
    type Error = &'static str;

    fn try_from(flat: FlatHealthCheck) -> Result<Self, Self::Error> {
        let probe = match (flat.kind, flat.command, flat.port, flat.path) {
            (ProbeKind::Command, Some(command), ..) => Probe::Command { command },
            (ProbeKind::Http, _, Some(port), Some(path)) => {
                Probe::Http { port, path, secure: flat.secure }
            }
            (ProbeKind::Tcp, _, Some(port), _) => Probe::Tcp { port },
            _ => return Err("a probe lacks what its type needs"),
        };
        Ok(Self {
            probe,
            initial_delay: flat.initial_delay,
            period: flat.period,
            success_threshold: flat.success_threshold,
            failure_threshold: flat.failure_threshold,
        })
    }
}

/// How much of one resource each replica of a container gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// `cpu`, in thousandths of a core; `memory`, in bytes; and what a platform adds.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is guaranteed.
    pub require: u64,
    /// What it may use at most.
    pub limit: u64,
    /// Whether the file left it to be shared out.
    pub automatic: bool,
}
