//! Where deployments go: Docker Engines and Kubernetes clusters, and who signs in there.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::domain::ids::ClusterId;
use crate::domain::sealed::Sealed;
use crate::domain::words::words;

/// One target of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// The target's id.
    pub id: ClusterId,
    /// Its name within the project.
    pub name: String,
    /// What drives it.
    pub kind: ClusterKind,
    /// Where it answers, in the form of its kind.
    pub address: String,
    /// On an engine first part of the names of what is deployed there; in a cluster its namespace.
    pub namespace: String,
    /// What only Kubernetes clusters have.
    #[serde(default)]
    pub kubernetes: KubernetesOptions,
    /// Who signs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Sealed>,
}

/// How a Kubernetes cluster is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesOptions {
    /// Whether whoever answers must prove to be the cluster.
    pub tls_verify: bool,
    /// Who makes the namespace.
    pub namespace_manage: NamespaceManage,
    /// Whether each project gets a namespace of its own below the cluster's one.
    pub hierarchical_namespaces: bool,
    /// Whether objects that others have made are taken over.
    #[serde(default)]
    pub adoption: Adoption,
}

impl Default for KubernetesOptions {
    fn default() -> Self {
        Self {
            tls_verify: true,
            namespace_manage: NamespaceManage::Never,
            hierarchical_namespaces: false,
            adoption: Adoption::Refuse,
        }
    }
}

words! {
    /// Kinds of targets.
    ClusterKind, "kind of cluster (docker or kubernetes)" {
        /// One Docker Engine.
        Docker = "docker",
        /// A Kubernetes cluster.
        Kubernetes = "kubernetes",
    }
}

words! {
    /// Who makes the namespace that is deployed to.
    #[derive(Default)]
    NamespaceManage, "way to manage a namespace (never or create)" {
        /// Somebody else has made it.
        #[default]
        Never = "never",
        /// A deployment makes it when it is missing.
        Create = "create",
    }
}

words! {
    /// Whether objects are taken over that somebody else has made under names of a deployment.
    #[derive(Default)]
    Adoption, "way to treat what others have made (never or next)" {
        /// They are left alone, and what was to be done fails.
        #[default]
        Refuse = "never",
        /// They are, until a release is live.
        Adopt = "next",
    }
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// None of a Docker Engine.
    #[error("`{0}` is not the address of a Docker Engine: write unix:///path/of/docker.sock")]
    Engine(String),
    /// An engine that is not on this machine.
    #[error("`{0}`: engines on other machines are not supported yet; use unix:///…")]
    Remote(String),
    /// None of a Kubernetes API.
    #[error("`{0}` is not the address of a Kubernetes API: write https://host:port")]
    Api(String),
}

impl ClusterKind {
    /// Checks that an address is one this kind can be reached at.
    ///
    /// # Errors
    ///
    /// When the address has another form, or names what is not supported yet.
    pub fn check_address(self, address: &str) -> Result<(), BadAddress> {
        let (scheme, rest) = address.split_once("://").unwrap_or_default();
        match (self, scheme) {
            (Self::Docker, "unix") if rest.starts_with('/') => Ok(()),
            (Self::Docker, "tcp" | "ssh") => Err(BadAddress::Remote(address.to_owned())),
            (Self::Docker, _) => Err(BadAddress::Engine(address.to_owned())),
            (Self::Kubernetes, "https") if is_authority(rest) => Ok(()),
            (Self::Kubernetes, _) => Err(BadAddress::Api(address.to_owned())),
        }
    }
}

/// Whether a text is `host[:port][/path]` and nothing that signs in.
fn is_authority(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '@' | '?' | '#' | '\\');
    !text.is_empty() && !text.starts_with('/') && text.chars().all(is_plain)
}

/// Who signs in at a Kubernetes cluster, and how that proves to be the one.
///
/// It is sealed as one JSON document.
#[derive(Clone, Default)]
pub struct Credentials {
    /// Certificates in PEM of whoever vouches for the cluster; without any, those of the system.
    pub ca: Option<String>,
    /// Who signs in.
    pub identity: Identity,
}

