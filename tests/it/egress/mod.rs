//! The way out for hooks, over real sockets.

mod cages;
mod limits;
mod upstreams;

use std::net::SocketAddr;
use std::path::Path;

use insta::assert_snapshot;
use pierhead::domain::egress::EgressRules;
use pierhead::egress::{Limits, Listen, Proxy, Refused, Settings, Upstream as Chained};
use pierhead::tasks::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;

use crate::support::http::{body, read_all, read_until, say, status};
use crate::support::soon;
use crate::support::upstream::{Upstream, answer, nobody, shown};

/// A running proxy, and hosts beside it.
struct Way {
    proxy: Proxy,
    refused: mpsc::Receiver<Refused>,
    address: SocketAddr,
    tasks: Tasks,
}

fn rules(entries: &[&str]) -> EgressRules {
    entries.iter().map(|entry| entry.parse().unwrap()).collect::<Vec<_>>().into()
}

impl Way {
    /// Starts one that lets through what is in the list.
    async fn to(entries: &[&str]) -> Self {
        Self::start(entries, None, Limits::default()).await
    }

    async fn start(entries: &[&str], upstream: Option<Chained>, limits: Limits) -> Self {
        let list = "network of hook npm-22".to_owned();
        let settings = Settings { rules: rules(entries), list, upstream, limits };
        let listen = Listen::Tcp("127.0.0.1:0".parse().unwrap());
        let (proxy, refused) = Proxy::start(&listen, settings).await.unwrap();
        let address = proxy.address().unwrap();
        Self { proxy, refused, address, tasks: Tasks::default() }
    }

    /// What a request that is all of these bytes is answered.
    async fn say(&self, bytes: impl AsRef<[u8]>) -> String {
        say(self.address, bytes).await
    }

    /// A tunnel that is open.
    async fn tunnel(&self, target: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(connect(target).as_bytes()).await.unwrap();
        let head = read_until(&mut socket, "\r\n\r\n").await;
        assert_eq!(status(&head), 200, "{head}");
        socket
    }

    /// What the caller was told so far.
    fn told(&mut self) -> String {
        let mut told = Vec::new();
        while let Ok(refused) = self.refused.try_recv() {
            told.push(refused.to_string());
        }
        told.join("\n")
    }

    async fn stop(self) {
        self.proxy.stop().await.unwrap();
        self.tasks.shut_down(crate::support::PATIENCE).await.unwrap();
    }
}

fn connect(target: &str) -> String {
    format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n")
}

/// An entry for a port of `localhost`, and one for where that leads.
fn localhost(address: SocketAddr) -> [String; 2] {
    [format!("localhost:{}", address.port()), address.ip().to_string()]
}

