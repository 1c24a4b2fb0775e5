//! Requests that are made to be read in two ways.

use crate::support::entrance::{Entrance, patient};
use crate::support::http::{body, status};
use crate::support::upstream::{Upstream, answer, shown};

/// What each of these is answered, and how many requests reached the application.
async fn say(messages: &[&str]) -> (Vec<u16>, usize) {
    let entrance = Entrance::start(patient()).await;
    let upstream = Upstream::saying(&entrance.tasks, "hello").await;
    entrance.route_shop(&[upstream.address]);
    let mut statuses = Vec::new();
    for message in messages {
        statuses.push(status(&entrance.say(message).await));
    }
    entrance.stop().await;
    (statuses, upstream.requests())
}

#[tokio::test]
async fn a_request_without_exactly_one_host_is_refused() {
    let refused = say(&[
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: shop.localhost\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: shop.localhost\r\nHost: other\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: me@shop.localhost\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: shop.localhost/x\r\nConnection: close\r\n\r\n",
        "GET http://other/ HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n",
        "GET http://shop.localhost/ HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n",
        "GET http://shop.localhost/ HTTP/1.1\r\nConnection: close\r\n\r\n",
    ])
    .await;
    assert_eq!(refused, (vec![400; 10], 0));
}

#[tokio::test]
async fn a_body_whose_end_is_in_doubt_is_refused() {
    let refused = say(&[
        "POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: +5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 5, 6\r\n\r\nhello!",
        "POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length : 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding: identity\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: shop.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: shop.localhost\r\nX: a\r\n b\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: shop.localhost\r\nX: a\rb\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: shop.localhost\r\nX\0: a\r\n\r\n",
    ])
    .await;
    assert_eq!(refused, (vec![400; 11], 0));
}

#[tokio::test]
async fn a_connection_to_elsewhere_is_refused() {
    let connect = "CONNECT shop.localhost:80 HTTP/1.1\r\nHost: shop.localhost:80\r\nConnection: close\r\n\r\n";
    assert_eq!(say(&[connect]).await, (vec![405], 0));
}

#[tokio::test]
async fn of_two_lengths_chunked_wins_and_nothing_is_read_behind_it() {
    let entrance = Entrance::start(patient()).await;
    let echo = Upstream::start(&entrance.tasks, async |request| answer(shown(request).await)).await;
    entrance.route_shop(&[echo.address]);
    for lengths in [
        "Content-Length: 44\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
    ] {
        let all = entrance
            .say(format!(
                "POST / HTTP/1.1\r\nHost: shop.localhost\r\n{lengths}\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
                 GET /smuggled HTTP/1.1\r\nHost: shop.localhost\r\n\r\n"
            ))
            .await;
        let seen = body(&all);
        assert!(seen.contains("transfer-encoding: chunked") && seen.ends_with("\n\nabc"), "{all}");
        assert!(!all.contains("content-length: 4") && !all.contains("smuggled"), "{all}");
    }
    assert_eq!(echo.requests(), 2);
    entrance.stop().await;
}

#[tokio::test]
async fn trailers_and_the_fields_connection_names_do_not_come_through() {
    let entrance = Entrance::start(patient()).await;
    let echo = Upstream::start(&entrance.tasks, async |request| answer(shown(request).await)).await;
    entrance.route_shop(&[echo.address]);
    let answer = entrance
        .say(
            "POST / HTTP/1.1\r\nHost: shop.localhost\r\n\
             Connection: close, host, x-forwarded-for, content-length\r\n\
             Trailer: x-late\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n",
        )
        .await;
    let seen = body(&answer);
    assert!(seen.contains("\nhost: shop.localhost\n"), "{answer}");
    assert!(seen.contains("\nx-forwarded-for: 127.0.0.1\n"), "{answer}");
    assert!(!seen.contains("late"), "{answer}");
    entrance.stop().await;
}
