//! Builds an image with whichever builder the engine has.

use bollard::errors::Error;
use tokio::sync::mpsc;

use crate::building::{BuildError, Built, Materials, dockerfile, failed_command};
use crate::config::DockerBuilds;
use crate::docker::buildkit::Session;
use crate::docker::classic::Dockerfile;
use crate::docker::{Engine, EngineError};
use crate::domain::output::clean;
use crate::image::ImageBuild;
use crate::image::dockerfile::prepare;
use crate::tasks;

impl From<EngineError> for BuildError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused { words, .. } => {
                let words = clean(words.trim_end().as_bytes());
                match failed_command(&words) {
                    Some((command, code)) => Self::Command { command, code },
                    None => Self::Step(words),
                }
            }
            error @ (EngineError::Address(_) | EngineError::Away(_) | EngineError::Routes(_)) => {
                Self::Away(Box::new(error))
            }
        }
    }
}

impl From<Error> for BuildError {
    fn from(error: Error) -> Self {
        EngineError::from(error).into()
    }
}

impl Engine {
    /// Builds an image from a folder of the checkout.
    ///
    /// Lines of output are sent as they come; a full channel slows the build. Dropping the future
    /// ends the build on the engine, its containers included.
    ///
    /// # Errors
    ///
    /// When the context or the Dockerfile is refused, a step fails, or the engine is away.
    pub async fn build(
        &self,
        build: &ImageBuild,
        materials: &Materials<'_>,
        with: DockerBuilds,
        lines: &mpsc::Sender<String>,
    ) -> Result<Built, BuildError> {
        let (root, context) = (materials.root.to_owned(), build.context.path.clone());
        let text = tasks::blocking(move || dockerfile(&root, &context)).await?;
        let prepared = prepare(&text, materials.frontends, &build.pins)?;
        let session = match with {
            DockerBuilds::Classic => None,
            DockerBuilds::Auto | DockerBuilds::Buildkit => Session::open(self, &build.tag).await?,
        };
        let is_changed = prepared.text != text;
        if let (None, Some(platform)) = (&session, &build.platform) {
            return Err(BuildError::Platform(platform.clone()));
        }
        match (session, with) {
            (Some(session), _) => {
                let built = session.build(build, materials, prepared.text, lines).await;
                match (built, prepared.replaced) {
                    (Err(BuildError::Step(words)), Some(frontend)) => {
                        Err(BuildError::Step(self.of_frontend(words, &frontend).await))
                    }
                    (built, _) => built,
                }
            }
            (None, DockerBuilds::Buildkit) => {
                Err(BuildError::Step("this Docker Engine has no BuildKit".to_owned()))
            }
            (None, DockerBuilds::Auto | DockerBuilds::Classic) => {
                let dockerfile = Dockerfile { text: prepared.text, is_changed };
                self.build_classic(build, materials, dockerfile, lines).await
            }
        }
    }

    /// Says who read a Dockerfile that could not be read.
    async fn of_frontend(&self, words: String, frontend: &str) -> String {
        if !["parse error", "unknown instruction", "unknown flag", "unexpected"]
            .iter()
            .any(|fault| words.contains(fault))
        {
            return words;
        }
        let version = self.docker.version().await.ok().and_then(|version| version.version);
        let version = version.unwrap_or_default();
        format!("{words} (Docker Engine {version} reads this itself, in place of {frontend})")
    }
}
