//! Bodies and tunnels, which are passed on as they come.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::BodyExt;
use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use pierhead::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc};

use crate::support::entrance::{Entrance, patient};
use crate::support::http::{body, read_all, read_until, status};
use crate::support::soon;
use crate::support::upstream::{Upstream, answer, nobody, streamed};

/// Larger than every buffer on the way.
const LARGE: usize = 32 * 1024 * 1024;

#[tokio::test]
async fn the_begin_of_an_answer_arrives_before_its_end_is_written() {
    let entrance = Entrance::start(patient()).await;
    let finish = Arc::new(Semaphore::new(0));
    let (tasks, may_finish) = (entrance.tasks.clone(), Arc::clone(&finish));
    let upstream = Upstream::start(&entrance.tasks, move |_| {
        let (sender, answer) = streamed();
        let may_finish = Arc::clone(&may_finish);
        drop(tasks.start(async move {
            sender.send(Bytes::from("begin;")).await.unwrap();
            may_finish.acquire().await.unwrap().forget();
            sender.send(Bytes::from(vec![b'x'; LARGE])).await.unwrap();
            sender.send(Bytes::from(";end")).await.unwrap();
        }));
        async move { answer }
    })
    .await;
    entrance.route_shop(&[upstream.address]);

    let mut socket = entrance.connect().await;
    let request = b"GET / HTTP/1.0\r\nHost: shop.localhost\r\n\r\n";
    socket.write_all(request).await.unwrap();
    read_until(&mut socket, "begin;").await;
    finish.add_permits(1);
    let rest = read_all(&mut socket).await;
    assert_eq!(rest.len(), LARGE + ";end".len());
    entrance.stop().await;
}

