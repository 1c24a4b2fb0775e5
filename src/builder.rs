//! Chooses who builds images, and has them built.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::TryStreamExt as _;
use tokio::sync::mpsc;
use tracing::{error, info};

use crate::buildah::{Base, Buildah, Owner};
use crate::building::{BuildError, Built, Materials};
use crate::config::{Config, DockerBuilds};
use crate::docker::{Engine, EngineError, ImageFacts, PullError};
use crate::domain::platform::Platform;
use crate::domain::registry::Registry;
use crate::image::ImageBuild;
use crate::image::dockerfile::check_triggers;
use crate::tasks::Tasks;

/// How often it is looked for what builds left that were killed.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// Who builds images.
#[derive(Debug, Clone)]
pub enum Builder {
    /// The engine that will run them.
    Docker(DockerBuilds),
    /// A program beside it.
    Buildah(Buildah),
}

impl Builder {
    /// The builder of an installation.
    pub fn find(config: &Config) -> Self {
        let builder = &config.builder;
        match builder.program.as_str() {
            "docker" => Self::Docker(builder.docker),
            program => Self::Buildah(Buildah::new(
                program,
                config.builder_folder(),
                builder.isolation,
                builder.keep_free,
            )),
        }
    }

    /// Finds out how the builder runs commands, and says so once; then removes what killed builds
    /// left, again and again.
    pub async fn keep_house(self, tasks: Tasks) {
        let Self::Buildah(buildah) = self else { return };
        match buildah.means().await {
            Ok(means) => info!("{means}"),
            // It is tried again when something is to be built.
            Err(fault) => error!("No image can be built: {fault}"),
        }
        while !tasks.is_stopping() {
            if let Err(fault) = buildah.tidy().await {
                error!("What builds left is not removed: {fault}");
            }
            tasks.pause(TIDY_EVERY).await;
        }
    }

    /// The platforms whose commands it runs; `None` when it builds for its own machine only.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn runs(&self, engine: &Engine) -> Result<Option<Vec<Platform>>, EngineError> {
        match self {
            Self::Docker(DockerBuilds::Auto | DockerBuilds::Buildkit) => engine.runs().await,
            // The classic builder looks for a base of any platform where it has one of its own;
            // bases of Buildah's builds come from the engine, which has one platform.
            Self::Docker(DockerBuilds::Classic) | Self::Buildah(_) => Ok(None),
        }
    }

    /// Builds an image, which then is on the engine under its tag.
    ///
    /// Lines of output are sent as they come; a full channel slows the build. Dropping the future
    /// ends the build and all that belongs to it.
    ///
    /// # Errors
    ///
    /// When the context or the Dockerfile is refused, a step fails, or the builder is away.
    pub async fn build(
        &self,
        engine: &Engine,
        build: &ImageBuild,
        materials: &Materials<'_>,
        lines: &mpsc::Sender<String>,
    ) -> Result<Built, BuildError> {
        match self {
            Self::Docker(with) => engine.build(build, materials, *with, lines).await,
            Self::Buildah(buildah) => {
                if let Some(platform) = &build.platform {
                    return Err(BuildError::Platform(platform.clone()));
                }
                Box::pin(build_beside((buildah, engine), build, materials, lines)).await
            }
        }
    }
}

/// Builds with a program, for which the engine has the bases, and which gives the engine the image.
async fn build_beside(
    (buildah, engine): (&Buildah, &Engine),
    build: &ImageBuild,
    materials: &Materials<'_>,
    lines: &mpsc::Sender<String>,
) -> Result<Built, BuildError> {
    let reading = buildah.read(build, materials).await?;
    let mut bases = Vec::new();
    for name in &reading.bases {
        let image = base(engine, name, materials.registries, lines).await?;
        check_triggers(&image.triggers)?;
        let of = if is_own(&image, build) { Owner::Project } else { Owner::World };
        bases.push(Base { name: name.clone(), id: image.id, of });
    }
    let mut run = buildah.begin(build, materials, (reading, &bases), lines).await?;
    for base in &bases {
        if !run.has(base) {
            run.take(base, engine.export(&base.id)).await?;
        }
        run.name(base).await?;
    }
    let built = run.build(engine.redactor(), lines).await?;
    let fault = Arc::new(OnceLock::new());
    let heard = Arc::clone(&fault);
    let archive = run.archive(&built)?.inspect_err(move |error| drop(heard.set(error.to_string())));
    if let Err(error) = engine.load(archive).await {
        // What the engine says of half an archive is of use to nobody.
        return Err(match fault.get() {
            Some(words) => BuildError::Step(format!("the image was not handed over: {words}")),
            None => error.into(),
        });
    }
    // Engines on containerd have ids of manifests.
    let image = engine.image(&build.own_tag).await?.ok_or(BuildError::NoImage)?;
    engine.tag(&image.id, &build.tag).await?;
    Ok(Built { id: image.id, ..built })
}

/// An image of the engine, pulled if it is not there.
async fn base(
    engine: &Engine,
    name: &str,
    registries: &[Registry],
    lines: &mpsc::Sender<String>,
) -> Result<ImageFacts, BuildError> {
    let find = async || match engine.image(name).await {
        // The engine says so of a text that is no reference.
        Err(EngineError::Refused { status: 400 | 500, .. }) => Ok(None),
        other => other,
    };
    if let Some(image) = find().await? {
        return Ok(image);
    }
    match engine.pull(name, registries, lines).await {
        Ok(()) => {}
        Err(PullError::Engine(error)) => return Err(error.into()),
        Err(refused @ PullError::Refused { .. }) => {
            return Err(BuildError::Step(refused.to_string()));
        }
    }
    find().await?.ok_or_else(|| BuildError::Step(format!("image `{name}` is not on the engine")))
}

/// Whether an image was built for the same project: it carries what we say of whose one is.
fn is_own(image: &ImageFacts, build: &ImageBuild) -> bool {
    let ours = build.labels.iter().filter(|(key, _)| !key.starts_with("org.opencontainers."));
    ours.into_iter().any(|(key, value)| image.labels.get(key) == Some(value))
}
