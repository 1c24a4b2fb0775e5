//! An API server that is overloaded at times: what stands before it answers some requests itself,
//! in the words of one that turns requests away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use kube::client::Body;
use pierhead::tasks::Tasks;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::support::upstream::Upstream;

const CERTIFICATE: &[u8] = include_bytes!("../../keys/cluster-client.pem");
const KEY: &[u8] = include_bytes!("../../keys/cluster-client-key.pem");

type Answer = Response<UnsyncBoxBody<Bytes, kube::Error>>;

/// What stands before an API server, as anybody.
pub(crate) struct Busy {
    /// Where it answers.
    pub(crate) address: String,
    left: Arc<AtomicUsize>,
    turned_away: Arc<AtomicUsize>,
    tasks: Tasks,
}

impl Busy {
    /// Lets requests through in the name of this client.
    pub(crate) async fn before(client: kube::Client) -> Self {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
                PrivateKeyDer::from_pem_slice(KEY).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (left, turned_away) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (own_left, own_turned_away) = (Arc::clone(&left), Arc::clone(&turned_away));
        let tasks = Tasks::default();
        let before = Upstream::raw(&tasks, move |socket| {
            let (acceptor, client) = (acceptor.clone(), client.clone());
            let (left, turned_away) = (Arc::clone(&own_left), Arc::clone(&own_turned_away));
            async move {
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let service = service_fn(async |request| {
                    let less = |left: usize| left.checked_sub(1);
                    if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
                        turned_away.fetch_add(1, Ordering::SeqCst);
                        return Ok(too_many());
                    }
                    pass(request, client.clone()).await
                });
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                // Clients hang up whenever they like.
                drop(connection.await);
            }
        })
        .await;
        Self { address: format!("https://{}", before.address), left, turned_away, tasks }
    }

    /// Turns the next requests away, and forgets how many there were.
    pub(crate) fn turn_away(&self, requests: usize) {
        self.turned_away.store(0, Ordering::SeqCst);
        self.left.store(requests, Ordering::SeqCst);
    }

    /// How many it turned away.
    pub(crate) fn turned_away(&self) -> usize {
        self.turned_away.load(Ordering::SeqCst)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

fn too_many() -> Answer {
    let words = Full::from("Too many requests, please try again later.\n");
    let answer = Response::builder().status(429).header(RETRY_AFTER, "1");
    answer.body(words.map_err(|never| match never {}).boxed_unsync()).unwrap()
}

async fn pass(request: Request<Incoming>, client: kube::Client) -> Result<Answer, kube::Error> {
    let (head, body) = request.into_parts();
    let mut forward = Request::builder().method(head.method).uri(head.uri);
    for name in [ACCEPT, CONTENT_TYPE] {
        if let Some(value) = head.headers.get(&name) {
            forward = forward.header(name, value);
        }
    }
    let body = body.collect().await.expect("whoever asks says all of it").to_bytes();
    let answer = client.send(forward.body(Body::from(body)).unwrap()).await?;
    Ok(answer.map(BodyExt::boxed_unsync))
}
