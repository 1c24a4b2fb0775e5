//! One request, from its head to its answer.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::http::uri::Authority;
use hyper::http::{request, response};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use tokio::sync::watch;
use tracing::{debug, warn};

use crate::domain::hop_by_hop::{keep_body, strip_hop_by_hop};
use crate::domain::route::{Host, Route, RouteTable};
use crate::router::page::{Form, Refusal};
use crate::router::request_host::request_host;
use crate::router::silence::{Turn, Upload, silence};
use crate::router::tunnel::tunnel;
use crate::router::upstreams::{SendError, Upstreams};
use crate::router::{Client, Settings, headers};
use crate::tasks::Tasks;

/// The body of an answer: an application's, or a page of ours.
pub(super) type AnswerBody = Either<Incoming, Full<Bytes>>;

/// Everything a request needs.
#[derive(Debug)]
pub(super) struct Proxy {
    routes: watch::Receiver<Arc<RouteTable>>,
    upstreams: Arc<Upstreams>,
    settings: Settings,
    tasks: Tasks,
}

/// A protocol that a client wants to go on with, and its connection once it may.
struct Wanted {
    protocol: HeaderValue,
    connection: OnUpgrade,
}

impl Proxy {
    pub(super) fn new(
        routes: watch::Receiver<Arc<RouteTable>>,
        settings: Settings,
        tasks: Tasks,
    ) -> Self {
        Self { routes, upstreams: Upstreams::new(tasks.clone()), settings, tasks }
    }

    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) const fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Answers a request, whatever happens.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        client: Client,
    ) -> Response<AnswerBody> {
        let form = Form::accepted(request.headers());
        let asked = format!("{} {}", request.method(), request.uri().path());
        let peer = client.peer;
        match self.forward(request, client).await {
            Ok(response) => response.map(Either::Left),
            Err(refusal) => {
                debug!(%peer, status = refusal.status().as_u16(), "Refused {asked}: {refusal:?}");
                refusal.response(form).map(Either::Right)
            }
        }
    }

    async fn forward(
        &self,
        mut request: Request<Incoming>,
        client: Client,
    ) -> Result<Response<Incoming>, Refusal> {
        if request.method() == Method::CONNECT {
            return Err(Refusal::NoProxy);
        }
        let wanted = headers::upgrade(request.headers())
            .map(|protocol| Wanted { protocol, connection: hyper::upgrade::on(&mut request) });
        let (head, body) = request.into_parts();
        let (host, authority) = request_host(&head)?;
        let route = self.route(&host, head.uri.path())?;

        let mut head = head_for_upstream(head, &client, &authority, wanted.as_ref());
        keep_body(&mut head.headers, &body);
        let (upload, turn) = Upload::new(body);
        let sent = self.upstreams.send(&route.upstreams, Request::from_parts(head, upload));
        let response = tokio::select! {
            sent = sent => sent,
            whose = silence(turn, self.settings.response_limit) => {
                return Err(match whose {
                    Turn::Client => Refusal::SilentClient,
                    Turn::Upstream => {
                        warn!("An application did not answer for {host} in time");
                        Refusal::Silent(host)
                    }
                });
            }
        };
        match response {
            Ok(response) => self.pass_on(response, wanted, client).ok_or(Refusal::Down(host)),
            Err(SendError::Unreachable) => Err(Refusal::Down(host)),
            Err(SendError::Broken { address, source }) => {
                warn!(upstream = %address, "No answer from {address} for {host}: {source}");
                Err(Refusal::Down(host))
            }
        }
    }

    /// The route as it is now.
    fn route(&self, host: &Host, path: &str) -> Result<Route, Refusal> {
        let routes = Arc::clone(&self.routes.borrow());
        match routes.find(host, path) {
            Some(route) => Ok(route.clone()),
            None if routes.has_host(host) => Err(Refusal::UnknownPath(host.clone())),
            None => Err(Refusal::UnknownHost(host.clone())),
        }
    }

    /// The answer for the client; `None` when it agrees to something that was not asked for.
    fn pass_on(
        &self,
        mut response: Response<Incoming>,
        wanted: Option<Wanted>,
        client: Client,
    ) -> Option<Response<Incoming>> {
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let (head, body) = response.into_parts();
            return Some(Response::from_parts(head_for_client(head), body));
        }
        let wanted = wanted?;
        let protocol = headers::upgrade(response.headers()).unwrap_or(wanted.protocol);
        let from_upstream = hyper::upgrade::on(&mut response);
        let grace = self.settings.grace;
        let tunnel = tunnel(wanted.connection, from_upstream, client, grace, self.tasks.clone());
        drop(self.tasks.start(tunnel));
        let (head, body) = response.into_parts();
        let mut head = head_for_client(head);
        headers::set_upgrade(&mut head.headers, protocol);
        Some(Response::from_parts(head, body))
    }
}

/// A head without anything that was between the client and the entrance alone.
fn head_for_upstream(
    mut head: request::Parts,
    client: &Client,
    authority: &Authority,
    wanted: Option<&Wanted>,
) -> request::Parts {
    strip_hop_by_hop(&mut head.headers);
    headers::introduce(&mut head.headers, client.peer, authority);
    if let Some(wanted) = wanted {
        headers::set_upgrade(&mut head.headers, wanted.protocol.clone());
    }
    // Also of `GET http://host/path`, only the path is for the application.
    head.uri = head.uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
    head.version = Version::HTTP_11;
    head.extensions.clear();
    head
}

/// A head without anything that was between the entrance and the upstream alone.
fn head_for_client(mut head: response::Parts) -> response::Parts {
    strip_hop_by_hop(&mut head.headers);
    head.version = Version::HTTP_11;
    head.extensions.clear();
    head
}
