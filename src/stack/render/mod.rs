//! From a compiled deployment to what one Docker Engine shall hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::cluster::Cluster;
use crate::domain::release::{PinnedImages, volume_reference};
use crate::domain::route::Host;
use crate::paas::compiled::{self, Deployment, Ingress, Pod, Protocol, Service};
use crate::stack::naming::{Labels, Owner, sanitise, scope, suffix};
use crate::stack::{
    Container, Group, HealthCheck, Mount, Probe, Resources, RoutePlan, Stack, Volume,
};

/// Something that this target cannot do, and where the file asks for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what}")]
pub struct Unrenderable {
    /// Path in the file, such as `services.web.internal`.
    pub at: String,
    /// What cannot be done.
    pub what: Cannot,
}

/// What this target cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cannot {
    /// A service that is reached from outside without an ingress.
    #[error("a Docker target has no services outside its network yet; use an ingress")]
    External,
    /// A service that speaks TLS.
    #[error("a Docker target cannot send people to a service that speaks HTTPS yet")]
    Https,
    /// A health check over TLS.
    #[error("a Docker target cannot ask over HTTPS yet; use a tcp or a command probe")]
    SecureProbe,
    /// A path that no request can have.
    #[error("`{0}` is not the path of a URL")]
    ProbePath(String),
    /// A resource that the engine does not know.
    #[error("a Docker target has no resource `{0}`; it has cpu and memory")]
    Resource(String),
    /// More of a resource than a number can say.
    #[error("{0} is too much")]
    TooMuch(u64),
    /// A host that no request can ask for.
    #[error("`{0}` is not a host name")]
    Host(String),
    /// Two ingresses want the same requests.
    #[error("{host}{path} is already answered by an entry above")]
    Entrance {
        /// The host.
        host: Host,
        /// The path.
        path: String,
    },
    /// Two containers come to the same name.
    #[error("this has the same name on the engine as an entry above")]
    Name,
    /// An image that was not pinned, which is a fault of ours.
    #[error("image `{0}` was neither built nor found")]
    Image(String),
    /// A volume whose image was not built, which is a fault of ours too.
    #[error("the image of volume `{0}` was not built")]
    Volume(String),
}

/// Renders a deployment for one cluster.
///
/// # Errors
///
/// Everything that this target cannot do, with its place in the file.
pub fn render(
    deployment: &Deployment,
    owner: &Owner<'_>,
    cluster: &Cluster,
    images: &PinnedImages,
    labels: &Labels,
) -> Result<Stack, Vec<Unrenderable>> {
    let mut renderer = Renderer {
        deployment,
        images,
        labels,
        scope: scope(owner, cluster),
        suffix: suffix(owner),
        names: BTreeSet::new(),
        volumes: BTreeMap::new(),
        faults: Vec::new(),
    };
    for service in &deployment.services {
        renderer.check_service(service);
    }
    let mut groups = Vec::new();
    for pod in &deployment.pods {
        for replica in 1..=pod.replicas {
            groups.push(renderer.group(pod, replica));
        }
    }
    let routes = renderer.routes();
    if renderer.faults.is_empty() {
        let network = format!("{}-{}", renderer.scope, renderer.suffix);
        let volumes = renderer.volumes.into_values().collect();
        Ok(Stack { network, labels: labels.of(owner), volumes, groups, routes })
    } else {
        Err(renderer.faults)
    }
}

/// What a person may want to know about how a deployment is rendered here.
pub fn notes(deployment: &Deployment) -> Vec<String> {
    let mut notes = Vec::new();
    // A pod that is alone has nobody who could ask at the wrong port.
    let services = deployment.services.iter().filter(|_| deployment.pods.len() > 1);
    for service in services {
        for port in service.ports.iter().filter(|port| port.listen != port.target) {
            let (name, target) = (&service.name, port.target);
            notes.push(format!("service {name}: other pods reach it at port {target}"));
        }
    }
    for ingress in &deployment.ingresses {
        let name = &ingress.name;
        let entries = entries(ingress);
        if entries.is_empty() {
            notes.push(format!("ingress {name}: no service answers"));
        }
        for entry in entries.iter().filter(|entry| backend(deployment, entry).is_none()) {
            let (path, service, port) = (entry.path, entry.service, entry.port);
            notes.push(format!("ingress {name}: {path}: nothing answers at {service}:{port}"));
        }
    }
    notes
}

/// One path of an ingress.
struct Entry<'a> {
    path: &'a str,
    service: &'a str,
    port: u16,
}

