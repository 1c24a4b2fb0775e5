//! Sends images of an engine to registries.

use std::pin::pin;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::PushImageOptionsBuilder;
use futures::StreamExt as _;
use secrecy::ExposeSecret as _;
use tokio::sync::mpsc;

use crate::building::send;
use crate::docker::again::{Countdown, Hope, Refusal, ask};
use crate::docker::{Engine, EngineError};
use crate::domain::output::clean;
use crate::domain::pinned::Pinned;
use crate::domain::registry::Registry;

/// Who signs in at a registry, for one request.
pub(super) fn credentials(registry: &Registry) -> Option<DockerCredentials> {
    let login = registry.login.as_ref()?;
    Some(DockerCredentials {
        username: Some(login.username.clone()),
        password: Some(login.password.expose_secret().to_owned()),
        serveraddress: Some(registry.address.host().to_owned()),
        ..DockerCredentials::default()
    })
}

/// Why an image did not reach its registry.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The registry, or the engine that sends to it, refused in these words.
    #[error("cannot push `{reference}`: {words}")]
    Refused {
        /// What was pushed.
        reference: String,
        /// The words.
        words: String,
    },
    /// What was sent is another image.
    #[error("`{0}` is pushed by several jobs at the same time")]
    Moved(String),
    /// The engine is away.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Refusal for PushError {
    fn hope(&self) -> Hope<'_> {
        match self {
            Self::Refused { words, .. } => Hope::after(words),
            Self::Moved(_) => Hope::AtOnce,
            Self::Engine(_) => Hope::None,
        }
    }
}

impl Engine {
    /// Sends an image to a registry as `name`, `repository:tag` below the registry's address, and
    /// gives it with its digest there.
    ///
    /// The engine is told who signs in for this one time. A registry that is overloaded is asked
    /// again a few times.
    ///
    /// # Errors
    ///
    /// When the registry refuses, or the engine is away.
    pub async fn push(
        &self,
        id: &str,
        name: &str,
        registry: &Registry,
        lines: &mpsc::Sender<String>,
    ) -> Result<Pinned, PushError> {
        let reference = registry.address.repository(name);
        ask(&reference, || self.push_once(id, &reference, registry, lines), lines).await
    }

    async fn push_once(
        &self,
        id: &str,
        reference: &str,
        registry: &Registry,
        lines: &mpsc::Sender<String>,
    ) -> Result<Pinned, PushError> {
        self.tag(id, reference).await?;
        let (repository, tag) = reference.rsplit_once(':').unwrap_or((reference, "latest"));
        let refused = |words: &str| refused(reference, words);
        let options = PushImageOptionsBuilder::default().tag(tag).build();
        let answers = self.docker.push_image(repository, Some(options), credentials(registry));
        let mut answers = pin!(answers);
        let (mut digest, mut countdown) = (None, Countdown::default());
        while let Some(answer) = answers.next().await {
            let answer = match answer.map_err(EngineError::from) {
                Ok(answer) => answer,
                Err(EngineError::Refused { words, .. }) => return Err(refused(&words)),
                Err(error) => return Err(error.into()),
            };
            let status = answer.status.unwrap_or_default();
            if let Some((_, rest)) = status.split_once("digest: ") {
                digest = rest.split_whitespace().next().map(str::to_owned);
            } else if Countdown::counts(&status) && !countdown.goes_on(&status) {
                send([format!("{reference}: {status}")], lines).await;
            }
        }
        let digest = digest.ok_or_else(|| refused("its digest was not told"))?;
        let pinned = format!("{repository}@{digest}");
        // Another job may have taken the tag over before it was sent.
        if self.image(&pinned).await?.is_none_or(|image| image.id != id) {
            return Err(PushError::Moved(reference.to_owned()));
        }
        send([format!("pushed {reference}: {digest}")], lines).await;
        Ok(Pinned::Digest(pinned))
    }
}

/// That a registry refused, in the words of the engine that asked it.
fn refused(reference: &str, words: &str) -> PushError {
    let words = clean(words.trim().as_bytes());
    // Where it was asked is known, and the cause comes after it.
    let cause = ["Get \"", "Post \"", "dial tcp "].into_iter().fold(&*words, |words, asked| {
        let cause = words.split_once(asked).and_then(|(_, rest)| rest.split_once(": "));
        cause.map_or(words, |(_, cause)| cause)
    });
    let mut words = cause.trim_start_matches("connect: ").to_owned();
    if words.contains("HTTP response to HTTPS client") {
        words.push_str("; add it to the `insecure-registries` of the engine");
    }
    PushError::Refused { reference: reference.to_owned(), words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_the_cause_and_not_where_it_is_known_to_be() {
        let told = |words| refused("r.example/hello:1", words).to_string();
        assert_eq!(
            told(
                "Get \"http://r.example/v2/\": dial tcp 10.0.0.1:80: connect: connection refused\n"
            ),
            "cannot push `r.example/hello:1`: connection refused"
        );
        assert_eq!(told("unauthorized"), "cannot push `r.example/hello:1`: unauthorized");
        let plain = told("Get \"https://r/v2/\": http: server gave HTTP response to HTTPS client");
        assert!(plain.ends_with("add it to the `insecure-registries` of the engine"), "{plain}");
    }
}
