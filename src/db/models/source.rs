//! Where the commits of projects come from that nobody pushes.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::project_sources;
use crate::domain::ids::ProjectId;
use crate::domain::sealed::Sealed;
use crate::domain::source::SourceUrl;

/// The source of a project.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = project_sources)]
pub struct Source {
    /// Where it is.
    pub url: SourceUrl,
    /// Who signs in.
    pub username: String,
    /// Their SSH key or token.
    pub secret: Option<Sealed>,
    /// The public half of the SSH key.
    pub public_key: Option<String>,
    /// Keys that the host may show, one a line.
    pub host_keys: String,
    /// Seconds between two looks.
    pub check_every: Option<i32>,
    /// When it is looked at next.
    pub next_check_at: Option<DateTime<Utc>>,
    /// When it was looked at last.
    pub checked_at: Option<DateTime<Utc>>,
    /// How many looks in a row have failed.
    pub failures: i32,
    /// Why the last one did.
    pub fault: Option<String>,
}

/// What is stored of a source.
#[derive(Debug, Clone, Copy, Insertable, AsChangeset)]
#[diesel(table_name = project_sources, treat_none_as_null = true)]
pub struct SourceValues<'a> {
    /// Where it is.
    pub url: &'a SourceUrl,
    /// Who signs in.
    pub username: &'a str,
    /// Their SSH key or token.
    pub secret: Option<&'a Sealed>,
    /// The public half of the SSH key.
    pub public_key: Option<&'a str>,
    /// Keys that the host may show.
    pub host_keys: &'a str,
    /// Seconds between two looks.
    pub check_every: Option<i32>,
}

impl Source {
    /// The source of a project, if it has one.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn of_project(
        connection: &mut AsyncPgConnection,
        project: ProjectId,
    ) -> QueryResult<Option<Self>> {
        project_sources::table
            .find(project)
            .select(Self::as_select())
            .first(connection)
            .await
            .optional()
    }

    /// Every source, by project.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn all(connection: &mut AsyncPgConnection) -> QueryResult<Vec<(ProjectId, Self)>> {
        project_sources::table
            .order(project_sources::project_id)
            .select((project_sources::project_id, Self::as_select()))
            .load(connection)
            .await
    }
}

/// Says where the commits of a project come from. Looks that failed before count no more, and the
/// first look by itself is due.
///
/// # Errors
///
/// When the database refuses or does not answer.
pub async fn set(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
    values: SourceValues<'_>,
) -> QueryResult<()> {
    let due = values.check_every.map(|_seconds| Utc::now());
    diesel::insert_into(project_sources::table)
        .values((
            project_sources::project_id.eq(project),
            values,
            project_sources::next_check_at.eq(due),
        ))
        .on_conflict(project_sources::project_id)
        .do_update()
        .set((
            values,
            project_sources::next_check_at.eq(due),
            project_sources::failures.eq(0),
            project_sources::fault.eq(None::<String>),
            project_sources::updated_at.eq(now),
        ))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Takes the source of a project away; whether it had one.
///
/// # Errors
///
/// When the database does not answer.
pub async fn unset(connection: &mut AsyncPgConnection, project: ProjectId) -> QueryResult<bool> {
    let rows = diesel::delete(project_sources::table.find(project)).execute(connection).await?;
    Ok(rows > 0)
}

/// Pins host keys that were shown, unless some are pinned or the source is another one by now;
/// whether they were.
///
/// # Errors
///
/// When the database does not answer.
pub async fn pin(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
    url: &SourceUrl,
    host_keys: &str,
) -> QueryResult<bool> {
    let open = project_sources::table
        .find(project)
        .filter(project_sources::url.eq(url))
        .filter(project_sources::host_keys.eq(""));
    let rows = diesel::update(open)
        .set(project_sources::host_keys.eq(host_keys))
        .execute(connection)
        .await?;
    Ok(rows > 0)
}
