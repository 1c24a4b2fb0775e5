//! What a container sees besides its image's files (paas-yaml.md §10.8).

use indexmap::IndexMap;

use crate::paas::compile::environment::set_name;
use crate::paas::compile::persistent::{Persistents, Use};
use crate::paas::compile::sets::SetKind;
use crate::paas::compile::volumes::added_paths;
use crate::paas::compile::{Declared, paths};
use crate::paas::compiled::{EmbeddedVolume, Mount, Val};
use crate::paas::fault::Code;
use crate::paas::naming::short_hash;
use crate::paas::quantity::{Category, Quantity};
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::view::{Named, View};

/// Whose volumes they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    /// The job, when the pod is a job's.
    pub(super) job: Option<&'a str>,
    pub(super) pod: &'a str,
    pub(super) container: &'a str,
    /// How many of the pod run.
    pub(super) replicas: Result<u32, Poisoned>,
}

impl Owner<'_> {
    /// Tells its volumes from those of all other containers.
    pub(super) fn hash(&self) -> String {
        let parts = self.job.into_iter().chain([self.pod, self.container]);
        parts.map(short_hash).collect::<Vec<_>>().join("-")
    }
}

/// A container's volumes by kind.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    /// Those that become part of its image.
    pub(super) embedded: IndexMap<String, EmbeddedVolume>,
    /// Those that are mounted.
    pub(super) mounted: IndexMap<String, Mount>,
}

/// Compiles the volumes of a container.
pub(super) fn compile(
    container: &View<'_>,
    owner: &Owner<'_>,
    declared: &Declared<'_>,
    persistents: &mut Persistents,
    reports: &mut Reports,
) -> Result<Mounts, Poisoned> {
    let mut result = Ok(());
    let mut mounts = Mounts::default();
    for named in container.names("volumes")? {
        let mut compiler = Compiler { owner, declared, persistents, reports };
        if let Err(Poisoned) = compiler.volume(&named, &mut mounts) {
            result = Err(Poisoned);
        }
    }
    result.map(|()| mounts)
}

struct Compiler<'a> {
    owner: &'a Owner<'a>,
    declared: &'a Declared<'a>,
    persistents: &'a mut Persistents,
    reports: &'a mut Reports,
}

impl Compiler<'_> {
    fn volume(&mut self, named: &Named<'_>, mounts: &mut Mounts) -> Result<(), Poisoned> {
        let Named { name, value: view } = named;
        let key = &name.value;
        let mount_path =
            view.required("mount-path").and_then(|path| paths::mount_path(&path, self.reports));
        let mount = if view.field("add")?.is_some() {
            let volume = self.embedded(key, view, mount_path)?;
            mounts.embedded.insert(key.clone(), volume);
            return Ok(());
        } else if let Some(from) = view.field("from")? {
            let source = self.declared.volumes.resolve(&from, self.reports);
            let (volume, name) = source?;
            Mount::Shared { volume, name, mount_path: mount_path? }
        } else if let Some(map) = view.field("from-map")? {
            let map = set_name(&map, (SetKind::Map, &self.declared.sets), self.reports)?;
            Mount::Map { name: key.clone(), map, mount_path: mount_path? }
        } else if let Some(secret) = view.field("from-secret")? {
            let sets = (SetKind::Secret, &self.declared.sets);
            let secret = set_name(&secret, sets, self.reports)?;
            Mount::Secret { name: key.clone(), secret, mount_path: mount_path? }
        } else {
            self.persistent(key, view, mount_path)?
        };
        mounts.mounted.insert(key.clone(), mount);
        Ok(())
    }

    fn embedded(
        &mut self,
        key: &str,
        view: &View<'_>,
        mount_path: Result<String, Poisoned>,
    ) -> Result<EmbeddedVolume, Poisoned> {
        let paths = added_paths(view, self.declared.setting, self.reports);
        let mut writables = Ok(Vec::new());
        for item in view.items("writables")? {
            match (&mut writables, paths::writable(&item, self.reports)) {
                (Ok(list), Ok(pattern)) => list.push(pattern),
                (list, Err(Poisoned)) => *list = Err(Poisoned),
                (Err(Poisoned), Ok(_)) => {}
            }
        }
        Ok(EmbeddedVolume {
            name: format!("{key}-{}", self.owner.hash()),
            paths: paths?,
            local_path: "/volume".to_owned(),
            mount_path: mount_path?,
            writables: writables?,
        })
    }

    fn persistent(
        &mut self,
        key: &str,
        view: &View<'_>,
        mount_path: Result<String, Poisoned>,
    ) -> Result<Mount, Poisoned> {
        let is_persistent = view.required("persistent")?;
        if !is_persistent.boolean()? {
            let message = "a volume that is not persistent cannot be one of this kind";
            let hint = "write `persistent: true`, or take the volume away".to_owned();
            return Err(self.reports.add(is_persistent.fault(Code::BadValue, message).hint(hint)));
        }
        let given = match view.field("name")? {
            Some(name) => {
                let text = name.text()?;
                let value = paths::not_blank(&name, text, self.reports)?;
                Some((value.to_owned(), shown(text.as_written())))
            }
            None => None,
        };
        let flag = |key: &str| view.field(key)?.map(|flag| flag.boolean()).transpose();
        let write_many = flag("write-many");
        let reset = flag("reset-on-deployment").map(Option::unwrap_or_default);
        let provider = value_or_default(view, "storage-provider");
        let size = value_or_default(view, "storage-size")
            .and_then(|size| check_size(view, &size, self.reports).map(|()| size));
        let (write_many, reset) = (write_many?, reset?);
        let (provider, size) = (provider?, size?);
        let is_shared = given.is_some();
        let (name, quoted) = given.unwrap_or_else(|| {
            let name = format!("{key}-{}", self.owner.hash());
            (name.clone(), name)
        });
        self.persistents.add(Use {
            name: name.clone(),
            quoted,
            is_shared,
            key: key.to_owned(),
            pod: (self.owner.job.map(str::to_owned), self.owner.pod.to_owned()),
            replicas: self.owner.replicas?,
            provider: provider.clone(),
            size: size.clone(),
            reset,
            write_many,
            here: view.key_fault(Code::ConflictingVolumes, ""),
        });
        Ok(Mount::Persistent {
            name,
            mount_path: mount_path?,
            storage_provider: provider,
            storage_size: size,
            reset_on_deployment: reset,
            // Known when all containers are.
            write_many: write_many.unwrap_or_default(),
        })
    }
}

/// The text of a key; without one, the target's default.
pub(super) fn value_or_default(view: &View<'_>, key: &str) -> Result<Val, Poisoned> {
    Ok(match view.filled(key)? {
        Some(text) => Val::Text(text.to_owned()),
        None => Val::default_of(key),
    })
}

fn check_size(view: &View<'_>, size: &Val, reports: &mut Reports) -> Result<(), Poisoned> {
    let Val::Text(text) = size else { return Ok(()) };
    if is_size(text) {
        return Ok(());
    }
    let field = view.required("storage-size")?;
    let message = format!("\"{}\" is not a size", shown(field.text()?.as_written()));
    let hint = "write 512Mi, 5Gi, 20G and the like".to_owned();
    Err(reports.add(field.fault(Code::BadSize, message).hint(hint)))
}

/// Whether a text is an amount of bytes, not none.
pub(super) fn is_size(text: &str) -> bool {
    let quantity = Quantity::parse(text);
    let bytes = quantity.and_then(|quantity| quantity.resolve(Category::Memory, None).ok());
    bytes.is_some_and(|bytes| bytes > 0)
}
