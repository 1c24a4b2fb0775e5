//! Volumes that outlive their pods, over all pods of a file (paas-yaml.md §10.8).

use std::collections::{BTreeMap, BTreeSet};

use crate::paas::compile::mounts::is_size;
use crate::paas::compiled::{Container, Defaults, Mount, Val};
use crate::paas::context::{Target, TargetKind};
use crate::paas::fault::{Code, Fault};
use crate::paas::naming::{LONGEST_LABEL, deployed, is_dns_label};
use crate::paas::report::Reports;

/// Every mount of a persistent volume.
#[derive(Debug, Default)]
pub(super) struct Persistents {
    uses: Vec<Use>,
}

/// One mount.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) name: String,
    /// The name as the file has it.
    pub(super) quoted: String,
    /// Whether the file gave the name, which several then share.
    pub(super) is_shared: bool,
    /// Its key in the container.
    pub(super) key: String,
    /// The pod, with its job if it is one's.
    pub(super) pod: (Option<String>, String),
    pub(super) replicas: u32,
    pub(super) provider: Val,
    pub(super) size: Val,
    pub(super) reset: bool,
    pub(super) write_many: Option<bool>,
    /// A fault at its place.
    pub(super) here: Fault,
}

impl Use {
    fn fault(&self, code: Code, message: String) -> Fault {
        Fault { code, message, ..self.here.clone() }
    }
}

impl Persistents {
    pub(super) fn add(&mut self, volume: Use) {
        self.uses.push(volume);
    }

    /// Checks that volumes of one name are one volume, and that each has a size where it goes.
    ///
    /// Which volumes several may write at a time, by name.
    pub(super) fn finish(
        &self,
        defaults: Option<&Defaults>,
        targets: &[Target],
        prefix: &str,
        reports: &mut Reports,
    ) -> BTreeMap<String, bool> {
        // Deployed names are in lower case.
        let mut by_name: BTreeMap<String, Vec<&Use>> = BTreeMap::new();
        for volume in &self.uses {
            by_name.entry(volume.name.to_ascii_lowercase()).or_default().push(volume);
            if let Some(defaults) = defaults {
                check_default_size(volume, defaults, targets, reports);
            }
            check_name(volume, prefix, targets, reports);
        }
        by_name
            .into_iter()
            .map(|(name, uses)| (name.to_owned(), write_many(&uses, reports)))
            .collect()
    }
}

fn check_name(volume: &Use, prefix: &str, targets: &[Target], reports: &mut Reports) {
    let label = deployed(prefix, &volume.name);
    let on_kubernetes = targets.iter().any(|target| target.kind == TargetKind::Kubernetes);
    // Inside of a pod it goes by its name without the prefix.
    let inside = if on_kubernetes { volume.name.len() + "-volume".len() } else { 0 };
    let longest = label.len().max(inside);
    let quoted = &volume.quoted;
    let message = if longest > LONGEST_LABEL {
        format!("volume `{quoted}` is deployed by {longest} characters; at most {LONGEST_LABEL}")
    } else if is_dns_label(&label) {
        return;
    } else {
        format!("volume `{quoted}` cannot be deployed: its name must be one of DNS")
    };
    reports.add(volume.fault(Code::BadDeployedName, message));
}

fn check_default_size(
    volume: &Use,
    defaults: &Defaults,
    targets: &[Target],
    reports: &mut Reports,
) {
    let Val::Default { default } = &volume.size else { return };
    for target in targets.iter().filter(|target| target.kind == TargetKind::Kubernetes) {
        let (key, cluster) = (&volume.key, &target.name);
        match defaults.resolve(cluster, default) {
            None => {
                let message = format!(
                    "volume `{key}`: no `storage-size` given and no default for cluster `{cluster}`"
                );
                let hint = "give it `storage-size`, or set it under `defaults`".to_owned();
                reports.add(volume.fault(Code::NoDefault, message).hint(hint));
            }
            Some(size) if !is_size(size) => {
                let message = format!(
                    "volume `{key}`: the default `storage-size` of cluster `{cluster}` is no size"
                );
                reports.add(volume.fault(Code::BadSize, message));
            }
            Some(_) => {}
        }
    }
}

/// Whether several may write a volume, which all these mounts are of.
fn write_many(uses: &[&Use], reports: &mut Reports) -> bool {
    let Some((first, others)) = uses.split_first() else { return false };
    for other in others {
        let message = if !(first.is_shared && other.is_shared) || first.name != other.name {
            let message = format!("another volume is deployed as `{}` too", other.quoted);
            reports.add(other.fault(Code::EqualVolumeNames, message));
            continue;
        } else if first.provider != other.provider {
            "storage-provider"
        } else if first.size != other.size {
            "storage-size"
        } else if first.reset != other.reset {
            "reset-on-deployment"
        } else {
            continue;
        };
        let message =
            format!("volume `{}` has another `{message}` in {}", other.quoted, first.here.path);
        reports.add(other.fault(Code::ConflictingVolumes, message));
    }
    if uses.iter().any(|volume| volume.write_many == Some(true)) {
        return true;
    }
    let pods: BTreeSet<_> = uses.iter().map(|volume| &volume.pod).collect();
    let has_several_writers = pods.len() > 1 || uses.iter().any(|volume| volume.replicas > 1);
    match uses.iter().find(|volume| volume.write_many == Some(false)) {
        None => has_several_writers,
        Some(volume) => {
            if has_several_writers {
                let message = "several write this volume, which is for one".to_owned();
                reports.add(volume.fault(Code::SingleWriter, message));
            }
            false
        }
    }
}

/// Tells every mount whether several write its volume.
pub(super) fn settle(containers: &mut [Container], write_many: &BTreeMap<String, bool>) {
    for mount in containers.iter_mut().flat_map(|container| container.volumes.values_mut()) {
        if let Mount::Persistent { name, write_many: flag, .. } = mount {
            *flag = write_many.get(&name.to_ascii_lowercase()).copied().unwrap_or(*flag);
        }
    }
}
