//! Ingresses (paas-yaml.md §10.10).

use crate::domain::route::Host;
use crate::paas::compile::healthcheck::url_path;
use crate::paas::compile::pods::Known;
use crate::paas::compile::services::Services;
use crate::paas::compiled::{Backend, Ingress, PathRule};
use crate::paas::fault::Code;
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::view::{Named, View};

/// Compiles the section `ingresses`.
pub(super) fn compile(
    section: Result<Vec<Named<'_>>, Poisoned>,
    services: &Services,
    reports: &mut Reports,
) -> Vec<Ingress> {
    let section = section.into_iter().flatten();
    section.flat_map(|named| ingress(&named, services, reports)).collect()
}

fn ingress(
    named: &Named<'_>,
    services: &Services,
    reports: &mut Reports,
) -> Result<Ingress, Poisoned> {
    let Named { name, value: view } = named;
    let host = view.required("host").and_then(|host| self::host(&host, reports));
    let default_service = view.field("service").and_then(|service| {
        service.map(|service| backend(&service, services, reports)).transpose()
    });
    let paths = rules(view, services, reports);
    if let (Ok(None), Ok([])) = (&default_service, paths.as_deref()) {
        let hint = "give it `service` or `paths`".to_owned();
        reports.add(view.key_fault(Code::NoBackend, "no service answers").hint(hint));
    }
    Ok(Ingress {
        name: name.value.clone(),
        host: host?,
        default_service: default_service?,
        paths: paths?,
    })
}

fn host(view: &View<'_>, reports: &mut Reports) -> Result<String, Poisoned> {
    let text = view.text()?;
    let quoted = shown(text.as_written());
    let value = text.value.trim();
    if value.is_empty() {
        let message = match text.written {
            Some(_) => format!("\"{quoted}\" gave an empty host"),
            None => "the host is empty".to_owned(),
        };
        return Err(reports.add(view.fault(Code::Blank, message)));
    }
    match value.parse::<Host>() {
        Ok(host) => Ok(host.to_string()),
        Err(_) => {
            let message = format!("\"{quoted}\" is not a host name");
            Err(reports.add(view.fault(Code::BadValue, message)))
        }
    }
}

fn rules(
    view: &View<'_>,
    services: &Services,
    reports: &mut Reports,
) -> Result<Vec<PathRule>, Poisoned> {
    let mut result = Ok(());
    let mut rules = Vec::new();
    for row in view.items("paths")? {
        let path = row.required("path").and_then(|path| url_path(&path, reports));
        let backend =
            row.required("service").and_then(|service| backend(&service, services, reports));
        match (path, backend) {
            (Ok(path), Ok(Backend { name, port })) => {
                rules.push(PathRule { path, service: name, port });
            }
            _ => result = Err(Poisoned),
        }
    }
    result.map(|()| rules)
}

/// Who answers, which should exist.
fn backend(
    view: &View<'_>,
    services: &Services,
    reports: &mut Reports,
) -> Result<Backend, Poisoned> {
    let name_view = view.required("name");
    let port_view = view.required("port");
    let (name_view, port_view) = (name_view?, port_view?);
    let (name, port) = (&name_view.text()?.value, port_view.int()?);
    match services.known(name) {
        Known::Unclear => {}
        Known::Listens(ports) if ports.contains(&port) => {}
        Known::Listens(ports) => {
            let message = format!("service `{name}` does not listen on port {port}");
            let ports: Vec<_> = ports.iter().take(10).map(u16::to_string).collect();
            let hint = format!("it listens on {}", ports.join(", "));
            reports.add(port_view.fault(Code::NoSuchService, message).hint(hint));
        }
        Known::No => {
            let message = format!("service `{name}` does not exist");
            let hint = reports.did_you_mean(name, services.names());
            reports.add(name_view.fault(Code::NoSuchService, message).hint(hint));
        }
    }
    Ok(Backend { name: name.clone(), port })
}
