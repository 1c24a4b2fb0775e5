//! How often somebody has tried to sign in.

use std::time::Duration;

use chrono::Utc;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::sign_in_tries;

/// Counts one more try, and gives how many there were within this time.
///
/// # Errors
///
/// When the database does not answer.
pub async fn count(
    connection: &mut AsyncPgConnection,
    whose: &str,
    within: Duration,
) -> QueryResult<i32> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        tries: i32,
    }
    let row: Row = diesel::sql_query(
        "INSERT INTO sign_in_tries AS t (whose) VALUES ($1) \
         ON CONFLICT (whose) DO UPDATE SET \
             tries = CASE WHEN t.since > $2 THEN t.tries + 1 ELSE 1 END, \
             since = CASE WHEN t.since > $2 THEN t.since ELSE now() END \
         RETURNING tries",
    )
    .bind::<Text, _>(whose)
    .bind::<Timestamptz, _>(Utc::now() - within)
    .get_result(connection)
    .await?;
    Ok(row.tries)
}

/// Takes one try back: it was a good one.
///
/// # Errors
///
/// When the database does not answer.
pub async fn forgive(connection: &mut AsyncPgConnection, whose: &str) -> QueryResult<()> {
    diesel::update(sign_in_tries::table.find(whose).filter(sign_in_tries::tries.gt(0)))
        .set(sign_in_tries::tries.eq(sign_in_tries::tries - 1))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Forgets all tries of somebody.
///
/// # Errors
///
/// When the database does not answer.
pub async fn forget(connection: &mut AsyncPgConnection, whose: &str) -> QueryResult<()> {
    diesel::delete(sign_in_tries::table.find(whose)).execute(connection).await.map(|_| ())
}

/// Forgets tries that count no more.
///
/// # Errors
///
/// When the database does not answer.
pub async fn prune(connection: &mut AsyncPgConnection, within: Duration) -> QueryResult<usize> {
    let old = sign_in_tries::table.filter(sign_in_tries::since.lt(Utc::now() - within));
    diesel::delete(old).execute(connection).await
}
