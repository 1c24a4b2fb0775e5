//! What is sent with a request, read with care: bounded, and in time.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_LENGTH;
use futures::StreamExt as _;

/// Most bytes.
pub(super) const MOST: usize = 256 * 1024;

/// Time that all of it has to arrive.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Why it was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadBody {
    /// It is larger than anything that is asked for.
    #[error("a body has at most {} KiB", MOST / 1024)]
    TooLarge,
    /// It did not arrive in time.
    #[error("a body has {} s to arrive", PATIENCE.as_secs())]
    TooSlow,
    /// The connection ended, or it is not what its head says.
    #[error("the body broke off: {0}")]
    BrokenOff(String),
}

/// Reads all of it.
pub(super) async fn read(request: &HttpRequest, payload: Payload) -> Result<Vec<u8>, BadBody> {
    let all = tokio::time::timeout(PATIENCE, collect(request, payload));
    all.await.map_err(|_elapsed| BadBody::TooSlow)?
}

async fn collect(request: &HttpRequest, mut payload: Payload) -> Result<Vec<u8>, BadBody> {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > MOST) {
        return Err(BadBody::TooLarge);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| BadBody::BrokenOff(error.to_string()))?;
        if bytes.len() + chunk.len() > MOST {
            return Err(BadBody::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
