//! Where foreign code may connect to: a list of hosts, and the addresses they may lead to.
//!
//! An entry is a name (`registry.example.org`), all names below one (`*.example.org`), either with a
//! port (`npm.example.org:4873`; without one it is 80 and 443), an address (`10.1.2.3`, `fd00::7`,
//! `10.1.2.3:4873`) or a network (`10.1.0.0/16`). Names may lead to addresses of the public network;
//! to one of the machine or of a private network only where that address is in the list too.

mod address;
mod rule;

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use address::{Inward, inward};
pub use rule::{BadEgressRule, EgressRule};

/// Ports of an entry without one.
const USUAL_PORTS: [u16; 2] = [80, 443];

/// Longest name that is looked at; DNS has none that is longer.
const LONGEST_NAME: usize = 253;

/// A host as a client names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedHost {
    /// By a name, in lower case and without the dot at its end.
    Name(String),
    /// By its address.
    Address(IpAddr),
}

impl AskedHost {
    /// Reads a host as it stands in a URL.
    pub fn read(text: &str) -> Self {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Self::Address(address.to_canonical());
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        Self::Name(name.chars().take(LONGEST_NAME + 1).collect())
    }
}

impl fmt::Display for AskedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// Why a host is not in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotListed {
    /// The host is not there at all.
    Host,
    /// It is, for other ports.
    Port,
}

/// A list of what may be connected to; an empty one allows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EgressRules(Vec<EgressRule>);

impl EgressRules {
    /// Whether nothing is allowed.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = &EgressRule> {
        self.0.iter()
    }

    /// Whether a client may ask for a host and port.
    ///
    /// # Errors
    ///
    /// What is missing in the list.
    pub fn allow(&self, host: &AskedHost, port: u16) -> Result<(), NotListed> {
        let mut missing = NotListed::Host;
        for rule in self.0.iter().filter(|rule| rule.names(host)) {
            let ports = rule.port();
            if ports == Some(port) || (ports.is_none() && USUAL_PORTS.contains(&port)) {
                return Ok(());
            }
            missing = NotListed::Port;
        }
        Err(missing)
    }

    /// Whether a host that may be asked for may be connected to at this address.
    ///
    /// # Errors
    ///
    /// Why the address is none of the public network, when it is not in the list.
    pub fn allow_address(&self, address: IpAddr, port: u16) -> Result<(), Inward> {
        let Some(kind) = inward(address) else { return Ok(()) };
        if self.lists_address(address, port) { Ok(()) } else { Err(kind) }
    }

    /// Whether an address is in the list by itself.
    pub fn lists_address(&self, address: IpAddr, port: u16) -> bool {
        let address = AskedHost::Address(address.to_canonical());
        // Without a port it is the entry of the name that says which ones.
        self.0.iter().any(|rule| rule.names(&address) && rule.port().is_none_or(|own| own == port))
    }
}

impl From<Vec<EgressRule>> for EgressRules {
    fn from(rules: Vec<EgressRule>) -> Self {
        Self(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(entries: &[&str]) -> EgressRules {
        entries.iter().map(|entry| entry.parse().unwrap()).collect::<Vec<EgressRule>>().into()
    }

    fn allow(entries: &[&str], host: &str, port: u16) -> Result<(), NotListed> {
        rules(entries).allow(&AskedHost::read(host), port)
    }

    #[test]
    fn a_name_is_allowed_as_it_is_written_and_on_the_usual_ports() {
        let list = ["registry.example.org", "npm.example.org:4873"];
        for (host, port) in [("registry.example.org", 443), ("Registry.Example.ORG.", 80)] {
            assert_eq!(allow(&list, host, port), Ok(()), "{host}:{port}");
        }
        assert_eq!(allow(&list, "npm.example.org", 4_873), Ok(()));
        assert_eq!(allow(&list, "npm.example.org", 443), Err(NotListed::Port));
        assert_eq!(allow(&list, "registry.example.org", 22), Err(NotListed::Port));
        for host in ["example.org", "a.registry.example.org", "registry.example.org.evil.net"] {
            assert_eq!(allow(&list, host, 443), Err(NotListed::Host), "{host}");
        }
        assert_eq!(allow(&[], "registry.example.org", 443), Err(NotListed::Host));
    }

    #[test]
    fn a_star_stands_for_every_name_below_and_not_for_the_name() {
        let list = ["*.example.org"];
        assert_eq!(allow(&list, "a.example.org", 443), Ok(()));
        assert_eq!(allow(&list, "a.b.example.org", 443), Ok(()));
        for host in ["example.org", "aexample.org", ".example.org", "a.example.org.net"] {
            assert_eq!(allow(&list, host, 443), Err(NotListed::Host), "{host}");
        }
    }

    #[test]
    fn an_address_is_asked_for_by_number_only_when_it_is_listed() {
        let list = ["10.1.2.3", "fd00::7", "192.168.0.0/24", "10.9.9.9:4873"];
        for (host, port) in
            [("10.1.2.3", 443), ("[fd00::7]", 80), ("192.168.0.9", 80), ("10.9.9.9", 4_873)]
        {
            assert_eq!(allow(&list, host, port), Ok(()), "{host}");
        }
        assert_eq!(allow(&list, "[::ffff:10.1.2.3]", 443), Ok(()));
        assert_eq!(allow(&list, "10.9.9.9", 443), Err(NotListed::Port));
        for host in ["10.1.2.4", "192.168.1.1", "1.1.1.1", "0x0a010203", "167838211", "10.66051"] {
            assert_eq!(allow(&list, host, 443), Err(NotListed::Host), "{host}");
        }
    }

    #[test]
    fn a_name_may_lead_inward_only_to_what_is_listed() {
        let list = rules(&["npm.example.org:4873", "10.1.2.3", "127.0.0.1:5000", "fd00::/8"]);
        let leads = |address: &str, port| list.allow_address(address.parse().unwrap(), port);
        assert_eq!(leads("1.1.1.1", 443), Ok(()));
        assert_eq!(leads("10.1.2.3", 4_873), Ok(()));
        assert_eq!(leads("::ffff:10.1.2.3", 4_873), Ok(()));
        assert_eq!(leads("fd12::1", 443), Ok(()));
        assert_eq!(leads("10.1.2.4", 4_873), Err(Inward::Private));
        assert_eq!(leads("127.0.0.1", 5_000), Ok(()));
        assert_eq!(leads("127.0.0.1", 6_379), Err(Inward::Machine));
        assert_eq!(leads("169.254.169.254", 80), Err(Inward::Link));
    }
}
