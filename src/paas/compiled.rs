//! What a `.paas.yaml` comes to: a deployment in which nothing is left to decide.
//!
//! Lists keep the order of the file. Names are as the file has them, without the project's prefix.

use serde::{Deserialize, Serialize};

/// Everything one file deploys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Grammar the file was read with.
    pub version: Version,
    /// Goes before every deployed name; empty for none.
    pub prefix: String,
    /// The project's name, normalised (paas-yaml.md §0.2).
    pub project_name: String,
    /// The environment's name, normalised.
    pub environment_tag: String,
    /// Images that the project builds.
    pub images: Vec<Image>,
    /// What runs.
    pub pods: Vec<Pod>,
    /// Names under which pods are found.
    pub services: Vec<Service>,
    /// How people reach services.
    pub ingresses: Vec<Ingress>,
}

impl Deployment {
    /// What it is in a few words, such as "2 pods, 1 image".
    pub fn summary(&self) -> String {
        let counts = [(self.pods.len(), "pod", "pods"), (self.images.len(), "image", "images")];
        let shown = counts.iter().filter(|(count, ..)| *count > 0);
        let words = shown.map(|(count, one, many)| {
            let word = if *count == 1 { one } else { many };
            format!("{count} {word}")
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// Version of the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Version {
    /// `v1`.
    #[serde(rename = "v1")]
    V1,
    /// `v1.1`.
    #[serde(rename = "v1.1")]
    V1_1,
}

/// An image built from a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Last segment of its build name; unique together with the tag.
    pub name: String,
    /// Its tag, the environment's included.
    pub tag: String,
    /// Folder of the Dockerfile and its context, relative to the repository's root; empty: the root.
    pub path: String,
    /// Build arguments.
    pub variables: Vec<Variable>,
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// Which image a container runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImageRef {
    /// Where it comes from.
    pub origin: Origin,
    /// Its name; of an external image with everything before the tag.
    pub name: String,
    /// Its tag.
    pub tag: String,
}

impl ImageRef {
    /// The text by which the image is asked for; also its key among the pinned ones.
    pub fn reference(&self) -> String {
        // A digest already says everything: engines refuse a tag after it.
        if self.name.contains('@') {
            self.name.clone()
        } else {
            format!("{}:{}", self.name, self.tag)
        }
    }
}

/// Where an image comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// One of [`Deployment::images`].
    Built,
    /// A registry.
    External,
}

/// Containers that run together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// How many of it run.
    pub replicas: u32,
    /// Its containers; never empty.
    pub containers: Vec<Container>,
}

/// One container of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its name, unique in the pod.
    pub name: String,
    /// What it runs.
    pub image: ImageRef,
    /// Ports it listens on.
    pub listen: Vec<u16>,
    /// Environment variables.
    pub env: Vec<Variable>,
    /// When it is well.
    pub healthcheck: Option<HealthCheck>,
    /// What it may use, explicit rows first.
    pub resources: Vec<Resource>,
}

/// How to find out whether a container is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// What is asked.
    pub probe: Probe,
    /// Seconds before the first question.
    pub initial_delay: u32,
    /// Seconds between two questions, at least 1.
    pub period: u32,
    /// Good answers in a row that make it well, at least 1.
    pub success_threshold: u32,
    /// Bad answers in a row that make it ill, at least 1.
    pub failure_threshold: u32,
}

/// What a container is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Probe {
    /// A program inside it exits with 0; no shell takes part.
    Command {
        /// The program and its arguments; never empty.
        command: Vec<String>,
    },
    /// It answers this path with a status from 200 to 399.
    Http {
        /// The port it listens on.
        port: u16,
        /// The path asked for, beginning with `/`.
        path: String,
        /// Over TLS, whose certificate is not checked.
        secure: bool,
    },
    /// It accepts connections.
    Tcp {
        /// The port it listens on.
        port: u16,
    },
}

/// How much of one resource each replica of a container gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// `cpu`, in thousandths of a core; `memory`, in bytes; and what a platform adds.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is guaranteed.
    pub require: u64,
    /// What it may use at most.
    pub limit: u64,
    /// Whether the file left it to be shared out.
    pub automatic: bool,
}

/// A name under which a pod is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The name.
    pub name: String,
    /// The pod.
    pub pod: String,
    /// What is spoken.
    pub protocol: Protocol,
    /// Whether only other pods reach it.
    pub internal: bool,
    /// Its ports, in order.
    pub ports: Vec<Port>,
}

/// What a service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// TLS over TCP.
    Https,
}

/// A port of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// What others connect to.
    pub listen: u16,
    /// What the pod listens on.
    pub target: u16,
}

/// How people reach services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingress {
    /// Its name.
    pub name: String,
    /// The host asked for.
    pub host: String,
    /// Answers every path that no other entry names.
    pub default_service: Option<Backend>,
    /// Prefixes of paths, in the order of the file.
    pub paths: Vec<PathRule>,
}

/// A port of a service that answers an ingress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// The service.
    pub name: String,
    /// Its `listen` port.
    pub port: u16,
}

/// A prefix of paths and who answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathRule {
    /// The prefix, beginning with `/`.
    pub path: String,
    /// The service.
    pub service: String,
    /// Its `listen` port.
    pub port: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_needs_no_tag() {
        let name = format!("nginx@sha256:{}", "a".repeat(64));
        let image =
            ImageRef { origin: Origin::External, name: name.clone(), tag: "latest".to_owned() };
        assert_eq!(image.reference(), name);
        assert_eq!(ImageRef { name: "nginx".to_owned(), ..image }.reference(), "nginx:latest");
    }

    #[test]
    fn a_summary_counts_what_runs_and_what_is_built() {
        let pod = Pod { name: "web".to_owned(), replicas: 1, containers: vec![] };
        let mut deployment = Deployment {
            version: Version::V1_1,
            prefix: String::new(),
            project_name: "shop".to_owned(),
            environment_tag: "production".to_owned(),
            images: vec![],
            pods: vec![pod.clone()],
            services: vec![],
            ingresses: vec![],
        };
        assert_eq!(deployment.summary(), "1 pod");
        deployment.pods.push(pod);
        deployment.images.push(Image {
            name: "web".to_owned(),
            tag: "production".to_owned(),
            path: String::new(),
            variables: vec![],
        });
        assert_eq!(deployment.summary(), "2 pods, 1 image");
    }
}
