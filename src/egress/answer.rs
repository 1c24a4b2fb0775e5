//! One connection of a client: its requests, and the tunnel that the last may become.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::header::{EXPECT, HOST, HeaderValue};
use hyper::http::uri::{Authority, Scheme};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::copy_bidirectional;
use tokio::sync::OwnedSemaphorePermit;
use tracing::debug;

use crate::domain::egress::AskedHost;
use crate::domain::hop_by_hop::{keep_body, strip_hop_by_hop};
use crate::egress::reach::reach;
use crate::egress::refusal::{Reporter, Why, answer};
use crate::egress::traffic::{Activity, Counted, Traffic};
use crate::egress::{Settings, Stream};
use crate::tasks::Tasks;

/// Most bytes of a request's head; past it the client gets 431.
const LONGEST_HEAD: usize = 8 * 1024;

/// What is said to whoever takes the proxy for something else.
const NO_PROXY_REQUEST: &str =
    "this is a proxy for CONNECT host:port and for http:// addresses; nothing else is here";

type Body = Either<Incoming, Full<Bytes>>;

/// A place among the connections, given back when the last that needs it has ended.
type Place = Arc<OwnedSemaphorePermit>;

/// Everything that a request needs.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) settings: Settings,
    pub(super) traffic: Traffic,
    pub(super) reporter: Reporter,
    pub(super) tasks: Tasks,
}

/// Answers a client until it leaves or everything stops.
pub(super) async fn connection(
    socket: impl Stream + 'static,
    place: Place,
    answering: Arc<Answering>,
) {
    let own = Arc::clone(&answering);
    let service = service_fn(move |request| {
        let (own, place) = (Arc::clone(&own), Arc::clone(&place));
        async move { Ok::<_, Infallible>(own.answer(request, place).await) }
    });
    let connection = server::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(answering.settings.limits.head)
        .max_buf_size(LONGEST_HEAD)
        .half_close(true)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    let ended = tokio::select! {
        ended = connection => ended,
        () = answering.tasks.stopping() => return,
    };
    if let Err(error) = ended {
        // Clients that hang up are everyday life.
        debug!("Connection of a hook: {error}");
    }
}

impl Answering {
    async fn answer(&self, mut request: Request<Incoming>, place: Place) -> Response<Body> {
        let Some((host, port)) = target(&request) else {
            return answer(StatusCode::BAD_REQUEST, NO_PROXY_REQUEST).map(Either::Right);
        };
        let stream = match reach(&host, port, &self.settings, &self.tasks).await {
            Ok(stream) => stream,
            Err(why) => return self.reporter.refuse(host, port, why).map(Either::Right),
        };
        let (stream, activity) = self.traffic.counted(stream);
        if request.method() == Method::CONNECT {
            let from_client = hyper::upgrade::on(&mut request);
            self.keep(activity, tunnel(from_client, stream, place));
            return Response::new(Either::Right(Full::default()));
        }
        match self.forward(request, stream, activity).await {
            Ok(response) => response.map(Either::Left),
            Err(error) => {
                self.reporter.refuse(host, port, Why::Down(error.to_string())).map(Either::Right)
            }
        }
    }

    /// Lets a connection go on until it ends, is silent for too long, or everything stops.
    fn keep(&self, activity: Activity, connection: impl Future<Output = ()> + Send + 'static) {
        let (tasks, limit) = (self.tasks.clone(), self.settings.limits.idle);
        drop(self.tasks.start(async move {
            tokio::select! {
                () = connection => {}
                () = activity.silence(limit) => debug!("Cut a silent connection of a hook"),
                () = tasks.stopping() => {}
            }
        }));
    }

    async fn forward(
        &self,
        request: Request<Incoming>,
        stream: Counted<Box<dyn Stream>>,
        activity: Activity,
    ) -> hyper::Result<Response<Incoming>> {
        let (mut sender, connection) = client::handshake(TokioIo::new(stream)).await?;
        // Whoever waits for the answer hears how it ended.
        self.keep(activity, async { connection.await.unwrap_or_default() });
        let mut response = sender.send_request(for_host(request)).await?;
        strip_hop_by_hop(response.headers_mut());
        *response.version_mut() = Version::HTTP_11;
        response.extensions_mut().clear();
        Ok(response)
    }
}

/// The host and port that a request is for; none when it is no request to a proxy.
fn target(request: &Request<Incoming>) -> Option<(AskedHost, u16)> {
    let uri = request.uri();
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let port = if request.method() == Method::CONNECT {
        authority.port_u16()?
    } else if uri.scheme() == Some(&Scheme::HTTP) {
        port(authority)?
    } else {
        return None;
    };
    (!authority.host().is_empty()).then(|| (AskedHost::read(authority.host()), port))
}

/// The port after the host, 80 where there is none.
fn port(authority: &Authority) -> Option<u16> {
    match authority.as_str().strip_prefix(authority.host()) {
        Some("") => Some(80),
        _ => authority.port_u16(),
    }
}

/// The request as the host gets it.
fn for_host(request: Request<Incoming>) -> Request<Incoming> {
    let (mut head, body) = request.into_parts();
    strip_hop_by_hop(&mut head.headers);
    // The proxy itself asks the client for the body, as soon as the host reads it.
    head.headers.remove(EXPECT);
    keep_body(&mut head.headers, &body);
    // What was looked at is the target, and nothing else may say where it goes.
    let host = head.uri.authority().map(|authority| HeaderValue::try_from(authority.as_str()));
    if let Some(Ok(host)) = host {
        head.headers.insert(HOST, host);
    }
    head.uri = head.uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
    head.version = Version::HTTP_11;
    head.extensions.clear();
    Request::from_parts(head, body)
}

/// Passes bytes both ways until both sides have closed.
async fn tunnel(from_client: OnUpgrade, mut host: Counted<Box<dyn Stream>>, place: Place) {
    let passed = async {
        let client = from_client.await.map_err(io::Error::other)?;
        copy_bidirectional(&mut TokioIo::new(client), &mut host).await
    };
    if let Err(error) = passed.await {
        debug!("Tunnel of a hook: {error}");
    }
    drop(place);
}
