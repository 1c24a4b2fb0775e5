//! What serves: deployments, and stateful sets for pods with disks (deployment.md §4.7).

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
    RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy,
};
use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec, Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use sha2::{Digest as _, Sha256};

use crate::manifests::fault::Cannot;
use crate::manifests::names::is_service_name;
use crate::manifests::object::{Kind, Object};
use crate::manifests::render::Renderer;
use crate::manifests::render::configuration::Read;
use crate::manifests::render::containers::some;
use crate::manifests::render::pods::{Purpose, Site};
use crate::manifests::render::ports::PodPort;
use crate::manifests::{Duty, Phase, Rollout, Update, level};
use crate::paas::compiled::{Mount, Pod, Strategy};

/// Hexadecimal digits of what pods read.
const CONTENT_DIGITS: usize = 16;

impl<'a> Renderer<'a> {
    /// All pods that serve.
    pub(super) fn workloads(&mut self) {
        let deployment = self.deployment;
        for pod in &deployment.pods {
            let site = Site { at: format!("pods.{}", pod.name), pod, purpose: Purpose::Serve };
            if pod.stateless {
                self.stateless(&site);
            } else {
                self.headless(&site);
                self.stateful(&site);
            }
        }
    }

    fn stateless(&mut self, site: &Site<'a>) {
        let Site { at, pod, .. } = site;
        let template = self.template(site);
        let (deadline_s, min_ready) = (self.deadline(pod), self.min_ready(pod));
        let upgrade = &pod.upgrade;
        let (update, strategy, keeps_serving) = match upgrade.strategy {
            Strategy::RollingUpgrade => {
                let surge = self.int(at, upgrade.max_upgrading_pods);
                let unavailable = self.int(at, upgrade.max_unavailable_pods);
                // With neither nothing would ever be replaced.
                let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable };
                let rolling = RollingUpdateDeployment {
                    max_surge: Some(IntOrString::Int(surge)),
                    max_unavailable: Some(IntOrString::Int(unavailable)),
                };
                (Update::Rolling, strategy("RollingUpdate", Some(rolling)), unavailable == 0)
            }
            // The language has `on-delete` for pods with disks only.
            Strategy::Recreate | Strategy::OnDelete => {
                (Update::Recreate, strategy("Recreate", None), false)
            }
        };
        let label = self.names.label(&pod.name);
        let object = Deployment {
            metadata: self.versioned(self.names.deployment(&pod.name), label.clone()),
            spec: Some(DeploymentSpec {
                replicas: Some(self.int(at, pod.replicas)),
                strategy: Some(strategy),
                min_ready_seconds: min_ready.map(|seconds| self.int(at, seconds)),
                progress_deadline_seconds: Some(self.int(at, deadline_s)),
                selector: selector(&label),
                template,
                ..DeploymentSpec::default()
            }),
            ..Deployment::default()
        };
        let duty = Duty::Rollout(Rollout { update, keeps_serving, deadline_s });
        self.add(Phase::Workloads, at, duty, Object::new(Kind::Deployment, &object));
    }

    fn stateful(&mut self, site: &Site<'a>) {
        let Site { at, pod, .. } = site;
        let template = self.template(site);
        let (update, strategy) = match pod.upgrade.strategy {
            Strategy::RollingUpgrade => {
                let unavailable = self.int(at, pod.upgrade.max_unavailable_pods.max(1));
                let is_known = self.inputs.target.level >= level::UNAVAILABLE_SETS;
                let rolling = RollingUpdateStatefulSetStrategy {
                    // Without it the cluster would refuse `OnDelete` later.
                    partition: Some(0),
                    max_unavailable: is_known.then_some(IntOrString::Int(unavailable)),
                };
                (Update::Rolling, stateful_strategy("RollingUpdate", Some(rolling)))
            }
            Strategy::Recreate => (Update::Recreate, stateful_strategy("OnDelete", None)),
            Strategy::OnDelete => (Update::OnDelete, stateful_strategy("OnDelete", None)),
        };
        let (deadline_s, min_ready) = (self.deadline(pod), self.min_ready(pod));
        let label = self.names.label(&pod.name);
        let object = StatefulSet {
            metadata: self.versioned(self.names.stateful_set(&pod.name), label.clone()),
            spec: Some(StatefulSetSpec {
                replicas: Some(self.int(at, pod.replicas)),
                service_name: Some(self.names.headless(&pod.name)),
                update_strategy: Some(strategy),
                min_ready_seconds: min_ready.map(|seconds| self.int(at, seconds)),
                selector: selector(&label),
                template,
                ..StatefulSetSpec::default()
            }),
            ..StatefulSet::default()
        };
        let keeps_serving = update == Update::Rolling && pod.replicas > 1 && !has_reset(pod);
        let duty = Duty::Rollout(Rollout { update, keeps_serving, deadline_s });
        self.add(Phase::Workloads, at, duty, Object::new(Kind::StatefulSet, &object));
    }

    /// The Service that gives the pods of a stateful set their names.
    fn headless(&mut self, site: &Site<'a>) {
        let Site { at, pod, .. } = site;
        let name = self.names.headless(&pod.name);
        if !is_service_name(&name) {
            self.fault(at, Cannot::ServiceName(name.clone()));
        }
        let ports = self.ports.of_pod(&pod.name).map(headless_port).collect();
        let service = Service {
            metadata: self.metadata(name.clone(), name),
            spec: Some(ServiceSpec {
                cluster_ip: Some("None".to_owned()),
                publish_not_ready_addresses: Some(true),
                selector: Some(named(&self.names.label(&pod.name))),
                ports: some(ports),
                ..ServiceSpec::default()
            }),
            ..Service::default()
        };
        self.add(Phase::Configuration, at, Duty::Plain, Object::new(Kind::Service, &service));
    }

    /// Seconds that pods must stay up where a container cannot be asked whether it is well.
    fn min_ready(&self, pod: &Pod) -> Option<u32> {
        let seconds = self.inputs.settings.rollout.min_ready_s;
        let is_asked = pod.containers.iter().all(|container| container.healthcheck.is_some());
        (!is_asked && seconds > 0).then_some(seconds)
    }

    /// Seconds in which something must move on: more than pods must stay up for.
    fn deadline(&self, pod: &Pod) -> u32 {
        let min_ready = self.min_ready(pod).unwrap_or_default();
        self.inputs.settings.rollout.deadline_s.max(min_ready.saturating_add(1))
    }

    fn template(&mut self, site: &Site<'a>) -> PodTemplateSpec {
        let name = &site.pod.name;
        let spec = self.pod(site);
        let mut labels = named(&self.names.label(name));
        let mut annotations = None;
        if self.inputs.settings.rollout.force || !is_pinned(&spec) {
            let version = self.inputs.owner.release.to_string();
            labels.insert("vname".to_owned(), self.names.versioned(name, &version));
        } else {
            let key = self.inputs.settings.key("content");
            annotations = Some(BTreeMap::from([(key, self.content(site.pod))]));
        }
        let metadata = ObjectMeta { labels: Some(labels), annotations, ..ObjectMeta::default() };
        PodTemplateSpec { metadata: Some(metadata), spec: Some(spec) }
    }

    /// A hash of everything that a pod reads, so that it is replaced when some of that changes.
    fn content(&self, pod: &Pod) -> String {
        let read = Read::by([pod]);
        let secrets = self.deployment.secrets.iter();
        let secrets: Vec<_> =
            secrets.filter(|secret| read.secrets.contains(secret.name.as_str())).collect();
        let maps = self.deployment.maps.iter();
        let maps: Vec<_> = maps.filter(|map| read.maps.contains(map.name.as_str())).collect();
        let content = serde_json::to_vec(&(secrets, maps));
        let content = content.expect("maps of a model have texts for keys");
        let key = self.inputs.key.0;
        // Twice, so that nobody can go on from a hash without the key.
        let inner = Sha256::new().chain_update(key).chain_update(content).finalize();
        let outer = Sha256::new().chain_update(key).chain_update(inner).finalize();
        let hex: String = outer.iter().map(|byte| format!("{byte:02x}")).collect();
        hex.chars().take(CONTENT_DIGITS).collect()
    }
}

