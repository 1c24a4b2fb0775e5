//! The way out for foreign code: an HTTP proxy that knows a list of hosts.
//!
//! ```text
//!  client ──▶ connection ──▶ CONNECT host:port, GET http://host/
//!                               │ listed?        │ leads where?       │
//!                               ▼ no             ▼ inward             ▼ nowhere
//!                              403              403                  502
//! ```
//!
//! A name is resolved once for each connection, by the system's resolver, and what is connected to
//! is the address that was looked at. Whoever can reach the proxy can use it: its socket belongs into
//! one cage, and each run of foreign code gets a proxy of its own.

mod answer;
mod inside;
mod passage;
mod program;
mod reach;
mod refusal;
mod traffic;
mod upstream;

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::warn;

use crate::domain::egress::EgressRules;
use crate::egress::answer::{Answering, connection};
use crate::egress::refusal::Reporter;
use crate::tasks::{StillRunning, Tasks};

pub use inside::{forward, run, until_asked_to_end};
pub use passage::Passage;
pub use program::{Gate, GateError, gate};
pub use refusal::{Refused, Why};
pub use traffic::Traffic;
pub use upstream::{BadUpstream, Upstream};

/// Pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// How long stopping waits for what it has cut.
const GRACE: Duration = Duration::from_secs(5);

/// What hooks reach without the proxy: servers that they start themselves.
const NOT_PROXIED: &str = "localhost,127.0.0.1,::1";

/// How much the proxy bears.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most connections at once. Past it new ones wait unanswered in the listener's backlog.
    pub connections: usize,
    /// Time a client has to send a request's head, and to begin its next one.
    pub head: Duration,
    /// Time to find the address of a host and to connect to it.
    pub connect: Duration,
    /// How long a connection may go on without a byte in either direction.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            head: Duration::from_secs(10),
            connect: Duration::from_secs(15),
            idle: Duration::from_secs(300),
        }
    }
}

/// Whom a proxy serves, and how.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What may be connected to.
    pub rules: EgressRules,
    /// How people call the list, as in `add it to network of hook npm-22`.
    pub list: String,
    /// The proxy by which the machine itself reaches the outside.
    pub upstream: Option<Upstream>,
    /// How much it bears.
    pub limits: Limits,
}

/// Where a proxy listens.
#[derive(Debug, Clone)]
pub enum Listen {
    /// A TCP address; every process that reaches it can use the proxy.
    Tcp(SocketAddr),
    /// A Unix socket, which is made and removed, for its owner alone.
    Unix(PathBuf),
}

/// A proxy does not listen.
#[derive(Debug, thiserror::Error)]
#[error("the proxy for hooks cannot listen on {place}; is the folder there, and ours?")]
pub struct ListenError {
    place: String,
    source: io::Error,
}

/// A running proxy; dropped, it ends with all its connections.
#[derive(Debug)]
pub struct Proxy {
    address: Option<SocketAddr>,
    socket: Option<PathBuf>,
    traffic: Traffic,
    tasks: Tasks,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

#[derive(Debug)]
enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What both sides of a connection are.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Proxy {
    /// Starts one. What it refuses comes out of the receiver, each host and reason once; that ends
    /// when the proxy has.
    ///
    /// # Errors
    ///
    /// When it cannot listen there.
    pub async fn start(
        listen: &Listen,
        settings: Settings,
    ) -> Result<(Self, mpsc::Receiver<Refused>), ListenError> {
        let failed = |source| ListenError { place: listen.to_string(), source };
        let (listener, address, socket) = listener(listen).await.map_err(failed)?;
        let (reporter, refused) = Reporter::new(settings.list.clone());
        let (tasks, traffic) = (Tasks::default(), Traffic::default());
        let connections = settings.limits.connections;
        let answering =
            Answering { settings, traffic: traffic.clone(), reporter, tasks: tasks.clone() };
        drop(tasks.start(accept_all(listener, connections, Arc::new(answering))));
        Ok((Self { address, socket, traffic, tasks }, refused))
    }

    /// The TCP address at which it listens, if it does.
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// What it has passed on so far.
    pub const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Cuts all connections and waits until they have ended.
    ///
    /// # Errors
    ///
    /// When some have not after a few seconds.
    pub async fn stop(self) -> Result<(), StillRunning> {
        self.tasks.shut_down(GRACE).await
    }
}

/// The variables by which clients find a proxy.
pub fn variables(address: SocketAddr) -> Vec<(&'static str, String)> {
    let proxy = format!("http://{address}");
    // `HTTP_PROXY` alone is not read by all: in CGI it would be a header of the client.
    let mut variables: Vec<_> = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]
        .map(|name| (name, proxy.clone()))
        .into();
    variables.extend(["no_proxy", "NO_PROXY"].map(|name| (name, NOT_PROXIED.to_owned())));
    variables
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.tasks.stop();
        if let Some(socket) = &self.socket {
            // Its folder may have gone before.
            std::fs::remove_file(socket).ok();
        }
    }
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

async fn listener(listen: &Listen) -> io::Result<(Listener, Option<SocketAddr>, Option<PathBuf>)> {
    match listen {
        Listen::Tcp(address) => {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok((Listener::Tcp(listener), Some(address), None))
        }
        Listen::Unix(path) => {
            let listener = UnixListener::bind(path)?;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
            Ok((Listener::Unix(listener), None, Some(path.clone())))
        }
    }
}

async fn accept_all(listener: Listener, connections: usize, answering: Arc<Answering>) {
    let places = Arc::new(Semaphore::new(connections));
    let tasks = answering.tasks.clone();
    loop {
        let accepted = tokio::select! {
            () = tasks.stopping() => return,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((Accepted::Tcp(socket), place)) => {
                drop(tasks.start(connection(socket, place, Arc::clone(&answering))));
            }
            Ok((Accepted::Unix(socket), place)) => {
                drop(tasks.start(connection(socket, place, Arc::clone(&answering))));
            }
            Err(error) => {
                // Out of file descriptors, most likely: others must end first.
                warn!("Could not accept a connection of a hook: {error}");
                tasks.pause(PAUSE).await;
            }
        }
    }
}

/// Waits for a place, then for a client: one that cannot be served yet is not accepted.
async fn accept(
    listener: &Listener,
    places: &Arc<Semaphore>,
) -> io::Result<(Accepted, Arc<OwnedSemaphorePermit>)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let accepted = match listener {
        Listener::Tcp(listener) => {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            Accepted::Tcp(socket)
        }
        Listener::Unix(listener) => Accepted::Unix(listener.accept().await?.0),
    };
    Ok((accepted, Arc::new(place)))
}
