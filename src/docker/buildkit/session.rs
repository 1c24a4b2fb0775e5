//! The session of one build.

use std::sync::{Arc, Mutex, PoisonError};

use bollard::models::{BuildInfo, BuildInfoAux};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, UPGRADE};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::building::{BuildError, Built, Materials, send};
use crate::docker::buildkit::files::Fault;
use crate::docker::buildkit::output::{Trace, plain};
use crate::docker::buildkit::services::{METHODS, Services};
use crate::docker::wire::{beside, query};
use crate::docker::{Engine, EngineError};
use crate::image::ImageBuild;
use crate::image::dockerfile::with_own_secrets;

/// Longest message of an engine about a build.
const LONGEST_MESSAGE: usize = 16 * 1024 * 1024;

/// A connection over which an engine asks for what a build needs.
pub(in crate::docker) struct Session<'a> {
    engine: &'a Engine,
    id: String,
    connection: Upgraded,
}

impl<'a> Session<'a> {
    /// Opens a session, if the engine has any. What it is shown under equal keys it compares with
    /// what it was shown before, so each image has one of its own.
    pub(in crate::docker) async fn open(
        engine: &'a Engine,
        key: &str,
    ) -> Result<Option<Self>, EngineError> {
        let id = Uuid::new_v4().simple().to_string();
        let mut request = engine
            .request("/session")
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "h2c")
            .header("X-Docker-Expose-Session-Uuid", &id)
            .header("X-Docker-Expose-Session-Name", "pierhead")
            .header("X-Docker-Expose-Session-Sharedkey", key);
        for method in METHODS {
            request = request.header("X-Docker-Expose-Session-Grpc-Method", method);
        }
        let connection = engine.upgrade(request).await?;
        Ok(connection.map(|connection| Self { engine, id, connection }))
    }

    /// Builds an image from a Dockerfile that was made ready.
    pub(in crate::docker) async fn build(
        self,
        build: &ImageBuild,
        materials: &Materials<'_>,
        dockerfile: String,
        lines: &mpsc::Sender<String>,
    ) -> Result<Built, BuildError> {
        let fault = Fault::default();
        let prefix = format!("{}.", materials.project);
        let dockerfile = with_own_secrets(&dockerfile, &prefix);
        let services = Services::new(build, materials, (dockerfile, &prefix), lines, &fault);
        let request =
            self.engine.request(&format!("/build?{}", options(build, materials, &self.id)?));
        let asking = self.engine.ask(request, async |body| {
            follow(body, (Trace::new(&self.engine.redactor), &prefix), lines).await
        });
        let built = Box::pin(beside(serve(self.connection, services), asking)).await;
        // What the engine says of half a context is of use to nobody.
        match fault.take() {
            Some(fault) => Err(fault.into()),
            None => built?,
        }
    }
}

/// Answers what the engine asks, until it asks nothing more.
async fn serve(connection: Upgraded, services: Services) {
    let service = service_fn(move |request| services.clone().answer(request));
    // The engine ends it together with the build; how is of no interest.
    drop(http2::Builder::new(Streams::default()).serve_connection(connection, service).await);
}

/// Runs the answers of one connection; they end with it.
#[derive(Clone, Default)]
pub(super) struct Streams(Arc<Mutex<JoinSet<()>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, answer: F) {
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while streams.try_join_next().is_some() {}
        streams.spawn(answer);
    }
}

fn options(
    build: &ImageBuild,
    materials: &Materials<'_>,
    session: &str,
) -> Result<String, BuildError> {
    let mut args = build.args.clone();
    args.insert("BUILDKIT_CACHE_MOUNT_NS".to_owned(), build.account.clone());
    let json = |map| serde_json::to_string(map).map_err(|error| BuildError::Away(Box::new(error)));
    let platform = build.platform.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(query(&[
        ("version", "2"),
        ("platform", &platform),
        ("remote", "client-session"),
        ("session", session),
        ("buildid", session),
        ("t", &build.tag),
        ("dockerfile", "Dockerfile"),
        ("rm", "1"),
        ("forcerm", "1"),
        ("nocache", if materials.uses_cache { "0" } else { "1" }),
        ("buildargs", &json(&args)?),
        ("labels", &json(&build.labels)?),
    ]))
}

/// Reads what an engine says of a build.
async fn follow(
    mut body: Incoming,
    (mut trace, prefix): (Trace, &str),
    lines: &mpsc::Sender<String>,
) -> Result<Built, BuildError> {
    // Nobody wrote it.
    let without_prefix = |text: String| text.replace(prefix, "");
    let mut pending = Vec::new();
    let mut id = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(bollard::errors::Error::from)?;
        let chunk = frame.into_data().unwrap_or_default();
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            pending.extend_from_slice(piece);
            if pending.len() > LONGEST_MESSAGE {
                return Err(BuildError::NoImage);
            }
            if !piece.ends_with(b"\n") {
                continue;
            }
            let message = std::mem::take(&mut pending);
            let Ok(message) = serde_json::from_slice::<BuildInfo>(&message) else { continue };
            if let Some(error) = message.error_detail {
                send(trace.finish(), lines).await;
                let words = without_prefix(plain(&error.message.unwrap_or_default()));
                return Err(EngineError::Refused { status: 500, words }.into());
            }
            match message.aux {
                Some(BuildInfoAux::BuildKit(status)) => {
                    send(trace.hear(status).into_iter().map(without_prefix), lines).await;
                }
                Some(BuildInfoAux::Default(image)) => id = image.id.or(id),
                None => {}
            }
        }
    }
    send(trace.finish(), lines).await;
    id.map(|id| Built { id, steps: trace.steps() }).ok_or(BuildError::NoImage)
}
