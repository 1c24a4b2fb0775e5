//! Requests for which bollard has no words, each on a connection of its own.

use std::pin::pin;

use bollard::errors::Error;
use futures::future::{Either, join, select};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper::header::HOST;
use hyper::http::request::Builder;
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use crate::docker::{Engine, EngineError};

/// Longest answer that says why something is refused.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// A body with nothing in it.
type Nothing = Empty<Bytes>;

impl Engine {
    /// A request to a path of the API.
    pub(super) fn request(&self, path: &str) -> Builder {
        let version = self.docker.client_version();
        let (major, minor) = (version.major_version, version.minor_version);
        Request::builder()
            .method(Method::POST)
            .uri(format!("/v{major}.{minor}{path}"))
            .header(HOST, "engine")
    }

    async fn connection(
        &self,
    ) -> Result<(SendRequest<Nothing>, Connection<TokioIo<UnixStream>, Nothing>), Error> {
        let stream = UnixStream::connect(&self.socket).await?;
        Ok(handshake(TokioIo::new(stream)).await?)
    }

    /// Asks for a connection in both directions; `None` when the engine knows no such thing.
    pub(super) async fn upgrade(&self, request: Builder) -> Result<Option<Upgraded>, EngineError> {
        let request = request.body(Nothing::new()).map_err(Error::from)?;
        let (mut sender, connection) = self.connection().await?;
        let upgrading = async move {
            let response = sender.send_request(request).await?;
            if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                return Ok(None);
            }
            Ok::<_, hyper::Error>(Some(hyper::upgrade::on(response).await?))
        };
        let (_, upgraded) = join(connection.with_upgrades(), upgrading).await;
        Ok(upgraded.map_err(Error::from)?)
    }

    /// Sends a request and has its answer read.
    pub(super) async fn ask<T>(
        &self,
        request: Builder,
        read: impl AsyncFnOnce(Incoming) -> T,
    ) -> Result<T, EngineError> {
        let request = request.body(Nothing::new()).map_err(Error::from)?;
        let (mut sender, connection) = self.connection().await?;
        let asking = async {
            let response = sender.send_request(request).await.map_err(Error::from)?;
            match response.status().is_success() {
                true => Ok(read(response.into_body()).await),
                false => Err(refusal(response).await),
            }
        };
        beside(connection, asking).await
    }
}

/// What an engine says when it refuses.
async fn refusal(response: Response<Incoming>) -> EngineError {
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), LONGEST_REFUSAL).collect().await;
    let text = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let words = serde_json::from_slice::<serde_json::Value>(&text).ok();
    let words = words.as_ref().and_then(|words| words.get("message")?.as_str());
    EngineError::Refused { status, words: words.unwrap_or_default().to_owned() }
}

/// Does something while something else is done, until the first of them has its result.
pub(super) async fn beside<T>(other: impl Future, main: impl Future<Output = T>) -> T {
    let main = pin!(main);
    match select(pin!(other), main).await {
        Either::Left((_, main)) => main.await,
        Either::Right((result, _)) => result,
    }
}

/// The query of a request.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let escaped = |text: &str| {
        let mut escaped = String::new();
        for byte in text.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    escaped.push(char::from(byte));
                }
                _ => escaped.push_str(&format!("%{byte:02X}")),
            }
        }
        escaped
    };
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_carries_any_text() {
        assert_eq!(query(&[("t", "a/b:1"), ("x", "ü&=+ ")]), "t=a%2Fb%3A1&x=%C3%BC%26%3D%2B%20");
    }
}
