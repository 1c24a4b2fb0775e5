//! Secrets and maps (deployment.md §4.5.3, §4.5.4).

use std::collections::{BTreeMap, BTreeSet};

use base64ct::{Base64, Encoding as _};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::domain::registry::{Registry, RegistryLogin};
use crate::manifests::fault::Cannot;
use crate::manifests::names::{LABEL, NAME, is_key, is_name, shortened};
use crate::manifests::object::{Kind, Object};
use crate::manifests::render::Renderer;
use crate::manifests::render::pods::Purpose;
use crate::manifests::{Duty, PULL_SECRET, Phase};
use crate::paas::compiled::{self, Container, EnvValue, Import, Mount, Pod, Value};

/// The provider whose secrets have their values in the file.
const IN_FILE: &str = "map";

/// Most bytes of a secret or a map.
const MOST_BYTES: usize = 1024 * 1024;

/// Credentials for pulling images, and the one key of such a secret.
const DOCKER_CONFIG: (&str, &str) = ("kubernetes.io/dockerconfigjson", ".dockerconfigjson");

/// What types of secrets are made of: keys of which each must be there, or one of them.
const TYPES: [(&str, &[&str], Needs, &str); 5] = [
    ("kubernetes.io/tls", &["tls.crt", "tls.key"], Needs::Each, "`tls.crt` and `tls.key`"),
    (DOCKER_CONFIG.0, &[DOCKER_CONFIG.1], Needs::Each, "`.dockerconfigjson`"),
    ("kubernetes.io/dockercfg", &[".dockercfg"], Needs::Each, "`.dockercfg`"),
    ("kubernetes.io/ssh-auth", &["ssh-privatekey"], Needs::Each, "`ssh-privatekey`"),
    ("kubernetes.io/basic-auth", &["username", "password"], Needs::One, "`username` or `password`"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Each,
    One,
}

/// Secrets and maps that pods read, by their names in the file.
#[derive(Debug, Default)]
pub(super) struct Read<'a> {
    pub(super) secrets: BTreeSet<&'a str>,
    pub(super) maps: BTreeSet<&'a str>,
}

impl<'a> Read<'a> {
    pub(super) fn by(pods: impl IntoIterator<Item = &'a Pod>) -> Self {
        let mut read = Self::default();
        for container in pods.into_iter().flat_map(|pod| &pod.containers) {
            read.add(container);
        }
        read
    }

    fn add(&mut self, container: &'a Container) {
        for value in container.env.values() {
            match value {
                EnvValue::Text(_) => {}
                EnvValue::SecretKey { secret, .. } => drop(self.secrets.insert(secret)),
                EnvValue::MapKey { map, .. } => drop(self.maps.insert(map)),
            }
        }
        for import in &container.env_from {
            match import {
                Import::Secret(secret) => drop(self.secrets.insert(secret)),
                Import::Map(map) => drop(self.maps.insert(map)),
            }
        }
        for mount in container.volumes.values() {
            match mount {
                Mount::Secret { secret, .. } => drop(self.secrets.insert(secret)),
                Mount::Map { map, .. } => drop(self.maps.insert(map)),
                Mount::Shared { .. } | Mount::Persistent { .. } => {}
            }
        }
    }
}

/// A value as one text, a list as its lines; none of what has no such form.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::List(items) => {
            items.iter().map(single).collect::<Option<Vec<_>>>().map(|lines| lines.join("\n"))
        }
        value @ (Value::Null | Value::Bool(_) | Value::Text(_) | Value::Mapping(_)) => {
            single(value)
        }
    }
}

/// A single value as text.
pub(super) fn single(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Text(text) => Some(text.clone()),
        Value::List(_) | Value::Mapping(_) => None,
    }
}

