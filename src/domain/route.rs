//! Which request goes where.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A host name as requests carry it: lower case, without a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Host(String);

/// The text is no host name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host name")]
pub struct BadHost(String);

impl Host {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Host {
    type Err = BadHost;

    /// Reads RFC 1123 labels; capitals and one final dot are taken away.
    fn from_str(text: &str) -> Result<Self, BadHost> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let label_fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() <= 253 && name.split('.').all(label_fits) {
            Ok(Self(name))
        } else {
            Err(BadHost(text.chars().take(260).filter(|c| !c.is_control()).collect()))
        }
    }
}

impl TryFrom<String> for Host {
    type Error = BadHost;

    fn try_from(text: String) -> Result<Self, BadHost> {
        text.parse()
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One rule of the HTTP entrance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The host asked for.
    pub host: Host,
    /// Prefix of the path, on segment borders; `/` is every path.
    pub path: String,
    /// Who answers, in turn; never empty.
    pub upstreams: Vec<SocketAddr>,
}

/// Every route, ready to be asked.
#[derive(Debug, Default)]
pub struct RouteTable {
    hosts: HashMap<Host, Vec<Route>>,
}

impl RouteTable {
    /// Orders routes so that the most specific path is found first.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Self {
        let mut hosts: HashMap<Host, Vec<Route>> = HashMap::new();
        for route in routes {
            hosts.entry(route.host.clone()).or_default().push(route);
        }
        for routes in hosts.values_mut() {
            routes.sort_by_key(|route| std::cmp::Reverse(route.path.len()));
        }
        Self { hosts }
    }

    /// Whether there is any route for a host.
    pub fn has_host(&self, host: &Host) -> bool {
        self.hosts.contains_key(host)
    }

    /// The route for a request, if there is one.
    pub fn find(&self, host: &Host, path: &str) -> Option<&Route> {
        self.hosts.get(host)?.iter().find(|route| is_prefix(&route.path, path))
    }
}

/// Whether `prefix` covers `path`: `/api` covers `/api` and `/api/x`, not `/apix`.
fn is_prefix(prefix: &str, path: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(host: &str, path: &str, port: u16) -> Route {
        let upstreams = vec![SocketAddr::from(([127, 0, 0, 1], port))];
        Route { host: host.parse().unwrap(), path: path.to_owned(), upstreams }
    }

    #[test]
    fn the_most_specific_path_wins_on_segment_borders() {
        let table = RouteTable::new([
            route("a.localhost", "/", 1),
            route("a.localhost", "/api", 2),
            route("a.localhost", "/api/v2/", 3),
            route("b.localhost", "/only", 4),
        ]);
        let port = |host: &str, path| {
            table.find(&host.parse().unwrap(), path).map(|route| route.upstreams[0].port())
        };
        assert_eq!(port("a.localhost", "/"), Some(1));
        assert_eq!(port("A.Localhost.", "/apix"), Some(1));
        assert_eq!(port("a.localhost", "/api"), Some(2));
        assert_eq!(port("a.localhost", "/api/v1"), Some(2));
        assert_eq!(port("a.localhost", "/api/v2"), Some(3));
        assert_eq!(port("b.localhost", "/"), None);
        assert_eq!(port("c.localhost", "/"), None);
        assert!(table.has_host(&"b.localhost".parse().unwrap()));
        assert!(!table.has_host(&"c.localhost".parse().unwrap()));
    }

    #[test]
    fn a_host_has_no_port_path_or_blank() {
        for text in ["", "a b", "a:80", "a/b", "-a", "a..b", "é.localhost"] {
            assert!(text.parse::<Host>().is_err(), "{text:?}");
        }
    }
}
