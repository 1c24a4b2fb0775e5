//! What people sign in with besides a password.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::models::user::User;
use crate::db::schema::{awaited_codes, recovery_codes, second_factors, users};
use crate::domain::ids::UserId;

/// What somebody has.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = second_factors)]
pub struct SecondFactor {
    /// Its secret, sealed for the web role.
    pub sealed: String,
    /// Since when it counts.
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// What a person has, confirmed or not.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_user(
    connection: &mut AsyncPgConnection,
    user: UserId,
) -> QueryResult<Option<SecondFactor>> {
    let found = second_factors::table.find(user).select(SecondFactor::as_select());
    found.first(connection).await.optional()
}

/// Which of these people have one that counts.
///
/// # Errors
///
/// When the database does not answer.
pub async fn among(connection: &mut AsyncPgConnection, of: &[UserId]) -> QueryResult<Vec<UserId>> {
    second_factors::table
        .filter(second_factors::user_id.eq_any(of))
        .filter(second_factors::confirmed_at.is_not_null())
        .select(second_factors::user_id)
        .load(connection)
        .await
}

/// Begins with another secret, unless one counts already; whether it did.
///
/// # Errors
///
/// When the database does not answer.
pub async fn begin(
    connection: &mut AsyncPgConnection,
    user: UserId,
    sealed: &str,
) -> QueryResult<bool> {
    let values = (second_factors::user_id.eq(user), second_factors::sealed.eq(sealed));
    let begun = diesel::insert_into(second_factors::table)
        .values(values)
        .on_conflict(second_factors::user_id)
        .do_update()
        .set((second_factors::sealed.eq(sealed), second_factors::last_step.eq(0)));
    let begun = diesel::query_dsl::methods::FilterDsl::filter(
        begun,
        second_factors::confirmed_at.is_null(),
    );
    Ok(begun.execute(connection).await? > 0)
}

/// Has what was begun count from now on, with codes for who loses it; whether it was still that.
///
/// # Errors
///
/// When the database does not answer.
pub async fn confirm(
    connection: &mut AsyncPgConnection,
    (user, sealed, step): (UserId, &str, i64),
    hashes: &[String],
) -> QueryResult<bool> {
    let begun = second_factors::table
        .find(user)
        .filter(second_factors::sealed.eq(sealed))
        .filter(second_factors::confirmed_at.is_null());
    let counts = (second_factors::confirmed_at.eq(now), second_factors::last_step.eq(step));
    if diesel::update(begun).set(counts).execute(connection).await? == 0 {
        return Ok(false);
    }
    let row = |hash| (recovery_codes::user_id.eq(user), recovery_codes::hash.eq(hash));
    let rows: Vec<_> = hashes.iter().map(row).collect();
    diesel::insert_into(recovery_codes::table).values(rows).execute(connection).await?;
    Ok(true)
}

/// Takes the code of a step; `false` when one of it, or a later one, was taken before.
///
/// # Errors
///
/// When the database does not answer.
pub async fn take_step(
    connection: &mut AsyncPgConnection,
    user: UserId,
    step: i64,
) -> QueryResult<bool> {
    let earlier = second_factors::table
        .find(user)
        .filter(second_factors::confirmed_at.is_not_null())
        .filter(second_factors::last_step.lt(step));
    let taken = diesel::update(earlier).set(second_factors::last_step.eq(step));
    Ok(taken.execute(connection).await? > 0)
}

/// Takes a code for who has lost it; `false` when there is no such code any more.
///
/// # Errors
///
/// When the database does not answer.
pub async fn take_recovery_code(
    connection: &mut AsyncPgConnection,
    user: UserId,
    hash: &str,
) -> QueryResult<bool> {
    let taken = diesel::delete(recovery_codes::table.find((user, hash)));
    Ok(taken.execute(connection).await? > 0)
}

/// Takes all of it away, and says whether there was any.
///
/// # Errors
///
/// When the database does not answer.
pub async fn delete(connection: &mut AsyncPgConnection, user: UserId) -> QueryResult<bool> {
    diesel::delete(awaited_codes::table.filter(awaited_codes::user_id.eq(user)))
        .execute(connection)
        .await?;
    Ok(diesel::delete(second_factors::table.find(user)).execute(connection).await? > 0)
}

/// Waits for the code of somebody whose password was right. Whom nobody waits for any more is
/// forgotten.
///
/// # Errors
///
/// When the database does not answer.
pub async fn await_code(
    connection: &mut AsyncPgConnection,
    (id, user, password_hash): (&str, UserId, &str),
    expires_at: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::delete(awaited_codes::table.filter(awaited_codes::expires_at.le(now)))
        .execute(connection)
        .await?;
    diesel::insert_into(awaited_codes::table)
        .values((
            awaited_codes::id.eq(id),
            awaited_codes::user_id.eq(user),
            awaited_codes::password_hash.eq(password_hash),
            awaited_codes::expires_at.eq(expires_at),
        ))
        .on_conflict_do_nothing()
        .execute(connection)
        .await
        .map(|_| ())
}

/// Whose code is awaited from whoever holds this, and what is stored of the password that they have
/// said; nobody's once they have another one.
///
/// # Errors
///
/// When the database does not answer.
pub async fn awaited(
    connection: &mut AsyncPgConnection,
    id: &str,
) -> QueryResult<Option<(User, String)>> {
    awaited_codes::table
        .inner_join(users::table)
        .filter(awaited_codes::id.eq(id))
        .filter(awaited_codes::expires_at.gt(now))
        .filter(users::password_hash.eq(awaited_codes::password_hash.nullable()))
        .select((User::as_select(), awaited_codes::password_hash))
        .first(connection)
        .await
        .optional()
}

/// Ends the waiting; whether anybody still waited.
///
/// # Errors
///
/// When the database does not answer.
pub async fn end_waiting(connection: &mut AsyncPgConnection, id: &str) -> QueryResult<bool> {
    Ok(diesel::delete(awaited_codes::table.find(id)).execute(connection).await? > 0)
}
