//! Why a deployment does not become live, sorted by what is done about it.

use std::fmt;

use crate::deploy::docker_target::{ImageError, NoRoom, RolloutError, StartError};
use crate::deploy::kubernetes_target::ClusterError;
use crate::deploy::stored::Unreadable;
use crate::deploy::targets::TargetError;
use crate::docker::EngineError;
use crate::domain::causes::with_causes;
use crate::domain::history::{Step, truncate};
use crate::domain::ids::ReleaseNumber;
use crate::domain::job::Outcome;
use crate::domain::redact::Redactor;
use crate::domain::run::RunOutcome;
use crate::git::checkout::CheckoutError;
use crate::hooks::HookFault;
use crate::image::PlanError;
use crate::image::layer::BadUser;
use crate::jobs::RunError;
use crate::manifests;
use crate::paas::wrapped;
use crate::paas_file::Broken;
use crate::progress::COLUMNS;
use crate::routing::NotServed;
use crate::seal::NotOpened;
use crate::stack::Unrenderable;

/// Longest reason in bytes: it stands in git's rejection line, behind the ref's name.
const LONGEST_REASON: usize = 120;

/// Columns of a text that stands between a step's verb and its time.
const BESIDE_VERB: usize = COLUMNS - 20;

/// Columns before a line that a tool said.
const BEFORE_LINE: usize = 12;

/// A deployment that is given up.
#[derive(Debug)]
pub(super) struct Failure {
    /// The step, where it is not the one under way.
    pub(super) step: Option<Step>,
    /// Why.
    pub(super) cause: Cause,
}

/// Why a deployment is given up.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    /// Somebody asked for it.
    #[error("cancelled by {by}")]
    Cancelled {
        /// Who.
        by: String,
    },
    /// It took longer than a job may.
    #[error("a job may take {limit}")]
    TooLong {
        /// The setting `limits.run_job`.
        limit: String,
    },
    /// Its worker stops.
    #[error("worker stopped")]
    Interrupted,
    /// An entrance belongs to another deployment.
    #[error("`{0}` is taken by another deployment")]
    Taken(String),
    /// The commit was not written to the workspace.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// The workspace cannot be used.
    #[error("could not use the workspace: {0}")]
    Workspace(std::io::Error),
    /// A secret of the job does not open.
    #[error(transparent)]
    NotOpened(#[from] NotOpened),
    /// The deployment file does not compile.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Its target cannot be used.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Its images cannot be built from each other.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A build hook did not do its work.
    #[error("{hook} {source}")]
    Hook {
        /// Which, and what it did.
        hook: String,
        /// Why.
        source: HookFault,
    },
    /// There is no room for its images.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// An image was not built or found.
    #[error("{image}: {source}")]
    Image {
        /// Which.
        image: String,
        /// Why.
        source: ImageError,
    },
    /// The build of an image took too long.
    #[error("{image}: the build of an image may take {limit}")]
    ImageTooLong {
        /// Which.
        image: String,
        /// The setting `limits.image`.
        limit: String,
    },
    /// An image of a stored release is gone.
    #[error(transparent)]
    Gone(Box<Gone>),
    /// A stored release has more than the account grants by now.
    #[error(
        "{release} is beyond the account's quotas of today\n{why}\n\
         choose another release, or push its commit {commit} again"
    )]
    BeyondQuotas {
        /// The release.
        release: ReleaseNumber,
        /// What it has too much of.
        why: String,
        /// What it was deployed from.
        commit: String,
    },
    /// The setting `builder.writer` is no user.
    #[error("setting builder.writer: {0}")]
    Writer(BadUser),
    /// A target cannot do what the file asks for.
    #[error("{}", first(.0))]
    Unrenderable(Vec<Unrenderable>),
    /// Something was not started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Something did not become healthy.
    #[error(transparent)]
    Rollout(#[from] RolloutError),
    /// A cluster refuses, or does not serve what it should.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A cluster cannot have what the file asks for.
    #[error("{}", first(.0))]
    NotOnKubernetes(Vec<manifests::Unrenderable>),
    /// Images are built, and there is nowhere a cluster could pull them from.
    #[error(
        "{0} is built, and the project has no registry to pull it from\n         a Kubernetes cluster pulls every image from a registry:\n         ask an administrator for `pierhead admin set registry`"
    )]
    NoRegistry(String),
    /// An engine does not answer.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A stored release is damaged.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The HTTP entrance did not follow.
    #[error(transparent)]
    NotServed(#[from] NotServed),
    /// Rows or a repository cannot be read or written: nothing more can be done by this run.
    #[error(transparent)]
    Run(RunError),
}

/// An image that a stored release runs, and nobody has any more.
#[derive(Debug, thiserror::Error)]
#[error(
    "{image} of {release} is gone: {place} does not have {digits}\n{}\
     choose a newer release, or push its commit {commit} again",
    .why.as_ref().map(|why| format!("{why}\n")).unwrap_or_default()
)]
pub(super) struct Gone {
    /// Its name in the file.
    pub(super) image: String,
    /// The beginning of its digest or id.
    pub(super) digits: String,
    /// The release.
    pub(super) release: ReleaseNumber,
    /// What that was deployed from.
    pub(super) commit: String,
    /// Who was asked for it.
    pub(super) place: String,
    /// What they said.
    pub(super) why: Option<String>,
}

