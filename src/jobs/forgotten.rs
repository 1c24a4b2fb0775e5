//! Jobs that no worker takes.

use std::time::Duration;

use tracing::warn;

use crate::db::models::environment::Environment;
use crate::db::models::job::Job;
use crate::db::models::run as runs;
use crate::domain::history::Step;
use crate::domain::job::{JobState, Outcome};
use crate::jobs::{Jobs, JobsError, Verdict, end_and_ring};

impl Jobs {
    /// Ends jobs that no worker took for so long, where no run holds their environment.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn end_forgotten(&self, after: Duration) -> Result<(), JobsError> {
        let seconds = i64::try_from(after.as_secs()).unwrap_or(i64::MAX);
        let forgotten =
            self.db.run(async move |connection| runs::forgotten(connection, seconds).await).await?;
        for (job, environment) in forgotten {
            let ended = self
                .db
                .transaction(async move |connection| {
                    drop(Environment::lock(connection, environment).await?);
                    let job = Job::lock(connection, job).await?;
                    let open = runs::open_of_environment(connection, environment).await?;
                    if job.state != JobState::Queued || open.is_some() {
                        return Ok(());
                    }
                    let verdict = Verdict {
                        failed_step: Some(Step::Queue),
                        ..Verdict::new(Outcome::Failed, "not started in time")
                    };
                    end_and_ring(connection, &job, &verdict).await
                })
                .await;
            // One that cannot be ended keeps no other one waiting.
            if let Err(error) = ended {
                let error: diesel::result::Error = error;
                warn!("Could not end a job that nobody took: {error}");
            }
        }
        Ok(())
    }
}
