//! Builds an image with the engine's classic builder.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::time::Duration;

use bollard::body_try_stream;
use bollard::models::{BuildInfo, BuildInfoAux};
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder};
use futures::StreamExt as _;
use futures::future::{Either, select};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use crate::building::archive::{Archive, CHUNKS, Chunks, OWN_DOCKERFILE};
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
        // One step for all of them, where that can be; else each is one.
        let labelled = with_labels(&dockerfile.text, &build.labels);
        let (labels, dockerfile) = match labelled {
            Some(text) => (Labels::Written, Dockerfile { text, is_changed: true }),
            None => (Labels::Asked, dockerfile),
        };
        let asked = Asked { labels, is_changed: dockerfile.is_changed };
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
        let answers =
            docker.build_image(options(build, materials, asked), Some(logins), Some(body));
        let output = BuildOutput::new(match labels {
            Labels::Written => 1,
            Labels::Asked => build.labels.len(),
        });
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
        let built = told.try_recv().map_or(result, |fault| Err(fault.into()))?;
        self.check_labels(&built, build).await?;
        Ok(built)
    }

    /// Whose an image is stands in its labels: they are there, or nobody gets it.
    async fn check_labels(&self, built: &Built, build: &ImageBuild) -> Result<(), BuildError> {
        let image = self.image(&built.id).await?.ok_or(BuildError::NoImage)?;
        let has = |(key, value): (&String, &String)| image.labels.get(key) == Some(value);
        match build.labels.iter().all(has) {
            true => Ok(()),
            false => {
                Err(BuildError::Step("the end of the Dockerfile takes labels away".to_owned()))
            }
        }
    }
}

/// How an image is asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    labels: Labels,
    /// Whether its Dockerfile is beside the context.
    is_changed: bool,
}

/// Who says the labels.
#[derive(Debug, Clone, Copy)]
enum Labels {
    /// The last line of the Dockerfile.
    Written,
    /// The request.
    Asked,
}

/// A Dockerfile with labels in one instruction at its end; none where that could be read as part of
/// something else, or a label would have to be escaped.
fn with_labels(text: &str, labels: &BTreeMap<String, String>) -> Option<String> {
    let is_plain = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:+@".contains(&byte))
    };
    let mut lines = text.lines().rev().map(str::trim);
    let last = lines.find(|line| !line.is_empty() && !line.starts_with('#'))?;
    if last.ends_with(['\\', '`']) || text.contains("<<") || labels.is_empty() {
        return None;
    }
    let mut pairs = String::new();
    for (key, value) in labels {
        if !is_plain(key) || !is_plain(value) {
            return None;
        }
        pairs.push_str(&format!(" \"{key}\"=\"{value}\""));
    }
    Some(format!("{text}\nLABEL{pairs}\n"))
}

/// A Dockerfile as builders get it.
#[derive(Debug)]
pub(super) struct Dockerfile {
    /// Its text.
    pub(super) text: String,
    /// Whether that is not what stands in the repository.
    pub(super) is_changed: bool,
}

fn options(build: &ImageBuild, materials: &Materials<'_>, asked: Asked) -> BuildImageOptions {
    let labels = match asked.labels {
        Labels::Written => HashMap::new(),
        Labels::Asked => build.labels.clone().into_iter().collect(),
    };
    let args = build.args.clone().into_iter().collect();
    BuildImageOptionsBuilder::default()
        .t(&build.tag)
        .buildargs(&args)
        .labels(&labels)
        .rm(true)
        .forcerm(true)
        .dockerfile(if asked.is_changed { OWN_DOCKERFILE } else { "Dockerfile" })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(text: &str, value: &str) -> Option<String> {
        with_labels(text, &BTreeMap::from([("a.b/c".to_owned(), value.to_owned())]))
    }

    #[test]
    fn labels_stand_in_one_line_where_nothing_before_it_takes_them() {
        let text = labelled("FROM a\nRUN b # \\\n\n# c\n", "d-1").unwrap_or_default();
        assert!(text.is_empty(), "the comment is part of the command, and goes on");
        for text in ["FROM a", "FROM a\nRUN b\n# \\\n"] {
            let expected = format!("{text}\nLABEL \"a.b/c\"=\"d-1\"\n");
            assert_eq!(labelled(text, "d-1"), Some(expected));
        }
        for text in
            ["", "# a\n", "FROM a\nRUN b \\\n\n # c\n", "FROM a\nRUN b ` \n", "FROM a\nRUN <<E\n"]
        {
            assert_eq!(labelled(text, "d-1"), None, "{text}");
        }
        for value in ["a b", "\"", "$A", "é"] {
            assert_eq!(labelled("FROM a\n", value), None, "{value}");
        }
    }
}
