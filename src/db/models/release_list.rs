//! Releases as people list them: without what is needed to apply them again.

use std::fmt;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;
use serde_json::Value;

use crate::db::schema::{environments, jobs, projects, releases};
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::{AccountId, EnvironmentId, JobNumber, ReleaseNumber};
use crate::domain::oid::Oid;
use crate::domain::release::ReleaseState;
use crate::domain::slug::ProjectSlug;

/// The columns of a [`Listed`].
type Columns = (
    releases::number,
    releases::state,
    releases::commit_oid,
    releases::created_at,
    releases::live_at,
    jobs::number,
    jobs::pusher,
    jobs::subject,
    releases::source,
);

const LISTED: Columns = (
    releases::number,
    releases::state,
    releases::commit_oid,
    releases::created_at,
    releases::live_at,
    jobs::number,
    jobs::pusher,
    jobs::subject,
    releases::source,
);

/// A release, and the job that made it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Serialize)]
pub struct Listed {
    /// "v18".
    pub number: ReleaseNumber,
    /// Where it stands.
    pub state: ReleaseState,
    /// What was deployed.
    #[serde(rename = "commit")]
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
    /// The release of which it is one more.
    pub source: Option<ReleaseNumber>,
}

/// On one line.
impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.live_at.unwrap_or(self.created_at).format("%Y-%m-%d %H:%M");
        let Self { number, state, commit_oid, job, pusher, subject, .. } = self;
        let (number, commit) = (number.to_string(), commit_oid.short());
        write!(f, "{number:<6}  {state:<8}  {commit}  {date}  job {job}  {pusher}  ")?;
        match self.source {
            Some(source) => write!(f, "{source} again: {subject}"),
            None => f.write_str(subject),
        }
    }
}

/// The newest releases of an environment, of those before one, newest first.
///
/// # Errors
///
/// When the database does not answer.
pub async fn newest(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
    before: Option<ReleaseNumber>,
    most: i64,
) -> QueryResult<Vec<Listed>> {
    let before = before.unwrap_or(ReleaseNumber(i32::MAX));
    releases::table
        .inner_join(jobs::table)
        .filter(releases::environment_id.eq(environment))
        .filter(releases::number.lt(before))
        .order(releases::number.desc())
        .limit(most)
        .select(LISTED)
        .load(connection)
        .await
}

/// The release of this number.
///
/// # Errors
///
/// When the database does not answer.
pub async fn numbered(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
    number: ReleaseNumber,
) -> QueryResult<Option<Listed>> {
    releases::table
        .inner_join(jobs::table)
        .filter(releases::environment_id.eq(environment))
        .filter(releases::number.eq(number))
        .select(LISTED)
        .first(connection)
        .await
        .optional()
}

/// What serves in an environment.
///
/// # Errors
///
/// When the database does not answer.
pub async fn live(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
) -> QueryResult<Option<Listed>> {
    releases::table
        .inner_join(jobs::table)
        .filter(releases::environment_id.eq(environment))
        .filter(releases::state.eq(ReleaseState::Live))
        .select(LISTED)
        .first(connection)
        .await
        .optional()
}

/// What serves in each environment of these.
///
/// # Errors
///
/// When the database does not answer.
pub async fn live_of(
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

/// What each release that serves uses of resources, with where it does: of the projects of an account.
///
/// # Errors
///
/// When the database does not answer.
pub async fn uses_of_account(
    connection: &mut AsyncPgConnection,
    account: AccountId,
) -> QueryResult<Vec<(ProjectSlug, EnvironmentName, Value)>> {
    let is_live = releases::id.nullable().eq(environments::live_release);
    projects::table
        .inner_join(environments::table)
        .inner_join(releases::table.on(is_live))
        .filter(projects::account_id.eq(account))
        .filter(projects::deleted_at.is_null())
        .order((projects::slug, environments::name))
        .select((projects::slug, environments::name, releases::uses))
        .load(connection)
        .await
}
