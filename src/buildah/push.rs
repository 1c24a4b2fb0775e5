//! Sends images to registries.

use tokio::sync::mpsc;

use crate::buildah::folder::Storage;
use crate::buildah::{Buildah, BuildahError};
use crate::building::{Built, Patience, PushError, send};
use crate::domain::pinned::Pinned;
use crate::domain::registry::Registry;

impl From<BuildahError> for PushError {
    fn from(error: BuildahError) -> Self {
        Self::Away(Box::new(error))
    }
}

impl Buildah {
    /// Sends an image to a registry as `name`, `repository:tag` below the registry's address, and
    /// gives it with its digest there.
    ///
    /// Who signs in is told to the program for this one time. A registry that is overloaded is asked
    /// again a few times.
    ///
    /// # Errors
    ///
    /// When the registry refuses, or the program is missing.
    pub async fn push(
        &self,
        built: &Built,
        name: &str,
        registry: &Registry,
        lines: &mpsc::Sender<String>,
    ) -> Result<Pinned, PushError> {
        let reference = registry.address.repository(name);
        let mut patience = Patience::default();
        let digest = loop {
            let pushed = self.push_once(built, (name, &reference), registry).await;
            let pushed = pushed.map_err(|error| match error {
                BuildahError::Refused(words) => PushError::refused(&reference, &words),
                error @ (BuildahError::Start { .. }
                | BuildahError::Useless { .. }
                | BuildahError::Folder(_)) => error.into(),
            });
            if !patience.asks_again(&pushed, lines).await {
                break pushed?;
            }
        };
        send([format!("pushed {reference}: {digest}")], lines).await;
        let repository = reference.rsplit_once(':').map_or(reference.as_str(), |r| r.0);
        Ok(Pinned::Digest(format!("{repository}@{digest}")))
    }

    /// Sends it, and gives its digest.
    async fn push_once(
        &self,
        built: &Built,
        (name, reference): (&str, &str),
        registry: &Registry,
    ) -> Result<String, BuildahError> {
        let means = self.means().await?;
        let _presence = self.home.enter(means).await?;
        let folder = self.home.folder()?;
        folder.registries(std::slice::from_ref(registry))?;
        let storage = Storage::of(&self.home.storage(name), Some(&self.home.bases()));
        let digest = folder.path("digest");
        let told = format!("--digestfile={}", digest.display());
        let id = built.id.trim_start_matches("sha256:");
        let to = format!("docker://{reference}");
        means.say(&folder, &storage, ["push", "--quiet", &told, id, &to]).await?;
        Ok(tokio::fs::read_to_string(digest).await?.trim().to_owned())
    }
}
