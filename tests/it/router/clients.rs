//! Clients and applications that are slow, silent, or too many.

use std::time::Duration;

use pierhead::router::Settings;
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, oneshot};

use crate::support::entrance::{Entrance, patient};
use crate::support::http::{body, read_all, read_until, status};
use crate::support::soon;
use crate::support::upstream::{Upstream, answer, shown};

const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_head_that_is_never_complete_ends_the_connection() {
    let entrance = Entrance::start(Settings { head_limit: SHORT, ..patient() }).await;
    let silent = entrance.say("").await;
    let begun = entrance.say("GET / HTTP/1.1\r\nHost: shop.loc").await;
    assert!(!silent.contains("200") && !begun.contains("200"));

    // One byte at a time does not help.
    let mut socket = entrance.connect().await;
    let mut dripping = tokio::time::interval(SHORT / 10);
    for byte in b"GET / HTTP/1.1\r\nHost: shop.localhost\r\n".iter().cycle() {
        dripping.tick().await;
        if socket.write_all(&[*byte]).await.is_err() {
            break;
        }
    }
    entrance.stop().await;
}

#[tokio::test]
async fn a_connection_without_a_next_request_is_closed() {
    let entrance = Entrance::start(Settings { head_limit: SHORT, ..patient() }).await;
    let upstream = Upstream::saying(&entrance.tasks, "hello").await;
    entrance.route_shop(&[upstream.address]);
    let answer = entrance.say("GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").await;
    assert_eq!(body(&answer), "hello");
    entrance.stop().await;
}

#[tokio::test]
async fn a_body_that_stops_in_the_middle_is_the_clients_fault() {
    let entrance = Entrance::start(Settings { response_limit: SHORT, ..patient() }).await;
    let upstream =
        Upstream::start(&entrance.tasks, async |request| answer(shown(request).await)).await;
    entrance.route_shop(&[upstream.address]);
    let answer = entrance
        .say("POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 10\r\n\r\nhalf")
        .await;
    assert_eq!(status(&answer), 408);
    entrance.stop().await;
}

#[tokio::test]
async fn an_application_that_does_not_answer_in_time_is_told_from_one_that_is_down() {
    let entrance = Entrance::start(Settings { response_limit: SHORT, ..patient() }).await;
    let silent = Upstream::start(&entrance.tasks, async |request| {
        drop(shown(request).await);
        std::future::pending().await
    })
    .await;
    let broken = Upstream::raw(&entrance.tasks, async |mut socket| {
        read_until(&mut socket, "\r\n\r\n").await;
    })
    .await;
    let nonsense = Upstream::raw(&entrance.tasks, async |mut socket| {
        read_until(&mut socket, "\r\n\r\n").await;
        socket.write_all(b"SSH-2.0-nonsense\r\n").await.unwrap();
    })
    .await;
    entrance.route(&[
        ("silent.localhost", "/", &[silent.address]),
        ("broken.localhost", "/", &[broken.address]),
        ("nonsense.localhost", "/", &[nonsense.address]),
    ]);
    let post = "POST / HTTP/1.1\r\nHost: silent.localhost\r\nConnection: close\r\n\
                Content-Length: 2\r\n\r\nhi";
    let late = entrance.say(post).await;
    assert_eq!(status(&late), 504);
    assert!(body(&late).starts_with("The application at silent.localhost did not answer in time"));
    assert_eq!(status(&entrance.get("broken.localhost", "/").await), 502);
    assert_eq!(status(&entrance.get("nonsense.localhost", "/").await), 502);
    // A request that may have been read is not sent to anybody again.
    assert_eq!((silent.requests(), broken.connections()), (1, 1));
    entrance.stop().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let entrance = Entrance::start(patient()).await;
    let upstream = Upstream::saying(&entrance.tasks, "hello").await;
    entrance.route_shop(&[upstream.address]);
    let with = |fields: String| format!("GET / HTTP/1.1\r\nHost: shop.localhost\r\n{fields}\r\n");
    let long = with(format!("X: {}\r\nConnection: close\r\n", "x".repeat(32 * 1024)));
    let too_long = with(format!("X: {}\r\n", "x".repeat(128 * 1024)));
    let too_many = with("X: y\r\n".repeat(200));
    assert_eq!(status(&entrance.say(long).await), 200);
    assert_eq!(status(&entrance.say(too_long).await), 431);
    assert_eq!(status(&entrance.say(too_many).await), 431);
    entrance.stop().await;
}

#[tokio::test]
async fn a_client_without_a_place_waits_for_one() {
    let entrance = Entrance::start(Settings { connections: 1, ..patient() }).await;
    let upstream = Upstream::saying(&entrance.tasks, "hello").await;
    entrance.route_shop(&[upstream.address]);
    let request = b"GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n";

    let mut first = entrance.connect().await;
    first.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let mut second = entrance.connect().await;
    second.write_all(request).await.unwrap();
    first.write_all(b"Host: shop.localhost\r\n\r\n").await.unwrap();
    read_until(&mut first, "hello").await;
    // It keeps its place for a next request.
    assert_eq!(upstream.requests(), 1);
    drop(first);
    assert_eq!(body(&read_all(&mut second).await), "hello");
    entrance.stop().await;
}

#[tokio::test]
async fn an_application_notices_a_client_that_hangs_up() {
    let entrance = Entrance::start(patient()).await;
    let (begun, mut begins) = mpsc::channel(1);
    let upstream = Upstream::start(&entrance.tasks, move |_| {
        let begun = begun.clone();
        async move {
            let (_until_dropped, gone) = oneshot::channel::<()>();
            begun.send(gone).await.unwrap();
            std::future::pending().await
        }
    })
    .await;
    entrance.route_shop(&[upstream.address]);
    let mut socket = entrance.connect().await;
    socket.write_all(b"GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").await.unwrap();
    let gone = soon(begins.recv()).await.unwrap();
    drop(socket);
    assert!(soon(gone).await.is_err());
    entrance.stop().await;
}
