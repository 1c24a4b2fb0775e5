//! Services (paas-yaml.md §10.9).

use std::collections::{BTreeMap, BTreeSet};

use crate::paas::compile::pods::{Known, Pods};
use crate::paas::compiled::{Port, Protocol, Service};
use crate::paas::fault::{Code, Fault};
use crate::paas::report::{Poisoned, Reports};
use crate::paas::view::{Named, View};

/// The section `services`.
#[derive(Debug, Default)]
pub(super) struct Services {
    services: Vec<Service>,
    /// Names of all services, and their `listen` ports where these could be read.
    listen: BTreeMap<String, Option<BTreeSet<u16>>>,
    /// Whether the whole section is unreadable.
    is_poisoned: bool,
}

impl Services {
    pub(super) fn compile(
        section: Result<Vec<Named<'_>>, Poisoned>,
        pods: &Pods,
        reports: &mut Reports,
    ) -> Self {
        let mut services = Self::default();
        let Ok(section) = section else { return Self { is_poisoned: true, ..services } };
        for named in section {
            let ports = ports(&named.value, reports);
            let listen = ports.as_ref().ok();
            let listen = listen.map(|ports| ports.iter().map(|port| port.listen).collect());
            services.listen.insert(named.name.value.clone(), listen);
            services.services.extend(service(&named, ports, pods, reports));
        }
        services
    }

    /// What is known of a service by its name.
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

    pub(super) fn count(&self) -> usize {
        self.services.len()
    }

    pub(super) fn into_model(self) -> Vec<Service> {
        self.services
    }
}

fn service(
    named: &Named<'_>,
    ports: Result<Vec<Port>, Poisoned>,
    pods: &Pods,
    reports: &mut Reports,
) -> Result<Service, Poisoned> {
    let Named { name, value: view } = named;
    let pod = pod(named, pods, reports);
    let protocol = view.field("protocol").and_then(|protocol| match protocol {
        None => Ok(Protocol::Tcp),
        Some(protocol) => Ok(match protocol.text()?.value.to_ascii_uppercase().as_str() {
            "UDP" => Protocol::Udp,
            "HTTPS" => Protocol::Https,
            _ => Protocol::Tcp,
        }),
    });
    let internal = view.field("internal")?.map_or(Ok(true), |internal| internal.boolean());
    if let (Ok(pod), Ok(_)) = (&pod, &ports) {
        warn_of_unheard(view, pods.known(pod), reports);
    }
    Ok(Service {
        name: name.value.clone(),
        pod: pod?,
        protocol: protocol?,
        internal: internal?,
        ports: ports?,
    })
}

/// The pod of a service, which should exist.
fn pod(named: &Named<'_>, pods: &Pods, reports: &mut Reports) -> Result<String, Poisoned> {
    let Named { name, value: view } = named;
    let field = view.field("pod")?;
    let pod = match &field {
        Some(field) => &field.text()?.value,
        None => &name.value,
    };
    if pods.known(pod) == Known::No {
        let message = format!("pod `{pod}` does not exist");
        let fault = match &field {
            Some(field) => field.fault(Code::NoSuchPod, message),
            None => view.key_fault(Code::NoSuchPod, message),
        };
        let hint = reports.did_you_mean(pod, pods.names());
        reports.add(fault.hint(hint));
    }
    Ok(pod.clone())
}

fn ports(view: &View<'_>, reports: &mut Reports) -> Result<Vec<Port>, Poisoned> {
    let mut result = Ok(());
    let mut ports = Vec::new();
    let mut known = BTreeSet::new();
    for row in view.items("ports")? {
        let listen = row.required("listen").and_then(|listen| Ok((listen.int()?, listen)));
        let target = row.required("target").and_then(|target| target.int());
        if let Ok((port, view)) = &listen
            && !known.insert(*port)
        {
            let message = format!("this service already listens on port {port}");
            reports.add(view.fault(Code::DuplicateListen, message));
            result = Err(Poisoned);
        }
        match (listen, target) {
            (Ok((listen, _)), Ok(target)) => ports.push(Port { listen, target }),
            _ => result = Err(Poisoned),
        }
    }
    result.map(|()| ports)
}

/// Warns of targets that no container listens on.
fn warn_of_unheard(view: &View<'_>, pod: Known<'_>, reports: &mut Reports) {
    let Known::Listens(heard) = pod else { return };
    let rows = view.items("ports").into_iter().flatten();
    for target in rows.filter_map(|row| row.required("target").ok()) {
        if let Ok(port) = target.int::<u16>()
            && !heard.contains(&port)
        {
            let message = format!("no container of the pod listens on port {port}");
            // It is the service that will not answer.
            let fault = target.fault(Code::NotListened, message);
            reports.add(Fault { path: view.path().to_string(), ..fault });
        }
    }
}
