//! What a `.paas.yaml` comes to: a deployment in which nothing is left to decide.
//!
//! Lists and mappings keep the order of the file. Names are as the file has them, without the
//! project's prefix. As JSON (paas-yaml.md §11) every field is there, `null` for none.

mod container;
mod defaults;
mod entrance;
mod image;
mod job;
mod value;

pub use container::{Container, EnvValue, HealthCheck, Import, Mount, Probe, Resource, Val};
pub use defaults::Defaults;
pub use entrance::{Backend, Ingress, PathRule, Port, Protocol, Service};
pub use image::{DockerfileImage, EmbeddedImage, EmbeddedVolume, Image, ImageRef, Origin};
pub use job::{Completions, Job, Mode, Planning, SuccessCondition};
pub use value::Value;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::domain::words::words;

/// Everything one file deploys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Grammar the file was read with.
    pub version: Version,
    /// Goes before every deployed name; empty for none.
    pub prefix: String,
    /// The project's name, normalised (paas-yaml.md §0.2).
    pub project_name: String,
    /// The environment's name, normalised.
    pub environment_tag: String,
    /// Features that the platform vouches for.
    pub requires: Vec<String>,
    /// Values for what pods and volumes leave out, by target.
    pub defaults: Defaults,
    /// Sets of secret values.
    pub secrets: Vec<Secret>,
    /// Sets of plain values.
    pub maps: Vec<Map>,
    /// Images that are built, those before that others are based on.
    pub images: Vec<Image>,
    /// Files of the repository that containers share, by their keys.
    pub volumes: IndexMap<String, SharedVolume>,
    /// What runs before images are built, in order.
    pub hooks: Vec<Hook>,
    /// Work that ends.
    pub jobs: Vec<Job>,
    /// What runs.
    pub pods: Vec<Pod>,
    /// Names under which pods are found.
    pub services: Vec<Service>,
    /// How people reach services.
    pub ingresses: Vec<Ingress>,
    /// Data for extensions.
    pub enhancements: Vec<Enhancement>,
}

impl Deployment {
    /// Pods of what serves, and of work with a schedule: what there is after a deployment.
    pub fn lasting_pods(&self) -> impl Iterator<Item = &Pod> {
        let scheduled = self.jobs.iter().filter(|job| job.schedule.is_some());
        self.pods.iter().chain(scheduled.flat_map(|job| &job.pods))
    }

    /// Every container, those of jobs included.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        let of_jobs = self.jobs.iter().flat_map(|job| &job.pods);
        self.pods.iter().chain(of_jobs).flat_map(|pod| &pod.containers)
    }

    /// One of a project and an environment that has nothing in it yet.
    pub fn new(project_name: &str, environment_tag: &str) -> Self {
        Self {
            version: Version::V1_1,
            prefix: String::new(),
            project_name: project_name.to_owned(),
            environment_tag: environment_tag.to_owned(),
            requires: Vec::new(),
            defaults: Defaults::default(),
            secrets: Vec::new(),
            maps: Vec::new(),
            images: Vec::new(),
            volumes: IndexMap::new(),
            hooks: Vec::new(),
            jobs: Vec::new(),
            pods: Vec::new(),
            services: Vec::new(),
            ingresses: Vec::new(),
            enhancements: Vec::new(),
        }
    }

    /// What it is in a few words, such as "2 pods, 1 image".
    pub fn summary(&self) -> String {
        let counts = [
            (self.pods.len(), "pod", "pods"),
            (self.jobs.len(), "job", "jobs"),
            (self.images.len(), "image", "images"),
        ];
        let shown = counts.iter().filter(|(count, ..)| *count > 0);
        let words = shown.map(|(count, one, many)| {
            let word = if *count == 1 { one } else { many };
            format!("{count} {word}")
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// Version of the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Version {
    /// `v1`.
    #[serde(rename = "v1")]
    V1,
    /// `v1.1`.
    #[serde(rename = "v1.1")]
    V1_1,
}

/// A set of secret values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Who has the values: `map` for the options themselves.
    pub provider: String,
    /// What kind of secret it is: `default`, `tls` or what a target knows.
    #[serde(rename = "type")]
    pub kind: String,
    /// A mapping, or a list; values beginning with `base64:` are encoded.
    pub options: Value,
}

/// A set of plain values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// Its name.
    pub name: String,
    /// Its entries.
    pub options: IndexMap<String, Value>,
}

/// Files of the repository that containers mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedVolume {
    /// Its key and the project's name.
    pub name: String,
    /// Files and folders of the repository; a slash at the end means what is in the folder.
    pub paths: Vec<String>,
    /// Where its image has the files.
    pub local_path: String,
    /// Where the files are copied to by default.
    pub mount_path: String,
}

/// A build hook with its options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The step it belongs to.
    pub step: String,
    /// Its name on the platform.
    pub hook: String,
    /// A mapping or a list.
    pub options: Value,
}

/// Data for an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enhancement {
    /// Where it stands, such as `pods.web.enhancements`.
    pub path: String,
    /// What stands there.
    pub value: Value,
}

/// Containers that run together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// How many of it run.
    pub replicas: u32,
    /// Its containers; never empty.
    pub containers: Vec<Container>,
    /// Credential for pulling its images.
    pub oci_registry_config_name: Val,
    /// How a new version replaces the old one.
    pub upgrade: Upgrade,
    /// Group that its volumes belong to.
    pub fs_group: Option<u32>,
    /// Labels that its node must have.
    pub requires: Vec<String>,
    /// Whether it has no persistent volume.
    pub stateless: bool,
    /// When its containers are started again; none: as the target does.
    pub restart_policy: Option<RestartPolicy>,
}

impl Pod {
    /// One that leaves everything else to the target.
    pub fn new(name: &str, containers: Vec<Container>) -> Self {
        Self {
            name: name.to_owned(),
            replicas: 1,
            containers,
            oci_registry_config_name: Val::default_of("oci-registry-config-name"),
            upgrade: Upgrade::default(),
            fs_group: None,
            requires: Vec::new(),
            stateless: true,
            restart_policy: None,
        }
    }
}

/// How a new version of a pod replaces the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// In which order.
    pub strategy: Strategy,
    /// How many more than `replicas` may run meanwhile.
    pub max_upgrading_pods: u32,
    /// How many fewer than `replicas` may run meanwhile.
    pub max_unavailable_pods: u32,
}

impl Default for Upgrade {
    fn default() -> Self {
        let strategy = Strategy::RollingUpgrade;
        Self { strategy, max_upgrading_pods: 1, max_unavailable_pods: 0 }
    }
}

words! {
    /// Order in which pods are replaced.
    Strategy, "upgrade strategy" {
        /// New ones start before old ones stop.
        RollingUpgrade = "rolling-upgrade",
        /// Old ones stop before new ones start.
        Recreate = "recreate",
        /// Each when it is deleted.
        OnDelete = "on-delete",
    }
}

words! {
    /// When containers are started again.
    RestartPolicy, "restart policy" {
        /// Whenever they end.
        Always = "always",
        /// When they fail.
        OnFailure = "on-failure",
        /// Never.
        Never = "never",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_what_runs_and_what_is_built() {
        let mut deployment = Deployment::new("shop", "production");
        deployment.pods.push(Pod::new("web", vec![]));
        assert_eq!(deployment.summary(), "1 pod");
        deployment.pods.push(Pod::new("api", vec![]));
        deployment.images.push(Image::Dockerfile(DockerfileImage::new("web", "1", "docker")));
        assert_eq!(deployment.summary(), "2 pods, 1 image");
    }
}
