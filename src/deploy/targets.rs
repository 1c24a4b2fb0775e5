//! The engines and clusters a job deploys to.

use std::collections::BTreeMap;

use tracing::warn;

use crate::deploy::Settings;
use crate::deploy::docker_target::DockerTarget;
use crate::deploy::kubernetes_target::{ClusterError, KubernetesTarget};
use crate::docker::{Engine, EngineError};
use crate::domain::address_pool::{AddressPool, BadSubnet};
use crate::domain::cluster::{Cluster, ClusterKind, Credentials};
use crate::domain::ids::{ClusterId, EnvironmentId, JobNumber, ProjectId};
use crate::domain::redact::Redactor;
use crate::stack::Labels;

/// What a job deploys to, each kind in the order of their names.
pub(super) struct Targets {
    /// Docker Engines.
    pub(super) docker: Vec<Target<DockerTarget>>,
    /// Kubernetes clusters.
    pub(super) kubernetes: Vec<Target<KubernetesTarget>>,
}

/// A target of a job.
pub(super) struct Target<D> {
    /// What the job remembers of it.
    pub(super) cluster: Cluster,
    /// What drives it.
    pub(super) driver: D,
}

/// Why a target cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    /// An engine does not answer.
    #[error("cluster `{cluster}`: {source}")]
    Engine {
        /// Which.
        cluster: String,
        /// Why.
        source: EngineError,
    },
    /// What is stored of a cluster is wrong.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The pool of addresses cannot be read.
    #[error("setting docker.networks: {0}")]
    Networks(#[from] BadSubnet),
}

/// Whose objects those on clusters are, of which job, and who signs in there.
pub(super) struct Visitor<'a> {
    pub(super) job: JobNumber,
    pub(super) project: ProjectId,
    pub(super) environment: EnvironmentId,
    pub(super) logins: &'a BTreeMap<ClusterId, Credentials>,
}

/// Connects targets, in their order. In what their tools say, secrets are hidden.
pub(super) async fn connect(
    clusters: Vec<Cluster>,
    visitor: Visitor<'_>,
    settings: &Settings,
    redactor: &Redactor,
) -> Result<Targets, TargetError> {
    let (docker, kubernetes) =
        clusters.into_iter().partition(|cluster| cluster.kind == ClusterKind::Docker);
    let docker = connect_engines(docker, settings, redactor).await?;
    let of = (visitor.project, visitor.environment);
    let connected = |cluster: Cluster| {
        let login = visitor.logins.get(&cluster.id);
        if !cluster.kubernetes.tls_verify {
            let (job, name) = (visitor.job, &cluster.name);
            warn!(
                "Job {job} does not check who answers as cluster {name}: store its CA certificate, \
                 and set tls-verify to true"
            );
        }
        let driver =
            KubernetesTarget::connect(&cluster, login, of, &settings.kubernetes, redactor)?;
        Ok(Target { cluster, driver })
    };
    let kubernetes: Vec<Cluster> = kubernetes;
    let kubernetes: Result<_, ClusterError> = kubernetes.into_iter().map(connected).collect();
    Ok(Targets { docker, kubernetes: kubernetes? })
}

/// Connects those of the targets that are engines.
pub(super) async fn connect_engines(
    clusters: Vec<Cluster>,
    settings: &Settings,
    redactor: &Redactor,
) -> Result<Vec<Target<DockerTarget>>, TargetError> {
    let mut targets = Vec::new();
    for cluster in clusters.into_iter().filter(|cluster| cluster.kind == ClusterKind::Docker) {
        let fails = |source| TargetError::Engine { cluster: cluster.name.clone(), source };
        let engine = Engine::connect(&cluster.address).await.map_err(fails)?;
        let driver = on_engine(engine, settings, redactor)?;
        targets.push(Target { cluster, driver });
    }
    Ok(targets)
}

/// The engine that builds images for clusters.
pub(super) async fn workshop(
    settings: &Settings,
    redactor: &Redactor,
) -> Result<DockerTarget, TargetError> {
    let cluster = "setting builder.engine".to_owned();
    let engine = Engine::connect(&settings.builder.engine).await;
    let engine = engine.map_err(|source| TargetError::Engine { cluster, source })?;
    on_engine(engine, settings, redactor)
}

fn on_engine(
    engine: Engine,
    settings: &Settings,
    redactor: &Redactor,
) -> Result<DockerTarget, TargetError> {
    let pool: AddressPool = settings.docker.networks.parse()?;
    Ok(DockerTarget {
        engine: engine.hiding(redactor.clone()),
        builder: settings.built_by.clone(),
        layers: settings.layers.clone(),
        labels: Labels::new(&settings.docker.label_domain),
        pool,
        min_ready: settings.docker.min_ready.duration(),
    })
}
