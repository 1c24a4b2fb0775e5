//! Names under which pods are found (deployment.md §4.9).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::manifests::fault::Cannot;
use crate::manifests::flavour::{Flavour, Tls};
use crate::manifests::names::{LABEL, is_service_name, shortened};
use crate::manifests::object::{Kind, Object};
use crate::manifests::render::Renderer;
use crate::manifests::render::containers::some;
use crate::manifests::render::ports::Transport;
use crate::manifests::render::workloads::named;
use crate::manifests::{Duty, Phase};
use crate::paas::compiled::{self, Ingress, Protocol};

/// A port that an ingress sends requests to, over TLS.
struct Secured<'a> {
    service: &'a str,
    listen: u16,
    flavour: Flavour,
}

impl<'a> Renderer<'a> {
    pub(super) fn services(&mut self) {
        let deployment = self.deployment;
        let secured = self.secured();
        for service in &deployment.services {
            let of_service = secured.iter().filter(|secured| secured.service == service.name);
            let annotations = annotations(service, of_service);
            self.service(service, annotations);
        }
    }

    fn service(&mut self, service: &compiled::Service, annotations: BTreeMap<String, String>) {
        let at = format!("services.{}", service.name);
        let name = self.names.service(&service.name);
        if !is_service_name(&name) {
            self.fault(&at, Cannot::ServiceName(name.clone()));
        }
        if service.ports.is_empty() {
            self.fault(&at, Cannot::NoPorts);
        }
        let kind = if service.internal { "ClusterIP" } else { "LoadBalancer" };
        let mut metadata = self.metadata(name, self.names.label(&service.name));
        metadata.annotations = (!annotations.is_empty()).then_some(annotations);
        let ports = service.ports.iter().map(|port| self.service_port(service, *port));
        let object = Service {
            metadata,
            spec: Some(ServiceSpec {
                type_: Some(kind.to_owned()),
                selector: Some(named(&self.names.label(&service.pod))),
                ports: some(ports.collect()),
                ..ServiceSpec::default()
            }),
            ..Service::default()
        };
        self.add(Phase::Entrance, &at, Duty::Plain, Object::new(Kind::Service, &object));
    }

    fn service_port(&self, service: &compiled::Service, port: compiled::Port) -> ServicePort {
        let transport = Transport::of(service.protocol);
        let target = self.ports.find(&service.pod, port.target, transport);
        let target = match target {
            Some(target) => IntOrString::String(target.name.clone()),
            None => IntOrString::Int(port.target.into()),
        };
        let speaks_tls = service.protocol == Protocol::Https;
        ServicePort {
            name: Some(port_name(service, port.listen)),
            protocol: Some(transport.as_str().to_owned()),
            port: port.listen.into(),
            target_port: Some(target),
            app_protocol: speaks_tls.then(|| "https".to_owned()),
            ..ServicePort::default()
        }
    }

    /// Every port that an ingress with a known controller sends requests to, over TLS.
    fn secured(&self) -> Vec<Secured<'a>> {
        let deployment = self.deployment;
        let mut secured = Vec::new();
        for ingress in &deployment.ingresses {
            let Some(flavour) = self.flavour(ingress) else { continue };
            for (service, listen) in backends(ingress) {
                if ingress.https_backend || self.speaks_tls(service) {
                    secured.push(Secured { service, listen, flavour });
                }
            }
        }
        secured
    }

    /// Whether a service of the file is said to speak TLS.
    pub(super) fn speaks_tls(&self, service: &str) -> bool {
        let mut services = self.deployment.services.iter();
        services.any(|other| other.name == service && other.protocol == Protocol::Https)
    }

    /// What controls an ingress, if that is known.
    pub(super) fn flavour(&self, ingress: &Ingress) -> Option<Flavour> {
        let default = self.inputs.target.default_class.as_deref();
        let class = self.class(ingress).or(default)?;
        let controller = self.inputs.target.controllers.get(class);
        let found = controller.and_then(|controller| Flavour::of_controller(controller));
        found.or_else(|| self.inputs.settings.ingress.flavours.get(class).copied())
    }

    /// The class of an ingress; none: the cluster's default.
    pub(super) fn class<'b>(&'b self, ingress: &'b Ingress) -> Option<&'b str> {
        let default = self.inputs.settings.ingress.default_class.as_deref();
        ingress.provider.as_deref().or(default).filter(|class| !class.is_empty())
    }
}

/// Services and ports that an ingress sends requests to.
pub(super) fn backends(ingress: &Ingress) -> impl Iterator<Item = (&str, u16)> {
    let default = ingress.default_service.iter();
    let default = default.map(|backend| (backend.name.as_str(), backend.port));
    default.chain(ingress.paths.iter().map(|rule| (rule.service.as_str(), rule.port)))
}

/// The name of a Service's port, by which some controllers know that it speaks TLS.
fn port_name(service: &compiled::Service, listen: u16) -> String {
    let tls = match service.protocol {
        Protocol::Https => "https-",
        Protocol::Tcp | Protocol::Udp => "",
    };
    shortened(&format!("{tls}{}-{listen}", service.name.to_ascii_lowercase()), LABEL)
}

/// What tells controllers that a service speaks TLS.
fn annotations<'a>(
    service: &compiled::Service,
    secured: impl Iterator<Item = &'a Secured<'a>>,
) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::new();
    let mut lists: BTreeMap<&str, BTreeMap<u16, Tls>> = BTreeMap::new();
    for Secured { listen, flavour, .. } in secured {
        match flavour.tls() {
            Tls::OfService(name, value) => {
                annotations.insert(name.to_owned(), value.to_owned());
            }
            tls @ (Tls::ListOfPorts(name) | Tls::PortProtocols(name)) => {
                lists.entry(name).or_default().insert(*listen, tls);
            }
            Tls::OfIngress(..) | Tls::ListOfServices(_) => {}
        }
    }
    for (name, ports) in lists {
        let is_json = ports.values().any(|tls| matches!(tls, Tls::PortProtocols(_)));
        let entry = |port: &u16| {
            if is_json {
                format!("\"{}\":\"HTTPS\"", port_name(service, *port))
            } else {
                port.to_string()
            }
        };
        let entries = ports.keys().map(entry).collect::<Vec<_>>().join(",");
        let text = if is_json { format!("{{{entries}}}") } else { entries };
        annotations.insert(name.to_owned(), text);
    }
    annotations
}
