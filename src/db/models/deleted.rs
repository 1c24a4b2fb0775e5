//! What was deleted, and still has its rows.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{accounts, projects, users};
use crate::domain::deleted::DeletedKind;
use crate::domain::slug::{AccountSlug, ProjectSlug};

/// Something that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// What it is.
    pub kind: DeletedKind,
    /// How people name it.
    pub name: String,
    /// When it was deleted.
    pub at: DateTime<Utc>,
}

/// What was deleted last, at most so much of each kind.
///
/// # Errors
///
/// When the database does not answer.
pub async fn newest(connection: &mut AsyncPgConnection, most: i64) -> QueryResult<Vec<Deleted>> {
    let people: Vec<(String, Option<DateTime<Utc>>)> = users::table
        .filter(users::deleted_at.is_not_null())
        .order(users::deleted_at.desc())
        .limit(most)
        .select((users::email, users::deleted_at))
        .load(connection)
        .await?;
    let all: Vec<(AccountSlug, Option<DateTime<Utc>>)> = accounts::table
        .filter(accounts::deleted_at.is_not_null())
        .order(accounts::deleted_at.desc())
        .limit(most)
        .select((accounts::slug, accounts::deleted_at))
        .load(connection)
        .await?;
    // Those of a deleted account come back with it.
    let apps: Vec<(AccountSlug, ProjectSlug, Option<DateTime<Utc>>)> = projects::table
        .inner_join(accounts::table)
        .filter(projects::deleted_at.is_not_null())
        .order(projects::deleted_at.desc())
        .limit(most)
        .select((accounts::slug, projects::slug, projects::deleted_at))
        .load(connection)
        .await?;
    let of =
        |kind, name: String, at: Option<DateTime<Utc>>| at.map(|at| Deleted { kind, name, at });
    let people = people.into_iter().map(|(email, at)| of(DeletedKind::User, email, at));
    let all = all.into_iter().map(|(slug, at)| of(DeletedKind::Account, slug.to_string(), at));
    let apps = apps
        .into_iter()
        .map(|(account, slug, at)| of(DeletedKind::Project, format!("{account}/{slug}"), at));
    let mut deleted: Vec<Deleted> = people.chain(all).chain(apps).flatten().collect();
    deleted.sort_by_key(|one| std::cmp::Reverse(one.at));
    Ok(deleted)
}
