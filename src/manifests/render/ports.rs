//! Names of the ports that pods listen on.
//!
//! A Service sends to a port by its name, and a port is named for the Service that sends there, so
//! that pods of two releases that listen on different numbers are both found while one replaces the
//! other.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifests::names::{hash, is_dns_label};
use crate::paas::compiled::{Deployment, Pod, Protocol, Service};

/// Longest name of a port.
const LONGEST: usize = 15;

/// What is spoken below a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    pub(super) const fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Tcp | Protocol::Https => Self::Tcp,
            Protocol::Udp => Self::Udp,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }
}

/// A port that a pod listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PodPort {
    pub(super) number: u16,
    pub(super) transport: Transport,
    pub(super) name: String,
}

impl PodPort {
    /// What it is called where only its number says anything.
    pub(super) fn plain_name(&self) -> String {
        match self.transport {
            Transport::Tcp => format!("p-{}", self.number),
            Transport::Udp => format!("p-{}-udp", self.number),
        }
    }
}

/// The ports of all pods that serve.
#[derive(Debug)]
pub(super) struct Ports<'a> {
    /// By pod and, in the order of the file, by container.
    pods: BTreeMap<&'a str, Vec<Vec<PodPort>>>,
}

impl<'a> Ports<'a> {
    pub(super) fn new(deployment: &'a Deployment) -> Self {
        let mut services: BTreeMap<&str, Vec<&Service>> = BTreeMap::new();
        for service in &deployment.services {
            services.entry(&service.pod).or_default().push(service);
        }
        let pods = deployment.pods.iter().map(|pod| {
            let services = services.get(pod.name.as_str()).map_or(&[][..], Vec::as_slice);
            (pod.name.as_str(), of_pod(pod, services))
        });
        Self { pods: pods.collect() }
    }

    /// The ports of one container of a pod.
    pub(super) fn of_container(&self, pod: &str, index: usize) -> &[PodPort] {
        self.pods.get(pod).and_then(|containers| containers.get(index)).map_or(&[], Vec::as_slice)
    }

    /// The ports of all containers of a pod.
    pub(super) fn of_pod(&self, pod: &str) -> impl Iterator<Item = &PodPort> {
        self.pods.get(pod).into_iter().flatten().flatten()
    }

    /// A port of a pod, if it listens there.
    pub(super) fn find(&self, pod: &str, number: u16, transport: Transport) -> Option<&PodPort> {
        self.of_pod(pod).find(|port| port.number == number && port.transport == transport)
    }
}

/// The ports of a job's container, to which nobody sends.
pub(super) fn of_job(pod: &Pod) -> Vec<Vec<PodPort>> {
    of_pod(pod, &[])
}

/// Every port once: containers of a pod share their network, so that only the first one gets it.
fn of_pod(pod: &Pod, services: &[&Service]) -> Vec<Vec<PodPort>> {
    let mut known = BTreeSet::new();
    let mut names = BTreeSet::new();
    let mut containers = Vec::new();
    for container in &pod.containers {
        let mut ports = Vec::new();
        for number in &container.listen {
            for transport in transports(*number, services) {
                if known.insert((*number, transport)) {
                    let name = name(*number, transport, services, &names);
                    names.insert(name.clone());
                    ports.push(PodPort { number: *number, transport, name });
                }
            }
        }
        containers.push(ports);
    }
    containers
}

/// Services that send to a port, each with the port that it listens on itself.
fn senders<'a>(
    number: u16,
    services: &'a [&'a Service],
) -> impl Iterator<Item = (&'a Service, u16)> {
    services.iter().flat_map(move |service| {
        let ports = service.ports.iter().filter(move |port| port.target == number);
        ports.map(|port| (*service, port.listen))
    })
}

