//! What things are called on an engine.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::domain::cluster::Cluster;
use crate::domain::ids::{EnvironmentId, Fence, JobNumber, ProjectId};
use crate::domain::snapshot::Snapshot;

/// Whose objects they are, and of which run.
#[derive(Debug, Clone)]
pub struct Owner<'a> {
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: EnvironmentId,
    /// The run.
    pub fence: Fence,
    /// The job, for people who read labels.
    pub job: JobNumber,
    /// Names of the account, the project and the environment.
    pub snapshot: &'a Snapshot,
}

/// Names of labels, under one domain.
#[derive(Debug, Clone)]
pub struct Labels {
    domain: String,
}

impl Labels {
    /// Labels under this domain.
    pub fn new(domain: &str) -> Self {
        Self { domain: domain.to_owned() }
    }

    /// The label that names the environment; what carries it is ours to remove.
    pub fn environment(&self) -> String {
        self.key("environment")
    }

    /// The label that tells the runs of an environment apart.
    pub fn fence(&self) -> String {
        self.key("fence")
    }

    /// One label's full name.
    pub fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.domain)
    }

    /// The labels of everything a run makes.
    pub fn of(&self, owner: &Owner<'_>) -> BTreeMap<String, String> {
        let snapshot = owner.snapshot;
        BTreeMap::from([
            (self.key("account"), snapshot.account.to_string()),
            (self.key("project-name"), snapshot.project.to_string()),
            (self.key("environment-name"), snapshot.environment.to_string()),
            (self.key("project"), owner.project.to_string()),
            (self.environment(), owner.environment.to_string()),
            (self.fence(), owner.fence.to_string()),
            (self.key("job"), owner.job.to_string()),
        ])
    }

    /// The labels of an image: the same for every build of the same content, or it would get
    /// another id.
    pub fn of_image(
        &self,
        project: ProjectId,
        environment: EnvironmentId,
    ) -> BTreeMap<String, String> {
        BTreeMap::from([
            (self.key("project"), project.to_string()),
            (self.environment(), environment.to_string()),
        ])
    }
}

/// Lower case, every run of other characters one dash, none at the ends.
pub(super) fn sanitise(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(name.trim_end_matches('-').len());
    name
}

/// First part of every name: where, what, which environment.
pub(super) fn scope(owner: &Owner<'_>, cluster: &Cluster) -> String {
    let snapshot = owner.snapshot;
    let parts = [
        cluster.namespace.as_str(),
        snapshot.prefix.as_str(),
        snapshot.project.as_str(),
        snapshot.environment.as_str(),
    ];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    sanitise(&parts.join("-"))
}

/// Last part of every name: the fence, and five digits that tell apart environments whose names
/// sanitise alike.
pub(super) fn suffix(owner: &Owner<'_>) -> String {
    let hash = Sha256::digest(owner.environment.to_string());
    let digits: String = hash.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}", owner.fence, digits.chars().take(5).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_with_single_dashes_inside() {
        assert_eq!(sanitise("--Acme_Shop  Production--"), "acme-shop-production");
        assert_eq!(sanitise("é"), "");
    }
}
