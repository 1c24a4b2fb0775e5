//! How much the proxy bears, and that it ends.

use std::time::Duration;

use futures::future::join_all;
use pierhead::egress::Limits;
use pierhead::tasks::Tasks;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::egress::{Way, connect, echo, localhost};
use crate::support::http::{read_all, read_until, status};
use crate::support::upstream::Upstream;

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_by_time_and_by_size() {
    let limits = Limits { head: Duration::from_millis(200), ..Limits::default() };
    let way = Way::start(&["registry.example.org"], None, limits).await;
    let mut slow = TcpStream::connect(way.address).await.unwrap();
    slow.write_all(b"CONNECT registry.example.org:443 HTTP/1.1\r\nHost: ").await.unwrap();
    assert!(!read_all(&mut slow).await.contains("200"));
    let mut silent = TcpStream::connect(way.address).await.unwrap();
    assert_eq!(read_all(&mut silent).await, "");
    // As much as is read at once: what is left unread would reset the connection.
    let start = "GET http://registry.example.org/ HTTP/1.1\r\nHost: a\r\nX: ";
    let large = format!("{start}{}", "x".repeat(8 * 1_024 - start.len()));
    assert_eq!(status(&way.say(large).await), 431);
    way.stop().await;
}

#[tokio::test]
async fn a_silent_tunnel_is_cut() {
    let tasks = Tasks::default();
    let host = echo(&tasks).await;
    let [name, address] = localhost(host.address);
    let limits = Limits { idle: Duration::from_millis(200), ..Limits::default() };
    let way = Way::start(&[&name, &address], None, limits).await;
    let mut socket = way.tunnel(&name).await;
    assert_eq!(read_all(&mut socket).await, "");
    tasks.stop();
    way.stop().await;
}

#[tokio::test]
async fn more_connections_than_places_take_turns() {
    let tasks = Tasks::default();
    let host = echo(&tasks).await;
    let [name, address] = localhost(host.address);
    let limits = Limits { connections: 4, ..Limits::default() };
    let way = Way::start(&[&name, &address], None, limits).await;
    let talk = async || {
        let mut socket = way.tunnel(&name).await;
        socket.write_all(b"hello").await.unwrap();
        socket.shutdown().await.unwrap();
        read_all(&mut socket).await
    };
    let answers = join_all((0..60).map(|_| talk())).await;
    assert!(answers.iter().all(|answer| answer == "hello"), "{answers:?}");
    // With every place taken by a tunnel, one more waits for the first that ends.
    let mut tunnels = Vec::new();
    for _ in 0..4 {
        tunnels.push(way.tunnel(&name).await);
    }
    let mut late = TcpStream::connect(way.address).await.unwrap();
    late.write_all(connect(&name).as_bytes()).await.unwrap();
    assert!(host.connections() <= 64, "{}", host.connections());
    drop(tunnels.pop());
    assert_eq!(status(&read_until(&mut late, "\r\n\r\n").await), 200);
    tasks.stop();
    way.stop().await;
}

#[tokio::test]
async fn stopping_cuts_tunnels_on_both_sides() {
    let tasks = Tasks::default();
    let (told, mut cut) = tokio::sync::mpsc::channel(1);
    let host = Upstream::raw(&tasks, move |mut socket| {
        let told = told.clone();
        async move {
            read_all(&mut socket).await;
            told.send(()).await.unwrap();
        }
    })
    .await;
    let [name, address] = localhost(host.address);
    let way = Way::to(&[&name, &address]).await;
    let mut socket = way.tunnel(&name).await;
    let Way { proxy, mut refused, .. } = way;
    proxy.stop().await.unwrap();
    assert_eq!(read_all(&mut socket).await, "");
    crate::support::soon(cut.recv()).await.unwrap();
    assert!(crate::support::soon(refused.recv()).await.is_none());
    tasks.stop();
}
