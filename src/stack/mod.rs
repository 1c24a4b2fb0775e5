//! What a deployment is on one Docker Engine: a network, groups of containers, routes.
//!
//! ```text
//!   release v18 of shop/production, fence 7
//!   └── network  acme-shop-production-7-4b5e5          10.213.4.0/26
//!       ├── group web 1    10.213.4.2   anchor "app" + "metrics" in its network namespace
//!       ├── group web 2    10.213.4.3   anchor "app" + "metrics"
//!       └── group db  1    10.213.4.4   anchor "postgres"
//!   routes: shop.localhost / -> web 1:8080, web 2:8080
//! ```
//!
//! Every name holds the fence of the run that made it, so two deployments of one environment never
//! meet: the new one is started beside the old one, and people are sent over when it is healthy.
//! A [`Stack`] is what is wanted; a [`Placed`] one has its addresses, and is what a release stores.
//! Everything here is data; `docker` makes it real.

mod difference;
mod facts;
mod naming;
mod readiness;
mod render;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::address_pool::Subnet;
use crate::domain::route::{Host, Route};

pub use difference::entries;
pub use facts::{ContainerFacts, Phase};
pub use naming::{Labels, Owner};
pub use readiness::{Answer, Readiness, Why};
pub use render::{Unrenderable, notes, render};

/// Everything one release puts on one engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Name of the network that its containers share.
    pub network: String,
    /// Labels of the network, and the common ones of the containers.
    pub labels: BTreeMap<String, String>,
    /// Files that containers share; releases that were stored before there were any have none.
    #[serde(default)]
    pub volumes: Vec<Volume>,
    /// Replicas of pods, in the order of the file.
    pub groups: Vec<Group>,
    /// How people reach it.
    pub routes: Vec<RoutePlan>,
}

/// A volume that is filled from an image before anything mounts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its key in the file.
    pub key: String,
    /// Its name on the engine.
    pub name: String,
    /// The image whose command copies the files to the folder that `MOUNT_PATH` names.
    pub image: String,
}

impl Volume {
    /// Name of the container that fills it.
    pub fn filler(&self) -> String {
        format!("{}-init", self.name)
    }
}

/// A volume as a container sees it, which never writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// The volume's name on the engine.
    pub volume: String,
    /// Where its files are.
    pub folder: String,
}

/// One replica of a pod: containers that share a network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The pod.
    pub pod: String,
    /// Which replica, from 1.
    pub replica: u32,
    /// Names under which other groups find it.
    pub aliases: Vec<String>,
    /// Its containers; the first holds the network namespace.
    pub containers: Vec<Container>,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its name on the engine.
    pub name: String,
    /// Its name in the file.
    pub container: String,
    /// The image, by digest or id, or a stock image by its reference.
    pub image: String,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Volumes that it sees.
    #[serde(default)]
    pub mounts: Vec<Mount>,
    /// Labels of its own, beside the stack's.
    pub labels: BTreeMap<String, String>,
    /// When it is well.
    pub health: Option<HealthCheck>,
    /// What it may use.
    pub resources: Resources,
}

/// How to find out whether a container is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// What is asked.
    pub probe: Probe,
    /// Time before the first answer counts.
    pub initial_delay: Duration,
    /// Time between two questions.
    pub period: Duration,
    /// Good answers in a row that make it well.
    pub successes: u32,
    /// Bad answers in a row that make it ill.
    pub failures: u32,
}

/// What a container is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Probe {
    /// A program inside it exits with 0; no shell takes part.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
    },
    /// It answers this path with a status from 200 to 399.
    Http {
        /// The port it listens on.
        port: u16,
        /// The path asked for.
        path: String,
    },
    /// It accepts connections.
    Tcp {
        /// The port it listens on.
        port: u16,
    },
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { argv } => write!(f, "run `{}`", argv.join(" ")),
            Self::Http { port, path } => write!(f, "GET {path} on port {port}"),
            Self::Tcp { port } => write!(f, "connect to port {port}"),
        }
    }
}

/// What a container may use; 0 is "as it is".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// CPU time in billionths of a core.
    pub nano_cpus: i64,
    /// Most memory in bytes.
    pub memory: i64,
    /// Memory in bytes that is kept for it under pressure.
    pub memory_reservation: i64,
}

/// A route whose upstreams are not known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutePlan {
    /// The host asked for.
    pub host: Host,
    /// Prefix of the path.
    pub path: String,
    /// The pod that answers.
    pub pod: String,
    /// The port it listens on.
    pub port: u16,
}

/// A stack on an engine: what is wanted, and the network that it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// What is wanted.
    pub stack: Stack,
    /// The network's addresses.
    pub subnet: Subnet,
}

impl Stack {
    /// One with nothing in it.
    pub fn nothing(network: &str) -> Self {
        Self {
            network: network.to_owned(),
            labels: BTreeMap::new(),
            volumes: Vec::new(),
            groups: Vec::new(),
            routes: Vec::new(),
        }
    }

    /// How many addresses it needs.
    pub fn size(&self) -> u32 {
        u32::try_from(self.groups.len()).unwrap_or(u32::MAX)
    }

    /// Whether something with these labels was made for it.
    pub fn owns(&self, labels: &BTreeMap<String, String>) -> bool {
        self.labels.iter().all(|(name, value)| labels.get(name) == Some(value))
    }

    /// Hosts and paths, for the question whether somebody else holds one of them.
    pub fn entrances(&self) -> Vec<(Host, String)> {
        self.routes.iter().map(|plan| (plan.host.clone(), plan.path.clone())).collect()
    }
}

impl Placed {
    /// The groups, each with its address; those that no address is left for are not among them.
    pub fn groups(&self) -> impl Iterator<Item = (&Group, Ipv4Addr)> {
        let addresses = (0..).map_while(|index| self.subnet.container(index));
        self.stack.groups.iter().zip(addresses)
    }

    /// The routes, for the entrance.
    pub fn routes(&self) -> Vec<Route> {
        let upstreams = |plan: &RoutePlan| {
            let groups = self.groups().filter(|(group, _)| group.pod == plan.pod);
            groups.map(|(_, address)| SocketAddr::from((address, plan.port))).collect()
        };
        let route = |plan: &RoutePlan| Route {
            host: plan.host.clone(),
            path: plan.path.clone(),
            upstreams: upstreams(plan),
        };
        self.stack.routes.iter().map(route).collect()
    }
}
