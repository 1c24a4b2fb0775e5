//! Machines that reach the outside through a proxy themselves.

use pierhead::egress::{Limits, Upstream as Chained};
use pierhead::tasks::Tasks;
use tokio::io::AsyncWriteExt as _;

use crate::egress::{Way, connect, echo, localhost};
use crate::support::http::{body, read_all, read_until, status};
use crate::support::upstream::{Upstream, nobody};

#[tokio::test]
async fn another_proxy_is_asked_for_names_and_only_for_those_in_the_list() {
    let tasks = Tasks::default();
    let host = echo(&tasks).await;
    let [name, address] = localhost(host.address);
    let outer = Way::to(&[&name, &address]).await;
    let chained = Chained::new(&format!("http://{}", outer.address), "").unwrap();
    // Where the name leads is the other proxy's affair: no address is listed here.
    let way = Way::start(&[&name], Some(chained), Limits::default()).await;
    let mut socket = way.tunnel(&name).await;
    socket.write_all(b"hello").await.unwrap();
    socket.shutdown().await.unwrap();
    assert_eq!(read_all(&mut socket).await, "hello");
    assert_eq!(outer.proxy.traffic().sent(), 5);
    assert_eq!(status(&way.say(connect("other.example.org:443")).await), 403);
    assert_eq!(status(&way.say(connect(&host.address.to_string())).await), 403);
    assert_eq!(outer.proxy.traffic().connections(), 1);
    tasks.stop();
    way.stop().await;
    outer.stop().await;
}

#[tokio::test]
async fn another_proxy_gets_its_password_and_is_told_when_it_refuses() {
    let tasks = Tasks::default();
    let (told, mut heads) = tokio::sync::mpsc::channel(1);
    let other = Upstream::raw(&tasks, move |mut socket| {
        let told = told.clone();
        async move {
            told.send(read_until(&mut socket, "\r\n\r\n").await).await.unwrap();
            socket
                .write_all(b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n")
                .await
                .unwrap();
        }
    })
    .await;
    let chained = Chained::new(&format!("http://me:secret@{}", other.address), "").unwrap();
    let mut way = Way::start(&["registry.example.org"], Some(chained), Limits::default()).await;
    let answer = way.say(connect("registry.example.org:443")).await;
    assert_eq!(status(&answer), 502);
    assert!(body(&answer).contains("the proxy of this machine says 407"), "{answer}");
    assert!(!way.told().contains("secret"));
    let head = heads.recv().await.unwrap().to_ascii_lowercase();
    assert!(head.starts_with("connect registry.example.org:443 http/1.1\r\n"), "{head}");
    assert!(head.contains("proxy-authorization: basic bwu6c2vjcmv0\r\n"), "{head}");
    tasks.stop();
    way.stop().await;
}

#[tokio::test]
async fn names_that_are_near_are_reached_without_the_other_proxy() {
    let tasks = Tasks::default();
    let host = echo(&tasks).await;
    let [name, address] = localhost(host.address);
    let chained = Chained::new(&format!("http://{}", nobody().await), "localhost").unwrap();
    let way = Way::start(&[&name, &address], Some(chained), Limits::default()).await;
    drop(way.tunnel(&name).await);
    tasks.stop();
    way.stop().await;
}
