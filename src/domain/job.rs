//! The life of a job.
//!
//! ```text
//!            claimed                ended: live, planned, failed, cancelled, lost
//!  Queued ───────────▶ Running ─────────────────────────────────────────▶ Ended
//!    │  ▲                 │                                                 ▲
//!    │  └─────────────────┘ run lost before it applied anything             │
//!    └──────────────────────────────────────────────────────────────────────┘
//!              ended: superseded, stale, cancelled, refused, failed
//! ```

use std::fmt;

use crate::domain::words::words;

words! {
    /// What a job is to do.
    JobKind, "kind of job" {
        /// Deploy a pushed commit.
        Deploy = "deploy",
        /// Deploy the tip of the ref that was deployed last.
        Redeploy = "redeploy",
        /// Apply a stored release again.
        Rollback = "rollback",
        /// Say what deploying a pushed commit would change, and change nothing.
        Plan = "plan",
    }
}

words! {
    /// How a job ended.
    Outcome, "outcome of a job" {
        /// Its release serves.
        Live = "live",
        /// A step failed.
        Failed = "failed",
        /// Somebody cancelled it.
        Cancelled = "cancelled",
        /// A newer job of its environment was taken instead.
        Superseded = "superseded",
        /// Its ref moved in a way it must not undo.
        Stale = "stale",
        /// Its worker died.
        Lost = "lost",
        /// It could not be run at all.
        Refused = "refused",
        /// It was to say what a deployment would change, and did.
        Planned = "planned",
    }
}

impl Outcome {
    /// Whether the job has done what it was to do.
    pub const fn is_good(self) -> bool {
        match self {
            Self::Live | Self::Planned => true,
            Self::Failed
            | Self::Cancelled
            | Self::Superseded
            | Self::Stale
            | Self::Lost
            | Self::Refused => false,
        }
    }

    /// What a follower exits with: 0 when it is good.
    pub const fn exit_code(self) -> u8 {
        if self.is_good() { 0 } else { 1 }
    }
}

/// Why a plan is no success for git: its ref stays where it is.
pub const PLAN_ONLY: &str = "plan only";

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It waits for a worker, or for its environment.
    Queued,
    /// A worker holds its environment for it.
    Running,
    /// It is over, for good.
    Ended(Outcome),
}

/// Why a job does not change its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoveRefused {
    /// It is over.
    #[error("the job has ended")]
    Ended,
    /// It runs already.
    #[error("the job is running")]
    Running,
    /// It is not running.
    #[error("the job is waiting")]
    Queued,
    /// A job ends this way only from another state.
    #[error("a job cannot end as {0} from here")]
    Outcome(Outcome),
}

impl JobState {
    /// A worker takes the job.
    ///
    /// # Errors
    ///
    /// Unless it is queued.
    pub fn claimed(self) -> Result<Self, MoveRefused> {
        match self {
            Self::Queued => Ok(Self::Running),
            Self::Running => Err(MoveRefused::Running),
            Self::Ended(_) => Err(MoveRefused::Ended),
        }
    }

    /// A run that changed nothing gives the job back.
    ///
    /// # Errors
    ///
    /// Unless it is running.
    pub fn requeued(self) -> Result<Self, MoveRefused> {
        match self {
            Self::Running => Ok(Self::Queued),
            Self::Queued => Err(MoveRefused::Queued),
            Self::Ended(_) => Err(MoveRefused::Ended),
        }
    }

    /// The job ends.
    ///
    /// # Errors
    ///
    /// When it has ended, or cannot end this way from here.
    pub fn ended(self, outcome: Outcome) -> Result<Self, MoveRefused> {
        match (self, outcome) {
            (Self::Ended(_), _) => Err(MoveRefused::Ended),
            (
                Self::Running,
                Outcome::Live
                | Outcome::Planned
                | Outcome::Failed
                | Outcome::Cancelled
                | Outcome::Lost,
            )
            | (
                Self::Queued,
                Outcome::Superseded
                | Outcome::Stale
                | Outcome::Cancelled
                | Outcome::Refused
                | Outcome::Failed,
            ) => Ok(Self::Ended(outcome)),
            (Self::Running | Self::Queued, outcome) => Err(MoveRefused::Outcome(outcome)),
        }
    }

    /// The word of the state column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Ended(_) => "ended",
        }
    }

    /// How it ended, if it has.
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Queued | Self::Running => None,
            Self::Ended(outcome) => Some(outcome),
        }
    }

    /// Reads the pair of columns.
    ///
    /// # Errors
    ///
    /// When no job can be in that pair of states.
    pub fn from_columns(state: &str, outcome: Option<&str>) -> Result<Self, ImpossibleState> {
        match (state, outcome.map(str::parse)) {
            ("queued", None) => Ok(Self::Queued),
            ("running", None) => Ok(Self::Running),
            ("ended", Some(Ok(outcome))) => Ok(Self::Ended(outcome)),
            _ => Err(ImpossibleState {
                state: state.to_owned(),
                outcome: outcome.map(str::to_owned),
            }),
        }
    }
}

/// The store holds a pair of state and outcome that no job can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a job cannot be `{state}` with outcome {outcome:?}")]
pub struct ImpossibleState {
    state: String,
    outcome: Option<String>,
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.outcome().map_or(self.as_str(), Outcome::as_str))
    }
}

words! {
    /// Where a live job's ref stands.
    RefResult, "result for a ref" {
        /// Not decided yet.
        Pending = "pending",
        /// It is at the deployed commit.
        Moved = "moved",
        /// It went on from the deployed commit.
        Kept = "kept",
        /// It is somewhere else.
        Elsewhere = "elsewhere",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Move {
        Claim,
        Requeue,
        End(Outcome),
    }

    fn moves() -> impl Strategy<Value = Move> {
        prop_oneof![
            Just(Move::Claim),
            Just(Move::Requeue),
            prop::sample::select(Outcome::ALL).prop_map(Move::End),
        ]
    }

    proptest! {
        /// The model: open or not, and whether a worker has it.
        #[test]
        fn a_job_ends_once_and_only_a_running_one_is_live(moves in prop::collection::vec(moves(), 0..20)) {
            let (mut state, mut ends) = (JobState::Queued, 0);
            for step in moves {
                let before = state;
                let moved = match step {
                    Move::Claim => state.claimed(),
                    Move::Requeue => state.requeued(),
                    Move::End(outcome) => state.ended(outcome),
                };
                state = moved.unwrap_or(before);
                ends += usize::from(before.outcome().is_none() && state.outcome().is_some());
                if state == JobState::Ended(Outcome::Live) && before != state {
                    prop_assert_eq!(before, JobState::Running);
                }
                if let Some(outcome) = before.outcome() {
                    prop_assert_eq!(state, JobState::Ended(outcome));
                }
                let read = JobState::from_columns(state.as_str(), state.outcome().map(Outcome::as_str));
                prop_assert_eq!(read, Ok(state));
            }
            prop_assert!(ends <= 1);
        }
    }

    #[test]
    fn an_impossible_pair_of_columns_is_an_error() {
        assert!(JobState::from_columns("ended", None).is_err());
        assert!(JobState::from_columns("running", Some("live")).is_err());
        assert!(JobState::from_columns("ended", Some("fine")).is_err());
        assert!(JobState::from_columns("paused", None).is_err());
    }
}
