//! Somebody wants a job to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::db::models::environment::Environment;
use crate::db::models::job::Job;
use crate::db::models::release::Release;
use crate::domain::ids::{JobId, ReleaseNumber};
use crate::domain::job::{JobState, Outcome};
use crate::domain::release::ReleaseState;
use crate::jobs::{Jobs, JobsError, Verdict, end_and_ring};

/// What a cancel came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It waited, and has ended.
    Cancelled,
    /// It runs: its worker was told, and takes back what was applied.
    Asked,
    /// Its release serves.
    TooLate(ReleaseNumber),
    /// It had ended before.
    Ended(Outcome),
}

impl Jobs {
    /// Ends a waiting job at once, and asks a running one to end.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn cancel(&self, id: JobId, by: String) -> Result<CancelAnswer, JobsError> {
        // A repeat, after an answer was lost, finds the job that the first try has ended.
        let ended_here = Arc::new(AtomicBool::new(false));
        self.db
            .transaction(async move |connection| {
                let environment = Job::find(connection, id).await?.environment_id;
                drop(Environment::lock(connection, environment).await?);
                let job = Job::lock(connection, id).await?;
                match job.state {
                    JobState::Ended(Outcome::Cancelled) if ended_here.load(Ordering::Relaxed) => {
                        Ok(CancelAnswer::Cancelled)
                    }
                    JobState::Ended(outcome) => Ok(CancelAnswer::Ended(outcome)),
                    JobState::Queued => {
                        let reason = format!("cancelled by {by}");
                        let verdict = Verdict::new(Outcome::Cancelled, reason);
                        end_and_ring(connection, &job, &verdict).await?;
                        ended_here.store(true, Ordering::Relaxed);
                        Ok(CancelAnswer::Cancelled)
                    }
                    JobState::Running => {
                        let release = Release::of_job(connection, id).await?;
                        if let Some(live) = release.filter(|r| r.state == ReleaseState::Live) {
                            return Ok(CancelAnswer::TooLate(live.number));
                        }
                        Job::set_cancel_asked(connection, id, &by).await?;
                        Ok(CancelAnswer::Asked)
                    }
                }
            })
            .await
    }
}
