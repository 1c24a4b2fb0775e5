//! Releases as people list them: without what is needed to apply them again.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{jobs, releases};
use crate::domain::ids::{EnvironmentId, JobNumber, ReleaseNumber};
use crate::domain::oid::Oid;
use crate::domain::release::ReleaseState;

/// A release, and the job that made it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Listed {
    /// "v18".
    pub number: ReleaseNumber,
    /// Where it stands.
    pub state: ReleaseState,
    /// What was deployed.
    pub commit_oid: Oid,
    /// When it was numbered.
    pub created_at: DateTime<Utc>,
    /// When it began to serve.
    pub live_at: Option<DateTime<Utc>>,
    /// The job.
    pub job: JobNumber,
    /// Who deployed it.
    pub pusher: String,
    /// First line of the commit's message.
    pub subject: String,
}

/// The newest releases of an environment, newest first.
///
/// # Errors
///
/// When the database does not answer.
pub async fn newest(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
    most: i64,
) -> QueryResult<Vec<Listed>> {
    releases::table
        .inner_join(jobs::table)
        .filter(releases::environment_id.eq(environment))
        .order(releases::number.desc())
        .limit(most)
        .select((
            releases::number,
            releases::state,
            releases::commit_oid,
            releases::created_at,
            releases::live_at,
            jobs::number,
            jobs::pusher,
            jobs::subject,
        ))
        .load(connection)
        .await
}

/// What serves in each environment of these.
///
/// # Errors
///
/// When the database does not answer.
pub async fn live(
    connection: &mut AsyncPgConnection,
    environments: &[EnvironmentId],
) -> QueryResult<Vec<(EnvironmentId, ReleaseNumber, Oid)>> {
    releases::table
        .filter(releases::environment_id.eq_any(environments))
        .filter(releases::state.eq(ReleaseState::Live))
        .select((releases::environment_id, releases::number, releases::commit_oid))
        .load(connection)
        .await
}
