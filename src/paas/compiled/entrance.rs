//! Services and ingresses.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::paas::compiled::Value;

/// A name under which a pod is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The name.
    pub name: String,
    /// The pod.
    pub pod: String,
    /// What is spoken.
    pub protocol: Protocol,
    /// Whether only other pods reach it.
    pub internal: bool,
    /// Its ports, in order.
    pub ports: Vec<Port>,
}

/// What a service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// TLS over TCP.
    Https,
}

/// A port of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// What others connect to.
    pub listen: u16,
    /// What the pod listens on.
    pub target: u16,
}

/// How people reach services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingress {
    /// Its name.
    pub name: String,
    /// The host asked for.
    pub host: String,
    /// Other hosts with the same answers, each once.
    pub aliases: Vec<String>,
    /// Who answers; none: the target's own.
    pub provider: Option<String>,
    /// Answers every path that no other entry names.
    pub default_service: Option<Backend>,
    /// Prefixes of paths, in the order of the file.
    pub paths: Vec<PathRule>,
    /// Secret with its certificate.
    pub tls_secret: Option<String>,
    /// Whether its services speak HTTPS.
    pub https_backend: bool,
    /// Settings of its provider.
    pub meta: Value,
}

impl Ingress {
    /// One that nobody answers yet.
    pub fn new(name: &str, host: &str) -> Self {
        Self {
            name: name.to_owned(),
            host: host.to_owned(),
            aliases: Vec::new(),
            provider: None,
            default_service: None,
            paths: Vec::new(),
            tls_secret: None,
            https_backend: false,
            meta: Value::Mapping(IndexMap::new()),
        }
    }
}

/// A port of a service that answers an ingress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// The service.
    pub name: String,
    /// Its `listen` port.
    pub port: u16,
}

/// A prefix of paths and who answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathRule {
    /// The prefix, beginning with `/`.
    pub path: String,
    /// The service.
    pub service: String,
    /// Its `listen` port.
    pub port: u16,
}
