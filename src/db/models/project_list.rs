//! Projects and accounts as people list them: some at a time, and only those that may be seen.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::models::account::Account;
use crate::db::models::project::{COLUMNS, Project};
use crate::db::schema::{account_members, accounts, projects};
use crate::domain::access::Role;
use crate::domain::ids::{AccountId, ProjectId, UserId};
use crate::domain::slug::{AccountSlug, ProjectSlug};

/// Whose eyes look, and how far they see.
#[derive(Debug, Clone)]
pub struct Eyes {
    /// The person.
    pub user: UserId,
    /// Whether they see what is of accounts of which they are no member.
    pub sees_all: bool,
    /// The only account.
    pub account: Option<AccountId>,
    /// The only projects.
    pub projects: Option<Vec<ProjectId>>,
}

impl Eyes {
    /// Whoever is at the server's terminal: nobody in particular, who sees everything.
    pub fn of_terminal() -> Self {
        let user = UserId::from(uuid::Uuid::nil());
        Self { user, sees_all: true, account: None, projects: None }
    }
}

/// Projects after one, by account and name, with what somebody is there for in their accounts.
///
/// # Errors
///
/// When the database does not answer.
pub async fn projects(
    connection: &mut AsyncPgConnection,
    eyes: &Eyes,
    account: Option<&AccountSlug>,
    after: Option<&(AccountSlug, ProjectSlug)>,
    most: i64,
) -> QueryResult<Vec<(Project, Option<Role>)>> {
    let is_member = account_members::account_id
        .eq(projects::account_id)
        .and(account_members::user_id.eq(eyes.user));
    let mut query = projects::table
        .inner_join(accounts::table)
        .left_join(account_members::table.on(is_member))
        .filter(projects::deleted_at.is_null())
        .filter(accounts::deleted_at.is_null())
        .order((accounts::slug, projects::slug))
        .limit(most)
        .select((COLUMNS, account_members::role.nullable()))
        .into_boxed();
    if !eyes.sees_all {
        query = query.filter(account_members::user_id.nullable().is_not_null());
    }
    if let Some(only) = eyes.account {
        query = query.filter(projects::account_id.eq(only));
    }
    if let Some(only) = &eyes.projects {
        query = query.filter(projects::id.eq_any(only));
    }
    if let Some(account) = account {
        query = query.filter(accounts::slug.eq(account));
    }
    if let Some((account, project)) = after {
        let later = accounts::slug.eq(account).and(projects::slug.gt(project));
        query = query.filter(accounts::slug.gt(account).or(later));
    }
    query.load(connection).await
}

/// Accounts after one, by name, with what somebody is there for.
///
/// # Errors
///
/// When the database does not answer.
pub async fn accounts(
    connection: &mut AsyncPgConnection,
    eyes: &Eyes,
    after: Option<&AccountSlug>,
    most: i64,
) -> QueryResult<Vec<(Account, Option<Role>)>> {
    // Who comes for some projects only sees no account.
    if eyes.projects.is_some() {
        return Ok(Vec::new());
    }
    let is_member =
        account_members::account_id.eq(accounts::id).and(account_members::user_id.eq(eyes.user));
    let mut query = accounts::table
        .left_join(account_members::table.on(is_member))
        .filter(accounts::deleted_at.is_null())
        .order(accounts::slug)
        .limit(most)
        .select((Account::as_select(), account_members::role.nullable()))
        .into_boxed();
    if !eyes.sees_all {
        query = query.filter(account_members::user_id.nullable().is_not_null());
    }
    if let Some(only) = eyes.account {
        query = query.filter(accounts::id.eq(only));
    }
    if let Some(after) = after {
        query = query.filter(accounts::slug.gt(after));
    }
    query.load(connection).await
}
