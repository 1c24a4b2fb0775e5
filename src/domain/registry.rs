//! Registries that images are pushed to and pulled from.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::domain::sealed::Sealed;

/// Longest address.
const LONGEST: usize = 200;

/// Where a registry is, and what its repositories begin with: `host[:port][/path]`, lower case,
/// without scheme (deployment.md §2.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegistryAddress(String);

/// The text is no address of a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the address of a registry: write host[:port][/path]")]
pub struct BadRegistry(String);

impl RegistryAddress {
    /// The address as it is stored and shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host with its port, as clients connect to it and sign in at it.
    pub fn host(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(host, _)| host)
    }

    /// The repository of a name below the address.
    pub fn repository(&self, name: &str) -> String {
        format!("{self}/{name}")
    }

    /// Whether an image of this reference is at the same host.
    pub fn is_of(&self, reference: &str) -> bool {
        reference.strip_prefix(self.host()).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether the host is this machine, where nobody listens in between.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        name == "localhost" || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for RegistryAddress {
    type Err = BadRegistry;

    fn from_str(text: &str) -> Result<Self, BadRegistry> {
        let bad = || BadRegistry(text.chars().filter(|c| !c.is_control()).take(80).collect());
        let address = text.split_once("://").map_or(text, |(_, address)| address);
        let address = address.trim_matches('/').to_ascii_lowercase();
        let mut segments = address.split('/');
        let host = segments.next().unwrap_or_default();
        let well_formed = address.len() <= LONGEST && is_host(host) && segments.all(is_component);
        well_formed.then_some(Self(address)).ok_or_else(bad)
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) =
        host.rsplit_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.split('.').all(is_label)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// A path component in the grammar of the OCI distribution specification.
fn is_component(text: &str) -> bool {
    let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    ends(text.as_bytes().first()) && ends(text.as_bytes().last()) && text.bytes().all(allowed)
}

impl fmt::Display for RegistryAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for RegistryAddress {
    type Error = BadRegistry;

    fn try_from(text: String) -> Result<Self, BadRegistry> {
        text.parse()
    }
}

impl From<RegistryAddress> for String {
    fn from(address: RegistryAddress) -> Self {
        address.0
    }
}

/// A registry as a run uses it.
#[derive(Debug, Clone)]
pub struct Registry {
    /// Where it is.
    pub address: RegistryAddress,
    /// Who signs in; nobody where it is open.
    pub login: Option<RegistryLogin>,
    /// Whether it is spoken to without TLS.
    pub plain_http: bool,
}

/// Who signs in at a registry.
#[derive(Debug, Clone)]
pub struct RegistryLogin {
    /// The name.
    pub username: String,
    /// The password or token.
    pub password: SecretString,
}

/// A registry as rows hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRegistry {
    /// Where it is.
    pub address: RegistryAddress,
    /// Whether it is spoken to without TLS; where nobody says, on this machine only.
    pub plain_http: Option<bool>,
    /// Who signs in; nobody where it is open.
    pub login: Option<StoredLogin>,
}

/// Who signs in at a registry, as rows hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLogin {
    /// The name.
    pub username: String,
    /// The password or token.
    pub password: Sealed,
}

impl StoredRegistry {
    /// The registry as a run uses it, whose login somebody opened.
    pub fn with_login(&self, login: Option<RegistryLogin>) -> Registry {
        let plain_http = self.plain_http.unwrap_or(self.address.is_loopback());
        Registry { address: self.address.clone(), login, plain_http }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_loses_scheme_slashes_and_capitals() {
        let address: RegistryAddress = "https://Reg.Example:5000/team/".parse().unwrap();
        assert_eq!(address.to_string(), "reg.example:5000/team");
        assert_eq!(address.host(), "reg.example:5000");
        assert_eq!(address.repository("acme/shop/web"), "reg.example:5000/team/acme/shop/web");
    }

    #[test]
    fn what_no_image_could_be_named_by_is_refused() {
        for text in ["", "https://", "a b", "reg:0", "reg:port", "reg/-", "reg//x", "-reg", "r/x_"]
        {
            assert!(text.parse::<RegistryAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (text, expected) in
            [("127.0.0.1:5000/x", true), ("localhost", true), ("10.0.0.1:5000", false)]
        {
            assert_eq!(text.parse::<RegistryAddress>().unwrap().is_loopback(), expected, "{text}");
        }
    }
}
