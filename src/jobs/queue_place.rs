//! Where a waiting job stands.

use diesel_async::AsyncPgConnection;

use crate::db::models::job::Job;
use crate::domain::ids::JobId;
use crate::domain::job::JobState;
use crate::jobs::Jobs;

/// Runs whose length is looked at for an estimate.
const RECENT: i64 = 5;

/// Where a waiting job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Jobs that run before it: the running one, and waiting ones that are newer.
    pub ahead: usize,
    /// About how long that takes, in seconds, where earlier deployments tell.
    pub seconds: Option<u64>,
}

impl Jobs {
    /// Where a job stands; `None` when it does not wait for another.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn place(&self, job: JobId) -> diesel::QueryResult<Option<Place>> {
        self.db.run(async move |connection| find(connection, job).await).await
    }
}

async fn find(connection: &mut AsyncPgConnection, id: JobId) -> diesel::QueryResult<Option<Place>> {
    let job = Job::find(connection, id).await?;
    if job.state != JobState::Queued {
        return Ok(None);
    }
    let open = Job::open_of_environment(connection, job.environment_id).await?;
    let before = |other: &&Job| other.state == JobState::Running || other.number > job.number;
    let ahead = open.iter().filter(before).count();
    if ahead == 0 {
        return Ok(None);
    }
    let durations = Job::recent_durations(connection, job.environment_id, RECENT).await?;
    let count = i64::try_from(durations.len()).unwrap_or(1);
    let average = durations.iter().sum::<i64>().checked_div(count);
    let each = average.and_then(|seconds| u64::try_from(seconds).ok());
    let jobs = u64::try_from(ahead).unwrap_or(1);
    Ok(Some(Place { ahead, seconds: each.map(|each| each.max(1).saturating_mul(jobs)) }))
}