impl<'a> Renderer<'a> {
    /// The secrets and maps of the file, and copies of those that jobs read before it is deployed.
    pub(super) fn configuration(&mut self) {
        let deployment = self.deployment;
        let early = deployment.jobs.iter().filter(|job| Purpose::of(job) == Purpose::Before);
        let early = Read::by(early.flat_map(|job| &job.pods));
        for secret in deployment.secrets.iter().filter(|secret| secret.provider == IN_FILE) {
            let at = format!("secrets.{}", secret.name);
            let Some(data) = self.secret_data(&at, secret) else { continue };
            let is_early = early.secrets.contains(secret.name.as_str());
            for copy in [Some(Purpose::Serve), is_early.then_some(Purpose::Before)] {
                let Some(purpose) = copy else { continue };
                let name = self.secret_name(&secret.name, purpose);
                let object = Secret {
                    metadata: self.metadata(name, self.names.label(&secret.name)),
                    type_: Some(type_of(secret).to_owned()),
                    data: Some(data.clone()),
                    ..Secret::default()
                };
                self.add_configuration(&at, purpose, Object::new(Kind::Secret, &object));
            }
        }
        for map in &deployment.maps {
            let at = format!("maps.{}", map.name);
            let Some(data) = self.map_data(&at, map) else { continue };
            let is_early = early.maps.contains(map.name.as_str());
            for copy in [Some(Purpose::Serve), is_early.then_some(Purpose::Before)] {
                let Some(purpose) = copy else { continue };
                let object = ConfigMap {
                    metadata: self
                        .metadata(self.map_name(&map.name, purpose), self.names.label(&map.name)),
                    data: Some(data.clone()),
                    ..ConfigMap::default()
                };
                self.add_configuration(&at, purpose, Object::new(Kind::ConfigMap, &object));
            }
        }
    }

    fn add_configuration(&mut self, at: &str, purpose: Purpose, object: Object) {
        match purpose {
            Purpose::Before => self.add(Phase::Before, at, Duty::Copy, object),
            Purpose::Serve | Purpose::Work => {
                self.add(Phase::Configuration, at, Duty::Plain, object);
            }
        }
    }

    /// Where pods of a purpose find a secret.
    pub(super) fn secret_name(&self, name: &str, purpose: Purpose) -> String {
        let deployed = self.names.secret(name);
        let copied = purpose == Purpose::Before && self.has_secret(name);
        if copied { self.copy_name(&deployed) } else { deployed }
    }

    /// Where pods of a purpose find a map.
    pub(super) fn map_name(&self, name: &str, purpose: Purpose) -> String {
        let deployed = self.names.map(name);
        let is_ours = || self.deployment.maps.iter().any(|map| map.name == name);
        let copied = purpose == Purpose::Before && is_ours();
        if copied { self.copy_name(&deployed) } else { deployed }
    }

    /// The name of this job's copy. The last digits of its id are random, the first are the time.
    fn copy_name(&self, name: &str) -> String {
        let id = self.inputs.owner.job.uuid().simple().to_string();
        let digits = id.get(id.len().saturating_sub(8)..).unwrap_or_default();
        shortened(&format!("{name}-{digits}"), NAME)
    }

    /// Whether the file itself has the values of a secret.
    pub(super) fn has_secret(&self, name: &str) -> bool {
        let mut secrets = self.deployment.secrets.iter();
        secrets.any(|secret| secret.name == name && secret.provider == IN_FILE)
    }

    fn secret_data(
        &mut self,
        at: &str,
        secret: &compiled::Secret,
    ) -> Option<BTreeMap<String, ByteString>> {
        let options = format!("{at}.options");
        let faults = self.faults.len();
        let mut data = BTreeMap::new();
        let entries: Vec<(String, &Value)> = match &secret.options {
            Value::Mapping(entries) => {
                entries.iter().map(|(key, value)| (key.clone(), value)).collect()
            }
            Value::List(items) => {
                items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
            }
            Value::Null => Vec::new(),
            Value::Bool(_) | Value::Text(_) => {
                self.fault(&options, Cannot::NoMapping);
                Vec::new()
            }
        };
        for (key, value) in entries {
            if let Some(text) = self.entry(&options, &key, value) {
                match decoded(text) {
                    Some(bytes) => drop(data.insert(key, ByteString(bytes))),
                    None => self.fault(&format!("{options}.{key}"), Cannot::Base64),
                }
            }
        }
        self.check_type(at, secret, &data);
        self.check_size(at, data.iter().map(|(key, value)| key.len() + value.0.len()).sum());
        (self.faults.len() == faults).then_some(data)
    }

