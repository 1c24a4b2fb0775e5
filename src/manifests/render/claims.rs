//! Disks, one for each name (deployment.md §4.5.5).

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::manifests::fault::Cannot;
use crate::manifests::names::{LABEL, is_name, shortened};
use crate::manifests::object::{Kind, Object};
use crate::manifests::quantity;
use crate::manifests::render::Renderer;
use crate::manifests::{Duty, Phase};
use crate::paas::compiled::{Mount, Pod, Val};

/// What a file says about one disk.
struct Disk<'a> {
    at: String,
    name: &'a str,
    provider: &'a Val,
    size: &'a Val,
    reset: bool,
    access: &'static str,
}

impl<'a> Renderer<'a> {
    /// Every disk of pods and jobs, each once.
    pub(super) fn claims(&mut self) {
        let deployment = self.deployment;
        let pods = deployment.pods.iter().map(|pod| (format!("pods.{}", pod.name), pod));
        let jobs = deployment.jobs.iter().flat_map(|job| {
            job.pods.iter().map(|pod| (format!("jobs.{}.pods.{}", job.name, pod.name), pod))
        });
        let mut known = BTreeSet::new();
        for (at, pod) in pods.chain(jobs) {
            for disk in disks(&at, pod) {
                if known.insert(self.names.claim(disk.name)) {
                    self.claim(&disk);
                }
            }
        }
    }

    fn claim(&mut self, disk: &Disk<'a>) {
        let class = self.storage_class(disk.provider);
        let size = match self.resolve(disk.size).map(str::to_owned) {
            None => {
                let cluster = self.inputs.target.cluster.clone();
                return self.fault(&disk.at, Cannot::NoSize(cluster));
            }
            Some(size) => match quantity::size(&size) {
                Some(size) => size,
                None => return self.fault(&disk.at, Cannot::Size(size)),
            },
        };
        if let Some(class) = class.as_ref().filter(|class| !is_name(class)) {
            self.fault(&disk.at, Cannot::Name(class.clone()));
        }
        let name = self.names.claim(disk.name);
        let label = shortened(&name, LABEL);
        let requests = BTreeMap::from([("storage".to_owned(), Quantity(size))]);
        let claim = PersistentVolumeClaim {
            metadata: self.metadata(name, label),
            spec: Some(PersistentVolumeClaimSpec {
                access_modes: Some(vec![disk.access.to_owned()]),
                storage_class_name: class,
                resources: Some(VolumeResourceRequirements {
                    requests: Some(requests),
                    ..VolumeResourceRequirements::default()
                }),
                ..PersistentVolumeClaimSpec::default()
            }),
            ..PersistentVolumeClaim::default()
        };
        let object = Object::new(Kind::PersistentVolumeClaim, &claim);
        self.add(Phase::Claims, &disk.at, Duty::Claim { reset: disk.reset }, object);
    }

    /// Who provides a disk; none: the cluster's default class.
    pub(super) fn storage_class(&self, provider: &Val) -> Option<String> {
        self.resolve(provider).map(str::to_owned)
    }
}

/// The disks that a pod's containers mount.
fn disks<'a>(at: &str, pod: &'a Pod) -> Vec<Disk<'a>> {
    let mut disks = Vec::new();
    for container in &pod.containers {
        for (key, mount) in &container.volumes {
            match mount {
                Mount::Persistent {
                    name,
                    storage_provider,
                    storage_size,
                    reset_on_deployment,
                    write_many,
                    ..
                } => disks.push(Disk {
                    at: format!("{at}.containers.{}.volumes.{key}", container.name),
                    name,
                    provider: storage_provider,
                    size: storage_size,
                    reset: *reset_on_deployment,
                    access: if *write_many { "ReadWriteMany" } else { "ReadWriteOnce" },
                }),
                Mount::Shared { .. } | Mount::Map { .. } | Mount::Secret { .. } => {}
            }
        }
    }
    disks
}
