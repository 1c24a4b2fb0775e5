//! Tenants and their members.

use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{account_members, accounts};
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

/// The account of this name, unless it is deleted.
///
/// # Errors
///
/// When the database does not answer.
pub async fn by_slug(
    connection: &mut AsyncPgConnection,
    slug: &AccountSlug,
) -> QueryResult<Option<AccountId>> {
    accounts::table
        .filter(accounts::slug.eq(slug))
        .filter(accounts::deleted_at.is_null())
        .select(accounts::id)
        .first(connection)
        .await
        .optional()
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
