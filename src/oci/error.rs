//! Why a registry does not do something, and when it is asked again.

use std::time::Duration;

use futures::future::BoxFuture;
use oci_client::errors::{OciDistributionError, OciErrorCode};

use crate::domain::output::clean;
use crate::domain::platform::{Platform, listed};

/// Pauses before a registry is asked again that is overloaded, or stumbled.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Why a registry did not give or take something.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// There is no such image.
    #[error("there is no image `{0}`")]
    Absent(String),
    /// It is not for machines of that kind.
    #[error("`{reference}` is not for {asked}, only for {}", listed(has))]
    OtherPlatform {
        /// The image.
        reference: String,
        /// What was asked for.
        asked: Platform,
        /// What there is.
        has: Vec<Platform>,
    },
    /// Its manifest is none that can be built upon.
    #[error("the manifest of `{0}` is damaged")]
    Damaged(String),
    /// What is below could not be taken over from its registry.
    #[error("the image below cannot be copied: {0}")]
    NotCopied(String),
    /// It refused, or does not answer.
    #[error("registry: `{reference}`: {words}")]
    Refused {
        /// What was asked about.
        reference: String,
        /// What it said.
        words: String,
    },
    /// What is pushed cannot be read.
    #[error("what is pushed cannot be read")]
    Read(#[from] std::io::Error),
}

impl OciError {
    pub(super) fn of(reference: &str, error: &OciDistributionError) -> Self {
        let reference = reference.to_owned();
        if is_absence(error) {
            return Self::Absent(reference);
        }
        Self::Refused { reference, words: clean(error.to_string().as_bytes()) }
    }
}

/// Asks again a few times where that may help.
pub(super) async fn tried<'a, T>(
    ask: impl Fn() -> BoxFuture<'a, Result<T, OciDistributionError>> + Send,
) -> Result<T, OciDistributionError> {
    for pause in PAUSES {
        match ask().await {
            Err(error) if may_pass(&error) => tokio::time::sleep(pause).await,
            result => return result,
        }
    }
    ask().await
}

fn is_absence(error: &OciDistributionError) -> bool {
    const CODES: [OciErrorCode; 2] = [OciErrorCode::ManifestUnknown, OciErrorCode::NameUnknown];
    if let OciDistributionError::RegistryError { envelope, .. } = error {
        return envelope.errors.iter().any(|error| CODES.contains(&error.code));
    }
    matches!(error, OciDistributionError::ImageManifestNotFoundError(_))
}

fn may_pass(error: &OciDistributionError) -> bool {
    if let OciDistributionError::ServerError { code, .. } = error {
        return *code == 429 || *code >= 500;
    }
    if let OciDistributionError::RequestError(error) = error {
        return error.is_connect() || error.is_timeout();
    }
    let OciDistributionError::RegistryError { envelope, .. } = error else { return false };
    envelope.errors.iter().any(|error| error.code == OciErrorCode::Toomanyrequests)
}
