//! Routers that are alive, and what they serve.

use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::routers;
use crate::domain::ids::RouteVersion;

/// Says that a router is alive and serves this version.
///
/// # Errors
///
/// When the database does not answer.
pub async fn report(
    connection: &mut AsyncPgConnection,
    id: &str,
    version: RouteVersion,
) -> QueryResult<()> {
    let values = (routers::version.eq(version), routers::seen_at.eq(now));
    diesel::insert_into(routers::table)
        .values((routers::id.eq(id), values))
        .on_conflict(routers::id)
        .do_update()
        .set(values)
        .execute(connection)
        .await?;
    diesel::sql_query("SELECT pg_notify('routers', '')").execute(connection).await.map(|_| ())
}

/// Says that a router is gone, so that nobody waits for it.
///
/// # Errors
///
/// When the database does not answer.
pub async fn leave(connection: &mut AsyncPgConnection, id: &str) -> QueryResult<()> {
    diesel::delete(routers::table.find(id)).execute(connection).await.map(|_| ())
}

/// The versions that routers serve which were seen within so many seconds.
///
/// # Errors
///
/// When the database does not answer.
pub async fn served(
    connection: &mut AsyncPgConnection,
    within_seconds: i32,
) -> QueryResult<Vec<RouteVersion>> {
    routers::table
        .filter(routers::seen_at.gt(now.into_sql::<Timestamptz>() - within_seconds.seconds()))
        .select(routers::version)
        .load(connection)
        .await
}

/// Forgets routers that have been silent for a day.
///
/// # Errors
///
/// When the database does not answer.
pub async fn prune(connection: &mut AsyncPgConnection) -> QueryResult<usize> {
    diesel::delete(
        routers::table.filter(routers::seen_at.lt(now.into_sql::<Timestamptz>() - 1.day())),
    )
    .execute(connection)
    .await
}
