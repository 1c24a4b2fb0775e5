//! A registry that stumbles: what stands before it answers some requests itself.

use std::sync::{Arc, Mutex};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::handshake;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use pierhead::tasks::Tasks;
use tokio::net::TcpStream;

use crate::support::registry::OwnRegistry;
use crate::support::upstream::Upstream;

/// What a registry says that has too much to do.
const OVERLOAD: &str = r#"{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow down"}]}"#;

type Answer = Response<UnsyncBoxBody<Bytes, hyper::Error>>;

/// Which requests, by their method and path.
pub(crate) type At = fn(&Method, &str) -> bool;

/// Requests that are answered with a status, as many times as it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stumble {
    pub(crate) at: At,
    pub(crate) status: u16,
    pub(crate) times: usize,
}

/// What it does next, and how often it did.
#[derive(Debug, Default)]
struct Plan {
    next: Option<Stumble>,
    done: usize,
}

impl Plan {
    /// The status for a request that does not get through.
    fn status(&mut self, request: &Request<Incoming>) -> Option<u16> {
        let is_at = |next: &Stumble| (next.at)(request.method(), request.uri().path());
        let next = self.next.filter(|next| self.done < next.times && is_at(next))?;
        self.done += 1;
        Some(next.status)
    }
}

/// A registry that answers well unless it is told to stumble.
pub(crate) struct Stumbling {
    /// The registry, by the address of what stands before it.
    pub(crate) registry: OwnRegistry,
    plan: Arc<Mutex<Plan>>,
    tasks: Tasks,
}

impl Stumbling {
    pub(crate) async fn start() -> Self {
        let mut registry = OwnRegistry::start().await;
        let (plan, tasks) = (Arc::<Mutex<Plan>>::default(), Tasks::default());
        let (own_plan, own_tasks, behind) =
            (Arc::clone(&plan), tasks.clone(), registry.address.clone());
        let before = Upstream::raw(&tasks, move |socket| {
            let (plan, tasks, behind) = (Arc::clone(&own_plan), own_tasks.clone(), behind.clone());
            async move {
                let service = service_fn(async |request| {
                    let status = plan.lock().unwrap().status(&request);
                    match status {
                        Some(status) => stumble(request, status).await,
                        None => pass(request, &behind, &tasks).await,
                    }
                });
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(socket), service);
                // An engine may hang up whenever it likes.
                drop(connection.await);
            }
        })
        .await;
        registry.address = before.address.to_string();
        Self { registry, plan, tasks }
    }

    /// From now on it stumbles so.
    pub(crate) fn stumble(&self, next: Stumble) {
        *self.plan.lock().unwrap() = Plan { next: Some(next), done: 0 };
    }

    /// How many requests it stumbled at since it was told to.
    pub(crate) fn stumbled(&self) -> usize {
        self.plan.lock().unwrap().done
    }
}

impl Drop for Stumbling {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

/// Answers with a status what was read to its end.
async fn stumble(request: Request<Incoming>, status: u16) -> hyper::Result<Answer> {
    request.into_body().collect().await?;
    let answer = Response::builder().status(status);
    let (answer, words) = if status == 429 {
        (answer.header(RETRY_AFTER, "1").header(CONTENT_TYPE, "application/json"), OVERLOAD)
    } else {
        (answer, "stumbled")
    };
    let body = Full::new(words.into()).map_err(|never| match never {});
    Ok(answer.body(body.boxed_unsync()).unwrap())
}

/// Lets a request through, with the address that it was sent to: the registry names itself so.
async fn pass(request: Request<Incoming>, behind: &str, tasks: &Tasks) -> hyper::Result<Answer> {
    let socket = TcpStream::connect(behind).await.unwrap();
    let (mut sender, connection) = handshake(TokioIo::new(socket)).await?;
    drop(tasks.start(connection));
    Ok(sender.send_request(request).await?.map(BodyExt::boxed_unsync))
}
