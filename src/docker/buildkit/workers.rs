//! Asks BuildKit what it can run commands for.

use std::task::{Context, Poll};

use bollard::moby::buildkit::v1::ListWorkersRequest;
use bollard::moby::buildkit::v1::control_client::ControlClient;
use futures::future::BoxFuture;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::header::{CONNECTION, UPGRADE};
use hyper::{Request, Response, Uri};
use tonic::body::Body;
use tonic::codegen::Service;

use crate::docker::buildkit::session::Streams;
use crate::docker::wire::beside;
use crate::docker::{Engine, EngineError};
use crate::domain::platform::Platform;

impl Engine {
    /// The platforms whose commands its BuildKit runs, itself or by programs that the kernel was
    /// told of; `None` when it has no BuildKit.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn runs(&self) -> Result<Option<Vec<Platform>>, EngineError> {
        let request = self.request("/grpc").header(CONNECTION, "Upgrade").header(UPGRADE, "h2c");
        let Some(connection) = self.upgrade(request).await? else { return Ok(None) };
        let (sender, connection) = handshake(Streams::default(), connection)
            .await
            .map_err(bollard::errors::Error::from)?;
        let mut client =
            ControlClient::with_origin(Calls(sender), Uri::from_static("http://engine"));
        let asking = client.list_workers(ListWorkersRequest::default());
        let workers = match beside(connection, asking).await {
            Ok(answer) => answer.into_inner().record,
            // Nothing is known then, and nothing foreign is begun.
            Err(_status) => Vec::new(),
        };
        let platforms = workers.into_iter().flat_map(|worker| worker.platforms);
        let known = platforms.map(|own| Platform::new(&own.os, &own.architecture, &own.variant));
        Ok(Some(known.collect()))
    }
}

/// Calls over one connection.
struct Calls(SendRequest<Body>);

impl Service<Request<Body>> for Calls {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = BoxFuture<'static, Result<Self::Response, hyper::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
