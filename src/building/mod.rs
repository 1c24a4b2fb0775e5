//! What builders of images share: what they are given, what comes out, why nothing does.

mod beneath;
mod context;
pub(crate) mod files;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use secrecy::SecretString;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::domain::ids::ProjectId;
use crate::domain::platform::Platform;
use crate::domain::registry::Registry;
use crate::image::dockerfile::{ForeignFlag, ForeignFrontend};

pub use context::{ContextError, ContextLimits, Sent, dockerfile};
pub(crate) use context::{archive, check_inside, walk};

/// What a build is given besides its plan.
#[derive(Debug, Clone, Copy)]
pub struct Materials<'a> {
    /// Whose images they become.
    pub project: ProjectId,
    /// The checkout.
    pub root: &'a Path,
    /// What a context may at most be.
    pub limits: ContextLimits,
    /// Secrets that `RUN --mount=type=secret` may ask for, by their ids.
    pub secrets: &'a BTreeMap<String, SecretString>,
    /// Registries that bases may come from.
    pub registries: &'a [Registry],
    /// Frontends that Dockerfiles may name besides the builder's own.
    pub frontends: &'a [String],
    /// Whether steps that were built before are taken from the cache.
    pub uses_cache: bool,
}

/// No secrets.
static NONE: BTreeMap<String, SecretString> = BTreeMap::new();

impl<'a> Materials<'a> {
    /// A checkout of nobody's, and nothing else.
    pub fn of(root: &'a Path, limits: ContextLimits) -> Self {
        let project = ProjectId::from(Uuid::nil());
        let (secrets, registries, frontends) = (&NONE, &[], &[]);
        Self { project, root, limits, secrets, registries, frontends, uses_cache: true }
    }
}

/// An image that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its id on the engine, `sha256:…`.
    pub id: String,
    /// How much of it was built before.
    pub steps: Steps,
}

/// How much of an image was built before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Steps {
    /// Steps behind the first, which only names the base.
    pub all: usize,
    /// Those of them that were taken from the cache.
    pub cached: usize,
}

/// Why an image was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The folder cannot be its context.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The Dockerfile wants to be read by a program of somebody else.
    #[error(transparent)]
    Frontend(#[from] ForeignFrontend),
    /// A command wants to be given what this builder does not give.
    #[error(transparent)]
    Flag(#[from] ForeignFlag),
    /// A command of the Dockerfile failed.
    #[error("`{command}` exited {code}")]
    Command {
        /// The command.
        command: String,
        /// Its exit code.
        code: i64,
    },
    /// Another step failed, or the Dockerfile cannot be read; the builder's words.
    #[error("{0}")]
    Step(String),
    /// Only BuildKit and Buildah show secrets to a command without keeping them.
    #[error(
        "`RUN --mount=type=secret` needs BuildKit or Buildah: this engine has its classic builder only"
    )]
    SecretMount,
    /// Only BuildKit builds for other machines than its own.
    #[error(
        "images for {0} are built by BuildKit only\n\
         have it build by `builder.program` and `builder.docker`, or set `builder.platforms = []`"
    )]
    Platform(Platform),
    /// The builder said neither that it failed nor what came out.
    #[error("the build ended without an image")]
    NoImage,
    /// The builder is away.
    #[error(transparent)]
    Away(Box<dyn Error + Send + Sync>),
}

/// The command and the code of a step that failed, from a builder's sentence about it.
pub(crate) fn failed_command(words: &str) -> Option<(String, i64)> {
    const FORMS: [(&str, &str); 5] = [
        // The engine's classic builder; BuildKit, of old and today; Buildah.
        ("The command '", "' returned a non-zero code: "),
        ("executor failed running [", "]: exit code: "),
        ("process \"", "\" did not complete successfully: exit code: "),
        ("building at STEP \"RUN ", "\": while running runtime: exit status "),
        ("building at STEP \"RUN ", "\": exit status "),
    ];
    FORMS.iter().find_map(|(before, between)| {
        let (_, rest) = words.split_once(before)?;
        let (command, code) = rest.rsplit_once(between)?;
        let command = command.strip_prefix("/bin/sh -c ").unwrap_or(command);
        let command = match before.ends_with('[') || before.ends_with('\'') {
            true => command.to_owned(),
            // The others put it in quotes as Go does.
            false => command.replace("\\\"", "\"").replace("\\\\", "\\"),
        };
        Some((command, code.trim().parse().ok()?))
    })
}

/// Sends lines to whom it may concern.
pub(crate) async fn send(texts: impl IntoIterator<Item = String>, lines: &mpsc::Sender<String>) {
    for text in texts {
        if !text.trim().is_empty() {
            // Nobody may be interested any more; the work goes on all the same.
            lines.send(text).await.ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_found_in_every_builders_sentence() {
        for (words, expected) in [
            (
                "The command '/bin/sh -c make 'all'; exit 3' returned a non-zero code: 3",
                Some(("make 'all'; exit 3", 3)),
            ),
            ("executor failed running [/bin/sh -c make all]: exit code: 2", Some(("make all", 2))),
            (
                "process \"/bin/sh -c make\" did not complete successfully: exit code: 127",
                Some(("make", 127)),
            ),
            (
                "Error: building at STEP \"RUN echo \\\"a\\\"\": exit status 1",
                Some(("echo \"a\"", 1)),
            ),
            (
                "Error: building at STEP \"RUN make\": while running runtime: exit status 2",
                Some(("make", 2)),
            ),
            ("dockerfile parse error line 2: unknown instruction", None),
        ] {
            let found = failed_command(words);
            let found = found.as_ref().map(|(command, code)| (command.as_str(), *code));
            assert_eq!(found, expected, "{words}");
        }
    }
}