fn entries(ingress: &Ingress) -> Vec<Entry<'_>> {
    let default = ingress.default_service.iter();
    let default =
        default.map(|backend| Entry { path: "/", service: &backend.name, port: backend.port });
    let paths = ingress.paths.iter();
    let paths =
        paths.map(|rule| Entry { path: &rule.path, service: &rule.service, port: rule.port });
    default.chain(paths).collect()
}

/// The pod and its port behind an entry, if there are any.
fn backend<'a>(deployment: &'a Deployment, entry: &Entry<'_>) -> Option<(&'a Service, u16)> {
    let service = deployment.services.iter().find(|service| service.name == entry.service)?;
    let port = service.ports.iter().find(|port| port.listen == entry.port)?;
    let runs = deployment.pods.iter().any(|pod| pod.name == service.pod && pod.replicas > 0);
    let speaks_http = service.protocol != Protocol::Udp;
    (runs && speaks_http).then_some((service, port.target))
}

/// Whether a request can ask for it.
fn is_url_path(path: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_graphic() && !matches!(b, b'#' | b'<' | b'>' | b'`' | b'"');
    path.starts_with('/') && path.bytes().all(allowed)
}

/// A path without slashes at its end, so that one prefix has one name.
fn prefix(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    }
}

struct Renderer<'a> {
    deployment: &'a Deployment,
    images: &'a PinnedImages,
    labels: &'a Labels,
    scope: String,
    suffix: String,
    names: BTreeSet<String>,
    /// Those that some container mounts, by their keys.
    volumes: BTreeMap<String, Volume>,
    faults: Vec<Unrenderable>,
}