/// A host that answers with all that it was sent, once there is no more to come.
async fn echo(tasks: &Tasks) -> Upstream {
    Upstream::raw(tasks, async |mut socket| {
        let mut heard = Vec::new();
        socket.read_to_end(&mut heard).await.unwrap();
        socket.write_all(&heard).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn a_tunnel_passes_bytes_both_ways_after_one_side_has_closed() {
    let tasks = Tasks::default();
    let host = echo(&tasks).await;
    let [name, address] = localhost(host.address);
    let way = Way::to(&[&name, &address]).await;
    let mut socket = way.tunnel(&name).await;
    let sent = "x".repeat(200_000);
    let (mut reader, mut writer) = socket.split();
    let write = async {
        writer.write_all(sent.as_bytes()).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let mut heard = String::new();
    let (_, read) = soon(async { tokio::join!(write, reader.read_to_string(&mut heard)) }).await;
    read.unwrap();
    assert!(heard == sent, "{} bytes came back", heard.len());
    let traffic = way.proxy.traffic();
    assert_eq!((traffic.sent(), traffic.received(), traffic.connections()), (200_000, 200_000, 1));
    tasks.stop();
    way.stop().await;
}

#[tokio::test]
async fn what_is_not_listed_is_refused_with_what_to_do() {
    let mut way = Way::to(&["registry.example.org", "localhost", "[::1]:7", "127.0.0.5"]).await;
    let mut answers = Vec::new();
    for request in [
        connect("evil.example.org:443"),
        connect("registry.example.org:22"),
        connect("169.254.169.254:80"),
        connect("localhost:443"),
        connect("127.0.0.1:443"),
        connect("[::ffff:127.0.0.1]:443"),
        connect("2130706433:443"),
        connect("user@registry.example.org:443"),
        "GET http://evil.example.org:8080/ HTTP/1.1\r\nHost: registry.example.org\r\n\r\n"
            .to_owned(),
        "GET https://registry.example.org/ HTTP/1.1\r\nHost: registry.example.org\r\n\r\n"
            .to_owned(),
        "GET / HTTP/1.1\r\nHost: registry.example.org\r\n\r\n".to_owned(),
        connect("evil.example.org:443"),
    ] {
        let answer = way
            .say(request)
            .await
            .replace("::1,", "127.0.0.1,")
            .replace("add ::1", "add 127.0.0.1");
        let words = body(&answer);
        // Clients show of an answer to CONNECT only this line.
        let line = answer.lines().next().unwrap_or_default();
        let reason = line.splitn(3, ' ').last().unwrap_or_default();
        assert_eq!(format!("pierhead: {reason}\n"), words);
        answers.push(format!("{} {}", status(&answer), words.trim_end()));
    }
    assert_snapshot!(answers.join("\n"), @"
    403 pierhead: evil.example.org:443 is not allowed: add evil.example.org to network of hook npm-22
    403 pierhead: registry.example.org is allowed on other ports only: add registry.example.org:22 to network of hook npm-22
    403 pierhead: 169.254.169.254:80 is not allowed: add 169.254.169.254 to network of hook npm-22
    403 pierhead: localhost leads to 127.0.0.1, an address of this machine: if that is right, add 127.0.0.1 to network of hook npm-22
    403 pierhead: 127.0.0.1:443 is not allowed: add 127.0.0.1 to network of hook npm-22
    403 pierhead: 127.0.0.1:443 is not allowed: add 127.0.0.1 to network of hook npm-22
    403 pierhead: 2130706433:443 is not allowed: add 2130706433 to network of hook npm-22
    400 pierhead: this is a proxy for CONNECT host:port and for http:// addresses; nothing else is here
    403 pierhead: evil.example.org:8080 is not allowed: add evil.example.org:8080 to network of hook npm-22
    400 pierhead: this is a proxy for CONNECT host:port and for http:// addresses; nothing else is here
    400 pierhead: this is a proxy for CONNECT host:port and for http:// addresses; nothing else is here
    403 pierhead: evil.example.org:443 is not allowed: add evil.example.org to network of hook npm-22
    ");
    let told = way.told().replace("::1,", "127.0.0.1,").replace("add ::1", "add 127.0.0.1");
    assert_snapshot!(told, @"
    evil.example.org:443 is not allowed: add evil.example.org to network of hook npm-22
    registry.example.org is allowed on other ports only: add registry.example.org:22 to network of hook npm-22
    169.254.169.254:80 is not allowed: add 169.254.169.254 to network of hook npm-22
    localhost leads to 127.0.0.1, an address of this machine: if that is right, add 127.0.0.1 to network of hook npm-22
    127.0.0.1:443 is not allowed: add 127.0.0.1 to network of hook npm-22
    2130706433:443 is not allowed: add 2130706433 to network of hook npm-22
    evil.example.org:8080 is not allowed: add evil.example.org:8080 to network of hook npm-22
    ");
    way.stop().await;
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_told_as_that() {
    let nobody = nobody().await;
    let [name, address] = localhost(nobody);
    let limits = Limits { connect: std::time::Duration::from_secs(5), ..Limits::default() };
    let mut way = Way::start(&[&name, &address, "nowhere.invalid"], None, limits).await;
    let answer = way.say(connect(&name)).await;
    assert_eq!(status(&answer), 502);
    assert!(
        body(&answer).starts_with(&format!("pierhead: {name} cannot be reached: ")),
        "{answer}"
    );
    let answer = way.say(connect("nowhere.invalid:443")).await;
    assert_eq!(status(&answer), 502, "{answer}");
    assert_eq!(way.told().lines().count(), 2);
    way.stop().await;
}

#[tokio::test]
async fn a_plain_request_reaches_its_target_alone_and_says_nothing_of_the_way() {
    let tasks = Tasks::default();
    let host = Upstream::start(&tasks, async |request| answer(shown(request).await)).await;
    let [name, address] = localhost(host.address);
    let mut way = Way::to(&[&name, &address]).await;
    let mut socket = TcpStream::connect(way.address).await.unwrap();
    let request = format!(
        "POST http://{name}/a?b=c HTTP/1.1\r\nHost: other.example.org\r\nProxy-Authorization: Basic x\r\n\
         Connection: X-Mine\r\nX-Mine: 1\r\nProxy-Connection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let first = read_until(&mut socket, "hello").await;
    let port = host.address.port().to_string();
    assert_snapshot!(body(&first).replace(&port, "PORT"), @"
    POST /a?b=c HTTP/1.1
    content-length: 5
    host: localhost:PORT

    hello
    ");
    // The same connection goes on, and each request is looked at.
    let request = "GET http://evil.example.org/ HTTP/1.1\r\nHost: evil.example.org\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(status(&read_all(&mut socket).await), 403);
    assert_eq!(
        way.told(),
        "evil.example.org:80 is not allowed: add evil.example.org to network of hook npm-22"
    );
    assert!(way.proxy.traffic().sent() > 5);
    tasks.stop();
    way.stop().await;
}

#[tokio::test]
async fn a_proxy_on_a_unix_socket_is_for_its_owner_and_leaves_nothing() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.sock");
    let settings = Settings { list: "the list".to_owned(), ..Settings::default() };
    let start =
        async |path: &Path| Proxy::start(&Listen::Unix(path.to_owned()), settings.clone()).await;
    let (proxy, _refused) = start(&path).await.unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut socket = UnixStream::connect(&path).await.unwrap();
    socket.write_all(connect("registry.example.org:443").as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(socket.read_to_string(&mut answer)).await.unwrap();
    assert_eq!(
        body(&answer),
        "pierhead: registry.example.org:443 is not allowed: add registry.example.org to the list\n"
    );
    drop(proxy);
    assert!(!path.exists());
    let missing = start(&folder.path().join("missing/proxy.sock")).await.unwrap_err();
    assert!(missing.to_string().starts_with("the proxy for hooks cannot listen on "), "{missing}");
}
