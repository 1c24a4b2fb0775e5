//! An HTTP entrance to knock at.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pierhead::domain::route::{Route, RouteTable};
use pierhead::router::{Settings, serve};
use pierhead::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::soon;

/// A running entrance.
pub(crate) struct Entrance {
    pub(crate) address: SocketAddr,
    pub(crate) tasks: Tasks,
    routes: watch::Sender<Arc<RouteTable>>,
}

/// Settings under which nothing takes so long that it would be noticed.
pub(crate) fn patient() -> Settings {
    Settings::new(Duration::from_secs(60))
}

impl Entrance {
    pub(crate) async fn start(settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (routes, receiver) = watch::channel(Arc::default());
        let tasks = Tasks::default();
        drop(tasks.start(serve(listener, receiver, settings, tasks.clone())));
        Self { address, tasks, routes }
    }

    /// Replaces all routes.
    pub(crate) fn route(&self, routes: &[(&str, &str, &[SocketAddr])]) {
        let route = |(host, path, upstreams): &(&str, &str, &[SocketAddr])| Route {
            host: host.parse().unwrap(),
            path: (*path).to_owned(),
            upstreams: upstreams.to_vec(),
        };
        self.routes.send_replace(Arc::new(RouteTable::new(routes.iter().map(route))));
    }

    /// Sends every path of `shop.localhost` to these.
    pub(crate) fn route_shop(&self, upstreams: &[SocketAddr]) {
        self.route(&[("shop.localhost", "/", upstreams)]);
    }

    /// A connection to it.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes and reads until the entrance closes the connection.
    pub(crate) async fn say(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut socket = self.connect().await;
        socket.write_all(bytes.as_ref()).await.unwrap();
        read_all(&mut socket).await
    }

    /// What a GET of this is answered: the whole answer.
    pub(crate) async fn get(&self, host: &str, path: &str) -> String {
        self.say(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await
    }

    /// Stops it, and insists that nothing it started is left.
    pub(crate) async fn stop(self) {
        self.tasks.shut_down(Duration::from_secs(10)).await.unwrap();
    }
}

/// What a connection says until it is closed.
pub(crate) async fn read_all(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end too; what came before it counts.
    drop(soon(socket.read_to_end(&mut bytes)).await);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a connection says until this text has come.
pub(crate) async fn read_until(socket: &mut TcpStream, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let mut buffer = [0; 4_096];
        let length = soon(socket.read(&mut buffer)).await.unwrap();
        assert_ne!(length, 0, "closed after {read:?}");
        read.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    read
}

/// The status of an answer.
pub(crate) fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

/// The body of an answer.
pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
