//! What a job remembers of its project when it is created.

use serde::{Deserialize, Serialize};

use crate::domain::cluster::Cluster;
use crate::domain::environment::EnvironmentName;
use crate::domain::quota::HardQuota;
use crate::domain::registry::StoredRegistry;
use crate::domain::slug::{AccountSlug, ProjectSlug};
use crate::domain::source::SourceUrl;
use crate::domain::stored_variables::StoredVariables;

/// Settings a job runs with, whatever is edited meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The account's name.
    pub account: AccountSlug,
    /// The project's name.
    pub project: ProjectSlug,
    /// The environment's name.
    pub environment: EnvironmentName,
    /// Prefix of every deployed name; empty for none.
    pub prefix: String,
    /// The targets, in order of their names; never empty.
    pub clusters: Vec<Cluster>,
    /// Variables of the project and of the environment.
    #[serde(default, skip_serializing_if = "StoredVariables::is_empty")]
    pub variables: StoredVariables,
    /// What the account grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<HardQuota>,
    /// Where images are pushed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<StoredRegistry>,
    /// Where its commits come from, when nobody pushes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceUrl>,
    /// Whether hooks find nothing of what they kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_cache: bool,
}
