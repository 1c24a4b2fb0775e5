//! How commands end: their exit status, and why they did not do what they are for.

use chrono::{DateTime, Utc};

use crate::db::models::project::Inactive;
use crate::db::pool::told;
use crate::jobs::{JobsError, NoRollback};
use crate::people::PeopleError;
use crate::projects::ProjectError;
use crate::questions::NoAnswer;
use crate::sources::NotChecked;
use crate::ssh::output::BadInput;

/// Exit status of a command, as a client sees it; README.md lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ssh) struct Status(pub(super) u32);

impl Status {
    /// Done, or live.
    pub(super) const OK: Self = Self(0);
    /// Failed, or not live.
    pub(super) const FAILED: Self = Self(1);
    /// Words that the command does not take.
    pub(super) const USAGE: Self = Self(2);
    /// It took too long to wait for.
    pub(super) const WAIT_LIMIT: Self = Self(3);
    /// This server stops.
    pub(super) const STOPPING: Self = Self(4);
    /// No such command.
    pub(super) const UNKNOWN: Self = Self(127);
    /// No such project or job, or no right.
    pub(super) const NOT_FOUND: Self = Self(128);
}

/// Why a command did not do what it is for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The client hung up.
    #[error("the client hung up")]
    HungUp(#[from] russh::Error),
    /// What was asked for is not there, or not theirs.
    #[error(transparent)]
    Project(ProjectError),
    /// Their keys cannot be read or changed.
    #[error(transparent)]
    People(PeopleError),
    /// They would be out.
    #[error("you came with this key: remove it with another one")]
    OwnKey,
    /// The key that they came with ends.
    #[error("the key that you came with ends on {}: give one that you add an earlier end, by --expires", .0.format("%Y-%m-%d %H:%M UTC"))]
    Outlives(DateTime<Utc>),
    /// They may, but not with this key.
    #[error("the key that you came with is for less: come with one that may all that you may")]
    Key,
    /// They may not.
    #[error("you may not do this")]
    Forbidden,
    /// Standard input is not what the command needs.
    #[error(transparent)]
    Input(#[from] BadInput),
    /// Nothing of this project is deployed.
    #[error(transparent)]
    Inactive(#[from] Inactive),
    /// Jobs cannot be read or changed.
    #[error(transparent)]
    Jobs(#[from] JobsError),
    /// There is nothing to go back to.
    #[error(transparent)]
    NoRollback(NoRollback),
    /// No worker has an answer.
    #[error(transparent)]
    NoAnswer(NoAnswer),
    /// The source was not looked at, or nothing came of it.
    #[error(transparent)]
    NotChecked(NotChecked),
    /// The database does not answer.
    #[error("{}", told(.0))]
    Db(#[from] diesel::result::Error),
}

impl From<ProjectError> for Failure {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only one kind is for the log")]
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Db(error) => Self::Db(error),
            error => Self::Project(error),
        }
    }
}

impl From<NoRollback> for Failure {
    fn from(error: NoRollback) -> Self {
        match error {
            NoRollback::Jobs(error) => Self::Jobs(error),
            error @ (NoRollback::Unknown { .. }
            | NoRollback::NeverServed(_)
            | NoRollback::Serves(_)
            | NoRollback::Nothing(_)) => Self::NoRollback(error),
        }
    }
}

impl From<NoAnswer> for Failure {
    fn from(error: NoAnswer) -> Self {
        match error {
            NoAnswer::Db(error) => Self::Db(error),
            error @ (NoAnswer::NoWorker | NoAnswer::Left | NoAnswer::Fault(_)) => {
                Self::NoAnswer(error)
            }
        }
    }
}

impl From<NotChecked> for Failure {
    fn from(error: NotChecked) -> Self {
        match error {
            NotChecked::Db(error) => Self::Db(error),
            error @ (NotChecked::NoSource(_)
            | NotChecked::Inactive(_)
            | NotChecked::NoWorker
            | NotChecked::Left
            | NotChecked::Fault(_)) => Self::NotChecked(error),
        }
    }
}

impl From<PeopleError> for Failure {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only one kind is for the log")]
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Db(error) => Self::Db(error),
            error => Self::People(error),
        }
    }
}

impl Failure {
    /// What the client's program exits with.
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Project(
                ProjectError::NotFound(_)
                | ProjectError::Forbidden(_)
                | ProjectError::Key(_)
                | ProjectError::Barred(_),
            )
            | Self::Key
            | Self::Forbidden => Status::NOT_FOUND,
            Self::HungUp(_)
            | Self::Project(_)
            | Self::People(_)
            | Self::OwnKey
            | Self::Outlives(_)
            | Self::Input(_)
            | Self::Inactive(_)
            | Self::NoRollback(_)
            | Self::NoAnswer(_)
            | Self::NotChecked(_)
            | Self::Jobs(_)
            | Self::Db(_) => Status::FAILED,
        }
    }
}
