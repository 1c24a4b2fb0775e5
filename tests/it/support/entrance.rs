//! An HTTP entrance to knock at.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pierhead::domain::route::{Route, RouteTable};
use pierhead::router::{Settings, serve};
use pierhead::tasks::Tasks;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::http::say;

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
        say(self.address, bytes).await
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
