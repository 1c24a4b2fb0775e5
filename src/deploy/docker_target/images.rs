//! Images of a deployment: built from the checkout, or found by name; all of them pinned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use tokio::sync::mpsc;

use crate::building::{BuildError, Built, ContextLimits, Materials, Sent, Steps, dockerfile};
use crate::deploy::docker_target::DockerTarget;
use crate::deploy::docker_target::image_error::ImageError;
use crate::docker::{EngineError, ImageFacts, PullError};
use crate::domain::ids::ProjectId;
use crate::domain::pinned::Pinned;
use crate::domain::platform::Platform;
use crate::domain::registry::Registry;
use crate::domain::release::PinnedImages;
use crate::image::dockerfile::bases_of_triggers;
use crate::image::{
    Build, Folder, ImageBuild, Node, PlanError, Provenance, Root, dockerfile_images, plan,
};
use crate::paas::compiled::Deployment;
use crate::tasks;

/// Where the files of builds are.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The commit's files.
    pub checkout: PathBuf,
    /// The platform's library of images.
    pub library: PathBuf,
    /// What a context may at most be.
    pub limits: ContextLimits,
    /// Whose images they become.
    pub project: ProjectId,
    /// Secrets that `RUN --mount=type=secret` may ask for, by their ids.
    pub secrets: BTreeMap<String, SecretString>,
    /// Where images are pushed to, and bases may come from.
    pub registry: Option<Registry>,
    /// Frontends that Dockerfiles may name besides the builder's own.
    pub frontends: Vec<String>,
    /// What images in a registry are built for; empty: what the engine runs.
    pub platforms: Vec<Platform>,
    /// Whether steps that were built before are taken from the cache.
    pub uses_cache: bool,
}

impl Sources {
    pub(super) fn root(&self, folder: &Folder) -> &Path {
        match folder.root {
            Root::Checkout => &self.checkout,
            Root::Library => &self.library,
        }
    }

    pub(super) fn materials(&self, folder: &Folder) -> Materials<'_> {
        Materials {
            project: self.project,
            root: self.root(folder),
            limits: self.limits,
            secrets: &self.secrets,
            registries: self.registry.as_slice(),
            frontends: &self.frontends,
            uses_cache: self.uses_cache,
        }
    }
}

/// An image that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obtained {
    /// Which.
    pub pinned: Pinned,
    pub(super) how: How,
}

/// What it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// It was there.
    Found,
    /// Built from a Dockerfile.
    Built(Steps),
    /// Files put on another one.
    Laid(Sent),
}

impl Obtained {
    /// In a few words, for the line that says so.
    pub fn text(&self) -> String {
        let short = self.pinned.short();
        match &self.how {
            How::Found | How::Built(Steps { all: 0, .. }) => short.to_owned(),
            How::Built(Steps { all, cached }) => {
                format!("{short}  {cached} of {all} steps cached")
            }
            How::Laid(sent) => format!("{short}  {sent}"),
        }
    }
}

/// What a deployment needs, in order.
///
/// # Errors
///
/// When images are built from each other in a circle, or a build argument is reserved.
pub async fn plan_images(
    deployment: &Deployment,
    provenance: &Provenance<'_>,
    sources: &Sources,
) -> Result<Vec<Node>, PlanError> {
    let folders: Vec<Folder> = dockerfile_images(deployment).map(|(folder, _)| folder).collect();
    let sources = sources.clone();
    let texts = tasks::blocking(move || {
        let text = |folder: Folder| {
            // A Dockerfile that cannot be read is reported when its image is built, if it is.
            let text = dockerfile(sources.root(&folder), &folder.path).ok()?;
            Some((folder, text))
        };
        folders.into_iter().filter_map(text).collect::<BTreeMap<_, _>>()
    });
    plan(deployment, provenance, &texts.await)
}

impl DockerTarget {
    /// Builds or finds one image, once what it needs is there, pinned.
    ///
    /// # Errors
    ///
    /// When it takes something from another project's image, or is not built or found.
    pub async fn obtain(
        &self,
        build: &Build,
        (sources, pinned): (&Sources, &PinnedImages),
        lines: &mpsc::Sender<String>,
    ) -> Result<Obtained, ImageError> {
        match build {
            Build::Dockerfile(build) => self.build(build, (sources, pinned), lines).await,
            Build::Layers(build) => self.lay(build, (sources, pinned), lines).await,
            Build::Stock(reference) => {
                let pinned = self.stock_image(reference, sources, lines).await?;
                Ok(Obtained { pinned, how: How::Found })
            }
        }
    }

