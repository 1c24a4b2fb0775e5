//! Shared volumes: files of the repository that several containers see (paas-yaml.md §10.3).

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::paas::compile::{Setting, paths};
use crate::paas::compiled::SharedVolume;
use crate::paas::fault::{Code, Fault};
use crate::paas::naming::is_image_component;
use crate::paas::report::{Poisoned, Reports};
use crate::paas::view::{Named, View};

/// The section `volumes`.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    volumes: IndexMap<String, SharedVolume>,
    /// Said of those that no container uses.
    unused: BTreeMap<String, Fault>,
    /// Keys whose entries have faults.
    poisoned: BTreeSet<String>,
    is_poisoned: bool,
}

impl Volumes {
    pub(super) fn compile(
        section: Result<Vec<Named<'_>>, Poisoned>,
        setting: &Setting<'_>,
        reports: &mut Reports,
    ) -> Self {
        let mut volumes = Self::default();
        let Ok(section) = section else { return Self { is_poisoned: true, ..volumes } };
        for Named { name, value } in section {
            match volume(&name.value, &value, setting, reports) {
                Ok(volume) => {
                    let unused = value.key_fault(Code::Unused, "no container uses this volume");
                    volumes.unused.insert(name.value.clone(), unused);
                    volumes.volumes.insert(name.value.clone(), volume);
                }
                Err(Poisoned) => drop(volumes.poisoned.insert(name.value.clone())),
            }
        }
        volumes
    }

    /// The name of the volume that a container's `from` means.
    pub(super) fn resolve(
        &self,
        from: &View<'_>,
        reports: &mut Reports,
    ) -> Result<(String, String), Poisoned> {
        let key = &from.text()?.value;
        if let Some(volume) = self.volumes.get(key) {
            return Ok((key.clone(), volume.name.clone()));
        }
        if self.is_poisoned || self.poisoned.contains(key) {
            return Err(Poisoned);
        }
        let message = format!("volume `{key}` is not declared under `volumes`");
        let hint = reports.did_you_mean(key, self.volumes.keys().map(String::as_str));
        Err(reports.add(from.fault(Code::NoSuchVolume, message).hint(hint)))
    }

    /// Warns of what is declared and never used.
    pub(super) fn warn_of_unused(&self, used: &BTreeSet<String>, reports: &mut Reports) {
        for (_, fault) in self.unused.iter().filter(|(key, _)| !used.contains(*key)) {
            reports.add(fault.clone());
        }
    }

    pub(super) fn into_model(self) -> IndexMap<String, SharedVolume> {
        self.volumes
    }
}

fn volume(
    key: &str,
    view: &View<'_>,
    setting: &Setting<'_>,
    reports: &mut Reports,
) -> Result<SharedVolume, Poisoned> {
    if view.is_poisoned() {
        return Err(Poisoned);
    }
    let name = format!("{key}-{}", setting.project_name);
    let name = if is_image_component(&name) {
        Ok(name)
    } else {
        let message = format!("`{name}` is not a name of an image, which this volume becomes");
        let hint = "use a-z, 0-9 and single `-` between them".to_owned();
        Err(reports.add(view.key_fault(Code::BadImageName, message).hint(hint)))
    };
    let paths = added_paths(view, setting, reports);
    let local_path = match view.field("local-path") {
        Ok(Some(path)) => paths::in_image(&path, reports),
        Ok(None) => Ok("/volume".to_owned()),
        Err(Poisoned) => Err(Poisoned),
    };
    let mount_path = match view.field("mount-path") {
        Ok(Some(path)) => paths::mount_path(&path, reports),
        Ok(None) => Ok("/mnt".to_owned()),
        Err(Poisoned) => Err(Poisoned),
    };
    Ok(SharedVolume {
        name: name?,
        paths: paths?,
        local_path: local_path?,
        mount_path: mount_path?,
    })
}

/// What a volume's `add` lists.
pub(super) fn added_paths(
    view: &View<'_>,
    setting: &Setting<'_>,
    reports: &mut Reports,
) -> Result<Vec<String>, Poisoned> {
    let mut result = Ok(());
    let mut added = Vec::new();
    for item in view.items("add")? {
        match paths::added(&item, setting.tree(), reports) {
            Ok(path) => added.push(path),
            Err(Poisoned) => result = Err(Poisoned),
        }
    }
    result.map(|()| added)
}
