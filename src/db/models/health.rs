//! Whether deployments get on, in a few numbers.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{environments, job_runs, jobs, outbox, routers};
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::{JobId, JobNumber, RouteVersion};

/// A run that goes on.
#[derive(Debug, Clone, Queryable)]
pub struct Running {
    /// Its job.
    pub job: JobId,
    /// How people call that.
    pub number: JobNumber,
    /// Where it deploys to.
    pub environment: EnvironmentName,
    /// Who runs it.
    pub worker: String,
    /// Since when.
    pub started_at: DateTime<Utc>,
    /// When its worker is taken for dead, unless it is heard of before.
    pub lease_until: DateTime<Utc>,
}

/// A router.
#[derive(Debug, Clone, Queryable)]
pub struct Alive {
    /// Its name.
    pub id: String,
    /// What it serves.
    pub version: RouteVersion,
    /// When it was heard of.
    pub seen_at: DateTime<Utc>,
}

/// What there is to know.
#[derive(Debug, Clone)]
pub struct Health {
    /// Jobs that wait.
    pub queued: i64,
    /// Since when the oldest of them does.
    pub oldest: Option<DateTime<Utc>>,
    /// Bells that were not rung yet.
    pub unrung: i64,
    /// Runs that go on.
    pub running: Vec<Running>,
    /// Routers that were heard of within a day.
    pub routers: Vec<Alive>,
}

/// Looks.
///
/// # Errors
///
/// When the database does not answer.
pub async fn look(connection: &mut AsyncPgConnection) -> QueryResult<Health> {
    let waiting = jobs::table.filter(jobs::state.eq("queued"));
    let queued = waiting.select(count_star()).get_result(connection).await?;
    let oldest = waiting.select(min(jobs::created_at)).get_result(connection).await?;
    let unrung = outbox::table
        .filter(outbox::sent_at.is_null())
        .select(count_star())
        .get_result(connection)
        .await?;
    let running = job_runs::table
        .inner_join(jobs::table.on(jobs::id.eq(job_runs::job_id)))
        .inner_join(environments::table.on(environments::id.eq(job_runs::environment_id)))
        .filter(job_runs::ended_at.is_null())
        .order(job_runs::started_at)
        .select((
            jobs::id,
            jobs::number,
            environments::name,
            job_runs::worker,
            job_runs::started_at,
            job_runs::lease_until,
        ))
        .load(connection)
        .await?;
    let routers = routers::table
        .order(routers::id)
        .select((routers::id, routers::version, routers::seen_at))
        .load(connection)
        .await?;
    Ok(Health { queued, oldest, unrung, running, routers })
}
