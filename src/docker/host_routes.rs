//! Where this machine sends packets, which no engine looks at for addresses it is told to use.

use std::io;
use std::net::Ipv4Addr;

use crate::domain::address_pool::Subnet;

/// Every route of this process's network namespace, in the form of proc(5).
const ROUTES: &str = "/proc/self/net/route";

/// A network that this machine reaches through an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HostRoute {
    interface: String,
    address: Ipv4Addr,
    /// As a prefix length.
    length: u8,
}

impl HostRoute {
    /// Whether packets to some address of this network could go this way, other than by default.
    fn leads_into(&self, subnet: Subnet) -> bool {
        self.length > 0 && subnet.overlaps(self.address, self.length)
    }
}

/// Whether packets to this network leave by an interface other than its own.
///
/// # Errors
///
/// When the kernel does not tell its routes.
pub(super) async fn is_led_elsewhere(subnet: Subnet, own: Option<&str>) -> io::Result<bool> {
    let text = tokio::fs::read_to_string(ROUTES).await?;
    Ok(routes(&text).any(|route| Some(&*route.interface) != own && route.leads_into(subnet)))
}

/// The routes of a table; a line in another form is no route.
fn routes(table: &str) -> impl Iterator<Item = HostRoute> {
    table.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_ascii_whitespace();
        let interface = columns.next()?.to_owned();
        let address = Ipv4Addr::from_bits(word(columns.next()?)?);
        let mask = word(columns.nth(5)?)?;
        Some(HostRoute { interface, address, length: u8::try_from(mask.leading_ones()).ok()? })
    })
}

/// An address as the kernel prints it: its bytes in memory, read as a number.
fn word(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok().map(|raw| u32::from_be_bytes(raw.to_ne_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
br-1\t4075D50A\t00000000\t0001\t0\t0\t0\tC0FFFFFF\t0\t0\t0
tun0\t0000D70A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
";

    #[test]
    fn only_networks_that_another_interface_reaches_are_led_elsewhere() {
        let table: Vec<_> = routes(TABLE).collect();
        assert_eq!(table.len(), 3);
        let led = |subnet: &str| {
            let subnet = subnet.parse().unwrap();
            let ways = table.iter().filter(|route| route.leads_into(subnet));
            ways.map(|route| route.interface.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(led("10.213.117.64/26"), ["br-1"]);
        assert_eq!(led("10.213.117.0/24"), ["br-1"]);
        assert_eq!(led("10.213.117.128/26"), [""; 0]);
        assert_eq!(led("10.215.9.0/26"), ["tun0"]);
    }
}
