//! How people reach services (deployment.md §4.10).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use indexmap::IndexSet;
use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule,
    IngressServiceBackend, IngressSpec, IngressTLS, ServiceBackendPort,
};

use crate::manifests::fault::Cannot;
use crate::manifests::flavour::{Flavour, Tls, matches};
use crate::manifests::names::{is_name, is_qualified};
use crate::manifests::object::{Kind, Object};
use crate::manifests::render::Renderer;
use crate::manifests::render::configuration::single;
use crate::manifests::render::containers::some;
use crate::manifests::render::entrance::backends;
use crate::manifests::{CertManager, Duty, Phase};
use crate::paas::compiled::{self, Value};

impl<'a> Renderer<'a> {
    pub(super) fn ingresses(&mut self) {
        let deployment = self.deployment;
        for ingress in &deployment.ingresses {
            self.ingress(ingress);
        }
    }

    fn ingress(&mut self, ingress: &'a compiled::Ingress) {
        let at = format!("ingresses.{}", ingress.name);
        let hosts = self.hosts(&at, ingress);
        let class = self.class(ingress).map(str::to_owned);
        if let Some(class) = class.as_ref().filter(|class| !is_name(class)) {
            self.fault(&format!("{at}.provider"), Cannot::Name(class.clone()));
        }
        let mut annotations = self.own_annotations(&at, &ingress.meta);
        self.tell_of_tls(&at, ingress, &mut annotations);
        let tls = self.tls(&at, ingress, &hosts, &mut annotations);
        let settings = &self.inputs.settings.ingress;
        annotations.extend(settings.default_annotations.clone());
        let http = self.paths(ingress);
        let rule = |host: &String| IngressRule { host: Some(host.clone()), http: http.clone() };
        let default = settings.default_service.as_ref();
        let mut metadata =
            self.metadata(self.names.ingress(&ingress.name), self.names.label(&ingress.name));
        metadata.annotations = (!annotations.is_empty()).then_some(annotations);
        let object = Ingress {
            metadata,
            spec: Some(IngressSpec {
                ingress_class_name: class,
                default_backend: default.map(|service| backend(service.name.clone(), service.port)),
                tls: tls.map(|tls| vec![tls]),
                rules: Some(hosts.iter().map(rule).collect()),
            }),
            ..Ingress::default()
        };
        self.add(Phase::Entrance, &at, Duty::Plain, Object::new(Kind::Ingress, &object));
    }

    /// The host and the other ones, each once.
    fn hosts(&mut self, at: &str, ingress: &compiled::Ingress) -> IndexSet<String> {
        let mut hosts = IndexSet::new();
        let aliases = ingress.aliases.iter().map(|alias| ("aliases", alias));
        for (key, host) in [("host", &ingress.host)].into_iter().chain(aliases) {
            let name = host.strip_prefix("*.").unwrap_or(host);
            if !is_name(name) || name.parse::<Ipv4Addr>().is_ok() {
                self.fault(&format!("{at}.{key}"), Cannot::Host(host.clone()));
            }
            hosts.insert(host.clone());
        }
        hosts
    }

    /// Who answers which path; nobody, when there is no such path.
    fn paths(&self, ingress: &compiled::Ingress) -> Option<HTTPIngressRuleValue> {
        let path = |path: &str, service: &str, port| HTTPIngressPath {
            path: Some(path.to_owned()),
            path_type: "Prefix".to_owned(),
            backend: backend(self.names.service(service), port),
        };
        let default = ingress.default_service.iter();
        let default = default.map(|backend| path("/", &backend.name, backend.port));
        let paths = ingress.paths.iter().map(|rule| path(&rule.path, &rule.service, rule.port));
        some(default.chain(paths).collect()).map(|paths| HTTPIngressRuleValue { paths })
    }

    /// What the file says to the controller, as far as the platform lets it.
    fn own_annotations(&mut self, at: &str, meta: &Value) -> BTreeMap<String, String> {
        let at = format!("{at}.meta.annotations");
        let mut annotations = BTreeMap::new();
        let entries = match meta_entry(meta, "annotations") {
            Some(Value::Mapping(entries)) => entries,
            Some(Value::Null) | None => return annotations,
            Some(Value::Bool(_) | Value::Text(_) | Value::List(_)) => {
                self.fault(&at, Cannot::NoMapping);
                return annotations;
            }
        };
        let settings = &self.inputs.settings.ingress;
        let is_in =
            |patterns: &[String], name: &str| patterns.iter().any(|pattern| matches(pattern, name));
        for (name, value) in entries {
            let is_allowed = is_in(&settings.allowed_annotations, name)
                && !is_in(&settings.denied_annotations, name);
            match single(value) {
                _ if !is_qualified(name) => self.fault(&at, Cannot::AnnotationName(name.clone())),
                _ if !is_allowed => self.fault(&at, Cannot::Annotation(name.clone())),
                None => self.fault(&format!("{at}.{name}"), Cannot::NotSingle),
                Some(text) => drop(annotations.insert(name.clone(), text)),
            }
        }
        annotations
    }

