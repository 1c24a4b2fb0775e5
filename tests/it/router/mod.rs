//! The HTTP entrance, over real sockets.

mod clients;
mod smuggling;
mod stopping;
mod streams;

use insta::assert_snapshot;
use tokio::io::AsyncWriteExt;

use crate::support::entrance::{Entrance, patient};
use crate::support::http::{body, read_all, read_until, status};
use crate::support::upstream::{Upstream, answer, nobody, shown};

#[tokio::test]
async fn a_request_goes_where_its_host_and_path_say() {
    let entrance = Entrance::start(patient()).await;
    let site = Upstream::saying(&entrance.tasks, "site").await.address;
    let api = Upstream::saying(&entrance.tasks, "api").await.address;
    let blog = Upstream::saying(&entrance.tasks, "blog").await.address;
    entrance.route(&[
        ("shop.localhost", "/", &[site]),
        ("shop.localhost", "/api", &[api]),
        ("blog.localhost", "/posts", &[blog]),
    ]);

    let mut answers = Vec::new();
    for (host, path) in [
        ("shop.localhost", "/"),
        ("Shop.Localhost:8080", "/cart?to=/api"),
        ("shop.localhost", "/api"),
        ("shop.localhost", "/api?x"),
        ("shop.localhost", "/api/v1"),
        ("shop.localhost", "/apix"),
        ("blog.localhost", "/posts/1"),
        ("blog.localhost", "/"),
        ("other.localhost", "/"),
    ] {
        let answer = entrance.get(host, path).await;
        let first = body(&answer).lines().next().unwrap_or_default();
        answers.push(format!("{host}{path}: {} {first}", status(&answer)));
    }
    assert_snapshot!(answers.join("\n"), @"
    shop.localhost/: 200 site
    Shop.Localhost:8080/cart?to=/api: 200 site
    shop.localhost/api: 200 api
    shop.localhost/api?x: 200 api
    shop.localhost/api/v1: 200 api
    shop.localhost/apix: 200 site
    blog.localhost/posts/1: 200 blog
    blog.localhost/: 404 Nothing is deployed at this path of blog.localhost
    other.localhost/: 404 Nothing is deployed at other.localhost
    ");
    entrance.stop().await;
}

#[tokio::test]
async fn an_application_sees_who_asked_for_what_and_nothing_clients_claim() {
    let entrance = Entrance::start(patient()).await;
    let echo = Upstream::start(&entrance.tasks, async |request| answer(shown(request).await)).await;
    entrance.route_shop(&[echo.address]);
    let answer = entrance
        .say(
            "POST http://shop.localhost:8080/a%20b?c=d HTTP/1.1\r\n\
             Host: shop.localhost:8080\r\n\
             Connection: close, X-Private\r\n\
             X-Private: 1\r\n\
             X-Forwarded-For: 6.6.6.6\r\n\
             X_Forwarded_Proto: https\r\n\
             Forwarded: for=6.6.6.6\r\n\
             Content-Length: 5\r\n\r\n\
             hello",
        )
        .await;
    assert_snapshot!(body(&answer), @r#"
    POST /a%20b?c=d HTTP/1.1
    content-length: 5
    forwarded: for=127.0.0.1;host="shop.localhost:8080";proto=http
    host: shop.localhost:8080
    x-forwarded-for: 127.0.0.1
    x-forwarded-host: shop.localhost:8080
    x-forwarded-proto: http

    hello
    "#);
    entrance.stop().await;
}

#[tokio::test]
async fn a_body_of_unknown_length_comes_through_with_any_method() {
    let entrance = Entrance::start(patient()).await;
    let echo = Upstream::start(&entrance.tasks, async |request| answer(shown(request).await)).await;
    entrance.route_shop(&[echo.address]);
    for method in ["GET", "POST", "DELETE"] {
        let answer = entrance
            .say(format!(
                "{method} / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\
                 Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            ))
            .await;
        assert!(body(&answer).ends_with("\n\nabcde"), "{answer}");
    }
    entrance.stop().await;
}

#[tokio::test]
async fn upstreams_answer_in_turn() {
    let entrance = Entrance::start(patient()).await;
    let one = Upstream::saying(&entrance.tasks, "one").await;
    let two = Upstream::saying(&entrance.tasks, "two").await;
    entrance.route_shop(&[one.address, two.address]);
    for _ in 0..10 {
        assert_eq!(status(&entrance.get("shop.localhost", "/").await), 200);
    }
    assert_eq!((one.requests(), two.requests()), (5, 5));
    entrance.stop().await;
}

#[tokio::test]
async fn an_upstream_that_is_down_is_passed_over() {
    let entrance = Entrance::start(patient()).await;
    let up = Upstream::start(&entrance.tasks, async |request| answer(shown(request).await)).await;
    entrance.route_shop(&[nobody().await, up.address, nobody().await]);
    for _ in 0..6 {
        let answer = entrance
            .say(
                "POST / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\
                 Content-Length: 4\r\n\r\nonce",
            )
            .await;
        assert!(body(&answer).ends_with("\n\nonce"), "{answer}");
    }
    assert_eq!(up.requests(), 6);
    entrance.stop().await;
}

#[tokio::test]
async fn with_no_upstream_left_the_page_says_that_the_application_is_down() {
    let entrance = Entrance::start(patient()).await;
    entrance.route_shop(&[nobody().await, nobody().await]);
    let answer = entrance.get("shop.localhost", "/").await;
    assert_eq!(status(&answer), 502);
    assert_snapshot!(body(&answer), @"
    The application at shop.localhost is down
    It does not accept connections, or breaks them off. Try again in a moment.
    ");

    let page = entrance
        .say("GET / HTTP/1.1\r\nHost: shop.localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n")
        .await;
    assert!(page.contains("content-type: text/html; charset=utf-8\r\n"), "{page}");
    assert!(page.contains("<h1>The application at shop.localhost is down</h1>"), "{page}");
    entrance.stop().await;
}

#[tokio::test]
async fn a_connection_serves_many_requests_on_both_sides() {
    let entrance = Entrance::start(patient()).await;
    let upstream = Upstream::saying(&entrance.tasks, "hello").await;
    entrance.route_shop(&[upstream.address]);
    let mut socket = entrance.connect().await;
    for _ in 0..5 {
        socket.write_all(b"GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").await.unwrap();
        read_until(&mut socket, "hello").await;
    }
    socket
        .write_all(b"HEAD / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let head = read_all(&mut socket).await;
    assert!(head.contains("content-length: 5\r\n") && body(&head).is_empty(), "{head}");
    assert_eq!(upstream.requests(), 6);
    // The next request may come before the connection is free again, so not exactly one.
    assert!(upstream.connections() < 6);
    entrance.stop().await;
}

#[tokio::test]
async fn a_kept_connection_that_the_upstream_closed_costs_no_request() {
    let entrance = Entrance::start(patient()).await;
    // It closes each connection after one answer, without a word about it.
    let upstream = Upstream::raw(&entrance.tasks, async |mut socket| {
        read_until(&mut socket, "\r\n\r\n").await;
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    entrance.route_shop(&[upstream.address]);
    for _ in 0..20 {
        assert_eq!(status(&entrance.get("shop.localhost", "/").await), 200);
        let post = "POST / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n";
        assert_eq!(status(&entrance.say(post).await), 200);
    }
    entrance.stop().await;
}
