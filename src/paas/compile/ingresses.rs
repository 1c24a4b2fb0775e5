//! Ingresses (paas-yaml.md §10.10).

use indexmap::{IndexMap, IndexSet};

use crate::domain::route::Host;
use crate::paas::compile::Declared;
use crate::paas::compile::environment::set_name;
use crate::paas::compile::healthcheck::url_path;
use crate::paas::compile::pods::Known;
use crate::paas::compile::services::Services;
use crate::paas::compile::sets::SetKind;
use crate::paas::compiled::{Backend, Ingress, PathRule, Value};
use crate::paas::context::Context;
use crate::paas::fault::Code;
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::view::{Named, View};

/// Compiles the section `ingresses`.
pub(super) fn compile(
    section: Result<Vec<Named<'_>>, Poisoned>,
    services: &Services,
    declared: &Declared<'_>,
    reports: &mut Reports,
) -> Vec<Ingress> {
    let section = section.into_iter().flatten();
    section.flat_map(|named| ingress(&named, services, declared, reports)).collect()
}

fn ingress(
    named: &Named<'_>,
    services: &Services,
    declared: &Declared<'_>,
    reports: &mut Reports,
) -> Result<Ingress, Poisoned> {
    let Named { name, value: view } = named;
    if view.is_poisoned() {
        return Err(Poisoned);
    }
    let context = declared.setting.context;
    let host = view.required("host").and_then(|host| self::host(&host, context, reports));
    let default_service = view.field("service").and_then(|service| {
        service.map(|service| backend(&service, services, reports)).transpose()
    });
    let paths = rules(view, services, reports);
    let is_answered = context.platform.default_backend;
    if let (Ok(None), Ok([]), false) = (&default_service, paths.as_deref(), is_answered) {
        let hint = "give it `service` or `paths`".to_owned();
        reports.add(view.key_fault(Code::NoBackend, "no service answers").hint(hint));
    }
    let aliases = aliases(view, context, reports);
    let tls_secret = tls_secret(view, declared, reports);
    let https_backend = view
        .field("https-backend")
        .and_then(|field| field.map_or(Ok(false), |field| field.boolean()));
    let provider = view.filled("provider");
    let meta = meta(view);
    Ok(Ingress {
        name: name.value.clone(),
        host: host?,
        aliases: aliases?,
        provider: provider?.map(str::to_owned),
        default_service: default_service?,
        paths: paths?,
        tls_secret: tls_secret?,
        https_backend: https_backend?,
        meta: meta?,
    })
}

/// Other hosts, each once.
fn aliases(
    view: &View<'_>,
    context: &Context,
    reports: &mut Reports,
) -> Result<Vec<String>, Poisoned> {
    let mut result = Ok(());
    let mut aliases = IndexSet::new();
    for item in view.items("aliases")? {
        match host(&item, context, reports) {
            Ok(alias) => drop(aliases.insert(alias)),
            Err(Poisoned) => result = Err(Poisoned),
        }
    }
    result.map(|()| aliases.into_iter().collect())
}

fn tls_secret(
    view: &View<'_>,
    declared: &Declared<'_>,
    reports: &mut Reports,
) -> Result<Option<String>, Poisoned> {
    let Some(tls) = view.field("tls")? else { return Ok(None) };
    let secret = tls.required("secret")?;
    set_name(&secret, (SetKind::Secret, &declared.sets), reports).map(Some)
}

/// Settings of the provider; one word is the setting of that name, switched on.
fn meta(view: &View<'_>) -> Result<Value, Poisoned> {
    let value = view.field("meta")?.map_or(Ok(Value::Null), |meta| meta.value())?;
    Ok(match value {
        Value::Null => Value::Mapping(IndexMap::new()),
        Value::Text(word) => Value::Mapping(IndexMap::from([(word, Value::Bool(true))])),
        Value::Bool(switch) => {
            Value::Mapping(IndexMap::from([(switch.to_string(), Value::Bool(true))]))
        }
        value @ (Value::List(_) | Value::Mapping(_)) => value,
    })
}

fn host(view: &View<'_>, context: &Context, reports: &mut Reports) -> Result<String, Poisoned> {
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
    let (wildcard, name) = match value.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", value),
    };
    match name.parse::<Host>() {
        Ok(_) if !wildcard.is_empty() && context.is_for_docker() => {
            let message = "hosts with `*` are not supported on Docker targets yet";
            Err(reports.add(view.fault(Code::NotSupportedYet, message)))
        }
        Ok(host) => Ok(format!("{wildcard}{host}")),
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
