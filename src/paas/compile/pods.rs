//! Pods (paas-yaml.md §10.8).

use std::collections::{BTreeMap, BTreeSet};

use crate::paas::compile::containers::{self, Containers};
use crate::paas::compile::embedded::EmbeddedImages;
use crate::paas::compile::mounts::value_or_default;
use crate::paas::compile::persistent::{Persistents, settle};
use crate::paas::compile::{Declared, paths};
use crate::paas::compiled::{
    Container, ImageRef, Mount, Pod, Resource, RestartPolicy, Strategy, Upgrade,
};
use crate::paas::fault::Code;
use crate::paas::quota::Availability;
use crate::paas::report::{Poisoned, Reports};
use crate::paas::view::{Named, View};

/// What pods are compiled with, and what they leave behind.
pub(super) struct Compiler<'a> {
    pub(super) declared: &'a Declared<'a>,
    pub(super) availability: &'a mut Availability,
    pub(super) persistents: &'a mut Persistents,
    pub(super) embedded: &'a mut EmbeddedImages,
    pub(super) reports: &'a mut Reports,
}

/// The pods of a section.
#[derive(Debug, Default)]
pub(super) struct Pods {
    pods: Vec<Pod>,
    /// Names of all pods, and the ports they listen on where these could be read.
    listen: BTreeMap<String, Option<BTreeSet<u16>>>,
    /// Names of all their containers; nothing when some could not be read.
    containers: Option<BTreeSet<String>>,
    /// Whether some pod is missing because it has faults.
    has_gaps: bool,
    /// Whether the whole section is unreadable.
    is_poisoned: bool,
}

/// What is known of a pod by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known<'a> {
    /// It exists and listens on these ports.
    Listens(&'a BTreeSet<u16>),
    /// It may exist; a fault was reported where it would be read.
    Unclear,
    /// It does not exist.
    No,
}

impl Compiler<'_> {
    /// Compiles the pods of the file, or of a job.
    pub(super) fn pods(
        &mut self,
        section: Result<Vec<Named<'_>>, Poisoned>,
        job: Option<&str>,
    ) -> Pods {
        let mut pods = Pods { containers: Some(BTreeSet::new()), ..Pods::default() };
        let Ok(section) = section else {
            return Pods { is_poisoned: true, has_gaps: true, ..Pods::default() };
        };
        for named in section {
            let Named { name, value } = &named;
            let containers = value.names("containers").ok();
            pods.containers = pods.containers.zip(containers).map(|(mut known, containers)| {
                known.extend(containers.iter().map(|named| named.name.value.clone()));
                known
            });
            let (pod, listen) = self.pod(&named, job);
            pods.listen.insert(name.value.clone(), listen.ok());
            match pod {
                Ok(pod) => pods.pods.push(pod),
                Err(Poisoned) => pods.has_gaps = true,
            }
        }
        pods
    }

    fn pod(
        &mut self,
        named: &Named<'_>,
        job: Option<&str>,
    ) -> (Result<Pod, Poisoned>, Result<BTreeSet<u16>, Poisoned>) {
        let Named { name, value: view } = named;
        let replicas = int(view, "replicas", 1);
        let (containers, listen) = self.containers(&name.value, view, job, replicas);
        let upgrade = upgrade(view, self.reports);
        let stateless = match &containers {
            Ok(containers) => Ok(!containers.iter().any(is_stateful)),
            Err(Poisoned) => Err(Poisoned),
        };
        let restart_policy = restart_policy(view, job, self.reports);
        let requires = requires(view, self.reports);
        let on_delete = matches!(&upgrade, Ok(upgrade) if upgrade.strategy == Strategy::OnDelete);
        let mut pod = (|| {
            let fs_group = match view.field("security")? {
                Some(security) => security.field("fs-group")?.map(|id| id.int()).transpose()?,
                None => None,
            };
            Ok(Pod {
                name: name.value.clone(),
                replicas: replicas?,
                containers: containers?,
                oci_registry_config_name: value_or_default(view, "oci-registry-config-name")?,
                upgrade: upgrade?,
                fs_group,
                requires: requires?,
                stateless: stateless?,
                restart_policy: restart_policy?,
            })
        })();
        if on_delete && stateless == Ok(true) {
            let message = "`on-delete` is for pods with a persistent volume";
            let place = view.required("upgrade").and_then(|upgrade| upgrade.required("strategy"));
            if let Ok(strategy) = place {
                pod = Err(self.reports.add(strategy.fault(Code::StatelessOnDelete, message)));
            }
        }
        (pod, listen)
    }

    fn containers(
        &mut self,
        pod: &str,
        view: &View<'_>,
        job: Option<&str>,
        replicas: Result<u32, Poisoned>,
    ) -> (Result<Vec<Container>, Poisoned>, Result<BTreeSet<u16>, Poisoned>) {
        let Ok(entries) = view.names("containers") else { return (Err(Poisoned), Err(Poisoned)) };
        let (mut list, mut known) = (Ok(Vec::new()), Ok(BTreeSet::new()));
        let mut compiler = Containers { compiler: self, job, pod, replicas };
        for named in entries {
            let listen = containers::listen(&named.value);
            let container = compiler.compile(&named, &listen);
            match (&mut list, container) {
                (Ok(list), Ok(container)) => list.push(container),
                (list, Err(Poisoned)) => *list = Err(Poisoned),
                (Err(Poisoned), Ok(_)) => {}
            }
            match (&mut known, listen) {
                (Ok(known), Ok(ports)) => {
                    warn_of_shared(&named.value, known, &ports, compiler.compiler.reports);
                    known.extend(ports);
                }
                (known, Err(Poisoned)) => *known = Err(Poisoned),
                (Err(Poisoned), Ok(_)) => {}
            }
        }
        (list, known)
    }
}

