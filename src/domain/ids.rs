//! Ids and numbers that never convert into each other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id as it is stored.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

uuid_ids! {
    /// A person who may push or administrate.
    UserId
    /// A tenant.
    AccountId
    /// One deployable application.
    ProjectId
    /// One place a project is deployed to, such as `production`.
    EnvironmentId
    /// A target of deployments.
    ClusterId
    /// A public key of a person.
    KeyId
    /// A token of a person, for programs.
    TokenId
    /// One `git push` that reached the policy check.
    PushId
    /// One deployment attempt of an environment.
    JobId
    /// What a job put live, or tried to.
    ReleaseId
    /// What somebody asked a worker.
    QuestionId
    /// One batch of History rows, written in one transaction.
    BatchId
    /// One look at the source of a project.
    CheckId
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($inner:ty) $format:literal)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl From<$inner> for $name {
            fn from(number: $inner) -> Self {
                Self(number)
            }
        }

        impl From<$name> for $inner {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, $format, self.0)
            }
        }
    )*};
}

numbers! {
    /// The number people call a job by, "job 42"; one sequence for the installation.
    JobNumber(i64) "{}"
    /// The number of a release within its environment, shown as `v18`.
    ReleaseNumber(i32) "v{}"
    /// Counts the owners an environment has had; only the newest may write.
    Fence(i64) "{}"
    /// Which try of a job a run is, from 1.
    Attempt(i32) "{}"
    /// Position of a row in its job's History, from 1, without gaps.
    Seq(i64) "{}"
    /// Counts the changes of the routing table.
    RouteVersion(i64) "{}"
}

impl FromStr for JobNumber {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What was written is no number of a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write the number of a release, such as v17")]
pub struct BadReleaseNumber;

impl FromStr for ReleaseNumber {
    type Err = BadReleaseNumber;

    fn from_str(text: &str) -> Result<Self, BadReleaseNumber> {
        let digits = text.strip_prefix('v').unwrap_or(text);
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|number| is_number && *number > 0);
        number.map(Self).ok_or(BadReleaseNumber)
    }
}

/// A job as somebody names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobName {
    /// By its number.
    Number(JobNumber),
    /// By its id, as in the address of its page.
    Id(JobId),
}

impl From<JobNumber> for JobName {
    fn from(number: JobNumber) -> Self {
        Self::Number(number)
    }
}

/// What was written names no job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write the number of a job, or its id")]
pub struct BadJobName;

impl FromStr for JobName {
    type Err = BadJobName;

    fn from_str(text: &str) -> Result<Self, BadJobName> {
        let number = text.parse().map(Self::Number);
        number.or_else(|_| text.parse().map(Self::Id)).or(Err(BadJobName))
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl Fence {
    /// The fence of the next owner.
    #[must_use]
    pub const fn raised(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_named_with_its_v_or_without() {
        assert_eq!("v17".parse(), Ok(ReleaseNumber(17)));
        assert_eq!("17".parse(), Ok(ReleaseNumber(17)));
        for text in ["", "v", "v0", "v-1", "v+1", "vv1", "main", "v99999999999"] {
            assert_eq!(text.parse::<ReleaseNumber>(), Err(BadReleaseNumber), "{text}");
        }
    }
}