#[tokio::test]
async fn the_begin_of_a_request_arrives_before_its_end_is_sent() {
    let entrance = Entrance::start(patient()).await;
    let (arrived, mut arrivals) = mpsc::channel(1);
    let upstream = Upstream::start(&entrance.tasks, move |request| {
        let arrived = arrived.clone();
        async move {
            let mut body = request.into_body();
            let mut total = 0;
            while let Some(frame) = body.frame().await {
                total += frame.unwrap().into_data().unwrap().len();
                if total == "begin".len() {
                    arrived.send(total).await.unwrap();
                }
            }
            answer(total.to_string())
        }
    })
    .await;
    entrance.route_shop(&[upstream.address]);

    let mut socket = entrance.connect().await;
    let length = LARGE + 5;
    let head = format!(
        "PUT / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(b"begin").await.unwrap();
    assert_eq!(soon(arrivals.recv()).await, Some(5));
    soon(socket.write_all(&vec![b'x'; LARGE])).await.unwrap();
    assert_eq!(body(&read_all(&mut socket).await), length.to_string());
    entrance.stop().await;
}

#[tokio::test]
async fn a_client_that_reads_slowly_holds_the_application_back() {
    const PIECE: usize = 64 * 1024;
    /// What sockets and buffers on the way may hold.
    const ON_THE_WAY: usize = 24 * 1024 * 1024;
    const TOTAL: usize = 256 * 1024 * 1024;

    let entrance = Entrance::start(patient()).await;
    let written = Arc::new(AtomicUsize::new(0));
    let (tasks, count) = (entrance.tasks.clone(), Arc::clone(&written));
    let upstream = Upstream::start(&entrance.tasks, move |_| {
        let (sender, answer) = streamed();
        let count = Arc::clone(&count);
        drop(tasks.start(async move {
            let piece = Bytes::from(vec![b'x'; PIECE]);
            while count.fetch_add(PIECE, Ordering::SeqCst) < TOTAL {
                if sender.send(piece.clone()).await.is_err() {
                    return;
                }
            }
        }));
        async move { answer }
    })
    .await;
    entrance.route_shop(&[upstream.address]);

    let mut socket = entrance.connect().await;
    socket.write_all(b"GET / HTTP/1.0\r\nHost: shop.localhost\r\n\r\n").await.unwrap();
    let mut buffer = vec![0; PIECE];
    let mut read = 0;
    while read < TOTAL {
        read += match soon(socket.read(&mut buffer)).await.unwrap() {
            0 => break,
            length => length,
        };
        let ahead = written.load(Ordering::SeqCst).saturating_sub(read);
        assert!(ahead < ON_THE_WAY, "{ahead} bytes were written that nobody had read");
    }
    assert!(read >= TOTAL);
    entrance.stop().await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_not_look_complete() {
    let entrance = Entrance::start(patient()).await;
    let upstream = Upstream::raw(&entrance.tasks, async |mut socket| {
        read_until(&mut socket, "\r\n\r\n").await;
        let half = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
        socket.write_all(half).await.unwrap();
    })
    .await;
    entrance.route_shop(&[upstream.address]);
    let answer = entrance.get("shop.localhost", "/").await;
    assert!(answer.contains("half") && !answer.contains("\r\n0\r\n"), "{answer}");
    entrance.stop().await;
}

/// An application that agrees to speak `echo` and then says everything back.
async fn echoing(tasks: &Tasks) -> Upstream {
    let own = tasks.clone();
    Upstream::start(tasks, move |mut request| {
        let protocol = request.headers().get("upgrade").cloned();
        let connection = hyper::upgrade::on(&mut request);
        let mut response = answer("no tunnel");
        if let Some(protocol) = protocol {
            response = Response::new(answer("").into_body());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            response.headers_mut().insert("connection", "upgrade".parse().unwrap());
            response.headers_mut().insert("upgrade", protocol);
            drop(own.start(async move {
                let connection = TokioIo::new(connection.await.unwrap());
                let (mut reader, mut writer) = tokio::io::split(connection);
                tokio::io::copy(&mut reader, &mut writer).await.unwrap();
                writer.shutdown().await.unwrap();
            }));
        }
        async move { response }
    })
    .await
}

const UPGRADE: &[u8] = b"GET /live HTTP/1.1\r\nHost: shop.localhost\r\n\
    Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";

#[tokio::test]
async fn a_web_socket_is_a_tunnel_both_ways() {
    let entrance = Entrance::start(patient()).await;
    let upstream = echoing(&entrance.tasks).await;
    entrance.route_shop(&[nobody().await, upstream.address]);

    let mut socket = entrance.connect().await;
    // What is sent right behind the head belongs to the tunnel.
    socket.write_all(&[UPGRADE, b"early"].concat()).await.unwrap();
    let head = read_until(&mut socket, "early").await;
    assert_eq!(status(&head), 101);
    assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: websocket\r\n"));
    socket.write_all(b"\x81\x02hi").await.unwrap();
    read_until(&mut socket, "hi").await;

    // Routes that change leave it alone.
    entrance.route_shop(&[]);
    socket.write_all(b"still here").await.unwrap();
    read_until(&mut socket, "still here").await;
    socket.shutdown().await.unwrap();
    assert_eq!(read_all(&mut socket).await, "");
    entrance.stop().await;
}

#[tokio::test]
async fn an_upgrade_that_is_refused_or_leads_to_http_is_an_answer_like_others() {
    let entrance = Entrance::start(patient()).await;
    let upstream = echoing(&entrance.tasks).await;
    let plain = Upstream::saying(&entrance.tasks, "plain").await;
    entrance.route_shop(&[plain.address]);
    let mut socket = entrance.connect().await;
    socket.write_all(UPGRADE).await.unwrap();
    assert_eq!(status(&read_until(&mut socket, "plain").await), 200);

    entrance.route_shop(&[upstream.address]);
    let h2c = "GET / HTTP/1.1\r\nHost: shop.localhost\r\nUpgrade: h2c\r\n\
               Connection: close, Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    assert_eq!(body(&entrance.say(h2c).await), "no tunnel");
    drop(socket);
    entrance.stop().await;
}

#[tokio::test]
async fn an_upgrade_that_nobody_asked_for_is_no_tunnel() {
    let entrance = Entrance::start(patient()).await;
    let upstream = Upstream::raw(&entrance.tasks, async |mut socket| {
        read_until(&mut socket, "\r\n\r\n").await;
        let switch = b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
        socket.write_all(switch).await.unwrap();
    })
    .await;
    entrance.route_shop(&[upstream.address]);
    assert_eq!(status(&entrance.get("shop.localhost", "/").await), 502);
    entrance.stop().await;
}
