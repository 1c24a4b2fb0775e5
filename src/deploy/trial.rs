//! Whether a target can be deployed to: it is asked, and nothing is changed there.

use crate::deploy::kubernetes_target::{access, extras};
use crate::docker::{Engine, EngineError};
use crate::domain::cluster::{Cluster, ClusterKind, Credentials};
use crate::kubernetes::{self, Extra};
use crate::manifests::Settings;

/// What a target said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Who answers there, in words.
    pub summary: String,
    /// What deployments would lack, each in words; `docs/kubernetes-role.yaml` grants all rights.
    pub missing: Vec<String>,
}

/// Why a target said nothing that is of use.
#[derive(Debug, thiserror::Error)]
pub enum NotTried {
    /// An engine does not answer.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A cluster does not answer, cannot prove who it is, or does not accept who signs in.
    #[error(transparent)]
    Cluster(#[from] kubernetes::Error),
}

/// Asks a target whether it can be deployed to by somebody who signs in there.
///
/// # Errors
///
/// When it does not answer, or does not accept them.
pub async fn try_target(
    cluster: &Cluster,
    login: Option<&Credentials>,
    settings: &Settings,
) -> Result<Trial, NotTried> {
    let name = &cluster.name;
    if cluster.kind == ClusterKind::Docker {
        Engine::connect(&cluster.address).await?;
        let summary = format!("The engine of {name} answers.");
        return Ok(Trial { summary, missing: Vec::new() });
    }
    let limits = kubernetes::Limits::default();
    let api = kubernetes::Cluster::connect(&access(cluster, login), limits)?;
    let extras = extras(cluster, settings);
    let found = api.test_connection(&extras).await?;
    let mut missing: Vec<String> = found.missing.iter().map(ToString::to_string).collect();
    if !found.has_namespace && !extras.contains(&Extra::CreateNamespaces) {
        missing.insert(0, format!("namespace {}: make it first", cluster.namespace));
    }
    let level = found.level.map(|level| format!(" {level}")).unwrap_or_default();
    let summary = if missing.is_empty() {
        format!("{name} is Kubernetes{level}, and {} can be deployed to.", cluster.namespace)
    } else {
        format!("{name} is Kubernetes{level}, and deployments would fail.")
    };
    Ok(Trial { summary, missing })
}