/// A text again, in lines that are not cut, where it does not fit beside the step's verb.
fn whole(text: &str) -> impl Iterator<Item = String> {
    let fits = text.chars().count() <= BESIDE_VERB;
    let lines = if fits { Vec::new() } else { wrapped(text, COLUMNS - BEFORE_LINE, "  ") };
    lines.into_iter()
}

fn first(faults: &[impl fmt::Display]) -> String {
    let first = faults.first().map(ToString::to_string).unwrap_or_default();
    match faults.len() {
        0 | 1 => first,
        count => format!("{first} ({count} faults)"),
    }
}

impl Cause {
    /// How a job and its run end for this cause.
    pub(super) const fn outcomes(&self) -> (Outcome, RunOutcome) {
        match self {
            Self::Cancelled { .. } => (Outcome::Cancelled, RunOutcome::Cancelled),
            Self::Interrupted => (Outcome::Failed, RunOutcome::Interrupted),
            Self::TooLong { .. }
            | Self::Taken(_)
            | Self::Checkout(_)
            | Self::Workspace(_)
            | Self::NotOpened(_)
            | Self::Broken(_)
            | Self::Target(_)
            | Self::Plan(_)
            | Self::Hook { .. }
            | Self::NoRoom(_)
            | Self::Image { .. }
            | Self::ImageTooLong { .. }
            | Self::Gone(_)
            | Self::BeyondQuotas { .. }
            | Self::Writer(_)
            | Self::Unrenderable(_)
            | Self::Start(_)
            | Self::Rollout(_)
            | Self::Cluster(_)
            | Self::NotOnKubernetes(_)
            | Self::NoRegistry(_)
            | Self::Engine(_)
            | Self::Unreadable(_)
            | Self::NotServed(_)
            | Self::Run(_) => (Outcome::Failed, RunOutcome::Failed),
        }
    }

    /// Whether an operator can mend it, rather than whoever pushed.
    pub(super) fn is_ours(&self) -> bool {
        if let Self::Cluster(error) = self {
            return error.is_ours();
        }
        if let Self::Hook { source, .. } = self {
            return source.is_ours();
        }
        matches!(
            self,
            Self::Checkout(_)
                | Self::Workspace(_)
                | Self::NotOpened(_)
                | Self::Broken(Broken::Git(_))
                | Self::Target(_)
                | Self::NoRoom(_)
                | Self::Writer(_)
                | Self::Engine(_)
                | Self::Unreadable(_)
                | Self::NotServed(_)
                | Self::Run(_)
        )
    }
}

impl<C: Into<Cause>> From<C> for Failure {
    fn from(cause: C) -> Self {
        Self { step: None, cause: cause.into() }
    }
}

impl From<RunError> for Cause {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Cancelled { by } => Self::Cancelled { by },
            RunError::Taken(entrance) => Self::Taken(entrance),
            error @ (RunError::Lost | RunError::Jobs(_)) => Self::Run(error),
        }
    }
}

impl Failure {
    /// In a few words, for git's rejection line.
    pub(super) fn reason(&self, redactor: &Redactor) -> String {
        let text = redactor.text(&self.cause.to_string());
        let mut reason = text.lines().next().unwrap_or_default().to_owned();
        truncate(&mut reason, LONGEST_REASON);
        reason
    }

    /// What stands behind the step's verb.
    pub(super) fn text(&self, redactor: &Redactor) -> String {
        let text = redactor.text(&with_causes(&self.cause));
        text.lines().next().unwrap_or_default().to_owned()
    }

    /// What there is to read below it: more lines of the cause, and what the tools said last.
    #[expect(clippy::wildcard_enum_match_arm, reason = "few causes bring lines of their own")]
    pub(super) fn lines(&self, redactor: &Redactor, place: impl Fn(&str) -> String) -> Vec<String> {
        match &self.cause {
            Cause::Rollout(RolloutError::Unhealthy(unhealthy)) => {
                let last_lines = unhealthy.last_lines.iter().cloned();
                [place(&unhealthy.at())].into_iter().chain(last_lines).collect()
            }
            // Where there are no more, they stand right above.
            Cause::Hook { source: HookFault::Exited { last, said, .. }, .. } => {
                if *said > last.len() { last.clone() } else { Vec::new() }
            }
            Cause::Broken(broken) => broken.lines(),
            Cause::Cluster(error) => {
                whole(&self.text(redactor)).chain(error.lines(place)).collect()
            }
            Cause::NotOnKubernetes(faults) => faults.iter().map(ToString::to_string).collect(),
            Cause::Unrenderable(faults) => faults.iter().map(ToString::to_string).collect(),
            Cause::Gone(_) => {
                let text = redactor.text(&self.cause.to_string());
                let more = text.lines().skip(1).map(str::to_owned);
                whole(&self.text(redactor)).chain(more).collect()
            }
            // Hidden before it is cut: a secret may have several lines.
            cause => {
                let text = redactor.text(&cause.to_string());
                text.lines().skip(1).map(str::to_owned).collect()
            }
        }
    }
}