    async fn build(
        &self,
        build: &ImageBuild,
        (sources, pinned): (&Sources, &PinnedImages),
        lines: &mpsc::Sender<String>,
    ) -> Result<Obtained, ImageError> {
        if let Some(several) = self.several(sources).await? {
            return self.build_several(build, (sources, pinned), &several, lines).await;
        }
        let built = self.build_own(build, sources, lines).await?;
        let how = How::Built(built.steps);
        let pinned = match &sources.registry {
            None => Pinned::ImageId(built.id),
            Some(registry) => {
                self.check_name(&build.tag, registry, sources).await?;
                self.engine.push(&built.id, &build.tag, registry, lines).await?
            }
        };
        Ok(Obtained { pinned, how })
    }

    /// Builds an image for what the engine runs.
    pub(super) async fn build_own(
        &self,
        build: &ImageBuild,
        sources: &Sources,
        lines: &mpsc::Sender<String>,
    ) -> Result<Built, ImageError> {
        self.check_platforms(build).await?;
        // Also the names in whose place there are those of this job.
        let mut missing = None;
        for base in build.bases.iter().chain(build.pins.values()) {
            if !self.check_base(base, sources, lines).await? {
                missing.get_or_insert(base);
            }
        }
        let materials = sources.materials(&build.context);
        let built = self.builder.build(&self.engine, build, &materials, lines).await;
        let built = built.map_err(|error| match (error, missing) {
            // Some builders say where they looked, and not for what.
            (BuildError::Step(words), Some(base)) if !words.contains(base.as_str()) => {
                PullError::Refused { reference: base.clone(), words }.into()
            }
            (error, _) => ImageError::from(error),
        })?;
        self.engine.tag(&built.id, &build.own_tag).await?;
        Ok(built)
    }

    /// Of another platform an image may trigger something else than the one that is looked at.
    async fn check_platforms(&self, build: &ImageBuild) -> Result<(), ImageError> {
        if build.platforms.is_empty() {
            return Ok(());
        }
        let own = self.engine.platform().await?;
        let is_own = |asked: &str| asked.parse().is_ok_and(|asked: Platform| asked == own);
        match build.platforms.iter().find(|asked| !is_own(asked)) {
            Some(asked) => Err(ImageError::Platform { asked: asked.clone(), own }),
            None => Ok(()),
        }
    }

    /// Finds an image from a registry on the engine, or pulls it.
    ///
    /// # Errors
    ///
    /// When it is another project's, or its registry does not give it.
    pub async fn stock_image(
        &self,
        reference: &str,
        sources: &Sources,
        lines: &mpsc::Sender<String>,
    ) -> Result<Pinned, ImageError> {
        if let Some(image) = self.find_image(reference, sources, lines).await? {
            return Ok(Pinned::ImageId(image.id));
        }
        self.engine.pull(reference, sources.registry.as_slice(), lines).await?;
        self.mark_private(reference, sources).await?;
        match self.find_image(reference, sources, lines).await? {
            Some(image) => Ok(Pinned::ImageId(image.id)),
            None => Err(PullError::Refused {
                reference: reference.to_owned(),
                words: "it was pulled, and is not there".to_owned(),
            }
            .into()),
        }
    }

    /// Makes sure that a project may build from an image, whatever that image triggers; `false`
    /// when it is not there to be built from.
    async fn check_base(
        &self,
        base: &str,
        sources: &Sources,
        lines: &mpsc::Sender<String>,
    ) -> Result<bool, ImageError> {
        let mut found = self.find_image(base, sources, lines).await?;
        if found.is_none() {
            match self.engine.pull(base, sources.registry.as_slice(), lines).await {
                Ok(()) => {
                    self.mark_private(base, sources).await?;
                    found = self.find_image(base, sources, lines).await?;
                }
                // Images of projects have such names. One that somebody is about to build would be
                // there when the builder looks for it; and a registry could give the builder what
                // it did not give us.
                Err(error) if !is_of_the_hub(base) => return Err(error.into()),
                // Any other that is not there is told by the builder, in its own words.
                Err(_) => {}
            }
        }
        let Some(image) = found else { return Ok(false) };
        let triggered = bases_of_triggers(&image.triggers)
            .map_err(|source| ImageError::Trigger { image: base.to_owned(), source })?;
        for name in triggered {
            self.find_image(&name, sources, lines).await?;
        }
        Ok(true)
    }

