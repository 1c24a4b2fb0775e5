//! Addresses that networks of deployments are cut from.
//!
//! Each deployment gets a network of its own whose addresses are fixed, so that a container keeps
//! its address when it or the machine starts again, and the router need not be told.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Smallest network that is cut, as a prefix length: 61 containers.
const SMALLEST: u8 = 26;

/// Addresses of a network that no container gets: the network's, the gateway's, the broadcast's.
const RESERVED: u32 = 3;

/// An IPv4 network, such as `10.213.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    first: u32,
    length: u8,
}

/// Where networks are cut from.
pub type AddressPool = Subnet;

/// The text is no IPv4 network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an IPv4 network such as 10.213.0.0/16")]
pub struct BadSubnet(String);

impl Subnet {
    /// Networks for so many containers, each of them once, beginning anywhere.
    ///
    /// `seed` picks the first, so that two deployments seldom try the same one.
    pub fn cut(self, containers: u32, seed: u64) -> impl Iterator<Item = Self> {
        let needed = containers.saturating_add(RESERVED).next_power_of_two();
        let fitting = 32_u8.saturating_sub(u8::try_from(needed.ilog2()).unwrap_or(32));
        let length = fitting.min(SMALLEST);
        let count = match length.checked_sub(self.length) {
            Some(bits) => 1_u64.checked_shl(u32::from(bits)).unwrap_or(0),
            None => 0,
        };
        (0..count).filter_map(move |offset| {
            let index = u32::try_from((seed % count + offset) % count).ok()?;
            let first = self.first.checked_add(index.checked_shl(32 - u32::from(length))?)?;
            Some(Self { first, length })
        })
    }

    /// The gateway: the first address after the network's own.
    pub fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from(self.first.saturating_add(1))
    }

    /// The address of a container, counted from 0; `None` past the end.
    pub fn container(self, index: u32) -> Option<Ipv4Addr> {
        let address = self.first.checked_add(2)?.checked_add(index)?;
        (address < self.last()).then(|| Ipv4Addr::from(address))
    }

    /// Whether it shares an address with another network, given with its prefix length.
    pub fn overlaps(self, network: Ipv4Addr, length: u8) -> bool {
        let shared = u32::from(self.length.min(length).min(32));
        let differing = self.first ^ u32::from(network);
        differing.checked_shr(32 - shared).unwrap_or(0) == 0
    }

    /// The broadcast address.
    fn last(self) -> u32 {
        self.first | u32::MAX.checked_shr(u32::from(self.length)).unwrap_or(0)
    }
}

impl FromStr for Subnet {
    type Err = BadSubnet;

    fn from_str(text: &str) -> Result<Self, BadSubnet> {
        let bad = || BadSubnet(text.chars().take(40).collect());
        let (address, length) = text.split_once('/').ok_or_else(bad)?;
        let address: Ipv4Addr = address.parse().map_err(|_not_an_address| bad())?;
        let length: u8 = length.parse().map_err(|_not_a_number| bad())?;
        let network = Self { first: u32::from(address), length };
        let is_network = (8..=30).contains(&length)
            && network.first & u32::MAX.checked_shr(u32::from(length)).unwrap_or(0) == 0;
        is_network.then_some(network).ok_or_else(bad)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.length)
    }
}

impl TryFrom<String> for Subnet {
    type Error = BadSubnet;

    fn try_from(text: String) -> Result<Self, BadSubnet> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> Self {
        subnet.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_network_of_a_pool_is_cut_once() {
        let pool: AddressPool = "10.213.0.0/16".parse().unwrap();
        let cut: Vec<String> = pool.cut(3, 1_023).map(|net| net.to_string()).collect();
        assert_eq!(cut.len(), 1_024);
        assert_eq!(cut.iter().collect::<HashSet<_>>().len(), 1_024);
        assert_eq!((cut[0].as_str(), cut[1].as_str()), ("10.213.255.192/26", "10.213.0.0/26"));
    }

    #[test]
    fn a_network_is_as_large_as_its_containers_need() {
        let pool: AddressPool = "10.213.0.0/16".parse().unwrap();
        for (containers, expected) in [(61, 26), (62, 25), (1_000, 22)] {
            let network = pool.cut(containers, 0).next().unwrap();
            assert_eq!(network.length, expected, "{containers}");
            assert!(network.container(containers - 1).is_some());
        }
        assert_eq!(pool.cut(100_000, 0).count(), 0);
    }

    #[test]
    fn containers_come_after_the_gateway_and_before_the_broadcast() {
        let network: Subnet = "10.0.0.64/26".parse().unwrap();
        assert_eq!(network.gateway().to_string(), "10.0.0.65");
        assert_eq!(network.container(0).unwrap().to_string(), "10.0.0.66");
        assert_eq!(network.container(60).unwrap().to_string(), "10.0.0.126");
        assert_eq!(network.container(61), None);
    }

    #[test]
    fn networks_overlap_when_one_holds_the_other() {
        let network: Subnet = "10.0.0.64/26".parse().unwrap();
        let overlaps = |address: &str, length| network.overlaps(address.parse().unwrap(), length);
        assert!(overlaps("10.0.0.64", 26) && overlaps("10.0.0.0", 8) && overlaps("10.0.0.70", 32));
        assert!(overlaps("0.0.0.0", 0));
        assert!(!overlaps("10.0.0.128", 26) && !overlaps("10.0.0.63", 32));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["all", "10.0.0.1/16", "10.0.0.0", "10.0.0.0/4", "::/64", "10.0.0.0/33"] {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
    }
}
