//! Sends images of an engine to registries.

use std::pin::pin;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::PushImageOptionsBuilder;
use futures::StreamExt as _;
use secrecy::ExposeSecret as _;
use tokio::sync::mpsc;

use crate::building::{Patience, PushError, send};
use crate::docker::{Engine, EngineError};
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

impl From<EngineError> for PushError {
    fn from(error: EngineError) -> Self {
        Self::Away(Box::new(error))
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
        self.tag(id, &reference).await?;
        let mut patience = Patience::default();
        loop {
            let pushed = self.push_once(&reference, registry, lines).await;
            if !patience.asks_again(&pushed, lines).await {
                return pushed;
            }
        }
    }

    async fn push_once(
        &self,
        reference: &str,
        registry: &Registry,
        lines: &mpsc::Sender<String>,
    ) -> Result<Pinned, PushError> {
        let (repository, tag) = reference.rsplit_once(':').unwrap_or((reference, "latest"));
        let refused = |words: &str| PushError::refused(reference, words);
        let options = PushImageOptionsBuilder::default().tag(tag).build();
        let answers = self.docker.push_image(repository, Some(options), credentials(registry));
        let mut answers = pin!(answers);
        let mut digest = None;
        while let Some(answer) = answers.next().await {
            let answer = match answer.map_err(EngineError::from) {
                Ok(answer) => answer,
                Err(EngineError::Refused { words, .. }) => return Err(refused(&words)),
                Err(error) => return Err(error.into()),
            };
            let status = answer.status.unwrap_or_default();
            if let Some((_, rest)) = status.split_once("digest: ") {
                digest = rest.split_whitespace().next().map(str::to_owned);
            }
        }
        let digest = digest.ok_or_else(|| refused("its digest was not told"))?;
        send([format!("pushed {reference}: {digest}")], lines).await;
        Ok(Pinned::Digest(format!("{repository}@{digest}")))
    }
}
