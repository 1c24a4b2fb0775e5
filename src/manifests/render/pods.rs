//! Pods, whatever runs them (deployment.md §4.6).

use k8s_openapi::api::core::v1::{
    Affinity, HostAlias, LocalObjectReference, NodeAffinity, NodeSelector, NodeSelectorRequirement,
    NodeSelectorTerm, PodSecurityContext, PodSpec,
};

use crate::manifests::fault::Cannot;
use crate::manifests::level;
use crate::manifests::names::{is_label, is_name};
use crate::manifests::render::Renderer;
use crate::manifests::render::containers::Environment;
use crate::manifests::render::ports::{self, PodPort};
use crate::manifests::render::volumes::PodVolumes;
use crate::paas::compiled::{Job, Mount, Planning, Pod, RestartPolicy};

/// What a pod is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It runs until it is replaced.
    Serve,
    /// It ends.
    Work,
    /// It ends before its release is rolled out, and reads copies of what that will bring.
    Before,
}

impl Purpose {
    pub(super) const fn of(job: &Job) -> Self {
        match job.planning {
            Planning::BeforeDeployment => Self::Before,
            Planning::DuringDeployment | Planning::Scheduled => Self::Work,
        }
    }
}

/// A pod and its place in the file.
#[derive(Debug, Clone)]
pub(super) struct Site<'a> {
    pub(super) at: String,
    pub(super) pod: &'a Pod,
    pub(super) purpose: Purpose,
}

impl<'a> Renderer<'a> {
    /// What a pod runs.
    pub(super) fn pod(&mut self, site: &Site<'a>) -> PodSpec {
        let Site { at, pod, purpose } = site;
        let job_ports = match purpose {
            Purpose::Serve => Vec::new(),
            Purpose::Work | Purpose::Before => ports::of_job(pod),
        };
        let mut volumes = PodVolumes::default();
        let mut containers = Vec::new();
        for (index, container) in pod.containers.iter().enumerate() {
            let ports: Vec<PodPort> = match purpose {
                Purpose::Serve => self.ports.of_container(&pod.name, index).to_vec(),
                Purpose::Work | Purpose::Before => {
                    job_ports.get(index).cloned().unwrap_or_default()
                }
            };
            let environment = Environment {
                at: format!("{at}.containers.{}", container.name),
                purpose: *purpose,
                ports: &ports,
            };
            containers.push(self.container(container, &environment, &mut volumes));
        }
        let names = containers.iter().map(|container| container.name.clone());
        let aliases = HostAlias { ip: "127.0.0.1".to_owned(), hostnames: Some(names.collect()) };
        let (volumes, init_containers) = volumes.into_parts(&containers);
        PodSpec {
            host_aliases: Some(vec![aliases]),
            host_users: self.host_users(pod),
            restart_policy: self.restart_policy(site),
            image_pull_secrets: self.pull_secret(site),
            security_context: pod.fs_group.map(|group| PodSecurityContext {
                fs_group: Some(group.into()),
                ..PodSecurityContext::default()
            }),
            affinity: self.affinity(site),
            init_containers,
            containers,
            volumes,
            ..PodSpec::default()
        }
    }

    fn restart_policy(&mut self, site: &Site<'a>) -> Option<String> {
        let word = |policy| match policy {
            RestartPolicy::Always => "Always",
            RestartPolicy::OnFailure => "OnFailure",
            RestartPolicy::Never => "Never",
        };
        let policy = site.pod.restart_policy;
        match (site.purpose, policy) {
            (Purpose::Serve, Some(RestartPolicy::OnFailure | RestartPolicy::Never)) => {
                self.fault(&format!("{}.restart-policy", site.at), Cannot::EndInService);
                None
            }
            (Purpose::Serve, policy) => policy.map(|policy| word(policy).to_owned()),
            (Purpose::Work | Purpose::Before, policy) => {
                Some(word(policy.unwrap_or(RestartPolicy::Never)).to_owned())
            }
        }
    }

    /// A user namespace of its own, unless a disk could not be mounted in one.
    fn host_users(&self, pod: &Pod) -> Option<bool> {
        let (level, settings) = (self.inputs.target.level, &self.inputs.settings.pods);
        let is_on = level >= level::HOST_USERS
            || settings.early_user_namespaces && level >= level::EARLY_HOST_USERS;
        let fits = |mount: &Mount| match mount {
            Mount::Persistent { storage_provider, .. } => {
                let class = self.storage_class(storage_provider);
                class.is_none_or(|class| !settings.classes_without_idmap.contains(&class))
            }
            Mount::Shared { .. } | Mount::Map { .. } | Mount::Secret { .. } => true,
        };
        let mut mounts = pod.containers.iter().flat_map(|container| container.volumes.values());
        (is_on && mounts.all(fits)).then_some(false)
    }

    fn pull_secret(&mut self, site: &Site<'a>) -> Option<Vec<LocalObjectReference>> {
        let name = self.resolve(&site.pod.oci_registry_config_name)?.to_owned();
        if !is_name(&name) {
            let at = format!("{}.oci-registry-config-name", site.at);
            self.fault(&at, Cannot::Name(name.clone()));
        }
        Some(vec![LocalObjectReference { name }])
    }

    /// Nodes that have a label for everything that the pod requires.
    fn affinity(&mut self, site: &Site<'a>) -> Option<Affinity> {
        if site.pod.requires.is_empty() {
            return None;
        }
        let mut expressions = Vec::new();
        for requirement in &site.pod.requires {
            if !is_label(requirement) {
                let at = format!("{}.requires", site.at);
                self.fault(&at, Cannot::Requirement(requirement.clone()));
            }
            expressions.push(NodeSelectorRequirement {
                key: format!("{}/{requirement}", self.inputs.settings.requirement_prefix),
                operator: "Exists".to_owned(),
                values: None,
            });
        }
        let term = NodeSelectorTerm {
            match_expressions: Some(expressions),
            ..NodeSelectorTerm::default()
        };
        Some(Affinity {
            node_affinity: Some(NodeAffinity {
                required_during_scheduling_ignored_during_execution: Some(NodeSelector {
                    node_selector_terms: vec![term],
                }),
                ..NodeAffinity::default()
            }),
            ..Affinity::default()
        })
    }
}