fn transports(number: u16, services: &[&Service]) -> BTreeSet<Transport> {
    let mut transports: BTreeSet<_> =
        senders(number, services).map(|(service, _)| Transport::of(service.protocol)).collect();
    if transports.is_empty() {
        transports.insert(Transport::Tcp);
    }
    transports
}

/// A name that nothing else in the pod has.
fn name(
    number: u16,
    transport: Transport,
    services: &[&Service],
    taken: &BTreeSet<String>,
) -> String {
    let mut sender = senders(number, services)
        .filter(|(service, _)| Transport::of(service.protocol) == transport);
    let plain = PodPort { number, transport, name: String::new() }.plain_name();
    let candidates = match sender.next() {
        Some((service, listen)) => {
            let full = format!("{}-{listen}", service.name.to_ascii_lowercase());
            [full.clone(), format!("t-{listen}-{}", hash(&full, 5))]
        }
        None => [plain.clone(), format!("t-{number}-{}", hash(&plain, 5))],
    };
    let [_, last] = &candidates;
    let fits = |name: &&String| is_port_name(name) && !taken.contains(*name);
    candidates.iter().find(fits).unwrap_or(last).clone()
}

/// Whether a port of a container may have this name.
fn is_port_name(name: &str) -> bool {
    name.len() <= LONGEST
        && is_dns_label(name)
        && !name.contains("--")
        && name.bytes().any(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paas::compiled::{Container, ImageRef, Origin, Port};

    fn service(name: &str, protocol: Protocol, listen: u16, target: u16) -> Service {
        let ports = vec![Port { listen, target }];
        let (name, pod) = (name.to_owned(), "web".to_owned());
        Service { name, pod, protocol, internal: true, ports }
    }

    fn pod(listen: &[&[u16]]) -> Pod {
        let tag = "1".to_owned();
        let image = ImageRef { origin: Origin::External, name: "nginx".to_owned(), tag };
        let containers = listen.iter().enumerate().map(|(index, ports)| Container {
            listen: ports.to_vec(),
            ..Container::new(&format!("c{index}"), image.clone())
        });
        Pod::new("web", containers.collect())
    }

    fn named(pods: &[&[u16]], services: &[Service]) -> String {
        let services: Vec<&Service> = services.iter().collect();
        let containers = of_pod(&pod(pods), &services);
        let shown = containers.iter().map(|ports| {
            let ports = ports.iter();
            let ports = ports.map(|p| format!("{}={}/{}", p.name, p.number, p.transport.as_str()));
            ports.collect::<Vec<_>>().join(" ")
        });
        shown.collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn ports_are_named_for_who_sends_there() {
        let services = [
            service("Site", Protocol::Tcp, 80, 8080),
            service("again", Protocol::Https, 81, 8080),
            service("metrics-input", Protocol::Udp, 8125, 8125),
            service("dns", Protocol::Tcp, 53, 53),
            service("dns-udp", Protocol::Udp, 53, 53),
        ];
        assert_eq!(
            named(&[&[8080, 8125, 9000], &[53]], &services),
            "site-80=8080/TCP t-8125-e5c2c=8125/UDP p-9000=9000/TCP | dns-53=53/TCP dns-udp-53=53/UDP"
        );
    }

    #[test]
    fn a_number_that_changes_keeps_its_name() {
        let before = named(&[&[8080]], &[service("site", Protocol::Tcp, 80, 8080)]);
        let after = named(&[&[9090]], &[service("site", Protocol::Tcp, 80, 9090)]);
        assert_eq!((before.as_str(), after.as_str()), ("site-80=8080/TCP", "site-80=9090/TCP"));
    }

    #[test]
    fn a_port_is_there_once_and_so_is_a_name() {
        assert_eq!(named(&[&[80, 80], &[80]], &[]), "p-80=80/TCP | ");
        let services = [service("p", Protocol::Tcp, 90, 80)];
        assert_eq!(named(&[&[80, 90]], &services), "p-90=80/TCP t-90-61366=90/TCP");
    }
}
