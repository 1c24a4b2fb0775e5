//! Who is signed in to the pages. What a browser holds is stored as its digest only.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::models::user::User;
use crate::db::schema::{users, web_sessions};
use crate::domain::ids::UserId;

/// Age at which the last use is noted again.
const NOTED_EVERY: Duration = Duration::from_secs(60);

/// Somebody about to be signed in.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = web_sessions)]
pub struct NewSession {
    /// The digest of what the browser holds.
    pub id: String,
    /// Who.
    pub user_id: UserId,
    /// The address they came from.
    pub origin: String,
    /// The end, however often it is used.
    pub expires_at: DateTime<Utc>,
}

impl NewSession {
    /// Signs them in, unless a first try has done it.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn insert(&self, connection: &mut AsyncPgConnection) -> QueryResult<()> {
        diesel::insert_into(web_sessions::table)
            .values(self)
            .on_conflict(web_sessions::id)
            .do_nothing()
            .execute(connection)
            .await
            .map(|_| ())
    }
}

/// Who is signed in with this, and whether they have to choose a password first. `idle` is how long
/// nobody may use a session before it ends.
///
/// # Errors
///
/// When the database does not answer.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: &str,
    idle: Duration,
) -> QueryResult<Option<(User, bool)>> {
    let (today, seen_after) = (Utc::now(), Utc::now() - idle);
    let found: Option<(User, bool, DateTime<Utc>)> = web_sessions::table
        .inner_join(users::table)
        .filter(web_sessions::id.eq(id))
        .filter(web_sessions::expires_at.gt(today))
        .filter(web_sessions::seen_at.gt(seen_after))
        .select((User::as_select(), users::password_once, web_sessions::seen_at))
        .first(connection)
        .await
        .optional()?;
    let Some((user, must_change, seen_at)) = found else { return Ok(None) };
    if seen_at < today - NOTED_EVERY {
        touch(connection, id).await?;
    }
    Ok(Some((user, must_change)))
}

async fn touch(connection: &mut AsyncPgConnection, id: &str) -> QueryResult<()> {
    diesel::update(web_sessions::table.find(id))
        .set(web_sessions::seen_at.eq(now))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Signs out.
///
/// # Errors
///
/// When the database does not answer.
pub async fn delete(connection: &mut AsyncPgConnection, id: &str) -> QueryResult<()> {
    diesel::delete(web_sessions::table.find(id)).execute(connection).await.map(|_| ())
}

/// Signs a person out everywhere, but for one place.
///
/// # Errors
///
/// When the database does not answer.
pub async fn delete_all(
    connection: &mut AsyncPgConnection,
    user: UserId,
    but: Option<&str>,
) -> QueryResult<()> {
    let others = web_sessions::table
        .filter(web_sessions::user_id.eq(user))
        .filter(web_sessions::id.ne(but.unwrap_or_default()));
    diesel::delete(others).execute(connection).await.map(|_| ())
}

/// Forgets sessions whose end has come.
///
/// # Errors
///
/// When the database does not answer.
pub async fn prune(connection: &mut AsyncPgConnection) -> QueryResult<usize> {
    let ended = web_sessions::table.filter(web_sessions::expires_at.lt(now));
    diesel::delete(ended).execute(connection).await
}
