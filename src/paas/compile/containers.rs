//! Containers (paas-yaml.md §10.8).

use std::collections::BTreeSet;

use crate::paas::compile::embedded::New;
use crate::paas::compile::mounts::{self, Owner};
use crate::paas::compile::pods::Compiler;
use crate::paas::compile::{environment, healthcheck};
use crate::paas::compiled::{Container, Resource};
use crate::paas::fault::Code;
use crate::paas::report::Poisoned;
use crate::paas::view::{Named, View};

/// Compiles the containers of one pod.
pub(super) struct Containers<'a, 'b> {
    pub(super) compiler: &'a mut Compiler<'b>,
    pub(super) job: Option<&'a str>,
    pub(super) pod: &'a str,
    /// How many of the pod run.
    pub(super) replicas: Result<u32, Poisoned>,
}

impl Containers<'_, '_> {
    /// Compiles one that listens on these ports.
    pub(super) fn compile(
        &mut self,
        named: &Named<'_>,
        listen: &Result<Vec<u16>, Poisoned>,
    ) -> Result<Container, Poisoned> {
        let Named { name, value: view } = named;
        if view.is_poisoned() {
            return Err(Poisoned);
        }
        let Self { job, pod, replicas, .. } = *self;
        let owner = Owner { job, pod, container: &name.value, replicas };
        let Compiler { declared, persistents, embedded, reports, .. } = &mut *self.compiler;
        let image = declared.images.resolve(view, reports);
        let mounts = mounts::compile(view, &owner, declared, persistents, reports);
        let environment = environment::compile(view, &declared.sets, reports);
        let healthcheck = view.field("healthcheck").and_then(|field| {
            field.map(|check| healthcheck::compile(&check, listen, reports)).transpose()
        });
        let image = match (image, &mounts) {
            (Ok(base), Ok(mounts)) if !mounts.embedded.is_empty() => {
                let volumes = mounts.embedded.clone();
                let new = New { container: view, base, hash: owner.hash(), volumes };
                embedded.derive(new, (declared.setting, &declared.images), reports)
            }
            (image, _) => image,
        };
        let resources = self.resources(view);
        let (env, env_from) = environment?;
        let container = Container {
            name: name.value.clone(),
            image: image?,
            listen: listen.clone()?,
            volumes: mounts?.mounted,
            env,
            env_from,
            healthcheck: healthcheck?,
            resources: resources?,
        };
        self.compiler.availability.enter(view, &container.resources, self.replicas?);
        Ok(container)
    }

    fn resources(&mut self, container: &View<'_>) -> Result<Vec<Resource>, Poisoned> {
        let mut result = Ok(());
        let mut resources = Vec::new();
        let mut kinds = BTreeSet::new();
        let Compiler { availability, reports, .. } = &mut *self.compiler;
        for row in container.items("resources")? {
            let kind = row.required("type").and_then(|kind| Ok((kind.text()?, kind)));
            if let Ok((text, kind)) = kind
                && !kinds.insert(&text.value)
            {
                let message = format!("there is a row for `{}` above", text.value);
                reports.add(kind.fault(Code::DuplicateResource, message));
                result = Err(Poisoned);
                continue;
            }
            match self.replicas.and_then(|n| availability.reserve(&row, n, reports)) {
                Ok(resource) => resources.push(resource),
                Err(Poisoned) => result = Err(Poisoned),
            }
        }
        result.map(|()| resources)
    }
}

/// The ports of a container.
pub(super) fn listen(view: &View<'_>) -> Result<Vec<u16>, Poisoned> {
    view.items("listen")?.iter().map(View::int).collect()
}
