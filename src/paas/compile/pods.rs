//! Pods (paas-yaml.md §10.8).

use std::collections::{BTreeMap, BTreeSet};

use crate::paas::compile::containers::{self, Containers};
use crate::paas::compile::images::Images;
use crate::paas::compiled::{Container, ImageRef, Pod, Resource};
use crate::paas::fault::Code;
use crate::paas::quota::Availability;
use crate::paas::report::{Poisoned, Reports};
use crate::paas::view::{Named, View};

/// The section `pods`.
#[derive(Debug, Default)]
pub(super) struct Pods {
    pods: Vec<Pod>,
    /// Names of all pods, and the ports they listen on where these could be read.
    listen: BTreeMap<String, Option<BTreeSet<u16>>>,
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

impl Pods {
    pub(super) fn compile(
        section: Result<Vec<Named<'_>>, Poisoned>,
        images: &Images,
        availability: &mut Availability,
        reports: &mut Reports,
    ) -> Self {
        let mut pods = Self::default();
        let Ok(section) = section else {
            return Self { is_poisoned: true, has_gaps: true, ..pods };
        };
        for Named { name, value } in section {
            let pod = pod(&value, images, availability, reports);
            let listen = pod.listen.ok();
            pods.listen.insert(name.value.clone(), listen);
            match (pod.replicas, pod.containers) {
                (Ok(replicas), Ok(containers)) => {
                    pods.pods.push(Pod { name: name.value.clone(), replicas, containers });
                }
                _ => pods.has_gaps = true,
            }
        }
        pods
    }

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

    pub(super) fn has_gaps(&self) -> bool {
        self.has_gaps
    }

    /// The images of all containers.
    pub(super) fn images(&self) -> BTreeSet<&ImageRef> {
        self.pods.iter().flat_map(|pod| &pod.containers).map(|container| &container.image).collect()
    }

    /// The pods, with every container's shares of what it has no row for.
    pub(super) fn into_model(mut self, shares: &[Resource]) -> Vec<Pod> {
        for container in self.pods.iter_mut().flat_map(|pod| &mut pod.containers) {
            let explicit = container.resources.clone();
            let is_missing = |share: &&Resource| explicit.iter().all(|row| row.kind != share.kind);
            container.resources.extend(shares.iter().filter(is_missing).cloned());
        }
        self.pods
    }
}

struct Parts {
    replicas: Result<u32, Poisoned>,
    containers: Result<Vec<Container>, Poisoned>,
    listen: Result<BTreeSet<u16>, Poisoned>,
}

fn pod(
    view: &View<'_>,
    images: &Images,
    availability: &mut Availability,
    reports: &mut Reports,
) -> Parts {
    let replicas = match view.field("replicas") {
        Ok(Some(field)) => field.int(),
        Ok(None) => Ok(1),
        Err(Poisoned) => Err(Poisoned),
    };
    let mut parts = Parts { replicas, containers: Ok(Vec::new()), listen: Ok(BTreeSet::new()) };
    let Ok(entries) = view.names("containers") else {
        return Parts { containers: Err(Poisoned), listen: Err(Poisoned), ..parts };
    };
    let mut compiler = Containers { replicas, images, availability, reports };
    for named in entries {
        let listen = containers::listen(&named.value);
        let container = compiler.compile(&named, &listen);
        match (&mut parts.containers, container) {
            (Ok(list), Ok(container)) => list.push(container),
            (containers, Err(Poisoned)) => *containers = Err(Poisoned),
            (Err(Poisoned), Ok(_)) => {}
        }
        match (&mut parts.listen, listen) {
            (Ok(known), Ok(ports)) => {
                warn_of_shared(&named.value, known, &ports, compiler.reports);
                known.extend(ports);
            }
            (known, Err(Poisoned)) => *known = Err(Poisoned),
            (Err(Poisoned), Ok(_)) => {}
        }
    }
    parts
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
