//! Containers: variables, probes and what they may use (deployment.md §4.6).

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    ConfigMapEnvSource, ConfigMapKeySelector, Container, ContainerPort, EnvFromSource, EnvVar,
    EnvVarSource, ExecAction, HTTPGetAction, Probe, ResourceRequirements, SecretEnvSource,
    SecretKeySelector, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::domain::level::Level;
use crate::manifests::fault::Cannot;
use crate::manifests::level;
use crate::manifests::names::{is_key, is_name};
use crate::manifests::quantity::Unit;
use crate::manifests::render::Renderer;
use crate::manifests::render::pods::Purpose;
use crate::manifests::render::ports::{PodPort, Transport};
use crate::manifests::render::volumes::PodVolumes;
use crate::paas::compiled::{self, EnvValue, HealthCheck, Import};

/// What a container is in.
pub(super) struct Environment<'a> {
    /// Its place in the file.
    pub(super) at: String,
    /// What its pod is for.
    pub(super) purpose: Purpose,
    /// Those of the pod's ports that it gets.
    pub(super) ports: &'a [PodPort],
}

impl<'a> Renderer<'a> {
    pub(super) fn container(
        &mut self,
        container: &'a compiled::Container,
        environment: &Environment<'_>,
        volumes: &mut PodVolumes,
    ) -> Container {
        let Environment { at, purpose, ports } = environment;
        let image = self.image(&format!("{at}.image"), &container.image);
        let mounts = self.mounts(container, environment, volumes);
        let (liveness_probe, readiness_probe) = self.probes(container, environment);
        self.check_counted(at, container);
        Container {
            name: container.name.to_ascii_lowercase(),
            image: Some(image.reference),
            image_pull_policy: Some(image.policy.to_owned()),
            ports: some(ports.iter().map(port).collect()),
            env_from: some(self.imports(at, container, *purpose)),
            env: some(self.variables(at, container, *purpose)),
            volume_mounts: some(mounts),
            liveness_probe,
            readiness_probe,
            resources: (!container.resources.is_empty()).then(|| self.resources(at, container)),
            ..Container::default()
        }
    }

    fn imports(
        &mut self,
        at: &str,
        container: &compiled::Container,
        purpose: Purpose,
    ) -> Vec<EnvFromSource> {
        let mut imports = Vec::new();
        for import in &container.env_from {
            let at = format!("{at}.variables");
            imports.push(match import {
                Import::Secret(secret) => EnvFromSource {
                    secret_ref: Some(SecretEnvSource {
                        name: self.named(&at, self.secret_name(secret, purpose)),
                        optional: None,
                    }),
                    ..EnvFromSource::default()
                },
                Import::Map(map) => EnvFromSource {
                    config_map_ref: Some(ConfigMapEnvSource {
                        name: self.named(&at, self.map_name(map, purpose)),
                        optional: None,
                    }),
                    ..EnvFromSource::default()
                },
            });
        }
        imports
    }

    fn variables(
        &mut self,
        at: &str,
        container: &compiled::Container,
        purpose: Purpose,
    ) -> Vec<EnvVar> {
        let mut variables = Vec::new();
        for (name, value) in &container.env {
            let at = format!("{at}.variables.{name}");
            let level = self.inputs.target.level;
            if !is_variable(name, level) {
                self.fault(&at, Cannot::Variable(name.clone(), level));
            }
            let from = match value {
                EnvValue::Text(text) => {
                    let value = Some(literal(text));
                    variables.push(EnvVar { name: name.clone(), value, value_from: None });
                    continue;
                }
                EnvValue::SecretKey { secret, key } => EnvVarSource {
                    secret_key_ref: Some(SecretKeySelector {
                        name: self.named(&at, self.secret_name(secret, purpose)),
                        key: self.key(&at, key),
                        optional: None,
                    }),
                    ..EnvVarSource::default()
                },
                EnvValue::MapKey { map, key } => EnvVarSource {
                    config_map_key_ref: Some(ConfigMapKeySelector {
                        name: self.named(&at, self.map_name(map, purpose)),
                        key: self.key(&at, key),
                        optional: None,
                    }),
                    ..EnvVarSource::default()
                },
            };
            variables.push(EnvVar { name: name.clone(), value: None, value_from: Some(from) });
        }
        variables
    }

    /// A name that something has on the cluster, if anything can have it.
    pub(super) fn named(&mut self, at: &str, name: String) -> String {
        if !is_name(&name) {
            self.fault(at, Cannot::Name(name.clone()));
        }
        name
    }

    fn key(&mut self, at: &str, key: &str) -> String {
        if !is_key(key) {
            self.fault(at, Cannot::Key(key.to_owned()));
        }
        key.to_owned()
    }

    /// When it is started again, and when it is sent requests.
    fn probes(
        &mut self,
        container: &compiled::Container,
        environment: &Environment<'_>,
    ) -> (Option<Probe>, Option<Probe>) {
        let Some(check) = &container.healthcheck else { return (None, None) };
        let at = format!("{}.healthcheck", environment.at);
        let success = self.int(&at, check.success_threshold);
        let liveness = Probe {
            initial_delay_seconds: Some(self.int(&at, check.initial_delay)),
            period_seconds: Some(self.int(&at, check.period)),
            success_threshold: Some(1),
            failure_threshold: Some(self.int(&at, check.failure_threshold)),
            ..question(check)
        };
        let readiness = Probe { success_threshold: Some(success), ..liveness.clone() };
        match environment.purpose {
            Purpose::Serve => (Some(liveness), Some(readiness)),
            Purpose::Work | Purpose::Before => (Some(liveness), None),
        }
    }

