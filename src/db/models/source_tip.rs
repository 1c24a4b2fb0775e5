//! What was last done about each ref of a source.

use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{jobs, source_tips};
use crate::domain::git_ref::RefName;
use crate::domain::ids::{EnvironmentId, JobId, JobNumber, ProjectId};
use crate::domain::job::JobState;
use crate::domain::oid::Oid;
use crate::domain::source::Tried;

/// What was done about a ref.
#[derive(Debug, Clone, Copy)]
pub struct NewTip<'a> {
    /// The project.
    pub project: ProjectId,
    /// The ref.
    pub name: &'a RefName,
    /// Where it was.
    pub commit: Oid,
    /// Where it was to be deployed to.
    pub environment: EnvironmentId,
    /// The job that was made.
    pub job: Option<JobId>,
}

/// What was done about the refs of a project, by their names.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_project(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
) -> QueryResult<Vec<(RefName, Tried)>> {
    type Row = (RefName, Oid, EnvironmentId, Option<JobId>);
    let rows: Vec<Row> = source_tips::table
        .filter(source_tips::project_id.eq(project))
        .order(source_tips::ref_name)
        .select((
            source_tips::ref_name,
            source_tips::oid,
            source_tips::environment_id,
            source_tips::job_id,
        ))
        .load(connection)
        .await?;
    let ids: Vec<JobId> = rows.iter().filter_map(|row| row.3).collect();
    let states: Vec<(JobId, JobNumber, JobState)> = jobs::table
        .filter(jobs::id.eq_any(ids))
        .select((jobs::id, jobs::number, (jobs::state, jobs::outcome)))
        .load(connection)
        .await?;
    let state = |id: JobId| states.iter().find(|(known, ..)| *known == id);
    let tried = |(name, commit, environment, job): Row| {
        let job = job.and_then(state).map(|(_, number, state)| (*number, *state));
        (name, Tried { commit, environment, job })
    };
    Ok(rows.into_iter().map(tried).collect())
}

/// Notes what was done about a ref, instead of what was before.
///
/// # Errors
///
/// When the database does not answer.
pub async fn note(connection: &mut AsyncPgConnection, tip: &NewTip<'_>) -> QueryResult<()> {
    let values = (
        source_tips::oid.eq(tip.commit),
        source_tips::environment_id.eq(tip.environment),
        source_tips::job_id.eq(tip.job),
    );
    diesel::insert_into(source_tips::table)
        .values((
            source_tips::project_id.eq(tip.project),
            source_tips::ref_name.eq(tip.name),
            values,
        ))
        .on_conflict((source_tips::project_id, source_tips::ref_name))
        .do_update()
        .set((values, source_tips::seen_at.eq(now)))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Forgets about a ref that is gone.
///
/// # Errors
///
/// When the database does not answer.
pub async fn forget(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
    name: &RefName,
) -> QueryResult<()> {
    diesel::delete(source_tips::table.find((project, name))).execute(connection).await.map(|_| ())
}

/// Forgets about all refs of a project: what they are at comes from elsewhere by now.
///
/// # Errors
///
/// When the database does not answer.
pub async fn forget_all(connection: &mut AsyncPgConnection, project: ProjectId) -> QueryResult<()> {
    diesel::delete(source_tips::table.filter(source_tips::project_id.eq(project)))
        .execute(connection)
        .await
        .map(|_| ())
}
