//! Containers (paas-yaml.md §10.8).

use crate::paas::compile::healthcheck;
use crate::paas::compile::images::Images;
use crate::paas::compiled::{Container, Resource, Variable};
use crate::paas::fault::Code;
use crate::paas::node::Text;
use crate::paas::quota::Availability;
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::view::{Named, View};

/// Compiles one container of a pod that runs so many times.
pub(super) fn compile(
    name: &Text,
    view: &View<'_>,
    listen: &Result<Vec<u16>, Poisoned>,
    replicas: Result<u32, Poisoned>,
    images: &Images,
    availability: &mut Availability,
    reports: &mut Reports,
) -> Result<Container, Poisoned> {
    if view.is_poisoned() {
        return Err(Poisoned);
    }
    let image = images.resolve(view, reports);
    let env = view.field("variables").and_then(|field| match field {
        Some(variables) => environment(&variables, reports),
        None => Ok(Vec::new()),
    });
    let healthcheck = view.field("healthcheck").and_then(|field| {
        field.map(|check| healthcheck::compile(&check, listen, reports)).transpose()
    });
    let resources = view.field("resources").and_then(|field| match field {
        Some(rows) => resources(&rows, replicas?, availability, reports),
        None => Ok(Vec::new()),
    });
    let container = Container {
        name: name.value.clone(),
        image: image?,
        listen: listen.clone()?,
        env: env?,
        healthcheck: healthcheck?,
        resources: resources?,
    };
    availability.enter(view, &container.resources, replicas?);
    Ok(container)
}

/// The ports of a container.
pub(super) fn listen(view: &View<'_>) -> Result<Vec<u16>, Poisoned> {
    match view.field("listen")? {
        Some(ports) => ports.items()?.map(|port| port.int()).collect(),
        None => Ok(Vec::new()),
    }
}

fn environment(view: &View<'_>, reports: &mut Reports) -> Result<Vec<Variable>, Poisoned> {
    let mut result = Ok(());
    let mut environment = Vec::new();
    for Named { name, value } in view.entries()? {
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

fn resources(
    view: &View<'_>,
    replicas: u32,
    availability: &mut Availability,
    reports: &mut Reports,
) -> Result<Vec<Resource>, Poisoned> {
    let mut result = Ok(());
    let mut resources: Vec<Resource> = Vec::new();
    let mut kinds: Vec<String> = Vec::new();
    for row in view.items()? {
        let kind = row.required("type").and_then(|kind| kind.text().map(|text| (kind, text)));
        if let Ok((kind, text)) = kind {
            if kinds.contains(&text.value) {
                let message = format!("there is a row for `{}` above", text.value);
                reports.add(kind.fault(Code::DuplicateResource, message));
                result = Err(Poisoned);
                continue;
            }
            kinds.push(text.value.clone());
        }
        match availability.reserve(&row, replicas, reports) {
            Ok(resource) => resources.push(resource),
            Err(Poisoned) => result = Err(Poisoned),
        }
    }
    result.map(|()| resources)
}
