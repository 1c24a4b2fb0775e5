//! How much of what an account grants is used.

use std::collections::BTreeMap;

use crate::db::models::account::Account;
use crate::db::models::account_quota;
use crate::db::models::release_list::uses_of_account;
use crate::db::pool::Db;
use crate::domain::ids::AccountId;
use crate::domain::quota::HardQuota;
use crate::domain::slug::AccountSlug;
use crate::paas::{Share, Used, share_of};
use crate::projects::ProjectError;

/// How much of a quota the deployment uses that uses most of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaUse {
    /// The resource, such as `cpu`.
    pub kind: String,
    /// The project of that deployment and its environment; `None` while nothing that serves uses any.
    pub most: Option<(String, Share)>,
}

/// How much of each quota is used: quotas bound each deployment by itself, so it is told which uses
/// most.
///
/// # Errors
///
/// When the database does not answer.
pub async fn quota_use(
    db: &Db,
    account: AccountId,
    quotas: &[HardQuota],
) -> Result<Vec<QuotaUse>, ProjectError> {
    let rows = db.run(async move |connection| uses_of_account(connection, account).await);
    let rows: Result<_, diesel::result::Error> = rows.await;
    let mut uses: Vec<(String, BTreeMap<String, Used>)> = Vec::new();
    for (project, environment, stored) in rows? {
        // What is no such map was stored by another version.
        let used = serde_json::from_value(stored).unwrap_or_default();
        uses.push((format!("{project} {environment}"), used));
    }
    let of = |quota: &HardQuota| {
        let shares = uses.iter().filter_map(|(place, uses)| {
            let used = uses.get(&quota.kind)?;
            Some((place.clone(), share_of(quota, *used)?))
        });
        let most = shares.max_by_key(|(_, share)| share.percent);
        QuotaUse { kind: quota.kind.clone(), most }
    };
    Ok(quotas.iter().map(of).collect())
}

/// An account's id and what it grants, for an administrator.
///
/// # Errors
///
/// When there is no such account, or the database does not answer.
pub async fn quotas_of(
    db: &Db,
    slug: AccountSlug,
) -> Result<(AccountId, Vec<HardQuota>), ProjectError> {
    db.run(async move |connection| {
        let found = Account::by_slug(connection, &slug).await?;
        let account = found.ok_or_else(|| ProjectError::NotFound(slug.to_string()))?;
        Ok((account.id, account_quota::of_account(connection, account.id).await?))
    })
    .await
}
