//! Tenants and their members.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;

use crate::db::models::user::User;
use crate::db::schema::{account_members, accounts, users};
use crate::domain::access::Role;
use crate::domain::ids::{AccountId, UserId};
use crate::domain::slug::AccountSlug;

/// Adds an account, or finds it added; `None` when another one has the name.
///
/// # Errors
///
/// When the database does not answer.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    id: AccountId,
    slug: &AccountSlug,
) -> QueryResult<Option<AccountId>> {
    use diesel::query_dsl::methods::FilterDsl;

    diesel::insert_into(accounts::table)
        .values((accounts::id.eq(id), accounts::slug.eq(slug), accounts::name.eq(slug.as_str())))
        .on_conflict(accounts::slug)
        .do_update()
        .set(accounts::slug.eq(excluded(accounts::slug)))
        .filter(accounts::id.eq(excluded(accounts::id)))
        .returning(accounts::id)
        .get_result(connection)
        .await
        .optional()
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Queryable, Selectable)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name in URLs.
    pub slug: AccountSlug,
    /// How people call it.
    pub name: String,
    /// Where new targets deploy to; the account's name if there is none.
    pub namespace: Option<String>,
    /// What stands before it.
    pub namespace_prefix: String,
    /// When it was suspended.
    pub suspended_at: Option<DateTime<Utc>>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it was changed last.
    #[serde(skip)]
    pub updated_at: DateTime<Utc>,
}

impl Account {
    /// The account of this name, deleted or not, as it is now.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn find(
        connection: &mut AsyncPgConnection,
        slug: &AccountSlug,
    ) -> QueryResult<Option<Self>> {
        accounts::table
            .filter(accounts::slug.eq(slug))
            .select(Self::as_select())
            .first(connection)
            .await
            .optional()
    }

    /// The account of this name, deleted or not; nobody else changes its row until this transaction
    /// ends.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn any_by_slug(
        connection: &mut AsyncPgConnection,
        slug: &AccountSlug,
    ) -> QueryResult<Option<Self>> {
        accounts::table
            .filter(accounts::slug.eq(slug))
            .select(Self::as_select())
            .for_update()
            .first(connection)
            .await
            .optional()
    }

    /// The same, unless it is deleted.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn by_slug(
        connection: &mut AsyncPgConnection,
        slug: &AccountSlug,
    ) -> QueryResult<Option<Self>> {
        let found = Self::any_by_slug(connection, slug).await?;
        Ok(found.filter(|account| account.deleted_at.is_none()))
    }

    /// Every account, by name.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn all(connection: &mut AsyncPgConnection) -> QueryResult<Vec<Self>> {
        accounts::table.order(accounts::slug).select(Self::as_select()).load(connection).await
    }

    /// Where new targets deploy to.
    pub fn default_namespace(&self) -> String {
        let name = self.namespace.as_deref().unwrap_or(self.slug.as_str());
        format!("{}{name}", self.namespace_prefix)
    }

    /// Changes it.
    ///
    /// # Errors
    ///
    /// When the database refuses or does not answer.
    pub async fn update(
        &self,
        connection: &mut AsyncPgConnection,
        change: &AccountChange,
    ) -> QueryResult<()> {
        diesel::update(accounts::table.find(self.id))
            .set((change, accounts::updated_at.eq(now)))
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
        diesel::delete(accounts::table.find(self.id)).execute(connection).await.map(|_| ())
    }
}

/// What is changed of an account; what is `None` stays, and what is `Some(None)` is taken away.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = accounts)]
pub struct AccountChange {
    /// How people call it.
    pub name: Option<String>,
    /// Where new targets deploy to.
    pub namespace: Option<Option<String>>,
    /// What stands before it.
    pub namespace_prefix: Option<String>,
    /// When it was suspended.
    pub suspended_at: Option<Option<DateTime<Utc>>>,
    /// When it was deleted.
    pub deleted_at: Option<Option<DateTime<Utc>>>,
}

/// Makes a person a member, or changes what they are there for.
///
/// # Errors
///
/// When the database does not answer.
pub async fn set_member(
    connection: &mut AsyncPgConnection,
    account: AccountId,
    user: UserId,
    role: Role,
) -> QueryResult<()> {
    diesel::insert_into(account_members::table)
        .values((
            account_members::account_id.eq(account),
            account_members::user_id.eq(user),
            account_members::role.eq(role),
        ))
        .on_conflict((account_members::account_id, account_members::user_id))
        .do_update()
        .set(account_members::role.eq(role))
        .execute(connection)
        .await
        .map(|_| ())
}

/// What a person is there for in an account.
///
/// # Errors
///
/// When the database does not answer.
pub async fn role(
    connection: &mut AsyncPgConnection,
    account: AccountId,
    user: UserId,
) -> QueryResult<Option<Role>> {
    account_members::table
        .find((account, user))
        .select(account_members::role)
        .first(connection)
        .await
        .optional()
}

/// Takes a membership away; whether it was there.
///
/// # Errors
///
/// When the database does not answer.
pub async fn remove_member(
    connection: &mut AsyncPgConnection,
    account: AccountId,
    user: UserId,
) -> QueryResult<bool> {
    let rows =
        diesel::delete(account_members::table.find((account, user))).execute(connection).await?;
    Ok(rows > 0)
}

/// The members of an account that are not deleted, by address.
///
/// # Errors
///
/// When the database does not answer.
pub async fn members(
    connection: &mut AsyncPgConnection,
    account: AccountId,
) -> QueryResult<Vec<(User, Role)>> {
    account_members::table
        .inner_join(users::table)
        .filter(account_members::account_id.eq(account))
        .filter(users::deleted_at.is_null())
        .order(users::email)
        .select((User::as_select(), account_members::role))
        .load(connection)
        .await
}

/// What a person is there for, in each account of which they are a member.
///
/// # Errors
///
/// When the database does not answer.
pub async fn roles(
    connection: &mut AsyncPgConnection,
    user: UserId,
) -> QueryResult<BTreeMap<AccountId, Role>> {
    let rows: Vec<(AccountId, Role)> = account_members::table
        .filter(account_members::user_id.eq(user))
        .select((account_members::account_id, account_members::role))
        .load(connection)
        .await?;
    Ok(rows.into_iter().collect())
}