    fn resources(&mut self, at: &str, container: &compiled::Container) -> ResourceRequirements {
        let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
        for row in &container.resources {
            let at = format!("{at}.resources.{}", row.kind);
            let Some(unit) = Unit::of(&row.kind) else {
                self.fault(&at, Cannot::Resource(row.kind.clone()));
                continue;
            };
            match (unit.text(row.require), unit.text(row.limit)) {
                (Some(require), Some(limit)) if unit != Unit::Whole || require == limit => {
                    requests.insert(row.kind.clone(), Quantity(require));
                    limits.insert(row.kind.clone(), Quantity(limit));
                }
                _ => self.fault(&at, Cannot::Whole(row.kind.clone())),
            }
        }
        let some = |amounts: BTreeMap<_, _>| (!amounts.is_empty()).then_some(amounts);
        ResourceRequirements { requests: some(requests), limits: some(limits), claims: None }
    }

    /// Where the namespace has a quota, the cluster refuses containers that do not say what they use.
    fn check_counted(&mut self, at: &str, container: &compiled::Container) {
        if !self.inputs.settings.namespace.quota {
            return;
        }
        let has: BTreeSet<&str> = container.resources.iter().map(|row| row.kind.as_str()).collect();
        for row in self.inputs.quotas {
            let is_counted = Unit::of(&row.kind).is_some_and(|unit| unit != Unit::Whole);
            if is_counted && !has.contains(row.kind.as_str()) {
                self.fault(&format!("{at}.resources"), Cannot::Uncounted(row.kind.clone()));
            }
        }
    }
}

/// A list, if there is anything in it.
pub(super) fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn port(port: &PodPort) -> ContainerPort {
    ContainerPort {
        container_port: port.number.into(),
        name: Some(port.name.clone()),
        protocol: match port.transport {
            Transport::Tcp => None,
            Transport::Udp => Some(port.transport.as_str().to_owned()),
        },
        ..ContainerPort::default()
    }
}

/// What a probe asks.
fn question(check: &HealthCheck) -> Probe {
    match &check.probe {
        compiled::Probe::Command { command } => {
            Probe { exec: Some(ExecAction { command: Some(command.clone()) }), ..Probe::default() }
        }
        compiled::Probe::Http { port, path, secure } => Probe {
            http_get: Some(HTTPGetAction {
                path: Some(path.clone()),
                port: IntOrString::Int((*port).into()),
                scheme: Some(if *secure { "HTTPS" } else { "HTTP" }.to_owned()),
                ..HTTPGetAction::default()
            }),
            ..Probe::default()
        },
        compiled::Probe::Tcp { port } => Probe {
            tcp_socket: Some(TCPSocketAction {
                host: None,
                port: IntOrString::Int((*port).into()),
            }),
            ..Probe::default()
        },
    }
}

/// Whether the cluster takes a name of a variable.
fn is_variable(name: &str, level: Level) -> bool {
    let is_classic = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let starts = !name.starts_with(|c: char| c.is_ascii_digit());
    let is_classic = starts && name.bytes().all(is_classic) && !matches!(name, "." | "..");
    is_classic || level >= level::ANY_VARIABLE && name.bytes().all(|b| matches!(b, b' '..=b'~'))
}

/// A value such that the container sees it as it is here.
///
/// Nodes put variables in the place of `$(NAME)`, make one `$` of two, and spoil what follows a `$`
/// and is not ASCII.
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        literal.push(c);
        let is_read = rest.peek().is_some_and(|next| matches!(next, '$' | '(') || !next.is_ascii());
        if c == '$' && is_read {
            literal.push('$');
        }
    }
    literal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a node makes of a value, on bytes as it does.
    fn seen(value: &str) -> Vec<u8> {
        let bytes = value.as_bytes();
        let (mut seen, mut index) = (Vec::new(), 0);
        while index < bytes.len() {
            match (bytes[index], bytes.get(index + 1)) {
                (b'$', Some(b'$')) => {
                    seen.push(b'$');
                    index += 2;
                }
                (b'$', Some(b'(')) => match bytes[index..].iter().position(|b| *b == b')') {
                    Some(end) => {
                        seen.extend(b"[a variable]");
                        index += end + 1;
                    }
                    None => {
                        seen.extend(b"$(");
                        index += 2;
                    }
                },
                (b'$', Some(next)) => {
                    seen.push(b'$');
                    // One byte is taken for one character.
                    seen.extend(char::from(*next).to_string().into_bytes());
                    index += 2;
                }
                (byte, _) => {
                    seen.push(byte);
                    index += 1;
                }
            }
        }
        seen
    }

    #[test]
    fn only_what_nodes_would_read_is_doubled() {
        assert_eq!(literal("a$(HOME) $b $"), "a$$(HOME) $b $");
        assert_eq!(literal("a$$b"), "a$$$b");
        assert_ne!(seen("$é"), "$é".as_bytes());
    }

    proptest! {
        #[test]
        fn a_container_sees_what_the_file_says(text in "[$()aé ]{0,12}|\\PC{0,8}") {
            prop_assert_eq!(seen(&literal(&text)), text.into_bytes());
        }
    }

    #[test]
    fn newer_clusters_take_any_name_of_a_variable() {
        let (old, new) = (Level::new(1, 30), Level::new(1, 33));
        assert!(is_variable("my.name-1", old) && !is_variable("1st", old));
        assert!(is_variable("1st (b)", new) && !is_variable("é", new));
    }
}
