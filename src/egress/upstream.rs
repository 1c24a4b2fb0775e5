//! The proxy by which the machine itself reaches the outside.

use std::fmt;
use std::io;

use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::domain::egress::AskedHost;
use crate::egress::Stream;
use crate::tasks::Tasks;

/// Another proxy, which is asked for names in the place of a resolver.
///
/// Where a name leads is then its affair: only hosts that are asked for by their address are looked
/// at here.
#[derive(Clone)]
pub struct Upstream {
    host: String,
    port: u16,
    authorization: Option<HeaderValue>,
    /// Hosts that are reached without it: names and ends of names.
    direct: Vec<String>,
}

/// The text is no address of a proxy. It is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the proxy for the way out must be of the form http://host:port or http://user:password@host:port"
)]
pub struct BadUpstream;

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upstream({}:{})", self.host, self.port)
    }
}

impl Upstream {
    /// Reads `http://user:password@host:port`, as `HTTPS_PROXY` has it, and what `NO_PROXY` has:
    /// names with a comma between, each of which stands for those below it too.
    ///
    /// # Errors
    ///
    /// When it is of another form.
    pub fn new(address: &str, no_proxy: &str) -> Result<Self, BadUpstream> {
        let uri: Uri = address.parse().map_err(|_no_uri| BadUpstream)?;
        let authority = uri.authority().ok_or(BadUpstream)?;
        let is_plain = uri.scheme_str().is_none_or(|scheme| scheme == "http");
        if !is_plain || authority.host().is_empty() || !matches!(uri.path(), "" | "/") {
            return Err(BadUpstream);
        }
        let login = authority.as_str().rsplit_once('@').map(|(login, _)| unescaped(login));
        let authorization = login.map(|login| {
            let mut value =
                HeaderValue::try_from(format!("Basic {}", Base64::encode_string(&login)))
                    .map_err(|_no_value| BadUpstream)?;
            value.set_sensitive(true);
            Ok::<_, BadUpstream>(value)
        });
        let names = no_proxy.split(',').map(|name| name.trim().trim_start_matches("*."));
        let names = names.map(|name| name.trim_start_matches('.').to_ascii_lowercase());
        Ok(Self {
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authorization: authorization.transpose()?,
            direct: names.filter(|name| !name.is_empty()).collect(),
        })
    }

    /// Whether a host is reached without it.
    pub(super) fn leaves_out(&self, host: &AskedHost) -> bool {
        let host = host.to_string();
        let covers = |end: &String| {
            end == "*"
                || host.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.direct.iter().any(covers)
    }

    /// A connection to a host, through it.
    pub(super) async fn connect(
        &self,
        host: &AskedHost,
        port: u16,
        tasks: &Tasks,
    ) -> io::Result<Box<dyn Stream>> {
        let socket = TcpStream::connect((self.host.trim_matches(['[', ']']), self.port)).await?;
        socket.set_nodelay(true)?;
        let handshake = http1::handshake(TokioIo::new(socket)).await;
        let (mut sender, connection) = handshake.map_err(io::Error::other)?;
        let own = tasks.clone();
        drop(tasks.start(async move {
            tokio::select! {
                () = own.stopping() => {}
                // Whoever waits for the answer hears of it too.
                ended = connection.with_upgrades() => ended.unwrap_or_default(),
            }
        }));
        let mut response =
            sender.send_request(self.request(host, port)?).await.map_err(io::Error::other)?;
        if !response.status().is_success() {
            return Err(io::Error::other(format!(
                "the proxy of this machine says {}",
                response.status()
            )));
        }
        let upgraded = hyper::upgrade::on(&mut response).await.map_err(io::Error::other)?;
        Ok(Box::new(TokioIo::new(upgraded)))
    }

    fn request(&self, host: &AskedHost, port: u16) -> io::Result<Request<Empty<Bytes>>> {
        let target = format!("{host}:{port}");
        let mut request =
            Request::builder().method(Method::CONNECT).uri(&target).header(HOST, &target);
        if let Some(authorization) = &self.authorization {
            request = request.header(PROXY_AUTHORIZATION, authorization);
        }
        request.body(Empty::new()).map_err(io::Error::other)
    }
}

/// Bytes behind `%XX`; anything else as it is.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let code = after.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(b'%'));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_read_as_the_environment_has_it() {
        let upstream = Upstream::new("http://me:p%40ss@proxy.example.org:3128/", "").unwrap();
        assert_eq!(format!("{upstream:?}"), "Upstream(proxy.example.org:3128)");
        assert_eq!(upstream.authorization.unwrap(), "Basic bWU6cEBzcw==");
        assert_eq!(
            format!("{:?}", Upstream::new("10.0.0.1:8080", "").unwrap()),
            "Upstream(10.0.0.1:8080)"
        );
        for text in ["", "https://proxy.example.org", "socks5://a:1", "http://a/path", "http://"] {
            assert_eq!(Upstream::new(text, "").unwrap_err(), BadUpstream, "{text}");
        }
    }

    #[test]
    fn names_are_left_out_with_those_below_them() {
        let upstream =
            Upstream::new("http://proxy:3128", "corp.example, .lan,*.dev ,10.0.0.7").unwrap();
        let leaves_out = |host: &str| upstream.leaves_out(&AskedHost::read(host));
        for host in ["corp.example", "npm.corp.example", "a.lan", "b.dev", "10.0.0.7"] {
            assert!(leaves_out(host), "{host}");
        }
        for host in ["xcorp.example", "corp.example.org", "10.0.0.70"] {
            assert!(!leaves_out(host), "{host}");
        }
        assert!(
            Upstream::new("http://proxy:3128", "*").unwrap().leaves_out(&AskedHost::read("a.b"))
        );
    }
}