/// Who signs in at a Kubernetes cluster.
#[derive(Clone, Default)]
pub enum Identity {
    /// Nobody, which few clusters accept.
    #[default]
    Nobody,
    /// Whoever holds a bearer token.
    Token(SecretString),
    /// Whoever has the key of a certificate.
    Certificate {
        /// The certificate, and those between it and one that is known, in PEM.
        certificate: String,
        /// Its key, in PEM.
        key: SecretString,
    },
}

/// How credentials are sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_key: Option<String>,
}

impl Credentials {
    /// The document that is sealed.
    pub fn document(&self) -> SecretString {
        let (token, certificate, key) = match &self.identity {
            Identity::Nobody => (None, None, None),
            Identity::Token(token) => (Some(token), None, None),
            Identity::Certificate { certificate, key } => (None, Some(certificate), Some(key)),
        };
        let text = |secret: &SecretString| secret.expose_secret().to_owned();
        let document = Document {
            ca: self.ca.clone(),
            token: token.map(text),
            client_certificate: certificate.cloned(),
            client_key: key.map(text),
        };
        serde_json::to_string(&document).expect("texts can be written as JSON").into()
    }

    /// What a document says.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn read(document: &SecretString) -> Result<Self, serde_json::Error> {
        let Document { ca, token, client_certificate, client_key } =
            serde_json::from_str(document.expose_secret())?;
        let identity = match (token, client_certificate, client_key) {
            (Some(token), ..) => Identity::Token(token.into()),
            (None, Some(certificate), Some(key)) => {
                Identity::Certificate { certificate, key: key.into() }
            }
            (None, ..) => Identity::Nobody,
        };
        Ok(Self { ca, identity })
    }

    /// What of it is never to be shown, each with its name.
    pub fn secrets(&self) -> Option<(&'static str, &SecretString)> {
        match &self.identity {
            Identity::Nobody => None,
            Identity::Token(token) => Some(("cluster token", token)),
            Identity::Certificate { key, .. } => Some(("cluster key", key)),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = match &self.identity {
            Identity::Nobody => "nobody",
            Identity::Token(_) => "token",
            Identity::Certificate { .. } => "certificate",
        };
        f.debug_struct("Credentials")
            .field("ca", &self.ca.is_some())
            .field("identity", &identity)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_checked_by_kind() {
        assert_eq!(ClusterKind::Docker.check_address("unix:///run/docker.sock"), Ok(()));
        let refused = |address| ClusterKind::Docker.check_address(address).unwrap_err().to_string();
        assert!(refused("tcp://10.0.0.1:2376").contains("not supported yet"));
        assert!(refused("/run/docker.sock").contains("unix:///"));
        assert!(refused("unix://docker.sock").contains("unix:///"));

        let kubernetes = |address| ClusterKind::Kubernetes.check_address(address);
        for good in ["https://127.0.0.1:6443", "https://[::1]:6443", "https://k.example/k8s/c1"] {
            assert_eq!(kubernetes(good), Ok(()), "{good}");
        }
        for bad in ["http://k:80", "https://", "https:///x", "https://me:pw@k", "k:6443"] {
            assert!(kubernetes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn credentials_are_read_as_they_were_written_and_not_shown() {
        let key = SecretString::from("KEY");
        for identity in [
            Identity::Nobody,
            Identity::Token("TOKEN".into()),
            Identity::Certificate { certificate: "CERT".to_owned(), key },
        ] {
            let before = Credentials { ca: Some("CA".to_owned()), identity };
            let document = before.document();
            let after = Credentials::read(&document).unwrap();
            assert_eq!(after.document().expose_secret(), document.expose_secret());
            let shown = format!("{after:?}");
            assert!(!shown.contains("TOKEN") && !shown.contains("KEY"), "{shown}");
        }
    }
}
