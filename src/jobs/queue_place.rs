//! Where a waiting job stands.

use diesel_async::AsyncPgConnection;

use crate::db::models::job::Job;
use crate::domain::ids::JobId;
use crate::domain::job::{JobKind, JobState};
use crate::jobs::Jobs;

/// Runs whose length is looked at for an estimate.
const RECENT: i64 = 5;

/// Where a waiting job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Jobs that run before it: the running one, rollbacks, newer deployments, and plans that came
    /// before.
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
    let before: Vec<&Job> = open.iter().filter(|other| runs_before(other, &job, &open)).collect();
    let ahead = before.len();
    if ahead == 0 {
        return Ok(None);
    }
    let durations = Job::recent_durations(connection, job.environment_id, RECENT).await?;
    let count = i64::try_from(durations.len()).unwrap_or(1);
    let average = durations.iter().sum::<i64>().checked_div(count);
    let each = average.and_then(|seconds| u64::try_from(seconds).ok());
    // Nobody waits long for a plan.
    let deployments = before.iter().filter(|other| other.kind != JobKind::Plan).count();
    let jobs = u64::try_from(deployments.max(1)).unwrap_or(1);
    Ok(Some(Place { ahead, seconds: each.map(|each| each.max(1).saturating_mul(jobs)) }))
}

/// Whether an open job of an environment runs before another one of it that waits.
///
/// Rollbacks come first. Of them and of deployments the newest is next, and the older ones will never
/// run; plans and the newest deployment are taken in the order in which they came.
fn runs_before(other: &Job, job: &Job, open: &[Job]) -> bool {
    let is_plan = |job: &Job| job.kind == JobKind::Plan;
    let is_rollback = |job: &Job| job.kind == JobKind::Rollback;
    if other.id == job.id {
        return false;
    }
    if other.state == JobState::Running {
        return true;
    }
    match (is_rollback(other), is_rollback(job)) {
        (true, false) => return true,
        (false, true) => return false,
        (true, true) => return other.number > job.number,
        (false, false) => {}
    }
    let queued = open.iter().filter(|job| job.state == JobState::Queued);
    let deployments = queued.filter(|job| !is_plan(job) && !is_rollback(job));
    let newest = deployments.map(|job| job.number).max();
    match (is_plan(other), is_plan(job)) {
        (false, false) => other.number > job.number,
        (true, true) => other.number < job.number,
        (true, false) => newest.is_some_and(|newest| other.number < newest),
        (false, true) => other.number < job.number && newest == Some(other.number),
    }
}