fn strategy(kind: &str, rolling_update: Option<RollingUpdateDeployment>) -> DeploymentStrategy {
    DeploymentStrategy { type_: Some(kind.to_owned()), rolling_update }
}

fn stateful_strategy(
    kind: &str,
    rolling_update: Option<RollingUpdateStatefulSetStrategy>,
) -> StatefulSetUpdateStrategy {
    StatefulSetUpdateStrategy { type_: Some(kind.to_owned()), rolling_update }
}

/// The label by which pods are found.
pub(super) fn named(label: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("name".to_owned(), label.to_owned())])
}

fn selector(label: &str) -> LabelSelector {
    LabelSelector { match_labels: Some(named(label)), match_expressions: None }
}

fn headless_port(port: &PodPort) -> ServicePort {
    ServicePort {
        name: Some(port.plain_name()),
        port: port.number.into(),
        target_port: Some(IntOrString::String(port.name.clone())),
        protocol: Some(port.transport.as_str().to_owned()),
        ..ServicePort::default()
    }
}

/// Whether all images of a pod are named by their content, so that an unchanged pod runs the same.
fn is_pinned(spec: &PodSpec) -> bool {
    let fillers = spec.init_containers.iter().flatten();
    let containers = spec.containers.iter().chain(fillers);
    let images = containers.map(|container| container.image.as_deref());
    let volumes = spec.volumes.iter().flatten().filter_map(|volume| volume.image.as_ref());
    let volumes = volumes.map(|image| image.reference.as_deref());
    images.chain(volumes).all(|image| image.is_some_and(|image| image.contains("@sha")))
}

/// Whether a pod loses a disk's content with every release.
fn has_reset(pod: &Pod) -> bool {
    let mut mounts = pod.containers.iter().flat_map(|container| container.volumes.values());
    mounts.any(|mount| match mount {
        Mount::Persistent { reset_on_deployment, .. } => *reset_on_deployment,
        Mount::Shared { .. } | Mount::Map { .. } | Mount::Secret { .. } => false,
    })
}
