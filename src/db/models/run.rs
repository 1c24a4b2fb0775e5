//! Tries of jobs. The lease and the worker stand here only.

use diesel::dsl::now;
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::job_runs;
use crate::domain::ids::{Attempt, EnvironmentId, Fence, JobId};
use crate::domain::run::RunOutcome;

/// A run that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct OpenRun {
    /// The job it runs.
    pub job_id: JobId,
    /// Which try it is.
    pub attempt: Attempt,
    /// Who runs it.
    pub worker: String,
    /// The fence of what it puts on the targets.
    pub fence: Fence,
    /// Whether its lease has ended.
    pub expired: bool,
}

/// The run an environment is held by, if there is one.
///
/// # Errors
///
/// When the database does not answer.
pub async fn open_of_environment(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
) -> QueryResult<Option<OpenRun>> {
    job_runs::table
        .filter(job_runs::environment_id.eq(environment))
        .filter(job_runs::ended_at.is_null())
        .select((
            job_runs::job_id,
            job_runs::attempt,
            job_runs::worker,
            job_runs::fence,
            job_runs::lease_until.le(now),
        ))
        .first(connection)
        .await
        .optional()
}

/// A run about to begin.
#[derive(Debug)]
pub struct NewRun<'a> {
    /// The job it runs.
    pub job: JobId,
    /// The environment it holds.
    pub environment: EnvironmentId,
    /// Who runs it.
    pub worker: &'a str,
    /// The owner's number.
    pub fence: Fence,
    /// For how long without renewal, in milliseconds.
    pub lease_ms: i64,
}

impl NewRun<'_> {
    /// Begins the run and gives its number.
    ///
    /// # Errors
    ///
    /// A unique violation when the environment is held already.
    pub async fn insert(&self, connection: &mut AsyncPgConnection) -> QueryResult<Attempt> {
        let last: Option<Attempt> = job_runs::table
            .filter(job_runs::job_id.eq(self.job))
            .order(job_runs::attempt.desc())
            .select(job_runs::attempt)
            .first(connection)
            .await
            .optional()?;
        let attempt = Attempt(last.map_or(1, |last| last.0.saturating_add(1)));
        diesel::sql_query(
            "INSERT INTO job_runs (job_id, attempt, environment_id, worker, fence, lease_until) \
             VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond')",
        )
        .bind::<sql_types::Uuid, _>(self.job)
        .bind::<sql_types::Integer, _>(attempt)
        .bind::<sql_types::Uuid, _>(self.environment)
        .bind::<sql_types::Text, _>(self.worker)
        .bind::<sql_types::BigInt, _>(self.fence)
        .bind::<sql_types::BigInt, _>(self.lease_ms)
        .execute(connection)
        .await?;
        Ok(attempt)
    }
}

/// Lengthens the lease of a run; false when the run has ended.
///
/// # Errors
///
/// When the database does not answer.
pub async fn renew(
    connection: &mut AsyncPgConnection,
    job: JobId,
    attempt: Attempt,
    lease_ms: i64,
) -> QueryResult<bool> {
    diesel::sql_query(
        "UPDATE job_runs SET lease_until = now() + $3 * interval '1 millisecond' \
         WHERE job_id = $1 AND attempt = $2 AND ended_at IS NULL",
    )
    .bind::<sql_types::Uuid, _>(job)
    .bind::<sql_types::Integer, _>(attempt)
    .bind::<sql_types::BigInt, _>(lease_ms)
    .execute(connection)
    .await
    .map(|renewed| renewed > 0)
}

/// Ends a run.
///
/// # Errors
///
/// When the database does not answer.
pub async fn close(
    connection: &mut AsyncPgConnection,
    job: JobId,
    attempt: Attempt,
    outcome: RunOutcome,
) -> QueryResult<()> {
    diesel::update(job_runs::table.find((job, attempt)).filter(job_runs::ended_at.is_null()))
        .set((job_runs::ended_at.eq(now), job_runs::outcome.eq(outcome)))
        .execute(connection)
        .await
        .map(|_| ())
}

/// How many runs of a job were lost.
///
/// # Errors
///
/// When the database does not answer.
pub async fn lost(connection: &mut AsyncPgConnection, job: JobId) -> QueryResult<usize> {
    let lost: i64 = job_runs::table
        .filter(job_runs::job_id.eq(job))
        .filter(job_runs::outcome.eq(RunOutcome::Lost))
        .count()
        .get_result(connection)
        .await?;
    Ok(usize::try_from(lost).unwrap_or(usize::MAX))
}

/// The jobs that run now, on any worker.
///
/// # Errors
///
/// When the database does not answer.
pub async fn open_jobs(connection: &mut AsyncPgConnection) -> QueryResult<Vec<JobId>> {
    job_runs::table
        .filter(job_runs::ended_at.is_null())
        .select(job_runs::job_id)
        .load(connection)
        .await
}

/// Jobs whose bell should be rung again: queued ones of free environments, and one of each
/// environment whose run's lease has ended.
///
/// # Errors
///
/// When the database does not answer.
pub async fn unattended(connection: &mut AsyncPgConnection) -> QueryResult<Vec<JobId>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql_types::Uuid)]
        id: JobId,
    }
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT DISTINCT ON (j.environment_id) j.id FROM jobs j \
         LEFT JOIN job_runs r ON r.environment_id = j.environment_id AND r.ended_at IS NULL \
         WHERE (j.state = 'queued' AND r.job_id IS NULL) \
            OR (r.job_id = j.id AND r.lease_until <= now()) \
         ORDER BY j.environment_id, j.number DESC",
    )
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Queued jobs in environments that no run has held for so many seconds, and that wait for as long.
///
/// # Errors
///
/// When the database does not answer.
pub async fn forgotten(
    connection: &mut AsyncPgConnection,
    after_seconds: i64,
) -> QueryResult<Vec<(JobId, EnvironmentId)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql_types::Uuid)]
        id: JobId,
        #[diesel(sql_type = sql_types::Uuid)]
        environment_id: EnvironmentId,
    }
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT j.id, j.environment_id FROM jobs j \
         WHERE j.state = 'queued' AND j.created_at < now() - $1 * interval '1 second' \
           AND NOT EXISTS (SELECT FROM job_runs r \
                           WHERE r.environment_id = j.environment_id \
                             AND (r.ended_at IS NULL \
                                  OR r.ended_at >= now() - $1 * interval '1 second')) \
         ORDER BY j.number",
    )
    .bind::<sql_types::BigInt, _>(after_seconds)
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.environment_id)).collect())
}
