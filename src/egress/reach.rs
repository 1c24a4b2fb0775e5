//! From a host that was asked for to a connection with it, or why there is none.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};

use crate::domain::egress::{AskedHost, Inward, NotListed};
use crate::egress::refusal::Why;
use crate::egress::{Settings, Stream};
use crate::tasks::Tasks;

/// Most addresses of a name that are tried.
const MOST_TRIED: usize = 8;

/// Connects to a host that is in the list.
///
/// # Errors
///
/// Why there is no connection.
pub(super) async fn reach(
    host: &AskedHost,
    port: u16,
    settings: &Settings,
    tasks: &Tasks,
) -> Result<Box<dyn Stream>, Why> {
    settings.rules.allow(host, port).map_err(|missing| match missing {
        NotListed::Host => Why::Host,
        NotListed::Port => Why::Port,
    })?;
    let limit = settings.limits.connect;
    let connected = tokio::time::timeout(limit, connect(host, port, settings, tasks)).await;
    connected.unwrap_or(Err(Why::Silent(limit)))
}

async fn connect(
    host: &AskedHost,
    port: u16,
    settings: &Settings,
    tasks: &Tasks,
) -> Result<Box<dyn Stream>, Why> {
    let upstream = settings.upstream.as_ref().filter(|upstream| !upstream.leaves_out(host));
    if let (Some(upstream), AskedHost::Name(_)) = (upstream, host) {
        let connected = upstream.connect(host, port, tasks).await;
        return connected.map_err(|error| Why::Down(error.to_string()));
    }
    let allowed = allowed(addresses(host, port).await?, settings)?;
    let limit = settings.limits.connect / u32::try_from(allowed.len()).unwrap_or(1);
    let socket = first(&allowed, limit).await?;
    socket.set_nodelay(true).map_err(|error| Why::Down(error.to_string()))?;
    Ok(Box::new(socket))
}

/// Where a host is.
async fn addresses(host: &AskedHost, port: u16) -> Result<Vec<SocketAddr>, Why> {
    let name = match host {
        AskedHost::Address(address) => return Ok(vec![SocketAddr::new(*address, port)]),
        AskedHost::Name(name) => name,
    };
    let found = lookup_host((name.as_str(), port)).await;
    let found = found.map_err(|error| Why::Unknown(error.to_string()))?;
    Ok(found.map(|address| SocketAddr::new(address.ip().to_canonical(), port)).collect())
}

/// Those that may be connected to; when there are none, why not the first.
fn allowed(addresses: Vec<SocketAddr>, settings: &Settings) -> Result<Vec<SocketAddr>, Why> {
    let mut allowed = Vec::new();
    let mut why = Why::Unknown("its name has no address".to_owned());
    for address in addresses.into_iter().take(MOST_TRIED).rev() {
        let ip = address.ip();
        match settings.rules.allow_address(ip, address.port()) {
            Err(kind) => why = Why::Inward(ip, kind),
            Ok(()) if !settings.rules.lists_address(ip, address.port()) && is_own(ip) => {
                why = Why::Inward(ip, Inward::Machine);
            }
            Ok(()) => allowed.push(address),
        }
    }
    allowed.reverse();
    if allowed.is_empty() { Err(why) } else { Ok(allowed) }
}

/// Whether an address is one of this machine: then what is sent there comes from there.
fn is_own(address: IpAddr) -> bool {
    let from = || -> io::Result<IpAddr> {
        let any: IpAddr = if address.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() };
        let socket = UdpSocket::bind((any, 0))?;
        // Nothing is sent by this: the kernel chooses a route, and with it the sender's address.
        socket.connect((address, 9))?;
        Ok(socket.local_addr()?.ip())
    };
    // Where no route leads, no connection will.
    from().is_ok_and(|from| from == address)
}

/// A connection to the first that takes one.
async fn first(addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, Why> {
    let mut why = Why::Silent(limit);
    for address in addresses {
        match tokio::time::timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => why = Why::Down(error.to_string()),
            Err(_elapsed) => {}
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_machine_is_known_by_where_it_leads() {
        assert!(is_own("127.0.0.1".parse().unwrap()));
        assert!(!is_own("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn only_allowed_addresses_of_a_name_are_left() {
        let settings = Settings {
            rules: vec!["a.example.org".parse().unwrap(), "10.0.0.7".parse().unwrap()].into(),
            ..Settings::default()
        };
        let of = |texts: &[&str]| {
            let addresses = texts.iter().map(|text| text.parse().unwrap()).collect();
            allowed(addresses, &settings)
        };
        let expected: SocketAddr = "10.0.0.7:443".parse().unwrap();
        assert_eq!(of(&["127.0.0.1:443", "10.0.0.7:443", "10.0.0.8:443"]), Ok(vec![expected]));
        let inward = Why::Inward("169.254.169.254".parse().unwrap(), Inward::Link);
        assert_eq!(of(&["169.254.169.254:80", "10.0.0.8:80"]), Err(inward));
        assert!(matches!(of(&[]), Err(Why::Unknown(_))));
    }
}
