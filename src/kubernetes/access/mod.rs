//! Where a cluster answers, and who asks there.

mod kubeconfig;
#[cfg(test)]
mod tests;

use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use hyper::Uri;
use kube::Config;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::cluster::{Credentials, Identity};

/// Longest wait for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Longest name of a namespace.
const LONGEST_NAMESPACE: usize = 63;

/// What is needed to talk to a cluster. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Access {
    /// Address of the API, `https://…`.
    pub address: String,
    /// Namespace in which objects are that name none.
    pub namespace: String,
    /// Who asks, and who vouches for the cluster.
    pub credentials: Credentials,
    /// Whether the cluster has to prove who it is.
    pub verification: Verification,
}

/// Whether a cluster has to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// It has to.
    On,
    /// Anybody in between may read and change everything.
    Off,
}

/// What is wrong with an access.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Not the address of an API.
    #[error(
        "`{0}` is not the address of a cluster's API: write it as https://host or https://host:port"
    )]
    Address(String),
    /// Not a name.
    #[error("`{0}` is not a namespace: use up to 63 of a-z, 0-9 and -, with none at the ends")]
    Namespace(String),
    /// No certificate is found.
    #[error("the {0} holds no certificate: paste it in PEM, from -----BEGIN CERTIFICATE----- on")]
    NoCertificate(Part),
    /// It is no PEM.
    #[error("the {0} is damaged: paste the whole PEM, with its BEGIN and END lines")]
    Damaged(Part),
    /// No key is found.
    #[error(
        "the client key is none: paste it in PEM, as PKCS#8, PKCS#1 or SEC1 without a password"
    )]
    NoKey,
    /// The key opens something else.
    #[error("the client key does not belong to the client certificate: paste the two of one pair")]
    OtherKey,
    /// It cannot be in a header.
    #[error("the token holds spaces or line breaks: paste it as one word")]
    Token,
    /// A kubeconfig that is none.
    #[error("this is not a kubeconfig{}: paste the whole file", at_line(*.line))]
    Kubeconfig {
        /// Where it stops to be one, if that is known.
        line: Option<usize>,
    },
    /// A name that it does not explain.
    #[error("the kubeconfig has no {what} `{name}`: {}", one_of(.known))]
    Unknown {
        /// Context, cluster or user.
        what: &'static str,
        /// Its name.
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// No context is chosen.
    #[error("the kubeconfig has no current context: name one of its contexts: {}", .0.join(", "))]
    NoContext(Vec<String>),
    /// No address.
    #[error("the kubeconfig's cluster `{0}` has no server: add its address")]
    NoServer(String),
    /// Something that is not done, and why.
    #[error("the kubeconfig's {what} cannot be used: {why}")]
    Unsupported {
        /// What it holds.
        what: &'static str,
        /// The reason, and what to do.
        why: &'static str,
    },
    /// A path to a file of another machine.
    #[error("the kubeconfig names the file `{path}` in `{field}`: bring its content as {instead}")]
    File {
        /// Where it does.
        field: &'static str,
        /// The path.
        path: String,
        /// Where the content goes.
        instead: String,
    },
    /// It is no base64.
    #[error("the kubeconfig's `{0}` is not base64: copy it again as a whole")]
    NotBase64(&'static str),
    /// It cannot be connected with.
    #[error("the credentials are not usable: {0}; store new ones")]
    Unusable(String),
}

/// A part of an access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Who vouches for the cluster.
    Authority,
    /// Who vouches for the one that asks.
    ClientCertificate,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Authority => "CA certificate",
            Self::ClientCertificate => "client certificate",
        })
    }
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(" (line {line})")).unwrap_or_default()
}

fn one_of(names: &[String]) -> String {
    match names {
        [] => "it has none".to_owned(),
        names => format!("it has {}", names.join(", ")),
    }
}