impl Pods {
    pub(super) fn known(&self, name: &str) -> Known<'_> {
        match self.listen.get(name) {
            Some(Some(ports)) => Known::Listens(ports),
            Some(None) => Known::Unclear,
            None if self.is_poisoned => Known::Unclear,
            None => Known::No,
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.listen.keys().map(String::as_str)
    }

    /// Whether a container of this name is missing for sure.
    pub(super) fn lacks_container(&self, name: &str) -> bool {
        self.containers.as_ref().is_some_and(|known| !known.contains(name))
    }

    /// Names of the containers of all pods, those with faults too.
    pub(super) fn container_names(&self) -> impl Iterator<Item = &str> {
        self.containers.iter().flatten().map(String::as_str)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.listen.is_empty() && !self.is_poisoned
    }

    pub(super) fn has_gaps(&self) -> bool {
        self.has_gaps
    }

    fn all_containers(&self) -> impl Iterator<Item = &Container> {
        self.pods.iter().flat_map(|pod| &pod.containers)
    }

    /// The images of all containers.
    pub(super) fn images(&self) -> impl Iterator<Item = &ImageRef> {
        self.all_containers().map(|container| &container.image)
    }

    /// Keys of the shared volumes that containers use.
    pub(super) fn shared_volumes(&self) -> impl Iterator<Item = &str> {
        let mounts = self.all_containers().flat_map(|container| container.volumes.values());
        mounts.filter_map(|mount| match mount {
            Mount::Shared { volume, .. } => Some(volume.as_str()),
            Mount::Persistent { .. } | Mount::Map { .. } | Mount::Secret { .. } => None,
        })
    }

    /// The pods, with every container's shares of what it has no row for.
    pub(super) fn into_model(
        mut self,
        shares: &[Resource],
        write_many: &BTreeMap<String, bool>,
    ) -> Vec<Pod> {
        for pod in &mut self.pods {
            settle(&mut pod.containers, write_many);
            for container in &mut pod.containers {
                let explicit = container.resources.clone();
                let is_missing =
                    |share: &&Resource| explicit.iter().all(|row| row.kind != share.kind);
                container.resources.extend(shares.iter().filter(is_missing).cloned());
            }
        }
        self.pods
    }
}

/// Whether a container has a persistent volume.
fn is_stateful(container: &Container) -> bool {
    container.volumes.values().any(|mount| matches!(mount, Mount::Persistent { .. }))
}

/// A whole number of a key; without one, this.
pub(super) fn int(view: &View<'_>, key: &str, absent: u32) -> Result<u32, Poisoned> {
    view.field(key)?.map_or(Ok(absent), |field| field.int())
}

/// One word of a key, which the grammar knows.
pub(super) fn word<T: std::str::FromStr>(
    view: &View<'_>,
    key: &str,
) -> Result<Option<T>, Poisoned> {
    let Some(field) = view.field(key)? else { return Ok(None) };
    field.text()?.value.parse().map(Some).or(Err(Poisoned))
}

fn upgrade(pod: &View<'_>, reports: &mut Reports) -> Result<Upgrade, Poisoned> {
    let absent = Upgrade::default();
    let Some(view) = pod.field("upgrade")? else { return Ok(absent) };
    let upgrade = Upgrade {
        strategy: word(&view, "strategy")?.unwrap_or(absent.strategy),
        max_upgrading_pods: int(&view, "max-upgrading-pods", absent.max_upgrading_pods)?,
        max_unavailable_pods: int(&view, "max-unavailable-pods", absent.max_unavailable_pods)?,
    };
    let is_stuck = upgrade.max_upgrading_pods == 0 && upgrade.max_unavailable_pods == 0;
    if is_stuck && upgrade.strategy == Strategy::RollingUpgrade {
        let message = "with no pod more and none fewer nothing can be replaced";
        let hint = "give max-upgrading-pods or max-unavailable-pods at least 1".to_owned();
        return Err(reports.add(view.key_fault(Code::NoProgress, message).hint(hint)));
    }
    Ok(upgrade)
}

fn restart_policy(
    pod: &View<'_>,
    job: Option<&str>,
    reports: &mut Reports,
) -> Result<Option<RestartPolicy>, Poisoned> {
    let policy = word(pod, "restart-policy")?;
    if job.is_some() && policy == Some(RestartPolicy::Always) {
        let field = pod.required("restart-policy")?;
        let message = "a job whose pods always start again never ends";
        let hint = "write on-failure or never".to_owned();
        return Err(reports.add(field.fault(Code::AlwaysInJob, message).hint(hint)));
    }
    Ok(policy)
}

fn requires(pod: &View<'_>, reports: &mut Reports) -> Result<Vec<String>, Poisoned> {
    let mut result = Ok(());
    let mut labels = Vec::new();
    for item in pod.items("requires")? {
        match item.text().and_then(|text| paths::not_blank(&item, text, reports)) {
            Ok(label) => labels.push(label.to_owned()),
            Err(Poisoned) => result = Err(Poisoned),
        }
    }
    result.map(|()| labels)
}

fn warn_of_shared(
    container: &View<'_>,
    known: &BTreeSet<u16>,
    ports: &[u16],
    reports: &mut Reports,
) {
    let views = container.items("listen").into_iter().flatten();
    for (port, view) in ports.iter().zip(views).filter(|(port, _)| known.contains(port)) {
        let message = format!("another container of this pod listens on port {port}");
        reports.add(view.fault(Code::SharedPort, message));
    }
}
