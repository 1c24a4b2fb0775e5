//! Repositories of deleted projects, until they are removed.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::repository_trash;
use crate::domain::ids::ProjectId;

/// Says that the repository of a project is not needed any more.
///
/// # Errors
///
/// When the database does not answer.
pub async fn put(connection: &mut AsyncPgConnection, project: ProjectId) -> QueryResult<()> {
    diesel::insert_into(repository_trash::table)
        .values(repository_trash::project_id.eq(project))
        .on_conflict(repository_trash::project_id)
        .do_nothing()
        .execute(connection)
        .await
        .map(|_| ())
}

/// Forgets about the repository of a project: it is needed again, or gone. Whether it was there.
///
/// # Errors
///
/// When the database does not answer.
pub async fn forget(connection: &mut AsyncPgConnection, project: ProjectId) -> QueryResult<bool> {
    let rows = diesel::delete(repository_trash::table.find(project)).execute(connection).await?;
    Ok(rows > 0)
}

/// Every repository that is not needed any more, with whether that is so for `seconds` already.
///
/// # Errors
///
/// When the database does not answer.
pub async fn all(
    connection: &mut AsyncPgConnection,
    seconds: f64,
) -> QueryResult<Vec<(ProjectId, bool)>> {
    use diesel::dsl::sql;
    use diesel::sql_types::{Bool, Double};

    let old = sql::<Bool>("since <= now() - make_interval(secs => ").bind::<Double, _>(seconds);
    repository_trash::table
        .order(repository_trash::since)
        .select((repository_trash::project_id, old.sql(")")))
        .load(connection)
        .await
}

/// Whether the repository of a project is not needed any more.
///
/// # Errors
///
/// When the database does not answer.
pub async fn holds(connection: &mut AsyncPgConnection, project: ProjectId) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(repository_trash::table.find(project)))
        .get_result(connection)
        .await
}
