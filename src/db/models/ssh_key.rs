//! Public keys of people.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, now};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;

use crate::db::models::user::User;
use crate::db::schema::{accounts, projects, ssh_key_projects, ssh_keys, users};
use crate::domain::access::KeyAccess;
use crate::domain::ids::{KeyId, ProjectId, UserId};
use crate::domain::slug::{AccountSlug, ProjectSlug};
use crate::domain::ssh_key::SshKey;

/// A registered key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Queryable, Selectable)]
#[diesel(table_name = ssh_keys)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    #[serde(skip)]
    pub user_id: UserId,
    /// How its owner calls it.
    pub name: String,
    /// The type, such as `ssh-ed25519`.
    pub algorithm: String,
    /// `SHA256:` and unpadded base64.
    pub fingerprint: String,
    /// The most that it may do.
    pub access: KeyAccess,
    /// Whether it is for all projects of its owner.
    pub all_projects: bool,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// From where.
    pub last_used_from: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A key about to be registered.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub user: UserId,
    /// The key.
    pub key: SshKey,
    /// The most that it may do.
    pub access: KeyAccess,
    /// The projects it is for; `None` for all that its owner sees.
    pub projects: Option<Vec<ProjectId>>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

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

impl NewKey {
    /// Registers the key, or finds it registered under this id; the unique fingerprint decides
    /// between two at once.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn register(&self, connection: &mut AsyncPgConnection) -> QueryResult<Registered> {
        let (found, owner): (KeyId, UserId) = diesel::insert_into(ssh_keys::table)
            .values((
                ssh_keys::id.eq(self.id),
                ssh_keys::user_id.eq(self.user),
                ssh_keys::name.eq(&self.key.name),
                ssh_keys::algorithm.eq(&self.key.algorithm),
                ssh_keys::public_key.eq(&self.key.line),
                ssh_keys::fingerprint.eq(&self.key.fingerprint),
                ssh_keys::access.eq(self.access),
                ssh_keys::all_projects.eq(self.projects.is_none()),
                ssh_keys::expires_at.eq(self.expires_at),
            ))
            .on_conflict(ssh_keys::fingerprint)
            .do_update()
            // Changes nothing, and gives the row that is there.
            .set(ssh_keys::fingerprint.eq(excluded(ssh_keys::fingerprint)))
            .returning((ssh_keys::id, ssh_keys::user_id))
            .get_result(connection)
            .await?;
        if found != self.id {
            let is_theirs = owner == self.user;
            return Ok(if is_theirs { Registered::AlreadyYours } else { Registered::Taken });
        }
        for project in self.projects.iter().flatten() {
            diesel::insert_into(ssh_key_projects::table)
                .values((
                    ssh_key_projects::key_id.eq(self.id),
                    ssh_key_projects::project_id.eq(project),
                ))
                .on_conflict_do_nothing()
                .execute(connection)
                .await?;
        }
        Ok(Registered::Added)
    }
}

/// The key with this fingerprint and its owner, unless it is revoked; and whether its time is over.
///
/// # Errors
///
/// When the database does not answer.
pub async fn with_owner(
    connection: &mut AsyncPgConnection,
    fingerprint: &str,
) -> QueryResult<Option<(Key, User, bool)>> {
    let is_over = ssh_keys::expires_at.le(now.into_sql::<Timestamptz>().nullable());
    let found: Option<(Key, User, Option<bool>)> = ssh_keys::table
        .inner_join(users::table)
        .filter(ssh_keys::fingerprint.eq(fingerprint))
        .filter(ssh_keys::revoked_at.is_null())
        .select((Key::as_select(), User::as_select(), is_over))
        .first(connection)
        .await
        .optional()?;
    Ok(found.map(|(key, user, is_over)| (key, user, is_over.unwrap_or(false))))
}

/// The projects that a key is for, when it is not for all.
///
/// # Errors
///
/// When the database does not answer.
pub async fn projects(
    connection: &mut AsyncPgConnection,
    key: KeyId,
) -> QueryResult<Vec<ProjectId>> {
    ssh_key_projects::table
        .filter(ssh_key_projects::key_id.eq(key))
        .select(ssh_key_projects::project_id)
        .load(connection)
        .await
}

/// The keys of a person, or of everybody, with the names of the projects that they are for.
///
/// # Errors
///
/// When the database does not answer.
pub async fn all(
    connection: &mut AsyncPgConnection,
    of: Option<UserId>,
) -> QueryResult<Vec<(Key, String, Vec<String>)>> {
    let mut query = ssh_keys::table
        .inner_join(users::table)
        .order((users::email, ssh_keys::created_at, ssh_keys::id))
        .select((Key::as_select(), users::email))
        .into_boxed();
    if let Some(user) = of {
        query = query.filter(ssh_keys::user_id.eq(user));
    }
    let keys: Vec<(Key, String)> = query.load(connection).await?;
    let ids: Vec<KeyId> = keys.iter().map(|(key, _)| key.id).collect();
    let named: Vec<(KeyId, AccountSlug, ProjectSlug)> = ssh_key_projects::table
        .inner_join(projects::table.inner_join(accounts::table))
        .filter(ssh_key_projects::key_id.eq_any(ids))
        .order((accounts::slug, projects::slug))
        .select((ssh_key_projects::key_id, accounts::slug, projects::slug))
        .load(connection)
        .await?;
    let mut names: BTreeMap<KeyId, Vec<String>> = BTreeMap::new();
    for (key, account, project) in named {
        names.entry(key).or_default().push(format!("{account}/{project}"));
    }
    let with_names = |(key, email): (Key, String)| {
        let names = names.remove(&key.id).unwrap_or_default();
        (key, email, names)
    };
    Ok(keys.into_iter().map(with_names).collect())
}

/// How many keys a person has.
///
/// # Errors
///
/// When the database does not answer.
pub async fn count(connection: &mut AsyncPgConnection, user: UserId) -> QueryResult<i64> {
    let own = ssh_keys::table.filter(ssh_keys::user_id.eq(user));
    own.select(count_star()).get_result(connection).await
}

/// Removes the key with this fingerprint, if it is somebody's; who had it.
///
/// # Errors
///
/// When the database does not answer.
pub async fn delete(
    connection: &mut AsyncPgConnection,
    fingerprint: &str,
    of: Option<UserId>,
) -> QueryResult<Option<UserId>> {
    let key = ssh_keys::table.filter(ssh_keys::fingerprint.eq(fingerprint));
    let owner: Option<UserId> =
        key.select(ssh_keys::user_id).for_update().first(connection).await.optional()?;
    let Some(owner) = owner.filter(|owner| of.is_none_or(|of| of == *owner)) else {
        return Ok(None);
    };
    diesel::delete(ssh_keys::table.filter(ssh_keys::fingerprint.eq(fingerprint)))
        .execute(connection)
        .await?;
    Ok(Some(owner))
}

/// Notes that a key was used, and from where, at most once a minute.
///
/// # Errors
///
/// When the database does not answer.
pub async fn touch(
    connection: &mut AsyncPgConnection,
    key: KeyId,
    origin: &str,
) -> QueryResult<()> {
    use diesel::dsl::IntervalDsl;

    let a_minute_ago = (now.into_sql::<Timestamptz>() - 1.minute()).nullable();
    let long_ago = ssh_keys::last_used_at.is_null().or(ssh_keys::last_used_at.lt(a_minute_ago));
    diesel::update(ssh_keys::table.find(key).filter(long_ago))
        .set((ssh_keys::last_used_at.eq(now), ssh_keys::last_used_from.eq(origin)))
        .execute(connection)
        .await
        .map(|_| ())
}