impl Renderer<'_> {
    fn fault(&mut self, at: String, what: Cannot) {
        self.faults.push(Unrenderable { at, what });
    }

    fn check_service(&mut self, service: &Service) {
        if !service.internal {
            self.fault(format!("services.{}.internal", service.name), Cannot::External);
        }
        match service.protocol {
            Protocol::Tcp | Protocol::Udp => {}
            Protocol::Https => {
                self.fault(format!("services.{}.protocol", service.name), Cannot::Https);
            }
        }
    }

    fn group(&mut self, pod: &Pod, replica: u32) -> Group {
        let services = self.deployment.services.iter().filter(|service| service.pod == pod.name);
        let mut aliases = vec![pod.name.clone()];
        for service in services {
            aliases.push(service.name.clone());
            if !self.deployment.prefix.is_empty() {
                aliases.push(format!("{}-{}", self.deployment.prefix, service.name));
            }
        }
        let mut known = BTreeSet::new();
        aliases.retain(|alias| known.insert(alias.clone()));
        let containers = pod.containers.iter();
        let containers =
            containers.map(|container| self.container(pod, replica, container)).collect();
        Group { pod: pod.name.clone(), replica, aliases, containers }
    }

    fn container(&mut self, pod: &Pod, replica: u32, container: &compiled::Container) -> Container {
        let known_faults = self.faults.len();
        let at = format!("pods.{}.containers.{}", pod.name, container.name);
        // The parts have dashes, so dashes between them would make two names one.
        let parts = (sanitise(&pod.name), sanitise(&container.name));
        let name = format!("{}_{}_{}_{replica}_{}", self.scope, parts.0, parts.1, self.suffix);
        if !self.names.insert(name.clone()) {
            self.fault(at.clone(), Cannot::Name);
        }
        let reference = container.image.reference();
        let image = self.images.get(&reference).map(|pinned| pinned.reference().to_owned());
        if image.is_none() {
            self.fault(format!("{at}.image"), Cannot::Image(reference));
        }
        let mounts = self.mounts(&format!("{at}.volumes"), container);
        let health = container.healthcheck.as_ref();
        let health = health.map(|check| self.health(&format!("{at}.healthcheck"), check));
        let resources = self.resources(&format!("{at}.resources"), &container.resources);
        if replica > 1 {
            // Every replica has the faults of the first, and one of each is enough.
            self.faults.truncate(known_faults);
        }
        Container {
            name,
            container: container.name.clone(),
            image: image.unwrap_or_default(),
            env: plain_variables(container),
            mounts,
            labels: BTreeMap::from([
                (self.labels.key("pod"), pod.name.clone()),
                (self.labels.key("container"), container.name.clone()),
                (self.labels.key("replica"), replica.to_string()),
            ]),
            health,
            resources,
        }
    }

    /// The volumes that a container sees. Those of other kinds are not deployed here yet.
    fn mounts(&mut self, at: &str, container: &compiled::Container) -> Vec<Mount> {
        let mut mounts = Vec::new();
        for (name, mount) in &container.volumes {
            let compiled::Mount::Shared { volume: key, mount_path, .. } = mount else { continue };
            let volume = self.volume(key);
            if self.images.get(&volume_reference(key)).is_none() {
                self.fault(format!("{at}.{name}"), Cannot::Volume(key.clone()));
            }
            mounts.push(Mount { volume, folder: mount_path.clone() });
        }
        mounts
    }

    /// The name of a volume on the engine, which is then made.
    fn volume(&mut self, key: &str) -> String {
        if let Some(volume) = self.volumes.get(key) {
            return volume.name.clone();
        }
        let name = format!("{}_{}_{}", self.scope, sanitise(key), self.suffix);
        if !self.names.insert(name.clone()) {
            self.fault(format!("volumes.{key}"), Cannot::Name);
        }
        let image = self.images.get(&volume_reference(key));
        let image = image.map(|pinned| pinned.reference().to_owned()).unwrap_or_default();
        let volume = Volume { key: key.to_owned(), name: name.clone(), image };
        self.volumes.insert(key.to_owned(), volume);
        name
    }

    fn health(&mut self, at: &str, check: &compiled::HealthCheck) -> HealthCheck {
        let probe = match &check.probe {
            compiled::Probe::Command { command } => Probe::Command { argv: command.clone() },
            compiled::Probe::Tcp { port } => Probe::Tcp { port: *port },
            compiled::Probe::Http { port, path, secure } => {
                if *secure {
                    self.fault(format!("{at}.probe.http.is-secure"), Cannot::SecureProbe);
                }
                if !is_url_path(path) {
                    self.fault(format!("{at}.probe.http.path"), Cannot::ProbePath(path.clone()));
                }
                Probe::Http { port: *port, path: path.clone() }
            }
        };
        HealthCheck {
            probe,
            initial_delay: Duration::from_secs(check.initial_delay.into()),
            period: Duration::from_secs(check.period.into()),
            successes: check.success_threshold,
            failures: check.failure_threshold,
        }
    }

    fn resources(&mut self, at: &str, rows: &[compiled::Resource]) -> Resources {
        /// Of a thousandth of a core.
        const NANO_CPUS: u64 = 1_000_000;

        let mut resources = Resources::default();
        for row in rows {
            let mut amount = |value: u64, factor: u64| {
                let amount = value.checked_mul(factor).and_then(|value| i64::try_from(value).ok());
                amount.unwrap_or_else(|| {
                    let at = format!("{at}.{}", row.kind);
                    self.faults.push(Unrenderable { at, what: Cannot::TooMuch(value) });
                    0
                })
            };
            match row.kind.as_str() {
                "cpu" => resources.nano_cpus = amount(row.limit, NANO_CPUS),
                "memory" => {
                    resources.memory = amount(row.limit, 1);
                    resources.memory_reservation = amount(row.require, 1);
                }
                other => self.fault(format!("{at}.{other}"), Cannot::Resource(other.to_owned())),
            }
        }
        resources
    }

    /// The host of an ingress and its other ones, each once.
    fn hosts(&mut self, at: &str, ingress: &Ingress) -> Vec<Host> {
        let mut hosts = Vec::new();
        let aliases = ingress.aliases.iter().filter(|alias| **alias != ingress.host);
        let all =
            [("host", &ingress.host)].into_iter().chain(aliases.map(|host| ("aliases", host)));
        for (key, text) in all {
            match text.parse::<Host>() {
                Ok(host) => hosts.push(host),
                Err(_) => self.fault(format!("{at}.{key}"), Cannot::Host(text.clone())),
            }
        }
        hosts
    }

    fn routes(&mut self) -> Vec<RoutePlan> {
        let mut routes = Vec::new();
        let mut entrances = BTreeSet::new();
        for ingress in &self.deployment.ingresses {
            let at = format!("ingresses.{}", ingress.name);
            for host in self.hosts(&at, ingress) {
                for entry in entries(ingress) {
                    let Some((service, port)) = backend(self.deployment, &entry) else { continue };
                    let path = prefix(entry.path).to_owned();
                    if !entrances.insert((host.clone(), path.clone())) {
                        self.fault(at.clone(), Cannot::Entrance { host: host.clone(), path });
                        continue;
                    }
                    let (host, pod) = (host.clone(), service.pod.clone());
                    routes.push(RoutePlan { host, path, pod, port });
                }
            }
        }
        routes
    }
}

/// The variables that are no entries of secrets or maps, of which no target makes any yet.
fn plain_variables(container: &compiled::Container) -> BTreeMap<String, String> {
    let plain = container.env.iter().filter_map(|(name, value)| match value {
        compiled::EnvValue::Text(text) => Some((name.clone(), text.clone())),
        compiled::EnvValue::SecretKey { .. } | compiled::EnvValue::MapKey { .. } => None,
    });
    plain.collect()
}

#[cfg(test)]
mod tests;
