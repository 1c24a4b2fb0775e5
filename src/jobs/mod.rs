//! Jobs: created, claimed, cancelled and ended here, and nowhere else.
//!
//! Whatever is killed, whenever: a job ends exactly once. Every function is one transaction that
//! takes locks in one order (repository, environment, job, then the rest), and each may be done
//! twice without harm, because the answer to a COMMIT can be lost.

mod cancel;
mod claim;
mod create;
mod forgotten;
mod lease;
mod queue_place;
mod redeploy;
mod refs;
mod rollback;
mod run;

use std::time::Duration;

use diesel_async::AsyncPgConnection;

use crate::db::models::job::Job;
use crate::db::models::release::Release;
use crate::db::models::{outbox, run as runs};
use crate::db::pool::{Db, Transient, told};
use crate::domain::history::{End, NewEntry, Step};
use crate::domain::ids::{EnvironmentId, JobId, ProjectId};
use crate::domain::job::Outcome;
use crate::git::bare_repository::{BareRepository, GitError, Repositories};
use crate::history::{Appended, Writer, append};
use crate::tasks::blocking;

pub use cancel::CancelAnswer;
pub use claim::{Claimed, Task};
pub use create::{Created, MovedAtOnce};
pub use lease::{Ended, Lease};
pub use queue_place::Place;
pub use refs::RefChange;
pub use rollback::NoRollback;
pub use run::{RefEnd, Run, RunEnd, RunError};

/// Everything that jobs are kept in.
#[derive(Debug, Clone)]
pub struct Jobs {
    db: Db,
    vital: Db,
    repositories: Repositories,
    lease: Duration,
    ssh: String,
}

/// Why nothing was decided about a job.
///
/// The text is for people who push; `Debug` is for the server's log.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// The database does not answer, or refuses.
    #[error("{}", told(.0))]
    Db(#[from] diesel::result::Error),
    /// A repository could not be read or changed.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Transient for JobsError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Db(error) => error.is_transient(),
            Self::Git(_) => false,
        }
    }
}

impl Jobs {
    /// Jobs of an installation.
    ///
    /// Over `vital` leases are renewed and Histories are written, so that they never wait for
    /// whatever keeps the connections of `db` busy. `lease` is how long a run keeps its environment
    /// without a sign of life; `ssh` is the command that people type before the name of one of
    /// ours, such as `ssh git@example.org`.
    pub const fn new(
        db: Db,
        vital: Db,
        repositories: Repositories,
        lease: Duration,
        ssh: String,
    ) -> Self {
        Self { db, vital, repositories, lease, ssh }
    }

    /// Where rows are.
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// Where commits are.
    pub const fn repositories(&self) -> &Repositories {
        &self.repositories
    }

    /// What a person types to run one of our commands, such as `ssh git@example.org logs 42`.
    pub fn command(&self, words: &str) -> String {
        format!("{} {words}", self.ssh)
    }

    /// How long a run keeps its environment without a sign of life, in milliseconds.
    fn lease_ms(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX)
    }

    /// Reads or changes a project's repository on a thread that may block.
    async fn in_repository<T: Send + 'static>(
        &self,
        project: ProjectId,
        work: impl FnOnce(&BareRepository) -> Result<T, GitError> + Send + 'static,
    ) -> Result<T, GitError> {
        let repositories = self.repositories.clone();
        blocking(move || work(&repositories.open(project)?)).await
    }
}

/// How a job ends that no run brings to its end.
#[derive(Debug, Clone)]
struct Verdict {
    outcome: Outcome,
    failed_step: Option<Step>,
    /// In a few words; goes into git's rejection line.
    reason: String,
    /// The last line of the History.
    text: String,
    superseded_by: Option<JobId>,
}

impl Verdict {
    /// A job that ends while it waits, or that nobody runs any more.
    fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let text = reason.clone();
        Self { outcome, failed_step: None, reason, text, superseded_by: None }
    }

    /// A job that somebody wants to end.
    fn cancelled(job: &Job) -> Self {
        let by = job.cancel_asked_by.as_deref().unwrap_or("somebody");
        Self::new(Outcome::Cancelled, format!("cancelled by {by}"))
    }

    /// A job that a newer one was taken before.
    fn superseded(by: &Job) -> Self {
        let verdict = Self::new(Outcome::Superseded, format!("superseded by job {}", by.number));
        Self { superseded_by: Some(by.id), ..verdict }
    }
}

/// Ends a job whose environment's row the caller has locked.
///
/// A job that has ended stays as it is.
async fn end(
    connection: &mut AsyncPgConnection,
    job: &Job,
    verdict: &Verdict,
) -> diesel::QueryResult<()> {
    let row = NewEntry::end(
        Step::Ended,
        &verdict.text,
        None,
        End {
            outcome: verdict.outcome,
            failed_step: verdict.failed_step,
            reason: verdict.reason.clone(),
            exit_code: verdict.outcome.exit_code(),
        },
    );
    match append(connection, job.id, Writer::Outside, &[row]).await? {
        Appended::Refused => return Ok(()),
        Appended::Written => {}
    }
    job.set_ended(connection, verdict.outcome, &verdict.reason, verdict.superseded_by).await?;
    Release::set_failed_of_job(connection, job.id).await
}

/// Ends a job likewise, and rings for the next.
async fn end_and_ring(
    connection: &mut AsyncPgConnection,
    job: &Job,
    verdict: &Verdict,
) -> diesel::QueryResult<()> {
    end(connection, job, verdict).await?;
    ring_next(connection, job.environment_id).await
}

/// Rings for the newest waiting job of an environment that no run holds.
async fn ring_next(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
) -> diesel::QueryResult<()> {
    if runs::open_of_environment(connection, environment).await?.is_some() {
        return Ok(());
    }
    match Job::newest_queued(connection, environment).await? {
        Some(next) => outbox::ring(connection, next).await,
        None => Ok(()),
    }
}
