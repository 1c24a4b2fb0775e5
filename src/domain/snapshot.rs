//! What a job remembers of its project when it is created.

use serde::{Deserialize, Serialize};

use crate::domain::environment::EnvironmentName;
use crate::domain::ids::ClusterId;
use crate::domain::registry::StoredRegistry;
use crate::domain::slug::{AccountSlug, ProjectSlug};
use crate::domain::stored_variables::StoredVariables;
use crate::domain::words::words;

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
    /// Where images are pushed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<StoredRegistry>,
}

/// One target of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// The target's id.
    pub id: ClusterId,
    /// Its name within the project.
    pub name: String,
    /// What drives it.
    pub kind: ClusterKind,
    /// Where it answers, in the form of its kind.
    pub address: String,
    /// First part of the names of what is deployed there.
    pub namespace: String,
}

words! {
    /// Kinds of targets.
    ClusterKind, "kind of cluster (docker)" {
        /// One Docker Engine.
        Docker = "docker",
    }
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Of another form.
    #[error("`{0}` is not the address of a Docker Engine: write unix:///path/of/docker.sock")]
    Form(String),
    /// An engine that is not on this machine.
    #[error("`{0}`: engines on other machines are not supported yet; use unix:///…")]
    Remote(String),
}

impl ClusterKind {
    /// Checks that an address is one this kind can be reached at.
    ///
    /// # Errors
    ///
    /// When the address has another form, or names what is not supported yet.
    pub fn check_address(self, address: &str) -> Result<(), BadAddress> {
        match self {
            Self::Docker => match address.split_once("://") {
                Some(("unix", path)) if path.starts_with('/') => Ok(()),
                Some(("tcp" | "ssh", _)) => Err(BadAddress::Remote(address.to_owned())),
                _ => Err(BadAddress::Form(address.to_owned())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_checked_by_kind() {
        assert_eq!(ClusterKind::Docker.check_address("unix:///run/docker.sock"), Ok(()));
        let refused = |address| ClusterKind::Docker.check_address(address).unwrap_err().to_string();
        assert!(refused("tcp://10.0.0.1:2376").contains("not supported yet"));
        assert!(refused("/run/docker.sock").contains("unix:///"));
        assert!(refused("unix://docker.sock").contains("unix:///"));
    }
}
