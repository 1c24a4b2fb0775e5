//! Jobs as people list them: without what only their runs need.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::models::project_list::Eyes;
use crate::db::schema::{account_members, accounts, environments, jobs, projects};
use crate::domain::environment::EnvironmentName;
use crate::domain::git_ref::RefName;
use crate::domain::ids::{AccountId, JobId, JobNumber, ProjectId};
use crate::domain::job::{JobKind, JobState};
use crate::domain::oid::Oid;
use crate::domain::slug::{AccountSlug, ProjectSlug};

/// One deployment attempt, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Listed {
    /// Its id.
    pub id: JobId,
    /// What people call it by.
    pub number: JobNumber,
    /// What it is to do.
    pub kind: JobKind,
    /// Where it stands.
    pub state: JobState,
    /// The account.
    pub account: (AccountId, AccountSlug),
    /// The project.
    pub project: (ProjectId, ProjectSlug),
    /// Where it deploys to.
    pub environment: EnvironmentName,
    /// Who asked for it.
    pub pusher: String,
    /// The ref it deploys.
    pub ref_name: Option<RefName>,
    /// What it deploys.
    pub commit: Option<Oid>,
    /// First line of the commit's message.
    pub subject: String,
    /// Why it ended as it did.
    pub reason: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Which jobs are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of this project.
    pub project: Option<ProjectId>,
    /// Of environments of this name.
    pub environment: Option<EnvironmentName>,
    /// `queued`, `running` or `ended`.
    pub state: Option<String>,
    /// Not created before.
    pub since: Option<DateTime<Utc>>,
    /// With lower numbers than this.
    pub before: Option<JobNumber>,
}

/// The newest jobs of projects that may be seen, newest first.
///
/// # Errors
///
/// When the database does not answer.
pub async fn newest(
    connection: &mut AsyncPgConnection,
    eyes: &Eyes,
    wanted: &Wanted,
    most: i64,
) -> QueryResult<Vec<Listed>> {
    let mut query = jobs::table
        .inner_join(environments::table.inner_join(projects::table.inner_join(accounts::table)))
        .filter(projects::deleted_at.is_null())
        .filter(accounts::deleted_at.is_null())
        .order(jobs::number.desc())
        .limit(most)
        .select((
            jobs::id,
            jobs::number,
            jobs::kind,
            (jobs::state, jobs::outcome),
            (accounts::id, accounts::slug),
            (projects::id, projects::slug),
            environments::name,
            jobs::pusher,
            jobs::ref_name,
            jobs::new_oid,
            jobs::subject,
            jobs::reason,
            jobs::created_at,
            jobs::ended_at,
        ))
        .into_boxed();
    if !eyes.sees_all {
        let theirs = account_members::table
            .filter(account_members::user_id.eq(eyes.user))
            .select(account_members::account_id);
        query = query.filter(accounts::id.eq_any(theirs));
    }
    if let Some(only) = eyes.account {
        query = query.filter(accounts::id.eq(only));
    }
    if let Some(only) = &eyes.projects {
        query = query.filter(projects::id.eq_any(only));
    }
    if let Some(project) = wanted.project {
        query = query.filter(projects::id.eq(project));
    }
    if let Some(environment) = &wanted.environment {
        query = query.filter(environments::name.eq(environment));
    }
    if let Some(state) = &wanted.state {
        query = query.filter(jobs::state.eq(state));
    }
    if let Some(since) = wanted.since {
        query = query.filter(jobs::created_at.ge(since));
    }
    if let Some(before) = wanted.before {
        query = query.filter(jobs::number.lt(before));
    }
    query.load(connection).await
}
