//! What a rendering depends on besides the deployment.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::ids::{EnvironmentId, Fence, JobId, JobNumber, ProjectId, ReleaseNumber};
use crate::domain::level::Level;
use crate::domain::registry::{Registry, RegistryAddress};
use crate::domain::release::PinnedImages;
use crate::domain::slug::AccountSlug;
use crate::manifests::settings::Settings;

/// Everything that a rendering depends on besides the deployment.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Whose objects they are.
    pub owner: &'a Owner,
    /// Where they go.
    pub target: &'a Target,
    /// What the operator decided.
    pub settings: &'a Settings,
    /// What containers run.
    pub images: Images<'a>,
    /// Where images are pulled from; its login goes into the pull secret.
    pub registry: Option<&'a Registry>,
    /// What the account may use in the namespace.
    pub quotas: &'a [QuotaRow],
    /// Makes hashes of secrets that nobody else can.
    pub key: &'a ContentKey,
}

/// Whose objects they are, and of which run.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The account, whose quota it is.
    pub account: AccountSlug,
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: EnvironmentId,
    /// The run.
    pub fence: Fence,
    /// The job.
    pub job: JobId,
    /// The same, for people who read labels.
    pub number: JobNumber,
    /// Counts the releases of the environment.
    pub release: ReleaseNumber,
}

/// A cluster, as far as objects depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name, by which files give it defaults.
    pub cluster: String,
    /// The namespace.
    pub namespace: String,
    /// Whether the project has a namespace of its own below that one.
    pub is_hierarchical: bool,
    /// The version that objects are made for.
    pub level: Level,
    /// Controllers of ingresses by their classes, as far as they are known.
    pub controllers: BTreeMap<String, String>,
    /// The class of ingresses that name none, where the cluster says it.
    pub default_class: Option<String>,
}

/// What containers run.
#[derive(Debug, Clone, Copy)]
pub struct Images<'a> {
    /// What tags meant, by the references that containers name images with.
    pub pinned: &'a PinnedImages,
    /// What is done about the others.
    pub others: Unpinned<'a>,
}

/// What is done about images that were not pinned.
#[derive(Debug, Clone, Copy)]
pub enum Unpinned<'a> {
    /// They are faults.
    Refused,
    /// They are named by their tags, built ones as if they were in this registry.
    ByTag(Option<&'a RegistryAddress>),
}

/// What an account may use of a resource: thousandths of cores, bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaRow {
    /// The resource, such as `cpu`.
    pub kind: String,
    /// Bound of all that is guaranteed.
    pub requires: u64,
    /// Bound of all limits.
    pub capacity: u64,
}

/// Makes hashes of secrets that nobody without it can compare guesses with.
#[derive(Clone)]
pub struct ContentKey(pub [u8; 32]);

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(***)")
    }
}
