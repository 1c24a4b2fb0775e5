//! Builds an image with the engine's classic builder.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use bollard::body_try_stream;
use bollard::models::{BuildInfo, BuildInfoAux};
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder};
use futures::StreamExt as _;
use futures::future::{Either, select};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use crate::building::archive::{Archive, CHUNKS, Chunks};
use crate::building::walk::walk;
use crate::building::{BuildError, Built, Materials, send};
use crate::docker::Engine;
use crate::docker::classic_output::BuildOutput;
use crate::docker::images::progress_line;
use crate::docker::registry::credentials;
use crate::domain::output::Lines;
use crate::image::ImageBuild;
use crate::image::dockerfile::shows_secrets;
use crate::tasks;

/// Time to send a context: the engine begins its answer only after the last byte.
const UPLOAD_LIMIT: Duration = Duration::from_secs(900);

impl Engine {
    /// Builds an image with the classic builder, from a Dockerfile that was made ready.
    pub(super) async fn build_classic(
        &self,
        build: &ImageBuild,
        materials: &Materials<'_>,
        dockerfile: Dockerfile,
        lines: &mpsc::Sender<String>,
    ) -> Result<Built, BuildError> {
        if shows_secrets(&dockerfile.text) {
            return Err(BuildError::SecretMount);
        }
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let (tell, mut told) = oneshot::channel();
        let (root, context) = (materials.root.to_owned(), build.context.path.clone());
        let limits = materials.limits;
        let writing = tasks::blocking(move || {
            let mut chunks = Chunks::new(sender);
            let replaced = dockerfile.is_changed.then_some(dockerfile.text);
            let mut archive = Archive::new(&mut chunks, replaced);
            let walked = walk(&root, &context, limits, &mut archive);
            drop(archive);
            match walked {
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
        let logins = materials.registries.iter().filter_map(|registry| {
            Some((registry.address.host().to_owned(), credentials(registry)?))
        });
        let logins = logins.collect::<HashMap<_, _>>();
        let answers = docker.build_image(options(build, materials), Some(logins), Some(body));
        let output = BuildOutput::new(build.labels.len());
        let cut = Lines::new(&self.redactor);
        let building = pin!(follow(answers, (output, cut), lines));
        let result = match select(pin!(writing), building).await {
            Either::Left((sent, building)) => {
                send(sent.map(|sent| format!("context: {sent}")), lines).await;
                building.await
            }
            Either::Right((result, _)) => result,
        };
        // Nothing told means that all was written, or that the engine ended before.
        told.try_recv().map_or(result, |fault| Err(fault.into()))
    }
}

/// A Dockerfile as builders get it.
#[derive(Debug)]
pub(super) struct Dockerfile {
    /// Its text.
    pub(super) text: String,
    /// Whether that is not what stands in the repository.
    pub(super) is_changed: bool,
}

fn options(build: &ImageBuild, materials: &Materials<'_>) -> BuildImageOptions {
    let labels = build.labels.clone().into_iter().collect();
    let args = build.args.clone().into_iter().collect();
    BuildImageOptionsBuilder::default()
        .t(&build.tag)
        .buildargs(&args)
        .labels(&labels)
        .rm(true)
        .forcerm(true)
        .nocache(!materials.uses_cache)
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
        if let Some(BuildInfoAux::Default(image)) = aux {
            id = image.id.or(id);
        }
    }
    send(cut.finish().into_iter().filter_map(|line| output.hear(line)), lines).await;
    let steps = output.steps();
    id.map(|id| Built { id, steps }).ok_or(BuildError::NoImage)
}
