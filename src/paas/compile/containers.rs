//! Containers (paas-yaml.md §10.8).

use std::collections::BTreeSet;

use crate::paas::compile::healthcheck;
use crate::paas::compile::images::Images;
use crate::paas::compiled::{Container, Resource, Variable};
use crate::paas::fault::Code;
use crate::paas::node::Text;
use crate::paas::quota::Availability;
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::view::{Named, View};

/// What the containers of one pod are compiled with.
pub(super) struct Containers<'a> {
    /// How many of the pod run.
    pub(super) replicas: Result<u32, Poisoned>,
    pub(super) images: &'a Images,
    pub(super) availability: &'a mut Availability,
    pub(super) reports: &'a mut Reports,
}

impl Containers<'_> {
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
        let image = self.images.resolve(view, self.reports);
        let env = environment(view, self.reports);
        let healthcheck = view.field("healthcheck").and_then(|field| {
            field.map(|check| healthcheck::compile(&check, listen, self.reports)).transpose()
        });
        let resources = self.resources(view);
        let container = Container {
            name: name.value.clone(),
            image: image?,
            listen: listen.clone()?,
            env: env?,
            healthcheck: healthcheck?,
            resources: resources?,
        };
        self.availability.enter(view, &container.resources, self.replicas?);
        Ok(container)
    }

    fn resources(&mut self, container: &View<'_>) -> Result<Vec<Resource>, Poisoned> {
        let mut result = Ok(());
        let mut resources = Vec::new();
        let mut kinds = BTreeSet::new();
        for row in container.items("resources")? {
            let kind = row.required("type").and_then(|kind| Ok((kind.text()?, kind)));
            if let Ok((text, kind)) = kind
                && !kinds.insert(&text.value)
            {
                let message = format!("there is a row for `{}` above", text.value);
                self.reports.add(kind.fault(Code::DuplicateResource, message));
                result = Err(Poisoned);
                continue;
            }
            match self.replicas.and_then(|n| self.availability.reserve(&row, n, self.reports)) {
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

fn environment(view: &View<'_>, reports: &mut Reports) -> Result<Vec<Variable>, Poisoned> {
    let mut result = Ok(());
    let mut environment = Vec::new();
    for Named { name, value } in view.names("variables")? {
        match variable(name, &value, reports) {
            Ok(variable) => environment.push(variable),
            Err(Poisoned) => result = Err(Poisoned),
        }
    }
    result.map(|()| environment)
}

/// One variable; of null, its value is empty.
pub(super) fn variable(
    name: &Text,
    view: &View<'_>,
    reports: &mut Reports,
) -> Result<Variable, Poisoned> {
    let text = view.text()?;
    if name.value.is_empty() || name.value.contains(|c: char| c == '=' || c.is_control()) {
        let message = format!("\"{}\" is not a name of a variable", shown(name.as_written()));
        return Err(reports.add(view.key_fault(Code::BadValue, message)));
    }
    if text.value.contains('\0') {
        let message = "a variable cannot hold a NUL character";
        return Err(reports.add(view.fault(Code::ControlCharacter, message)));
    }
    let value = if view.is_null() { String::new() } else { text.value.clone() };
    Ok(Variable { name: name.value.clone(), value })
}