impl Access {
    /// Reads a kubeconfig, as one of its contexts sees it or the current one.
    ///
    /// Everything has to be in the text: what it names of a machine's files is for whoever sits at it.
    ///
    /// # Errors
    ///
    /// When it is none, holds what cannot be kept (basic auth, plugins), or what is wrong.
    pub fn from_kubeconfig(text: &str, context: Option<&str>) -> Result<Self, AccessError> {
        let access = kubeconfig::read(text, context)?;
        access.check()?;
        Ok(access)
    }

    /// Checks everything that can be known without asking the cluster.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), AccessError> {
        self.uri()?;
        if !is_label(&self.namespace) {
            return Err(AccessError::Namespace(self.namespace.clone()));
        }
        self.authorities()?;
        match &self.credentials.identity {
            Identity::Nobody => Ok(()),
            Identity::Token(token) => {
                let token = token.expose_secret();
                let is_word =
                    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
                is_word.then_some(()).ok_or(AccessError::Token)
            }
            Identity::Certificate { certificate, key } => pair(certificate, key),
        }
    }

    /// What the client is told; every secret stays in memory.
    pub(super) fn config(&self) -> Result<Config, AccessError> {
        self.check()?;
        let mut config = Config::new(self.uri()?);
        config.default_namespace.clone_from(&self.namespace);
        config.root_cert = self.authorities()?;
        config.connect_timeout = Some(CONNECT_LIMIT);
        // Calls are bounded, and asked again, by what makes them.
        config.default_retry = false;
        config.accept_invalid_certs = self.verification == Verification::Off;
        match &self.credentials.identity {
            Identity::Nobody => {}
            Identity::Token(token) => config.auth_info.token = Some(token.clone()),
            Identity::Certificate { certificate, key } => {
                let encoded = |text: &str| Base64::encode_string(text.as_bytes());
                config.auth_info.client_certificate_data = Some(encoded(certificate));
                config.auth_info.client_key_data = Some(encoded(key.expose_secret()).into());
            }
        }
        Ok(config)
    }

    fn uri(&self) -> Result<Uri, AccessError> {
        // What stands before it may be a password.
        let shown = self.address.rsplit('@').next().unwrap_or_default();
        let wrong = || AccessError::Address(shown.to_owned());
        let uri: Uri = self.address.parse().map_err(|_no_uri| wrong())?;
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        let is_address = uri.scheme_str() == Some("https") && has_host && uri.query().is_none();
        (is_address && !has_user).then_some(uri).ok_or_else(wrong)
    }

    fn authorities(&self) -> Result<Option<Vec<Vec<u8>>>, AccessError> {
        let Some(text) = &self.credentials.ca else { return Ok(None) };
        let certificates = certificates(text, Part::Authority)?;
        Ok(Some(certificates.into_iter().map(|certificate| certificate.to_vec()).collect()))
    }
}

fn is_label(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let fits = (1..=LONGEST_NAMESPACE).contains(&name.len()) && name.bytes().all(allowed);
    fits && !name.starts_with('-') && !name.ends_with('-')
}

fn certificates(text: &str, part: Part) -> Result<Vec<CertificateDer<'static>>, AccessError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let certificates = certificates.map_err(|_no_pem| AccessError::Damaged(part))?;
    if certificates.is_empty() {
        return Err(AccessError::NoCertificate(part));
    }
    let mut roots = rustls::RootCertStore::empty();
    for certificate in &certificates {
        roots.add(certificate.clone()).map_err(|_no_certificate| AccessError::Damaged(part))?;
    }
    Ok(certificates)
}

fn pair(certificate: &str, key: &SecretString) -> Result<(), AccessError> {
    let chain = certificates(certificate, Part::ClientCertificate)?;
    let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes())
        .map_err(|_no_key| AccessError::NoKey)?;
    let key = rustls::crypto::ring::sign::any_supported_type(&key)
        .map_err(|_no_key| AccessError::NoKey)?;
    CertifiedKey::new(chain, key).keys_match().map_err(|_other| AccessError::OtherKey)
}
