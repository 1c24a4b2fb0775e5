//! Images that a registry gave to somebody who signed in: an engine gives them to everyone.
//!
//! Such an image gets one more name on the engine, which says for whom it was pulled. Another
//! project that names it is given it when the registry gives it to that project too.

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use crate::deploy::docker_target::DockerTarget;
use crate::deploy::docker_target::image_error::ImageError;
use crate::deploy::docker_target::images::Sources;
use crate::docker::ImageFacts;
use crate::domain::registry::Registry;

/// What the names begin with. No account has such a name.
const MARK: &str = "pierhead.private";

impl DockerTarget {
    /// Remembers that an image was pulled for a project, if somebody signed in for that.
    pub(super) async fn mark_private(
        &self,
        reference: &str,
        sources: &Sources,
    ) -> Result<(), ImageError> {
        let signs_in =
            |registry: &Registry| registry.login.is_some() && registry.address.is_of(reference);
        if sources.registry.as_ref().is_some_and(signs_in) {
            self.engine.tag(reference, &mark(reference, sources)).await?;
        }
        Ok(())
    }

    /// Whether a project may use an image that the engine has.
    pub(super) async fn may_use(
        &self,
        image: &ImageFacts,
        reference: &str,
        sources: &Sources,
        lines: &mpsc::Sender<String>,
    ) -> Result<bool, ImageError> {
        let own = mark(reference, sources);
        let of_name = |tag: &&String| {
            tag.starts_with(MARK) && tag.rsplit(':').next() == own.rsplit(':').next()
        };
        let marks: Vec<&String> = image.tags.iter().filter(of_name).collect();
        if marks.is_empty() || marks.contains(&&own) {
            return Ok(true);
        }
        let gives =
            self.engine.registry_gives(reference, sources.registry.as_slice(), lines).await?;
        if gives {
            self.engine.tag(&image.id, &own).await?;
        }
        Ok(gives)
    }
}

/// The name of an image from a repository, for a project.
fn mark(reference: &str, sources: &Sources) -> String {
    let name = reference.split_once('@').map_or(reference, |(name, _)| name);
    let tag = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
    let repository = tag.map_or(name, |(repository, _)| repository);
    let digest: String =
        Sha256::digest(repository).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{MARK}/{}:{digest}", sources.project)
}
