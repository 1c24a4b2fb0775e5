//! How a run ends: its ref, its job, or a job given back.

use tracing::warn;

use crate::db::lock::RepositoryLock;
use crate::db::models::environment::Environment;
use crate::db::models::job::Job;
use crate::db::models::release::Release;
use crate::db::models::run as runs;
use crate::domain::git_ref::RefName;
use crate::domain::history::{End, NewEntry, Step};
use crate::domain::job::{Outcome, RefResult};
use crate::domain::oid::Oid;
use crate::domain::ref_move::{AtEnd, RefMoves, at_end};
use crate::domain::run::RunOutcome;
use crate::git::bare_repository::{GitError, Swap};
use crate::history::{Appended, append};
use crate::jobs::{Run, RunError, Verdict, end, ring_next};

/// How a run and its job end.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// How the job ends.
    pub outcome: Outcome,
    /// The step it failed in.
    pub failed_step: Option<Step>,
    /// Why, in a few words; empty when it is live.
    pub reason: String,
    /// Verb of the last row.
    pub step: Step,
    /// Text of the last row.
    pub text: String,
    /// How the run ends.
    pub run: RunOutcome,
}

/// Where a live job's ref stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefEnd {
    /// What came of it.
    pub result: RefResult,
    /// Where it is now.
    pub tip: Option<Oid>,
    /// Why it could not be moved, if git did not allow it.
    pub refusal: Option<String>,
}

impl Run {
    /// Moves the ref of a live job, if it moves one.
    ///
    /// # Errors
    ///
    /// When the run is lost, or the database or the repository does not answer.
    pub async fn move_ref(&self) -> Result<Option<RefEnd>, RunError> {
        let run = self.clone();
        self.db()
            .transaction(async move |connection| {
                RepositoryLock::take(connection, run.project).await?;
                let (held, job) = run.hold(connection).await?;
                let (Some(name), Some(new)) = (job.ref_name.clone(), job.new_oid) else {
                    return Ok(None);
                };
                if job.ref_moves != RefMoves::OnSuccess {
                    return Ok(None);
                }
                let end = match run.settle_ref(&job, name, new).await {
                    Ok(end) => end,
                    // What serves, serves: a repository that cannot be used must not hold the
                    // environment for ever.
                    Err(error) => {
                        warn!("Could not move the ref of job {}: {error:?}", job.number);
                        let refusal = Some("the server cannot use the repository".to_owned());
                        RefEnd { result: RefResult::Elsewhere, tip: None, refusal }
                    }
                };
                Job::set_ref_result(connection, &held, end.result).await?;
                Ok(Some(end))
            })
            .await
    }

    async fn settle_ref(&self, job: &Job, name: RefName, new: Oid) -> Result<RefEnd, GitError> {
        let expected = job.expected_tip;
        let end = |result, tip| RefEnd { result, tip, refusal: None };
        self.jobs
            .in_repository(self.project, move |repository| {
                let tip = repository.tip(&name)?;
                let ahead = |tip| repository.descends(tip, new).unwrap_or(false);
                Ok(match at_end(expected, new, tip, ahead) {
                    AtEnd::Moved => end(RefResult::Moved, tip),
                    AtEnd::Kept => end(RefResult::Kept, tip),
                    AtEnd::Elsewhere => end(RefResult::Elsewhere, tip),
                    AtEnd::Move => match repository.swap(&name, tip, Some(new), "deploy")? {
                        Swap::Done => end(RefResult::Moved, Some(new)),
                        Swap::Elsewhere(tip) => end(RefResult::Elsewhere, tip),
                        Swap::Refused(why) => {
                            RefEnd { refusal: Some(why), ..end(RefResult::Elsewhere, tip) }
                        }
                    },
                })
            })
            .await
    }

    /// Ends the run and its job, and rings for the next.
    ///
    /// # Errors
    ///
    /// [`RunError::Lost`], or when the database does not answer.
    pub async fn end(&self, end: RunEnd) -> Result<(), RunError> {
        let run = self.clone();
        self.db()
            .transaction(async move |connection| {
                drop(Environment::lock(connection, run.job.environment_id).await?);
                let (_held, job) = run.hold(connection).await?;
                let outcome = end.outcome;
                let row = NewEntry::end(
                    end.step,
                    &end.text,
                    None,
                    End {
                        outcome,
                        failed_step: end.failed_step,
                        reason: end.reason.clone(),
                        exit_code: outcome.exit_code(),
                    },
                );
                match append(connection, job.id, run.writer(), &[row]).await? {
                    Appended::Written => {}
                    Appended::Refused => return Err(RunError::Lost),
                }
                job.set_ended(connection, outcome, &end.reason, None).await?;
                Release::set_failed_of_job(connection, job.id).await?;
                runs::close(connection, job.id, run.attempt, end.run).await?;
                Ok(ring_next(connection, job.environment_id).await?)
            })
            .await
    }

    /// Gives a job back that has changed no target, because its worker stops.
    ///
    /// The try is not counted. A job that is to be cancelled ends.
    ///
    /// # Errors
    ///
    /// [`RunError::Lost`], or when the database does not answer.
    pub async fn give_back(&self) -> Result<(), RunError> {
        let run = self.clone();
        self.db()
            .transaction(async move |connection| {
                drop(Environment::lock(connection, run.job.environment_id).await?);
                let (_held, job) = run.hold(connection).await?;
                runs::close(connection, job.id, run.attempt, RunOutcome::Interrupted).await?;
                if job.cancel_asked_at.is_some() {
                    end(connection, &job, &Verdict::cancelled(&job)).await?;
                } else {
                    job.set_queued(connection).await?;
                }
                Ok(ring_next(connection, job.environment_id).await?)
            })
            .await
    }
}
