//! git's own HTTP server behind TLS, which asks who is there and behaves badly on demand.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use base64ct::{Base64, Encoding as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use pierhead::tasks::Tasks;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;

use crate::support::upstream::Upstream;

const CERTIFICATE: &[u8] = include_bytes!("../../keys/git-server.pem");
const KEY: &[u8] = include_bytes!("../../keys/git-server-key.pem");

/// Who is let in, and by what.
pub(super) const TOKEN: &str = "hunter2-of-source";

/// What it answers.
#[derive(Debug, Clone)]
pub(super) enum Manner {
    /// What git says.
    Serve,
    /// That it is elsewhere.
    Redirect(String),
    /// That nobody is let in, repeating what they came with.
    Scold,
    /// Nothing, until whoever hears of it says so.
    Hold(mpsc::Sender<oneshot::Sender<()>>),
}

/// A server on this machine.
pub(super) struct HttpsServer {
    port: u16,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<String>>>,
    tasks: Tasks,
}

#[derive(Debug, Clone)]
struct Serving {
    root: PathBuf,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl HttpsServer {
    /// Serves the repositories in a folder.
    pub(super) async fn start(root: &Path) -> Self {
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
        let manner = Arc::new(Mutex::new(Manner::Serve));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (own_manner, own_asked) = (Arc::clone(&manner), Arc::clone(&asked));
        let serving = Serving { root: root.to_owned(), manner: own_manner, asked: own_asked };
        let tasks = Tasks::default();
        let server = Upstream::raw(&tasks, move |socket| {
            let (acceptor, serving) = (acceptor.clone(), serving.clone());
            async move {
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let service = service_fn(move |request| {
                    let serving = serving.clone();
                    async move { Ok::<_, Infallible>(serving.answer(request).await) }
                });
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                // Clients hang up whenever they like.
                drop(connection.await);
            }
        })
        .await;
        Self { port: server.address.port(), manner, asked, tasks }
    }

    /// The file of the authority that a client has to trust.
    pub(super) fn authority() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/git-server.pem")
    }

    /// The address of a repository.
    pub(super) fn url(&self, name: &str) -> String {
        format!("https://localhost:{}/{name}", self.port)
    }

    /// How it answers from now on.
    pub(super) fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// The paths that were asked for.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for HttpsServer {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

impl Serving {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.asked.lock().unwrap().push(request.uri().path().to_owned());
        let login = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let login = login.unwrap_or_default().to_owned();
        let mut manner = self.manner.lock().unwrap().clone();
        while let Manner::Hold(held) = manner {
            let (release, released) = oneshot::channel();
            // Whoever gives up waiting lets it go on too.
            drop(held.send(release).await);
            drop(released.await);
            manner = self.manner.lock().unwrap().clone();
        }
        let plain = |status: u16, text: String| {
            Response::builder().status(status).header(CONTENT_TYPE, "text/plain").body(text.into())
        };
        match manner {
            Manner::Hold(_) => unreachable!("it was let go"),
            Manner::Redirect(to) => {
                let answer = Response::builder().status(302).header(LOCATION, to);
                answer.body(Full::default()).unwrap()
            }
            Manner::Scold => {
                plain(403, format!("no access for {TOKEN}, who came as {login}\n")).unwrap()
            }
            Manner::Serve => {
                let expected = Base64::encode_string(format!("git:{TOKEN}").as_bytes());
                if login == format!("Basic {expected}") {
                    return backend(&self.root, request).await;
                }
                let mut answer = plain(401, "who is there?\n".to_owned()).unwrap();
                let basic = "Basic realm=\"test\"".parse().unwrap();
                answer.headers_mut().insert(WWW_AUTHENTICATE, basic);
                answer
            }
        }
    }
}

/// What `git http-backend` answers.
async fn backend(root: &Path, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let header = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let mut child = Command::new("/usr/bin/git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", head.method.as_str())
        .env("PATH_INFO", head.uri.path())
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header(CONTENT_TYPE.as_str()))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header(CONTENT_ENCODING.as_str()))
        .env("HTTP_GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who refuses a request does not read it.
    drop(stdin.write_all(&body).await);
    drop(stdin);
    let said = child.wait_with_output().await.unwrap().stdout;
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(said.len());
    let mut answer = Response::builder();
    for line in String::from_utf8_lossy(&said[..end]).lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        answer = match name {
            "Status" => answer.status(value.split(' ').next().unwrap()),
            _ => answer.header(name, value),
        };
    }
    let body = said.get(end + 4..).unwrap_or_default().to_vec();
    answer.body(Full::from(body)).unwrap()
}
