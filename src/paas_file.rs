//! Reads the deployment file of a commit and compiles it, without a checkout.

use crate::domain::cluster::{Cluster, ClusterKind};
use crate::domain::oid::Oid;
use crate::domain::snapshot::Snapshot;
use crate::domain::stored_variables::StoredVariables;
use crate::domain::variables::Variables;
use crate::git::bare_repository::{BareRepository, GitError, RootFile};
use crate::git::commit_files::{TooMuch, paths};
use crate::paas::{
    self, Code, Compiled, Context, ContextFile, MOST_BYTES, Platform, TargetKind, render_warnings,
};

/// What a file is compiled with, besides its text.
#[derive(Debug)]
pub struct Launch<'a> {
    /// Name of the file.
    pub file: &'a str,
    /// The project, its environment and its prefix.
    pub snapshot: &'a Snapshot,
    /// What was given to this deployment: a secret of it is one whatever the project has by now.
    pub launched: &'a StoredVariables,
    /// Everything that `${NAME}` may stand for, whoever gave it.
    pub variables: &'a Variables,
    /// What the platform knows.
    pub platform: &'a Platform,
    /// Most files that a commit may have.
    pub max_files: u64,
}

/// Why a commit's file did not compile.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It is missing.
    #[error("no {0} at the root of this commit")]
    Absent(String),
    /// There is something else of that name.
    #[error("{0} is not a plain file")]
    NotAFile(String),
    /// Over 1 MiB.
    #[error("{file} has {bytes} bytes; at most {MOST_BYTES}")]
    TooLarge {
        /// Its name.
        file: String,
        /// Its size.
        bytes: usize,
    },
    /// It has faults.
    #[error("{reason}")]
    Faults {
        /// The first fault and how many there are, for git's rejection line.
        reason: String,
        /// All of them, as a compiler prints them.
        lines: Vec<String>,
    },
    /// The commit has more in it than is ever deployed.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// The repository could not be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Broken {
    /// What a person reads above the rejection line.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Faults { lines, .. } => lines.clone(),
            Self::Absent(_) | Self::NotAFile(_) => vec![format!("error[{}]: {self}", Code::NoFile)],
            Self::TooLarge { .. } => vec![format!("error[{}]: {self}", Code::OverLimit)],
            Self::TooMuch(_) | Self::Git(_) => Vec::new(),
        }
    }
}

/// A file that compiled.
#[derive(Debug)]
pub struct CompiledFile {
    /// What it comes to, with its warnings.
    pub compiled: Compiled,
    /// The warnings as a compiler prints them.
    pub warnings: Vec<String>,
}

/// Compiles the file of a commit against the commit's own tree. Blocks.
///
/// # Errors
///
/// When there is no such file, it has faults, or the repository cannot be read.
pub fn compile_at(
    repository: &BareRepository,
    commit: Oid,
    launch: &Launch<'_>,
) -> Result<CompiledFile, Broken> {
    let name = launch.file.to_owned();
    let content = match repository.root_file(commit, launch.file, MOST_BYTES)? {
        RootFile::Content(content) => content,
        RootFile::Absent => return Err(Broken::Absent(name)),
        RootFile::NotAFile => return Err(Broken::NotAFile(name)),
        RootFile::TooLarge(bytes) => return Err(Broken::TooLarge { file: name, bytes }),
    };
    let context = context_at(repository, Some(commit), launch)?.into_context();
    let context = Context { deploys: true, ..context };
    match paas::compile(&content, &context) {
        Ok(compiled) => {
            let warnings = render_warnings(&compiled.warnings, &content, launch.file);
            Ok(CompiledFile { compiled, warnings })
        }
        Err(faults) => Err(Broken::Faults {
            reason: faults.first_line(launch.file),
            lines: faults.render(&content, launch.file),
        }),
    }
}

/// What the file of a commit is compiled with. Blocks.
///
/// # Errors
///
/// When the commit's files cannot be listed.
pub fn context_at(
    repository: &BareRepository,
    commit: Option<Oid>,
    launch: &Launch<'_>,
) -> Result<ContextFile, TooMuch> {
    let Launch { snapshot, launched, variables, platform, max_files, .. } = launch;
    let tree = commit.map(|commit| paths(repository, commit, *max_files)).transpose()?;
    let secrets = snapshot.variables.secrets().chain(launched.secrets());
    let file = ContextFile {
        project: snapshot.project.to_string(),
        environment: snapshot.environment.to_string(),
        prefix: snapshot.prefix.clone(),
        variables: (*variables).clone(),
        secrets: secrets.map(|(name, _)| name.to_owned()).collect(),
        tree,
        clusters: snapshot.clusters.iter().map(cluster).collect(),
        registry: snapshot.registry.as_ref().map(|registry| registry.address.to_string()),
        registry_config_name: pull_secret(snapshot),
        quotas: snapshot.quotas.clone(),
        ..ContextFile::default()
    };
    Ok(file.with_platform((*platform).clone()))
}

/// The name under which a cluster has who signs in at the project's registry.
fn pull_secret(snapshot: &Snapshot) -> Option<String> {
    snapshot.registry.as_ref()?.login.as_ref()?;
    let Snapshot { project, environment, .. } = snapshot;
    Some(format!("{project}-{}-registry", environment.as_str().to_ascii_lowercase()))
}

fn cluster(cluster: &Cluster) -> paas::Cluster {
    let Cluster { name, kind, namespace, kubernetes, .. } = cluster;
    paas::Cluster {
        name: name.clone(),
        kind: match kind {
            ClusterKind::Docker => TargetKind::Docker,
            ClusterKind::Kubernetes => TargetKind::Kubernetes,
        },
        namespace: Some(namespace.clone()),
        hierarchical_namespaces: kubernetes.hierarchical_namespaces,
    }
}