    fn check_type(
        &mut self,
        at: &str,
        secret: &compiled::Secret,
        data: &BTreeMap<String, ByteString>,
    ) {
        let kind = type_of(secret);
        let Some((_, keys, needs, shown)) = TYPES.iter().find(|(known, ..)| *known == kind) else {
            return;
        };
        let mut present = keys.iter().map(|key| data.contains_key(*key));
        let is_whole = match needs {
            Needs::Each => present.all(|there| there),
            Needs::One => present.any(|there| there),
        };
        if !is_whole {
            self.fault(at, Cannot::Incomplete { kind: kind.to_owned(), keys: shown });
        } else if kind == DOCKER_CONFIG.0
            && let Some(json) = data.get(DOCKER_CONFIG.1)
            && serde_json::from_slice::<serde_json::Value>(&json.0).is_err()
        {
            self.fault(&format!("{at}.options.{}", DOCKER_CONFIG.1), Cannot::NotJson);
        }
    }

    fn map_data(&mut self, at: &str, map: &compiled::Map) -> Option<BTreeMap<String, String>> {
        let faults = self.faults.len();
        let mut data = BTreeMap::new();
        for (key, value) in &map.options {
            if let Some(text) = self.entry(at, key, value) {
                data.insert(key.clone(), text);
            }
        }
        self.check_size(at, data.iter().map(|(key, value)| key.len() + value.len()).sum());
        (self.faults.len() == faults).then_some(data)
    }

    /// The text of an entry, when it may have its name.
    fn entry(&mut self, at: &str, key: &str, value: &Value) -> Option<String> {
        if !is_key(key) {
            self.fault(at, Cannot::Key(key.to_owned()));
            return None;
        }
        let text = text(value);
        if text.is_none() {
            self.fault(&format!("{at}.{key}"), Cannot::Nested);
        }
        text
    }

    fn check_size(&mut self, at: &str, bytes: usize) {
        if bytes > MOST_BYTES {
            self.fault(at, Cannot::TooLarge(bytes));
        }
    }

    /// Credentials of the project's registry, under every name by which pods ask for some.
    pub(super) fn pull_secrets(&mut self) {
        let deployment = self.deployment;
        let pods = deployment.pods.iter().chain(deployment.jobs.iter().flat_map(|job| &job.pods));
        let names: BTreeSet<String> = pods
            .filter_map(|pod| self.resolve(&pod.oci_registry_config_name).map(str::to_owned))
            .collect();
        let Some((registry, login)) =
            self.inputs.registry.and_then(|registry| Some((registry, registry.login.as_ref()?)))
        else {
            return;
        };
        for name in names.into_iter().filter(|name| is_name(name)) {
            // One that the file itself has is what it says.
            if self.taken.contains_key(&(Kind::Secret, name.clone())) {
                continue;
            }
            let label = shortened(&name, LABEL);
            let mut metadata = self.metadata(name, label);
            let labels = metadata.labels.get_or_insert_default();
            labels.insert(self.inputs.settings.key(PULL_SECRET), "true".to_owned());
            let secret = Secret {
                metadata,
                type_: Some(DOCKER_CONFIG.0.to_owned()),
                data: Some(BTreeMap::from([(
                    DOCKER_CONFIG.1.to_owned(),
                    ByteString(docker_config(registry, login).into_bytes()),
                )])),
                ..Secret::default()
            };
            let object = Object::new(Kind::Secret, &secret);
            self.add(Phase::PullSecrets, "", Duty::Plain, object);
        }
    }
}

fn type_of(secret: &compiled::Secret) -> &str {
    match secret.kind.as_str() {
        "default" => "Opaque",
        "tls" => "kubernetes.io/tls",
        other => other,
    }
}

/// The bytes of a secret's value.
fn decoded(text: String) -> Option<Vec<u8>> {
    let Some(encoded) = text.strip_prefix("base64:") else { return Some(text.into_bytes()) };
    let encoded: String = encoded.split_ascii_whitespace().collect();
    Base64::decode_vec(&encoded).ok()
}

/// What signs in at a registry, in the form of Docker's clients.
fn docker_config(registry: &Registry, login: &RegistryLogin) -> String {
    let RegistryLogin { username, password } = login;
    let password = password.expose_secret();
    let auth = Base64::encode_string(format!("{username}:{password}").as_bytes());
    // Clients know Docker's own registry by another name than its images have.
    let host = match registry.address.host() {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => "https://index.docker.io/v1/",
        host => host,
    };
    let entry = json!({"username": username, "password": password, "auth": auth});
    json!({"auths": {host: entry}}).to_string()
}
