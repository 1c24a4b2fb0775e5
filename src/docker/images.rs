//! Images that an engine has, and those it gets from registries.

use std::collections::BTreeMap;
use std::pin::pin;

use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions, TagImageOptionsBuilder,
};
use futures::StreamExt as _;
use tokio::sync::mpsc;

use crate::building::send;
use crate::docker::again::{Countdown, Hope, Refusal, ask};
use crate::docker::registry::credentials;
use crate::docker::{Engine, EngineError, found, labelled};
use crate::domain::output::clean;
use crate::domain::registry::Registry;

/// An image on an engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// Its id, `sha256:…`.
    pub id: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What it is called in registries, `repository@sha256:…`.
    pub digests: Vec<String>,
    /// Its bytes, those of its base included.
    pub size: u64,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Instructions that run when something is built from it; only of a single image.
    pub triggers: Vec<String>,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// Not here, and its registry did not give it.
    #[error("cannot get image `{reference}`: {words}")]
    Refused {
        /// What was asked for.
        reference: String,
        /// The engine's words.
        words: String,
    },
    /// The engine is away.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl PullError {
    fn of(reference: &str, error: EngineError) -> Self {
        match error {
            EngineError::Refused { words, .. } => {
                let words = clean(words.trim_end().as_bytes());
                Self::Refused { reference: reference.to_owned(), words }
            }
            EngineError::Address(_) | EngineError::Away(_) | EngineError::Routes(_) => error.into(),
        }
    }
}

impl Refusal for PullError {
    fn hope(&self) -> Hope<'_> {
        match self {
            Self::Refused { words, .. } => Hope::after(words),
            Self::Engine(_) => Hope::None,
        }
    }
}

impl Engine {
    /// The image that an id or a reference names, if the engine has it.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn image(&self, reference: &str) -> Result<Option<ImageFacts>, EngineError> {
        let image = found(self.docker.inspect_image(reference).await)?;
        Ok(image.map(|image| {
            let config = image.config.unwrap_or_default();
            ImageFacts {
                id: image.id.unwrap_or_default(),
                tags: image.repo_tags.unwrap_or_default(),
                digests: image.repo_digests.unwrap_or_default(),
                size: image.size.and_then(|size| size.try_into().ok()).unwrap_or_default(),
                labels: config.labels.unwrap_or_default().into_iter().collect(),
                triggers: config.on_build.unwrap_or_default(),
            }
        }))
    }

    /// Whether an image's registry gives it to whoever signs in at one of these registries.
    ///
    /// # Errors
    ///
    /// When the registry is overloaded or stumbles, each time it is asked, or the engine does not
    /// answer. A registry that does not answer gives nothing.
    pub async fn registry_gives(
        &self,
        reference: &str,
        registries: &[Registry],
        lines: &mpsc::Sender<String>,
    ) -> Result<bool, PullError> {
        let registry = registries.iter().find(|registry| registry.address.is_of(reference));
        let inspect = async || {
            let login = registry.and_then(credentials);
            let answer = self.docker.inspect_registry_image(reference, login).await;
            answer.map(drop).map_err(|error| PullError::of(reference, error.into()))
        };
        match ask(reference, inspect, lines).await {
            Ok(()) => Ok(true),
            Err(error) => match error {
                PullError::Refused { ref words, .. } => match Hope::after(words) {
                    Hope::Later(_) => Err(error),
                    // In whatever words, and by whatever status: engines pass on both.
                    Hope::AtOnce | Hope::OnceMore(_) | Hope::None => Ok(false),
                },
                PullError::Engine(_) => Err(error),
            },
        }
    }

    /// Gets an image from its registry, sending lines of progress; in the name of whoever signs in
    /// there, if it is one of these registries. A registry that is overloaded is asked again a few
    /// times.
    ///
    /// # Errors
    ///
    /// When the registry does not give it, or the engine is away.
    pub async fn pull(
        &self,
        reference: &str,
        registries: &[Registry],
        lines: &mpsc::Sender<String>,
    ) -> Result<(), PullError> {
        let registry = registries.iter().find(|registry| registry.address.is_of(reference));
        ask(reference, || self.pull_once(reference, registry, lines), lines).await
    }

    async fn pull_once(
        &self,
        reference: &str,
        registry: Option<&Registry>,
        lines: &mpsc::Sender<String>,
    ) -> Result<(), PullError> {
        let options = CreateImageOptionsBuilder::default().from_image(reference).build();
        let login = registry.and_then(credentials);
        let mut answers = pin!(self.docker.create_image(Some(options), None, login));
        let mut countdown = Countdown::default();
        while let Some(answer) = answers.next().await {
            let answer = answer.map_err(|error| PullError::of(reference, error.into()))?;
            let status = answer.status.filter(|status| !countdown.goes_on(status));
            send(progress_line(answer.id.as_deref(), status.as_deref()), lines).await;
        }
        Ok(())
    }

    /// Gives an image one more name.
    ///
    /// # Errors
    ///
    /// When there is no such image, or the engine does not answer.
    pub async fn tag(&self, id: &str, tag: &str) -> Result<(), EngineError> {
        let (repository, tag) = tag.rsplit_once(':').unwrap_or((tag, "latest"));
        let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
        Ok(self.docker.tag_image(id, Some(options)).await?)
    }

    /// The images that carry all of these labels.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn images(
        &self,
        labels: &[(String, String)],
    ) -> Result<Vec<ImageFacts>, EngineError> {
        let options = ListImagesOptionsBuilder::default().filters(&labelled(labels)).build();
        let images = self.docker.list_images(Some(options)).await?;
        let facts = images.into_iter().map(|image| ImageFacts {
            id: image.id,
            // Engines write this for an image without a name.
            tags: image.repo_tags.into_iter().filter(|tag| tag != "<none>:<none>").collect(),
            digests: image.repo_digests,
            size: image.size.try_into().unwrap_or_default(),
            labels: image.labels.into_iter().collect(),
            triggers: Vec::new(),
        });
        Ok(facts.collect())
    }

    /// Takes a name from an image, and removes the image with its last one; or removes it by its
    /// id. `false` when a container or another image still needs it.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn remove_image(&self, reference: &str) -> Result<bool, EngineError> {
        let removed = self.docker.remove_image(reference, None::<RemoveImageOptions>, None).await;
        match found(removed) {
            Ok(_) => Ok(true),
            Err(EngineError::Refused { status: 409, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A line for a change that a person wants to see: not for every block that arrived.
pub(super) fn progress_line(layer: Option<&str>, status: Option<&str>) -> Option<String> {
    const NOISE: [&str; 6] = [
        "Downloading",
        "Download complete",
        "Extracting",
        "Pulling fs layer",
        "Verifying Checksum",
        "Waiting",
    ];
    let status = status.filter(|status| !NOISE.contains(status))?;
    let line = layer.map_or_else(|| status.to_owned(), |layer| format!("{layer}: {status}"));
    Some(clean(line.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_by_layer_when_it_is_done() {
        assert_eq!(progress_line(Some("ab12"), Some("Downloading")), None);
        assert_eq!(progress_line(None, None), None);
        assert_eq!(
            progress_line(Some("ab12"), Some("Pull complete")),
            Some("ab12: Pull complete".to_owned())
        );
        assert_eq!(progress_line(None, Some("Status: done")), Some("Status: done".to_owned()));
    }
}
