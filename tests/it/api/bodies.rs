//! Bodies that are none, too large, too slow or not JSON.

use std::time::Duration;

use pierhead::domain::access::Role;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::api::{Api, bearer};
use crate::support::http::{read_all, status};

const PUT: &str = "PUT /projects/acme/shop/variables/A";

#[tokio::test]
async fn what_cannot_be_read_is_told_with_the_reason() {
    let api = Api::start().await;
    let ana = api.person("ana", Some(Role::Developer)).await;
    let json = format!("{}Content-Type: application/json; charset=utf-8\r\n", bearer(&ana));
    for (text, expected, problem) in [
        ("", 400, "bad-request"),
        ("{", 400, "bad-request"),
        ("{\"value\": \"a\"} x", 400, "bad-request"),
        ("[]", 422, "invalid"),
        ("{\"value\": 1}", 422, "invalid"),
        ("{\"value\": \"a\", \"value\": \"b\"}", 422, "invalid"),
        ("{\"value\": \"\\u0000\"}", 422, "invalid"),
        ("{\"value\": \"a\", \"environment\": \"x\"}", 422, "invalid"),
    ] {
        let reply = api.send(PUT, &json, text).await;
        assert_eq!((reply.status, reply.problem()), (expected, problem), "{text}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        let fields = format!("{}Content-Type: {kind}\r\n", bearer(&ana));
        let reply = api.send(PUT, &fields, "{\"value\": \"a\"}").await.assert(415);
        assert_eq!(reply.problem(), "not-json");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    api.send(PUT, &json, &deep).await.assert(422);
    api.stop().await;
}

#[tokio::test]
async fn a_body_has_a_bound_which_is_told() {
    let api = Api::start().await;
    let ana = api.person("ana", Some(Role::Developer)).await;
    let large = json!({"value": "a".repeat(300 * 1024)});
    let reply = api.tell(&ana, PUT, &large).await.assert(413);
    assert_eq!(reply.body["detail"], "a body has at most 256 KiB");
    // Also when nobody says before how large it is.
    let mut socket = TcpStream::connect(api.address).await.unwrap();
    let head = format!(
        "PUT /api/v1/projects/acme/shop/variables/A HTTP/1.1\r\nHost: localhost\r\n\
         Connection: close\r\n{}Content-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
        bearer(&ana)
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, "a".repeat(64 * 1024));
    for _ in 0..6 {
        if socket.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    drop(socket.write_all(b"0\r\n\r\n").await);
    assert_eq!(status(&read_all(&mut socket).await), 413);
    api.stop().await;
}

#[tokio::test]
async fn nobody_without_a_right_is_waited_for() {
    let api = Api::start().await;
    let vic = api.person("vic", Some(Role::Viewer)).await;
    // A body is announced and does not come: who may not is told at once.
    let request = format!(
        "PUT /api/v1/projects/acme/shop/variables/A HTTP/1.1\r\nHost: localhost\r\n\
         Connection: close\r\n{}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n",
        bearer(&vic)
    );
    let mut socket = TcpStream::connect(api.address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let answer = tokio::time::timeout(
        Duration::from_secs(10),
        crate::support::http::read_until(&mut socket, "\r\n\r\n"),
    );
    assert_eq!(status(&answer.await.unwrap()), 403);
    api.stop().await;
}
