//! Applications for the entrance to send requests to.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use pierhead::tasks::Tasks;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// An answer with this body.
pub(crate) fn answer(text: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(text.into()).boxed_unsync())
}

/// An answer whose body is what the other end sends.
pub(crate) fn streamed() -> (mpsc::Sender<Bytes>, Answer) {
    let (sender, receiver) = mpsc::channel(1);
    let frames = ReceiverStream::new(receiver).map(|bytes| Ok(Frame::data(bytes)));
    (sender, Response::new(StreamBody::new(frames).boxed_unsync()))
}

/// A request as the application sees it.
pub(crate) async fn shown(request: Request<Incoming>) -> String {
    let (head, body) = request.into_parts();
    let mut lines: Vec<_> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body);
    format!("{} {} {:?}\n{}\n\n{body}", head.method, head.uri, head.version, lines.join("\n"))
}

/// A running application.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Upstream {
    /// Starts an application that answers each request so.
    pub(crate) async fn start<F, A>(tasks: &Tasks, handler: F) -> Self
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        let upstream = Self::raw(tasks, move |socket| {
            let (handler, count) = (handler.clone(), Arc::clone(&count));
            let service = service_fn(move |request| {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = handler(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            async move {
                let connection = http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), service)
                    .with_upgrades();
                // An entrance that hangs up is what some tests are about.
                drop(connection.await);
            }
        })
        .await;
        Self { requests, ..upstream }
    }

    /// Starts an application that answers everything with this text.
    pub(crate) async fn saying(tasks: &Tasks, text: &'static str) -> Self {
        Self::start(tasks, move |_| async move { answer(text) }).await
    }

    /// Starts an application that does so with each connection.
    pub(crate) async fn raw<F, A>(tasks: &Tasks, handler: F) -> Self
    where
        F: Fn(TcpStream) -> A + Send + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, own) = (Arc::clone(&connections), tasks.clone());
        drop(tasks.start(async move {
            loop {
                let (socket, _) = tokio::select! {
                    () = own.stopping() => return,
                    accepted = listener.accept() => accepted.unwrap(),
                };
                count.fetch_add(1, Ordering::SeqCst);
                drop(own.start(handler(socket)));
            }
        }));
        Self { address, connections, requests: Arc::default() }
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// How many requests it got.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// An address where nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}
