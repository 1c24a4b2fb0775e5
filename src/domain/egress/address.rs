//! Which addresses lead into the machine or its neighbourhood, and not out of it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not one of the public network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inward {
    /// Of the machine itself, by any of its own addresses.
    Machine,
    /// Of the link alone, where metadata services of clouds are.
    Link,
    /// Of a private network.
    Private,
    /// Shared by the customers of a provider (RFC 6598).
    Shared,
    /// Of many at once.
    Multicast,
    /// Of nobody, or reserved.
    Reserved,
    /// Public in its form, but answered by the machine's own cloud.
    Cloud,
}

impl fmt::Display for Inward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Machine => "an address of this machine",
            Self::Link => "a link-local address",
            Self::Private => "a private address",
            Self::Shared => "an address of a provider's own network",
            Self::Multicast => "a multicast address",
            Self::Reserved => "a reserved address",
            Self::Cloud => "an address of the cloud's own services",
        })
    }
}

/// First bits of networks, how many of them count, and what they are.
const V4: [([u8; 4], u32, Inward); 14] = [
    ([0, 0, 0, 0], 8, Inward::Reserved),
    ([10, 0, 0, 0], 8, Inward::Private),
    ([100, 64, 0, 0], 10, Inward::Shared),
    ([127, 0, 0, 0], 8, Inward::Machine),
    // Azure's host answers there, on every machine.
    ([168, 63, 129, 16], 32, Inward::Cloud),
    ([169, 254, 0, 0], 16, Inward::Link),
    ([172, 16, 0, 0], 12, Inward::Private),
    // Oracle's metadata among others.
    ([192, 0, 0, 0], 24, Inward::Reserved),
    ([192, 88, 99, 0], 24, Inward::Reserved),
    ([192, 168, 0, 0], 16, Inward::Private),
    ([198, 18, 0, 0], 15, Inward::Reserved),
    ([224, 0, 0, 0], 4, Inward::Multicast),
    ([240, 0, 0, 0], 4, Inward::Reserved),
    ([255, 255, 255, 255], 32, Inward::Reserved),
];

/// Likewise, by their first two groups.
const V6: [([u16; 2], u32, Inward); 6] = [
    ([0xfc00, 0], 7, Inward::Private),
    ([0xfe80, 0], 10, Inward::Link),
    ([0xfec0, 0], 10, Inward::Private),
    ([0xff00, 0], 8, Inward::Multicast),
    // Teredo: where it leads is hidden in its bits.
    ([0x2001, 0], 32, Inward::Reserved),
    ([0x0100, 0], 32, Inward::Reserved),
];

/// Why an address leads inward; `None` for one of the public network.
pub fn inward(address: IpAddr) -> Option<Inward> {
    match address {
        IpAddr::V4(address) => inward_v4(address),
        IpAddr::V6(address) => inward_v6(address),
    }
}

fn inward_v4(address: Ipv4Addr) -> Option<Inward> {
    let bits = u32::from(address);
    let of = |(first, length, _): &&([u8; 4], u32, Inward)| {
        let differing = bits ^ u32::from_be_bytes(*first);
        differing.checked_shr(32 - length).unwrap_or(0) == 0
    };
    V4.iter().find(of).map(|(_, _, kind)| *kind)
}

fn inward_v6(address: Ipv6Addr) -> Option<Inward> {
    if address.is_loopback() {
        return Some(Inward::Machine);
    }
    if address.is_unspecified() {
        return Some(Inward::Reserved);
    }
    if let Some(within) = within(address) {
        return inward_v4(within);
    }
    let [first, second, third, ..] = address.segments();
    // NAT64 of a network's own choice: what it leads to cannot be read.
    if (first, second, third) == (0x64, 0xff9b, 1) {
        return Some(Inward::Reserved);
    }
    let bits = u32::from(first) << 16 | u32::from(second);
    let of = |([one, two], length, _): &&([u16; 2], u32, Inward)| {
        let differing = bits ^ (u32::from(*one) << 16 | u32::from(*two));
        differing.checked_shr(32 - length).unwrap_or(0) == 0
    };
    V6.iter().find(of).map(|(_, _, kind)| *kind)
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, by NAT64 or by 6to4.
fn within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, _, _, _, _, _] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<Inward> {
        inward(text.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_public_network_are_told_from_all_others() {
        for (kind_of, addresses) in [
            (Some(Inward::Machine), &["127.0.0.1", "127.255.0.9", "::1"][..]),
            (Some(Inward::Link), &["169.254.169.254", "fe80::1", "febf::1"]),
            (Some(Inward::Private), &["10.0.0.1", "172.16.0.1", "172.31.255.255"]),
            (Some(Inward::Private), &["192.168.1.1", "fc00::1", "fd00:ec2::254", "fec0::1"]),
            (Some(Inward::Shared), &["100.64.0.1", "100.100.100.200", "100.127.255.255"]),
            (Some(Inward::Multicast), &["224.0.0.1", "239.1.1.1", "ff02::1"]),
            (Some(Inward::Reserved), &["0.0.0.0", "0.1.2.3", "::", "255.255.255.255", "240.0.0.1"]),
            (Some(Inward::Reserved), &["192.0.0.192", "198.19.0.1", "2001::1", "64:ff9b:1::1"]),
            (Some(Inward::Cloud), &["168.63.129.16"]),
            (None, &["1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"]),
            (None, &["192.167.0.1", "9.255.255.255", "2606:4700::1", "2001:db8::1", "2001:1::1"]),
        ] {
            for address in addresses {
                assert_eq!(kind(address), kind_of, "{address}");
            }
        }
    }

    #[test]
    fn an_address_within_another_one_is_what_counts() {
        for form in ["::ffff:", "::", "::ffff:0:", "64:ff9b::"] {
            assert_eq!(kind(&format!("{form}10.1.2.3")), Some(Inward::Private), "{form}");
            assert_eq!(kind(&format!("{form}169.254.169.254")), Some(Inward::Link), "{form}");
            assert_eq!(kind(&format!("{form}127.0.0.1")), Some(Inward::Machine), "{form}");
            assert_eq!(kind(&format!("{form}1.1.1.1")), None, "{form}");
        }
        assert_eq!(kind("2002:7f00:1::"), Some(Inward::Machine));
        assert_eq!(kind("2002:101:101::"), None);
    }
}
