//! What the first administrator comes with.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, now};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{first_run, users};

/// Whether somebody administrates the installation.
///
/// # Errors
///
/// When the database does not answer.
pub async fn is_over(connection: &mut AsyncPgConnection) -> QueryResult<bool> {
    let administrators =
        users::table.filter(users::administrator).filter(users::deleted_at.is_null());
    diesel::select(exists(administrators)).get_result(connection).await
}

/// Stores the digest of a token in the place of any other.
///
/// # Errors
///
/// When the database does not answer.
pub async fn set(
    connection: &mut AsyncPgConnection,
    token: &str,
    expires_at: DateTime<Utc>,
) -> QueryResult<()> {
    let values = (first_run::token.eq(token), first_run::expires_at.eq(expires_at));
    diesel::insert_into(first_run::table)
        .values(values)
        .on_conflict(first_run::only)
        .do_update()
        .set(values)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Whether this is the token, and its time is not over.
///
/// # Errors
///
/// When the database does not answer.
pub async fn fits(connection: &mut AsyncPgConnection, token: &str) -> QueryResult<bool> {
    let fitting =
        first_run::table.filter(first_run::token.eq(token)).filter(first_run::expires_at.gt(now));
    diesel::select(exists(fitting)).get_result(connection).await
}

/// Uses a token up; whether it was there. Who comes at the same time waits, and finds none.
///
/// # Errors
///
/// When the database does not answer.
pub async fn take(connection: &mut AsyncPgConnection, token: &str) -> QueryResult<bool> {
    let fitting =
        first_run::table.filter(first_run::token.eq(token)).filter(first_run::expires_at.gt(now));
    Ok(diesel::delete(fitting).execute(connection).await? > 0)
}