    /// What the engine has under a name that a project uses; nothing is pulled.
    ///
    /// # Errors
    ///
    /// When it is another project's.
    pub async fn known_image(
        &self,
        reference: &str,
        sources: &Sources,
    ) -> Result<Option<Pinned>, ImageError> {
        let image = self.own_image(reference, sources).await?;
        Ok(image.map(|image| Pinned::ImageId(image.id)))
    }

    /// Sees to it that the engine has an image that a release runs: as it is there, or pulled.
    ///
    /// # Errors
    ///
    /// [`ImageError::Gone`] when only an engine had it, or its registry does not give it.
    pub async fn pinned_image(
        &self,
        image: &Pinned,
        sources: &Sources,
        lines: &mpsc::Sender<String>,
    ) -> Result<(), ImageError> {
        if self.engine.image(image.reference()).await?.is_some() {
            return Ok(());
        }
        match image {
            Pinned::ImageId(id) => Err(ImageError::Gone(id.clone())),
            Pinned::Digest(reference) => {
                self.engine.pull(reference, sources.registry.as_slice(), lines).await?;
                self.mark_private(reference, sources).await
            }
        }
    }

    /// An image that a project may use, by its name.
    async fn find_image(
        &self,
        reference: &str,
        sources: &Sources,
        lines: &mpsc::Sender<String>,
    ) -> Result<Option<ImageFacts>, ImageError> {
        let Some(image) = self.own_image(reference, sources).await? else { return Ok(None) };
        if !self.may_use(&image, reference, sources, lines).await? {
            return Err(ImageError::Private(reference.to_owned()));
        }
        Ok(Some(image))
    }

    /// An image by its name, if it is no other project's.
    async fn own_image(
        &self,
        reference: &str,
        sources: &Sources,
    ) -> Result<Option<ImageFacts>, ImageError> {
        let image = match self.engine.image(reference).await {
            // The engine says so of a text that is no reference; whoever uses it will be told.
            Err(EngineError::Refused { status: 400 | 500, .. }) => None,
            other => other?,
        };
        let Some(image) = image else { return Ok(None) };
        let owner = image.labels.get(&self.labels.key("project"));
        let is_foreign = owner.is_some_and(|owner| *owner != sources.project.to_string());
        if is_foreign || is_id_of(reference, &image) {
            return Err(ImageError::Foreign(reference.to_owned()));
        }
        Ok(Some(image))
    }
}

/// Whether an image is asked for at Docker Hub, whoever runs which registry.
fn is_of_the_hub(reference: &str) -> bool {
    let mut names = reference.split('/');
    let first = names.next().unwrap_or_default();
    match names.count() {
        0 => true,
        1 => !first.contains(['.', ':']) && first != "localhost",
        _ => false,
    }
}

/// Whether a text names an image by its id or the beginning of it.
///
/// Layers of other projects' builds have no label, and no name either.
fn is_id_of(reference: &str, image: &ImageFacts) -> bool {
    let digits = reference.strip_prefix("sha256:").unwrap_or(reference);
    image.id.strip_prefix("sha256:").is_some_and(|id| id.starts_with(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_of_their_own_are_told_from_the_hub() {
        for reference in ["busybox", "busybox:1", "grafana/grafana:11"] {
            assert!(is_of_the_hub(reference), "{reference}");
        }
        for reference in ["localhost/a", "r.example/a", "r:5000/a", "acme/shop/web:1"] {
            assert!(!is_of_the_hub(reference), "{reference}");
        }
    }

    #[test]
    fn an_image_is_named_by_its_name_only() {
        let image = ImageFacts { id: "sha256:ab12cd".into(), ..ImageFacts::default() };
        for reference in ["ab12cd", "sha256:ab12cd", "ab"] {
            assert!(is_id_of(reference, &image), "{reference}");
        }
        assert!(!is_id_of("abba", &image));
        assert!(!is_id_of("ab:latest", &image));
    }
}
