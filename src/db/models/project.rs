//! Deployable applications.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{accounts, projects};
use crate::domain::git_ref::RefName;
use crate::domain::ids::{AccountId, ProjectId};
use crate::domain::slug::{AccountSlug, ProjectName, ProjectSlug};

/// A project with what its account says about it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Project {
    /// Its id, also the name of its repository's folder.
    pub id: ProjectId,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// That account's name.
    pub account: AccountSlug,
    /// Its name.
    pub slug: ProjectSlug,
    /// Prefix of every deployed name; empty for none.
    pub prefix: String,
    default_branch: String,
    /// When it was suspended.
    pub suspended_at: Option<DateTime<Utc>>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    account_suspended_at: Option<DateTime<Utc>>,
    account_deleted_at: Option<DateTime<Utc>>,
}

/// Why nothing of a project is stored or deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Inactive {
    /// An administrator suspended the project or its account.
    #[error("this project is suspended; ask your administrator")]
    Suspended,
    /// The account is deleted.
    #[error("the account of this project is deleted")]
    Deleted,
    /// The project is.
    #[error("this project is deleted")]
    ProjectDeleted,
}

/// What a [`Project`] is read from.
pub(super) type Columns = (
    projects::id,
    projects::account_id,
    accounts::slug,
    projects::slug,
    projects::prefix,
    projects::default_branch,
    projects::suspended_at,
    projects::deleted_at,
    projects::updated_at,
    accounts::suspended_at,
    accounts::deleted_at,
);

/// The same, to select.
pub(super) const COLUMNS: Columns = (
    projects::id,
    projects::account_id,
    accounts::slug,
    projects::slug,
    projects::prefix,
    projects::default_branch,
    projects::suspended_at,
    projects::deleted_at,
    projects::updated_at,
    accounts::suspended_at,
    accounts::deleted_at,
);

impl Project {
    /// `account/project`.
    pub fn name(&self) -> ProjectName {
        ProjectName { account: Some(self.account.clone()), project: self.slug.clone() }
    }

    /// The branch that must not be deleted.
    pub fn is_default_branch(&self, name: &RefName) -> bool {
        name.as_str().strip_prefix("refs/heads/") == Some(self.default_branch.as_str())
    }

    /// Its default branch, without namespace.
    pub fn default_branch(&self) -> &str {
        &self.default_branch
    }

    /// Whether anything is stored and deployed.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn check_active(&self) -> Result<(), Inactive> {
        if self.account_deleted_at.is_some() {
            Err(Inactive::Deleted)
        } else if self.deleted_at.is_some() {
            Err(Inactive::ProjectDeleted)
        } else if self.account_suspended_at.or(self.suspended_at).is_some() {
            Err(Inactive::Suspended)
        } else {
            Ok(())
        }
    }

    /// The project with this id.
    ///
    /// # Errors
    ///
    /// When there is none, or the database does not answer.
    pub async fn find(connection: &mut AsyncPgConnection, id: ProjectId) -> QueryResult<Self> {
        projects::table
            .inner_join(accounts::table)
            .filter(projects::id.eq(id))
            .select(COLUMNS)
            .first(connection)
            .await
    }

    /// Whether somebody suspended it or its account.
    pub const fn is_suspended(&self) -> bool {
        self.suspended_at.is_some() || self.account_suspended_at.is_some()
    }

    /// Whether it or its account is deleted.
    pub const fn is_deleted(&self) -> bool {
        self.deleted_at.is_some() || self.account_deleted_at.is_some()
    }

    /// Every project, by account and name; deleted ones too.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn all(connection: &mut AsyncPgConnection) -> QueryResult<Vec<Self>> {
        projects::table
            .inner_join(accounts::table)
            .select(COLUMNS)
            .order((accounts::slug, projects::slug, projects::id))
            .load(connection)
            .await
    }

    /// The projects of an account, deleted ones too.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn of_account(
        connection: &mut AsyncPgConnection,
        account: AccountId,
    ) -> QueryResult<Vec<ProjectId>> {
        projects::table
            .filter(projects::account_id.eq(account))
            .order(projects::id)
            .select(projects::id)
            .load(connection)
            .await
    }

    /// The deleted projects of this name, the one that was deleted last first.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn deleted_by_name(
        connection: &mut AsyncPgConnection,
        (account, slug): (&AccountSlug, &ProjectSlug),
    ) -> QueryResult<Vec<Self>> {
        projects::table
            .inner_join(accounts::table)
            .filter(accounts::slug.eq(account))
            .filter(projects::slug.eq(slug))
            .filter(projects::deleted_at.is_not_null())
            .select(COLUMNS)
            .order(projects::deleted_at.desc())
            .load(connection)
            .await
    }

    /// The same, whose row nobody else changes until this transaction ends.
    ///
    /// # Errors
    ///
    /// When there is none any more, or the database does not answer.
    pub async fn lock(&self, connection: &mut AsyncPgConnection) -> QueryResult<Self> {
        projects::table
            .inner_join(accounts::table)
            .filter(projects::id.eq(self.id))
            .select(COLUMNS)
            .for_update()
            .first(connection)
            .await
    }

    /// Changes it.
    ///
    /// # Errors
    ///
    /// When the database refuses or does not answer.
    pub async fn update(
        &self,
        connection: &mut AsyncPgConnection,
        change: &ProjectChange,
    ) -> QueryResult<()> {
        diesel::update(projects::table.find(self.id))
            .set((change, projects::updated_at.eq(now)))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Removes it with all that belongs to it.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn purge(&self, connection: &mut AsyncPgConnection) -> QueryResult<()> {
        diesel::delete(projects::table.find(self.id)).execute(connection).await.map(|_| ())
    }

    /// Every project of this name that is not deleted: at most one when the account is given.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn by_name(
        connection: &mut AsyncPgConnection,
        name: &ProjectName,
    ) -> QueryResult<Vec<Self>> {
        let mut query = projects::table
            .inner_join(accounts::table)
            .filter(projects::slug.eq(&name.project))
            .filter(projects::deleted_at.is_null())
            .select(COLUMNS)
            .order(accounts::slug)
            .into_boxed();
        if let Some(account) = &name.account {
            query = query.filter(accounts::slug.eq(account));
        }
        query.load(connection).await
    }

    /// Adds a project, or finds it added; `None` when the account has another one of this name.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn insert(
        connection: &mut AsyncPgConnection,
        id: ProjectId,
        (account, slug): (AccountId, &ProjectSlug),
        default_branch: &str,
    ) -> QueryResult<Option<ProjectId>> {
        use diesel::query_dsl::methods::FilterDsl;

        diesel::insert_into(projects::table)
            .values((
                projects::id.eq(id),
                projects::account_id.eq(account),
                projects::slug.eq(slug),
                projects::name.eq(slug.as_str()),
                projects::default_branch.eq(default_branch),
            ))
            .on_conflict((projects::account_id, projects::slug))
            .filter_target(projects::deleted_at.is_null())
            .do_update()
            .set(projects::slug.eq(excluded(projects::slug)))
            .filter(projects::id.eq(excluded(projects::id)))
            .returning(projects::id)
            .get_result(connection)
            .await
            .optional()
    }
}

/// What is changed of a project; what is `None` stays, and what is `Some(None)` is taken away.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = projects)]
pub struct ProjectChange {
    /// Prefix of every deployed name; empty for none.
    pub prefix: Option<String>,
    /// When it was suspended.
    pub suspended_at: Option<Option<DateTime<Utc>>>,
    /// When it was deleted.
    pub deleted_at: Option<Option<DateTime<Utc>>>,
}
