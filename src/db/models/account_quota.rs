//! What accounts grant to each deployment.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::account_quotas;
use crate::domain::ids::AccountId;
use crate::domain::quota::HardQuota;

/// The quotas of an account, by resource.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_account(
    connection: &mut AsyncPgConnection,
    account: AccountId,
) -> QueryResult<Vec<HardQuota>> {
    let mut all = of_accounts(connection, &[account]).await?;
    Ok(all.remove(&account).unwrap_or_default())
}

/// The quotas of those of these accounts that have some, by resource.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_accounts(
    connection: &mut AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<BTreeMap<AccountId, Vec<HardQuota>>> {
    let rows: Vec<(AccountId, String, String, String, Option<String>)> = account_quotas::table
        .filter(account_quotas::account_id.eq_any(accounts))
        .order((account_quotas::account_id, account_quotas::kind))
        .select((
            account_quotas::account_id,
            account_quotas::category,
            account_quotas::kind,
            account_quotas::capacity,
            account_quotas::requires,
        ))
        .load(connection)
        .await?;
    let mut all: BTreeMap<AccountId, Vec<HardQuota>> = BTreeMap::new();
    for (account, category, kind, capacity, requires) in rows {
        let quota = HardQuota { category, kind, capacity, requires };
        all.entry(account).or_default().push(quota);
    }
    Ok(all)
}

/// Sets the quota of a resource.
///
/// # Errors
///
/// When the database refuses or does not answer.
pub async fn set(
    connection: &mut AsyncPgConnection,
    account: AccountId,
    quota: &HardQuota,
) -> QueryResult<()> {
    let values = (
        account_quotas::category.eq(&quota.category),
        account_quotas::capacity.eq(&quota.capacity),
        account_quotas::requires.eq(&quota.requires),
    );
    diesel::insert_into(account_quotas::table)
        .values((
            account_quotas::account_id.eq(account),
            account_quotas::kind.eq(&quota.kind),
            values,
        ))
        .on_conflict((account_quotas::account_id, account_quotas::kind))
        .do_update()
        .set(values)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Takes the quotas of all other resources away.
///
/// # Errors
///
/// When the database does not answer.
pub async fn unset_others(
    connection: &mut AsyncPgConnection,
    account: AccountId,
    kinds: &[&str],
) -> QueryResult<()> {
    diesel::delete(account_quotas::table)
        .filter(account_quotas::account_id.eq(account))
        .filter(account_quotas::kind.ne_all(kinds))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Takes the quota of a resource away; whether there was one.
///
/// # Errors
///
/// When the database does not answer.
pub async fn unset(
    connection: &mut AsyncPgConnection,
    account: AccountId,
    kind: &str,
) -> QueryResult<bool> {
    let rows = diesel::delete(account_quotas::table.find((account, kind)));
    Ok(rows.execute(connection).await? > 0)
}
