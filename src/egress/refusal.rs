//! What is not connected to, and how the client and the caller are told.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::ext::ReasonPhrase;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::sync::mpsc;
use tracing::debug;

use crate::domain::egress::{AskedHost, Inward};

/// Most refusals that the caller is told, which is also what waits for it: past it, foreign code is
/// trying doors, and one more name says nothing.
const MOST_TOLD: usize = 100;

/// Why a host was not connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It is not in the list.
    Host,
    /// It is, for other ports.
    Port,
    /// Its name leads to an address that is none of the public network, and not in the list.
    Inward(IpAddr, Inward),
    /// Its name leads nowhere.
    Unknown(String),
    /// It did not take the connection, or broke it.
    Down(String),
    /// It did not answer in this time.
    Silent(Duration),
}

impl Why {
    /// Whether the list is why.
    pub const fn is_of_list(&self) -> bool {
        matches!(self, Self::Host | Self::Port | Self::Inward(..))
    }
}

/// A host that was not connected to; as text it says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What was asked for.
    pub host: AskedHost,
    /// Its port.
    pub port: u16,
    /// Why not.
    pub why: Why,
    /// How people call the list.
    list: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, why, list } = self;
        let entry = match port {
            80 | 443 if *why == Why::Host => host.to_string(),
            _ => format!("{host}:{port}"),
        };
        match why {
            Why::Host => write!(f, "{host}:{port} is not allowed: add {entry} to {list}"),
            Why::Port => {
                write!(f, "{host} is allowed on other ports only: add {entry} to {list}")
            }
            Why::Inward(address, kind) => write!(
                f,
                "{host} leads to {address}, {kind}: if that is right, add {address} to {list}"
            ),
            Why::Unknown(cause) => write!(f, "{host} cannot be found: {cause}"),
            Why::Down(cause) => write!(f, "{host}:{port} cannot be reached: {cause}"),
            Why::Silent(limit) => {
                write!(f, "{host}:{port} did not answer within {} s", limit.as_secs())
            }
        }
    }
}

/// Tells the caller what was refused, each host and reason once.
#[derive(Debug)]
pub(super) struct Reporter {
    list: String,
    sender: mpsc::Sender<Refused>,
    /// Held for a look only.
    told: Mutex<HashSet<String>>,
}

impl Reporter {
    pub(super) fn new(list: String) -> (Self, mpsc::Receiver<Refused>) {
        let (sender, receiver) = mpsc::channel(MOST_TOLD);
        (Self { list, sender, told: Mutex::default() }, receiver)
    }

    /// Tells the caller, and gives the answer for the client.
    pub(super) fn refuse(&self, host: AskedHost, port: u16, why: Why) -> Response<Full<Bytes>> {
        let is_of_list = why.is_of_list();
        let text = self.tell(host, port, why);
        let status = if is_of_list { StatusCode::FORBIDDEN } else { StatusCode::BAD_GATEWAY };
        answer(status, &text)
    }

    /// Tells the caller, and gives what was told.
    pub(super) fn tell(&self, host: AskedHost, port: u16, why: Why) -> String {
        let refused = Refused { host, port, why, list: self.list.clone() };
        let text = refused.to_string();
        debug!("Refused a connection: {text}");
        if self.is_new(&text) {
            // There is room for all that is told; whoever does not listen needs none of it.
            self.sender.try_send(refused).unwrap_or_default();
        }
        text
    }

    fn is_new(&self, text: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < MOST_TOLD && told.insert(text.to_owned())
    }
}

/// An answer of the proxy itself. Many clients show of it only the line with its status.
pub(super) fn answer(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(format!("pierhead: {text}\n").into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if let Ok(phrase) = ReasonPhrase::try_from(text.to_owned()) {
        response.extensions_mut().insert(phrase);
    }
    response
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn told(host: &str, port: u16, why: Why) -> String {
        let list = "network of hook npm-22".to_owned();
        Refused { host: AskedHost::read(host), port, why, list }.to_string()
    }

    #[test]
    fn a_refusal_names_the_host_and_what_to_do() {
        let private = Why::Inward("10.1.2.3".parse().unwrap(), Inward::Private);
        assert_snapshot!(
            [
                told("evil.example.org", 443, Why::Host),
                told("npm.example.org", 4_873, Why::Host),
                told("[fd00::7]", 80, Why::Host),
                told("npm.example.org", 22, Why::Port),
                told("npm.example.org", 443, private),
                told("npm.example.org", 443, Why::Unknown("no such name".to_owned())),
                told("npm.example.org", 443, Why::Down("connection refused".to_owned())),
                told("npm.example.org", 443, Why::Silent(Duration::from_secs(15))),
            ]
            .join("\n"),
            @"
        evil.example.org:443 is not allowed: add evil.example.org to network of hook npm-22
        npm.example.org:4873 is not allowed: add npm.example.org:4873 to network of hook npm-22
        [fd00::7]:80 is not allowed: add [fd00::7] to network of hook npm-22
        npm.example.org is allowed on other ports only: add npm.example.org:22 to network of hook npm-22
        npm.example.org leads to 10.1.2.3, a private address: if that is right, add 10.1.2.3 to network of hook npm-22
        npm.example.org cannot be found: no such name
        npm.example.org:443 cannot be reached: connection refused
        npm.example.org:443 did not answer within 15 s
        "
        );
    }

    #[test]
    fn the_caller_is_told_once_and_not_without_end() {
        let (reporter, mut refused) = Reporter::new("the list".to_owned());
        for number in 0..2 * MOST_TOLD {
            for _ in 0..2 {
                let host = AskedHost::read(&format!("host-{number}.example.org"));
                drop(reporter.refuse(host, 443, Why::Host));
            }
        }
        let mut count = 0;
        while refused.try_recv().is_ok() {
            count += 1;
        }
        assert_eq!(count, MOST_TOLD);
    }
}
