//! Connections to applications, kept for the next request.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::router::silence::Upload;
use crate::router::{LONGEST_HEAD, MOST_HEADERS, headers, socket};
use crate::tasks::Tasks;

/// Time an upstream has to accept a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// How long an upstream that could not be connected to is asked last.
const AVOIDED_FOR: Duration = Duration::from_secs(10);

/// How long a connection is kept unused.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// Pause between two looks for connections that were kept long enough.
const SWEEP: Duration = Duration::from_secs(10);

/// Unused connections kept for one upstream. Past it they are closed after their request.
const MOST_KEPT: usize = 32;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// No upstream could be connected to; nothing was sent.
    #[error("no upstream accepts connections")]
    Unreachable,
    /// The connection broke, or what came back is no HTTP.
    #[error("no answer from {address}")]
    Broken {
        /// The upstream.
        address: SocketAddr,
        /// What happened.
        #[source]
        source: hyper::Error,
    },
}

/// What is known of upstreams.
#[derive(Debug)]
pub(super) struct Upstreams {
    /// Held for a few lines, never while something is waited for.
    known: Mutex<HashMap<SocketAddr, Known>>,
    turn: AtomicUsize,
    tasks: Tasks,
}

#[derive(Debug, Default)]
struct Known {
    kept: Vec<Kept>,
    failed_at: Option<Instant>,
}

#[derive(Debug)]
struct Kept {
    sender: SendRequest<Upload>,
    since: Instant,
}

impl Kept {
    fn is_good(&self, now: Instant) -> bool {
        self.sender.is_ready() && now.duration_since(self.since) < KEPT_FOR
    }
}

impl Upstreams {
    /// Nothing is known yet.
    pub(super) fn new(tasks: Tasks) -> Arc<Self> {
        let upstreams =
            Arc::new(Self { known: Mutex::default(), turn: AtomicUsize::new(0), tasks });
        drop(upstreams.tasks.start(Arc::clone(&upstreams).sweep()));
        upstreams
    }