    /// Tells the controller which services speak TLS, where it is the ingress that says so.
    fn tell_of_tls(
        &mut self,
        at: &str,
        ingress: &compiled::Ingress,
        annotations: &mut BTreeMap<String, String>,
    ) {
        let is_tls = |(service, _): &(&str, u16)| ingress.https_backend || self.speaks_tls(service);
        let secured: IndexSet<String> =
            backends(ingress).filter(is_tls).map(|(name, _)| name.to_owned()).collect();
        if secured.is_empty() {
            return;
        }
        match self.flavour(ingress).map(Flavour::tls) {
            None => {
                let text = "nothing tells its controller that services speak HTTPS: it is not known; \
                            its operator may name it under `ingress.flavours`";
                self.note(at, text);
            }
            Some(Tls::OfIngress(name, value)) if ingress.https_backend => {
                annotations.insert(name.to_owned(), value.to_owned());
            }
            Some(Tls::OfIngress(..)) => {
                let names: Vec<_> = secured.iter().map(|name| format!("`{name}`")).collect();
                let text = "speaks HTTPS, which its controller learns only from `https-backend`, \
                            for all services of the ingress";
                self.note(at, format!("{} {text}", names.join(", ")));
            }
            Some(Tls::ListOfServices(name)) => {
                let names: Vec<_> = secured.iter().map(|name| self.names.service(name)).collect();
                annotations.insert(name.to_owned(), names.join(","));
            }
            Some(Tls::OfService(..) | Tls::ListOfPorts(_) | Tls::PortProtocols(_)) => {}
        }
    }

    /// The certificate of all hosts, and who issues it.
    fn tls(
        &mut self,
        at: &str,
        ingress: &compiled::Ingress,
        hosts: &IndexSet<String>,
        annotations: &mut BTreeMap<String, String>,
    ) -> Option<IngressTLS> {
        let issuer = self.inputs.settings.ingress.cert_manager.as_ref();
        let is_issued = is_on(&ingress.meta, "letsencrypt");
        let named = ingress.tls_secret.as_deref();
        let secret = match (named, issuer) {
            (Some(secret), _) => {
                let name = self.names.secret(secret);
                Some(self.named(&format!("{at}.tls.secret"), name))
            }
            (None, Some(_)) if is_issued => Some(self.names.certificate(&ingress.name)),
            (None, _) => None,
        };
        // The issuer would write over what the file itself has.
        let is_ours = named.is_some_and(|secret| self.has_secret(secret));
        match issuer {
            Some(CertManager { kind, name }) if is_issued && !is_ours => {
                annotations.insert(format!("cert-manager.io/{kind}"), name.clone());
            }
            None if is_issued => {
                self.note(at, "nobody issues its certificate: this platform has no issuer");
            }
            _ => {}
        }
        let hosts = hosts.iter().cloned().collect();
        secret.map(|secret| IngressTLS { hosts: Some(hosts), secret_name: Some(secret) })
    }
}

fn backend(service: String, port: u16) -> IngressBackend {
    let port = ServiceBackendPort { number: Some(port.into()), name: None };
    let service = IngressServiceBackend { name: service, port: Some(port) };
    IngressBackend { service: Some(service), resource: None }
}

fn meta_entry<'a>(meta: &'a Value, key: &str) -> Option<&'a Value> {
    match meta {
        Value::Mapping(entries) => entries.get(key),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) => None,
    }
}

/// Whether a switch of the provider is on; a list has those that are.
fn is_on(meta: &Value, switch: &str) -> bool {
    match meta {
        Value::Mapping(entries) => match entries.get(switch) {
            Some(Value::Bool(on)) => *on,
            Some(Value::Text(text)) => matches!(text.as_str(), "true" | "yes" | "on" | "1"),
            Some(Value::Null | Value::List(_) | Value::Mapping(_)) | None => false,
        },
        Value::List(items) => items.contains(&Value::Text(switch.to_owned())),
        Value::Null | Value::Bool(_) | Value::Text(_) => false,
    }
}
