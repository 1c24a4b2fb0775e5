//! The engines a job deploys to.

use crate::deploy::Settings;
use crate::deploy::docker_target::DockerTarget;
use crate::docker::{Engine, EngineError};
use crate::domain::address_pool::{AddressPool, BadSubnet};
use crate::domain::cluster::{Cluster, ClusterKind};
use crate::domain::redact::Redactor;
use crate::stack::Labels;

/// A target of a job, connected.
pub(super) struct Target {
    /// What the job remembers of it.
    pub(super) cluster: Cluster,
    /// The engine.
    pub(super) docker: DockerTarget,
}

/// Why a target cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    /// It does not answer.
    #[error("cluster `{cluster}`: {source}")]
    Engine {
        /// Which.
        cluster: String,
        /// Why.
        source: EngineError,
    },
    /// It is none that can be deployed to yet.
    #[error("cluster `{0}`: Kubernetes clusters are not deployed to yet")]
    Kubernetes(String),
    /// The pool of addresses cannot be read.
    #[error("setting docker.networks: {0}")]
    Networks(#[from] BadSubnet),
}

/// Connects targets, in their order. In what their tools say, secrets are hidden.
pub(super) async fn connect(
    clusters: Vec<Cluster>,
    settings: &Settings,
    redactor: &Redactor,
) -> Result<Vec<Target>, TargetError> {
    let pool: AddressPool = settings.docker.networks.parse()?;
    let mut targets = Vec::new();
    for cluster in clusters {
        match cluster.kind {
            ClusterKind::Docker => {}
            ClusterKind::Kubernetes => return Err(TargetError::Kubernetes(cluster.name)),
        }
        let engine = Engine::connect(&cluster.address)
            .await
            .map_err(|source| TargetError::Engine { cluster: cluster.name.clone(), source })?;
        let docker = DockerTarget {
            engine: engine.hiding(redactor.clone()),
            builder: settings.built_by.clone(),
            layers: settings.layers.clone(),
            labels: Labels::new(&settings.docker.label_domain),
            pool,
            min_ready: settings.docker.min_ready.duration(),
        };
        targets.push(Target { cluster, docker });
    }
    Ok(targets)
}