    /// Sends a request to one of these.
    ///
    /// The next is tried only while nothing was sent: an application must not get a request twice
    /// that it may already be working on.
    ///
    /// # Errors
    ///
    /// When none can be connected to, or the one that was breaks off.
    pub(super) async fn send(
        self: &Arc<Self>,
        addresses: &[SocketAddr],
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, SendError> {
        for address in self.in_turn(addresses) {
            if let Some(response) = self.send_again(address, &request).await {
                return Ok(response);
            }
            match self.connect(address).await {
                Ok(sender) => {
                    self.known(|known| known.entry(address).or_default().failed_at = None);
                    let sent = self.exchange(address, sender, request).await;
                    return sent.map_err(|source| SendError::Broken { address, source });
                }
                Err(error) => {
                    warn!(upstream = %address, "Could not connect to upstream {address}: {error}");
                    let now = Instant::now();
                    self.known(|known| known.entry(address).or_default().failed_at = Some(now));
                }
            }
        }
        Err(SendError::Unreachable)
    }

    /// These in the order they are tried: each is first in turn, those that just failed are last.
    fn in_turn(&self, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        let mut order = addresses.to_vec();
        // Only the order matters, not what other memory holds; that it wraps around, neither.
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        order.rotate_left(turn.checked_rem(addresses.len()).unwrap_or(0));
        let now = Instant::now();
        self.known(|known| {
            order.sort_by_key(|address| {
                let failed_at = known.get(address).and_then(|known| known.failed_at);
                failed_at.is_some_and(|at| now.duration_since(at) < AVOIDED_FOR)
            });
        });
        order
    }

    /// Sends a request over a kept connection, if there is one and it is still good.
    ///
    /// The upstream may close it at the very moment it is used, and then nobody knows whether the
    /// request was read. So this is for requests that may be sent twice; others get a connection
    /// of their own.
    async fn send_again(
        self: &Arc<Self>,
        address: SocketAddr,
        request: &Request<Upload>,
    ) -> Option<Response<Incoming>> {
        if !request.method().is_idempotent()
            || !request.body().is_end_stream()
            || headers::upgrade(request.headers()).is_some()
        {
            return None;
        }
        let sender = self.take(address)?;
        let mut copy = Request::new(Upload::empty());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.headers_mut() = request.headers().clone();
        match self.exchange(address, sender, copy).await {
            Ok(response) => Some(response),
            Err(error) => {
                debug!("A kept connection to {address} was of no use: {error}");
                None
            }
        }
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<SendRequest<Upload>> {
        let socket = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(address)).await??;
        socket::prepare(&socket)?;
        let (sender, connection) = http1::Builder::new()
            .max_headers(MOST_HEADERS)
            .max_buf_size(LONGEST_HEAD)
            .handshake(TokioIo::new(socket))
            .await
            .map_err(io::Error::other)?;
        // It ends when its sender is dropped, or the upstream closes it.
        drop(self.tasks.start(async move {
            if let Err(error) = connection.with_upgrades().await {
                debug!("Connection to upstream {address}: {error}");
            }
        }));
        Ok(sender)
    }

    async fn exchange(
        self: &Arc<Self>,
        address: SocketAddr,
        mut sender: SendRequest<Upload>,
        request: Request<Upload>,
    ) -> hyper::Result<Response<Incoming>> {
        let response = sender.send_request(request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            drop(self.tasks.start(Arc::clone(self).keep(address, sender)));
        }
        Ok(response)
    }

    /// Waits until the answer was passed on, then keeps the connection.
    async fn keep(self: Arc<Self>, address: SocketAddr, mut sender: SendRequest<Upload>) {
        if sender.ready().await.is_err() {
            return;
        }
        self.known(|known| {
            let kept = &mut known.entry(address).or_default().kept;
            if kept.len() < MOST_KEPT && !self.tasks.is_stopping() {
                kept.push(Kept { sender, since: Instant::now() });
            }
        });
    }

    /// The connection that was used last: it is the least likely to be closed.
    fn take(&self, address: SocketAddr) -> Option<SendRequest<Upload>> {
        let now = Instant::now();
        self.known(|known| {
            let kept = &mut known.get_mut(&address)?.kept;
            std::iter::from_fn(|| kept.pop()).find(|kept| kept.is_good(now)).map(|kept| kept.sender)
        })
    }

    /// Closes connections that were kept long enough, and at the end all of them.
    async fn sweep(self: Arc<Self>) {
        while !self.tasks.is_stopping() {
            self.tasks.pause(SWEEP).await;
            let now = Instant::now();
            self.known(|known| {
                known.retain(|_, upstream| {
                    upstream.kept.retain(|kept| kept.is_good(now));
                    let failed_at = upstream.failed_at;
                    let avoided = failed_at.is_some_and(|at| now.duration_since(at) < AVOIDED_FOR);
                    avoided || !upstream.kept.is_empty()
                });
            });
        }
        self.known(HashMap::clear);
    }

    fn known<T>(&self, use_it: impl FnOnce(&mut HashMap<SocketAddr, Known>) -> T) -> T {
        // A panic of another holder leaves at worst a connection too few.
        use_it(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[tokio::test(start_paused = true)]
    async fn each_upstream_is_first_in_turn_and_one_that_failed_is_last() {
        let tasks = Tasks::default();
        let upstreams = Upstreams::new(tasks.clone());
        let all = [address(1), address(2), address(3)];
        let mut firsts: Vec<_> = (0..3).map(|_| upstreams.in_turn(&all)[0].port()).collect();
        firsts.sort_unstable();
        assert_eq!(firsts, [1, 2, 3]);

        let now = Instant::now();
        upstreams.known(|known| known.entry(address(2)).or_default().failed_at = Some(now));
        assert!((0..3).all(|_| upstreams.in_turn(&all)[2] == address(2)));
        tokio::time::advance(AVOIDED_FOR).await;
        assert!((0..3).any(|_| upstreams.in_turn(&all)[0] == address(2)));

        assert_eq!(upstreams.in_turn(&[]), []);
        tasks.shut_down(Duration::from_secs(1)).await.unwrap();
    }
}
