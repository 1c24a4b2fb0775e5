//! Public keys of people.

use diesel::dsl::now;
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::ssh_keys;
use crate::domain::ids::{KeyId, UserId};
use crate::domain::ssh_key::SshKey;

/// What became of a key that was to be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// It is new.
    Added,
    /// Its owner had registered it already.
    AlreadyYours,
    /// It belongs to someone else.
    Taken,
}

/// Registers a key for a person, or finds it registered under this id; the unique fingerprint
/// decides between two at once.
///
/// # Errors
///
/// When the database does not answer.
pub async fn register(
    connection: &mut AsyncPgConnection,
    id: KeyId,
    (user, key): (UserId, &SshKey),
) -> QueryResult<Registered> {
    let (found, owner): (KeyId, UserId) = diesel::insert_into(ssh_keys::table)
        .values((
            ssh_keys::id.eq(id),
            ssh_keys::user_id.eq(user),
            ssh_keys::name.eq(&key.name),
            ssh_keys::algorithm.eq(&key.algorithm),
            ssh_keys::public_key.eq(&key.line),
            ssh_keys::fingerprint.eq(&key.fingerprint),
        ))
        .on_conflict(ssh_keys::fingerprint)
        .do_update()
        // Changes nothing, and gives the row that is there.
        .set(ssh_keys::fingerprint.eq(excluded(ssh_keys::fingerprint)))
        .returning((ssh_keys::id, ssh_keys::user_id))
        .get_result(connection)
        .await?;
    Ok(if found == id {
        Registered::Added
    } else if owner == user {
        Registered::AlreadyYours
    } else {
        Registered::Taken
    })
}

/// Notes that a key was used, at most once a minute.
///
/// # Errors
///
/// When the database does not answer.
pub async fn touch(connection: &mut AsyncPgConnection, key: KeyId) -> QueryResult<()> {
    use diesel::dsl::IntervalDsl;

    let a_minute_ago = (now.into_sql::<Timestamptz>() - 1.minute()).nullable();
    let long_ago = ssh_keys::last_used_at.is_null().or(ssh_keys::last_used_at.lt(a_minute_ago));
    diesel::update(ssh_keys::table.find(key).filter(long_ago))
        .set(ssh_keys::last_used_at.eq(now))
        .execute(connection)
        .await
        .map(|_| ())
}
