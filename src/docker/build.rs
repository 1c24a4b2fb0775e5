//! Builds an image with the engine's classic builder.

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use bollard::body_try_stream;
use bollard::models::BuildInfo;
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder};
use futures::StreamExt as _;
use futures::future::{Either, select};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use crate::docker::build_context::{CHUNKS, Chunks, ContextError, ContextLimits, write};
use crate::docker::build_output::{BuildOutput, Steps, failed_command};
use crate::docker::images::progress_line;
use crate::docker::{Engine, EngineError};
use crate::domain::output::{Lines, clean};
use crate::image::ImageBuild;
use crate::tasks;

/// Time to send a context: the engine begins its answer only after the last byte.
const UPLOAD_LIMIT: Duration = Duration::from_secs(900);

/// Why an image was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The folder cannot be its context.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A command of the Dockerfile failed.
    #[error("`{command}` exited {code}")]
    Command {
        /// The command.
        command: String,
        /// Its exit code.
        code: i64,
    },
    /// Another step failed, or the Dockerfile cannot be read; the engine's words.
    #[error("{0}")]
    Step(String),
    /// The engine said neither that it failed nor what came out.
    #[error("the Docker Engine ended the build without an image")]
    NoImage,
    /// The engine is away.
    #[error(transparent)]
    Engine(EngineError),
}

impl From<bollard::errors::Error> for BuildError {
    fn from(error: bollard::errors::Error) -> Self {
        match error.into() {
            EngineError::Refused { words, .. } => {
                let words = clean(words.trim_end().as_bytes());
                match failed_command(&words) {
                    Some((command, code)) => Self::Command { command: command.to_owned(), code },
                    None => Self::Step(words),
                }
            }
            error @ (EngineError::Address(_) | EngineError::Away(_) | EngineError::Routes(_)) => {
                Self::Engine(error)
            }
        }
    }
}

/// An image that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its id.
    pub id: String,
    /// How much of it was built before.
    pub steps: Steps,
}

impl Engine {
    /// Builds an image from a folder of the checkout at `root`.
    ///
    /// Lines of output are sent as they come; a full channel slows the build. Dropping the future
    /// ends the build on the engine, its containers included.
    ///
    /// # Errors
    ///
    /// When the context is refused, a step fails, or the engine is away.
    pub async fn build(
        &self,
        build: &ImageBuild,
        root: &Path,
        limits: ContextLimits,
        lines: &mpsc::Sender<String>,
    ) -> Result<Built, BuildError> {
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let (tell, mut told) = oneshot::channel();
        let (root, context) = (root.to_owned(), build.context.path.clone());
        let writing = tasks::blocking(move || {
            let mut chunks = Chunks::new(sender);
            match write(&root, &context, limits, &mut chunks) {
                Ok(sent) => sent,
                Err(fault) => {
                    // Told first: what the engine says of half a context is of use to nobody.
                    if tell.send(fault).is_ok() {
                        chunks.break_off();
                    }
                    None
                }
            }
        });
        let docker = self.docker.clone().with_timeout(UPLOAD_LIMIT);
        let body = body_try_stream(ReceiverStream::new(receiver));
        let answers = docker.build_image(options(build), None, Some(body));
        let output = BuildOutput::new(build.labels.len());
        let cut = Lines::new(&self.redactor);
        let building = pin!(follow(answers, (output, cut), lines));
        let result = match select(pin!(writing), building).await {
            Either::Left((sent, building)) => {
                send(sent.map(|sent| sent.to_string()), lines).await;
                building.await
            }
            Either::Right((result, _)) => result,
        };
        // Nothing told means that all was written, or that the engine ended before.
        told.try_recv().map_or(result, |fault| Err(fault.into()))
    }
}

fn options(build: &ImageBuild) -> BuildImageOptions {
    let labels = build.labels.clone().into_iter().collect();
    let args = build.args.clone().into_iter().collect();
    BuildImageOptionsBuilder::default()
        .t(&build.tag)
        .buildargs(&args)
        .labels(&labels)
        .rm(true)
        .forcerm(true)
        .build()
}

async fn follow(
    answers: impl futures::Stream<Item = Result<BuildInfo, bollard::errors::Error>>,
    (mut output, mut cut): (BuildOutput, Lines),
    lines: &mpsc::Sender<String>,
) -> Result<Built, BuildError> {
    let mut answers = pin!(answers);
    let mut id = None;
    while let Some(answer) = answers.next().await {
        let BuildInfo { id: layer, stream, status, aux, .. } = match answer {
            Ok(answer) => answer,
            Err(error) => {
                send(cut.finish().into_iter().filter_map(|line| output.hear(line)), lines).await;
                return Err(error.into());
            }
        };
        let said = cut.push(stream.unwrap_or_default().as_bytes());
        send(said.into_iter().filter_map(|line| output.hear(line)), lines).await;
        send(progress_line(layer.as_deref(), status.as_deref()), lines).await;
        id = aux.and_then(|aux| aux.id).or(id);
    }
    send(cut.finish().into_iter().filter_map(|line| output.hear(line)), lines).await;
    let steps = output.steps();
    id.map(|id| Built { id, steps }).ok_or(BuildError::NoImage)
}

/// Sends lines to whom it may concern.
pub(super) async fn send(texts: impl IntoIterator<Item = String>, lines: &mpsc::Sender<String>) {
    for text in texts {
        if !text.trim().is_empty() {
            // Nobody may be interested any more; the work goes on all the same.
            lines.send(text).await.ok();
        }
    }
}
