//! The HTTP entrance of the Docker target: a reverse proxy for HTTP/1.1.
//!
//! ```text
//!  client ──▶ connection ──▶ request ──▶ route ──▶ upstream ──▶ answer, streamed
//!                               │          │ none     │ down: the next one
//!                               ▼          ▼          ▼ none left    ▼ silent
//!                              400        404        502            504
//! ```
//!
//! It is the edge: what clients claim about themselves is dropped and set anew. Requests are read
//! whole and written again, so an upstream never sees bytes that were framed by a client.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::{debug, warn};

use crate::domain::route::RouteTable;
use crate::router::proxy::Proxy;
use crate::tasks::Tasks;

mod headers;
mod page;
mod proxy;
mod request_host;
mod silence;
mod socket;
mod tunnel;
mod upstreams;

/// Most header lines of a message. Past it the client gets 431, an upstream counts as broken.
const MOST_HEADERS: usize = 128;

/// Most bytes of a message's head, which is also what is buffered of a body. Past it as above.
const LONGEST_HEAD: usize = 64 * 1024;

/// Pauses after a connection could not be accepted: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// How patient the entrance is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Time an application has to begin its answer, counted from the last byte it was given.
    pub response_limit: Duration,
    /// Time a client has to send a request's head, and to send the first byte of its next one.
    pub head_limit: Duration,
    /// How long requests and tunnels may go on when the entrance is stopped.
    pub grace: Duration,
    /// Most connections of clients. Past it new ones wait unanswered in the listener's backlog.
    pub connections: usize,
}

impl Settings {
    /// The settings of an installation.
    pub const fn new(response_limit: Duration) -> Self {
        Self {
            response_limit,
            head_limit: Duration::from_secs(30),
            grace: Duration::from_secs(20),
            connections: 4_096,
        }
    }
}

/// One connection of a client.
#[derive(Debug, Clone)]
struct Client {
    peer: SocketAddr,
    /// Given back when the connection has ended and all its tunnels have.
    _place: Arc<OwnedSemaphorePermit>,
}

/// Serves until asked to stop; requests in flight then have the grace to finish.
///
/// A change of routes is seen by every request that begins after it. Requests that began before
/// go on with the upstream they have.
pub async fn serve(
    listener: TcpListener,
    routes: watch::Receiver<Arc<RouteTable>>,
    settings: Settings,
    tasks: Tasks,
) {
    let places = Arc::new(Semaphore::new(settings.connections));
    let proxy = Arc::new(Proxy::new(routes, settings, tasks.clone()));
    let (mut pause, longest) = PAUSES;
    loop {
        let accepted = tokio::select! {
            () = tasks.stopping() => return,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((socket, client)) => {
                pause = PAUSES.0;
                drop(tasks.start(connection(socket, client, Arc::clone(&proxy))));
            }
            Err(error) => {
                // Out of file descriptors, most likely: others must end first.
                warn!("Could not accept a connection: {error}");
                tasks.pause(pause).await;
                pause = (pause * 2).min(longest);
            }
        }
    }
}

/// Waits for a place, then for a client: one that cannot be served yet is not accepted.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Client)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (socket, peer) = listener.accept().await?;
    Ok((socket, Client { peer, _place: Arc::new(place) }))
}

async fn connection(socket: TcpStream, client: Client, proxy: Arc<Proxy>) {
    if let Err(error) = socket::prepare(&socket) {
        debug!("Could not prepare the connection of {}: {error}", client.peer);
        return;
    }
    let peer = client.peer;
    let service = service_fn(|request| {
        let (proxy, client) = (Arc::clone(&proxy), client.clone());
        async move { Ok::<_, Infallible>(proxy.answer(request, client).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(proxy.settings().head_limit)
        .max_headers(MOST_HEADERS)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = proxy.tasks().stopping() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(proxy.settings().grace, connection).await {
                Ok(ended) => ended,
                Err(_elapsed) => {
                    warn!("Cut a request of {peer} that did not end in time");
                    return;
                }
            }
        }
    };
    if let Err(error) = ended {
        // Clients that hang up are everyday life.
        debug!("Connection of {peer}: {error}");
    }
}
