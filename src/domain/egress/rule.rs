//! One entry of a list of hosts.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::egress::{AskedHost, LONGEST_NAME};

/// One entry, such as `registry.example.org`, `*.example.org:8443` or `10.1.0.0/16`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EgressRule {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    Name(String),
    /// Every name that ends with it; it begins with a dot.
    Below(String),
    Network {
        first: IpAddr,
        length: u8,
    },
}

/// The text is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no host that hooks may connect to: {advice}")]
pub struct BadEgressRule {
    text: String,
    advice: &'static str,
}

const NO_NAME: &str = "write a name such as registry.example.org, with a port after a colon if it is \
                       another one than 80 and 443";
const NO_URL: &str = "write the name alone, without https:// and without a path";
const NO_PORT: &str = "a port is a number from 1 to 65535";
const NO_STAR: &str = "a star stands alone before the first dot, as in *.example.org";
const NO_NETWORK: &str =
    "a network is its first address and a length, such as 10.1.0.0/16 or fd00::/8";

impl EgressRule {
    /// Whether it is about this host.
    pub(super) fn names(&self, host: &AskedHost) -> bool {
        match (&self.hosts, host) {
            (Hosts::Name(own), AskedHost::Name(name)) => own == name,
            (Hosts::Below(end), AskedHost::Name(name)) => {
                name.strip_suffix(end.as_str()).is_some_and(is_name)
            }
            (Hosts::Network { first, length }, AskedHost::Address(address)) => {
                masked(*address, *length) == masked(*first, *length)
            }
            _ => false,
        }
    }

    /// The only port, if it has one.
    pub(super) const fn port(&self) -> Option<u16> {
        self.port
    }
}

/// An address with all bits but the first ones cleared, and those of IPv4 behind all of IPv6.
fn masked(address: IpAddr, length: u8) -> (bool, u128) {
    let keep = |bits: u32| u32::from(length).min(bits);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - keep(32)).unwrap_or(0);
            (true, u128::from(u32::from(address) & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - keep(128)).unwrap_or(0);
            (false, u128::from(address) & mask)
        }
    }
}

/// Whether it is made of labels that a host may have.
fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(allowed);
    text.len() <= LONGEST_NAME && text.split('.').all(label)
}

/// Whether a resolver may read it as an address in one of its old forms: `127.1`, `0x7f000001`.
fn is_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x")
}

fn name(text: &str) -> Result<Hosts, &'static str> {
    let lower = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let bare = lower.strip_prefix("*.");
    let checked = bare.unwrap_or(&lower);
    if checked.contains('*') {
        return Err(NO_STAR);
    }
    if !is_name(checked) || is_number(checked) {
        return Err(NO_NAME);
    }
    Ok(match bare {
        Some(bare) => Hosts::Below(format!(".{bare}")),
        None => Hosts::Name(lower),
    })
}

fn network(text: &str) -> Option<Hosts> {
    let (address, length) = text.split_once('/')?;
    let first: IpAddr = address.parse().ok()?;
    let length: u8 = length.parse().ok()?;
    let longest = if first.is_ipv4() { 32 } else { 128 };
    let begins = masked(first, length) == masked(first, 128);
    (length > 0 && length <= longest && begins).then_some(Hosts::Network { first, length })
}

fn address(address: IpAddr) -> Hosts {
    let first = address.to_canonical();
    Hosts::Network { first, length: if first.is_ipv4() { 32 } else { 128 } }
}

fn read(text: &str) -> Result<EgressRule, &'static str> {
    if text.contains("://") {
        return Err(NO_URL);
    }
    if let Some((before, _)) = text.split_once('/') {
        let is_address = before.parse::<IpAddr>().is_ok();
        let hosts = network(text).ok_or(if is_address { NO_NETWORK } else { NO_URL })?;
        return Ok(EgressRule { hosts, port: None });
    }
    if let Ok(own) = text.parse::<IpAddr>() {
        return Ok(EgressRule { hosts: address(own), port: None });
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        Some(_) | None => (text, None),
    };
    let port = match port.map(str::parse) {
        None => None,
        Some(Ok(port)) if port > 0 => Some(port),
        Some(_) => return Err(NO_PORT),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let hosts = match bare.parse::<IpAddr>() {
        Ok(own) => address(own),
        Err(_no_address) => name(host)?,
    };
    Ok(EgressRule { hosts, port })
}

impl FromStr for EgressRule {
    type Err = BadEgressRule;

    fn from_str(text: &str) -> Result<Self, BadEgressRule> {
        read(text).map_err(|advice| BadEgressRule {
            text: text.chars().take(80).filter(|c| !c.is_control()).collect(),
            advice,
        })
    }
}

impl fmt::Display for EgressRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::Name(name) => f.write_str(name)?,
            Hosts::Below(end) => write!(f, "*{end}")?,
            Hosts::Network { first: IpAddr::V4(first), length: 32 } => first.fmt(f)?,
            Hosts::Network { first: IpAddr::V6(first), length: 128 } => match self.port {
                Some(_) => write!(f, "[{first}]")?,
                None => first.fmt(f)?,
            },
            Hosts::Network { first, length } => write!(f, "{first}/{length}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl TryFrom<String> for EgressRule {
    type Error = BadEgressRule;

    fn try_from(text: String) -> Result<Self, BadEgressRule> {
        text.parse()
    }
}

impl From<EgressRule> for String {
    fn from(rule: EgressRule) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_written_as_they_are_read() {
        for text in [
            "registry.example.org",
            "npm.example.org:4873",
            "*.example.org",
            "*.example.org:8443",
            "localhost",
            "10.1.2.3",
            "10.1.2.3:4873",
            "10.1.0.0/16",
            "fd00::7",
            "[fd00::7]:4873",
            "fd00::/8",
        ] {
            assert_eq!(text.parse::<EgressRule>().unwrap().to_string(), text);
        }
        let mixed: EgressRule = "Registry.Example.ORG.".parse().unwrap();
        assert_eq!(mixed.to_string(), "registry.example.org");
    }

    #[test]
    fn what_is_no_entry_is_told_with_what_to_write() {
        for (text, advice) in [
            ("https://registry.example.org", NO_URL),
            ("registry.example.org/npm", NO_URL),
            ("a.example.org:0", NO_PORT),
            ("a.example.org:https", NO_PORT),
            ("a:b:443", NO_NAME),
            ("*", NO_STAR),
            ("a.*.org", NO_STAR),
            ("*example.org", NO_STAR),
            ("", NO_NAME),
            ("*.", NO_STAR),
            ("a..b", NO_NAME),
            ("exämple.org", NO_NAME),
            ("127.1", NO_NAME),
            ("0x7f000001", NO_NAME),
            ("2130706433", NO_NAME),
            ("10.1.2.3/16", NO_NETWORK),
            ("10.0.0.0/33", NO_NETWORK),
            ("0.0.0.0/0", NO_NETWORK),
        ] {
            assert_eq!(text.parse::<EgressRule>().unwrap_err().advice, advice, "{text}");
        }
    }
}
