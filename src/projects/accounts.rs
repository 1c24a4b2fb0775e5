//! Accounts change, and go.

use chrono::Utc;

use crate::db::acting::Acting;
use crate::db::lock::RepositoryLock;
use crate::db::models::account::{self, Account, AccountChange};
use crate::db::models::job::Job;
use crate::db::models::project::Project;
use crate::db::models::user::User;
use crate::db::models::{account_quota, route, trash};
use crate::db::pool::Db;
use crate::domain::access::Role;
use crate::domain::audit::Deed;
use crate::domain::ids::AccountId;
use crate::domain::label::label;
use crate::domain::quota::HardQuota;
use crate::domain::seen::Seen;
use crate::domain::slug::AccountSlug;
use crate::paas::check_quota;
use crate::projects::ProjectError;

/// Longest namespace, as clusters have it.
const LONGEST_NAMESPACE: usize = 63;

/// Longest name of a resource.
const LONGEST_KIND: usize = 63;

/// Longest of what stands before it.
const LONGEST_PREFIX: usize = 30;

/// What is changed of an account; what is `None` stays, what is empty is taken away.
#[derive(Debug, Clone, Default)]
pub struct AccountEdit {
    /// How people call it.
    pub name: Option<String>,
    /// Where new targets deploy to.
    pub namespace: Option<String>,
    /// What stands before it.
    pub namespace_prefix: Option<String>,
    /// Whether nothing of it is stored or deployed.
    pub suspended: Option<bool>,
    /// Quotas to set.
    pub quotas: Vec<HardQuota>,
    /// Resources whose quota is taken away.
    pub unset_quotas: Vec<String>,
    /// Whether quotas that are not set are taken away, whatever they are.
    pub only_these_quotas: bool,
    /// What it must be now.
    pub seen: Seen,
}

/// Every account, deleted ones too, each with its quotas.
///
/// # Errors
///
/// When the database does not answer.
pub async fn accounts(db: &Db) -> Result<Vec<(Account, Vec<HardQuota>)>, ProjectError> {
    db.run(async move |connection| {
        let all = Account::all(connection).await?;
        let ids: Vec<AccountId> = all.iter().map(|account| account.id).collect();
        let mut quotas = account_quota::of_accounts(connection, &ids).await?;
        let with = |account: Account| {
            let own = quotas.remove(&account.id).unwrap_or_default();
            (account, own)
        };
        Ok(all.into_iter().map(with).collect())
    })
    .await
}

/// The members of an account.
///
/// # Errors
///
/// When there is no such account, or the database does not answer.
pub async fn members(db: &Db, slug: AccountSlug) -> Result<Vec<(User, Role)>, ProjectError> {
    db.run(async move |connection| {
        let account = Account::by_slug(connection, &slug).await?;
        let account = account.ok_or_else(|| ProjectError::NotFound(slug.to_string()))?;
        Ok(account::members(connection, account.id).await?)
    })
    .await
}

/// Takes somebody's membership away.
///
/// # Errors
///
/// When they are no member, or the database does not answer.
pub async fn delete_member(
    by: &Acting,
    slug: AccountSlug,
    email: String,
) -> Result<(), ProjectError> {
    let entry = by.entry(Deed::DeleteMember, &slug).with("user", email.to_lowercase());
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let account = Account::any_by_slug(connection, &slug).await?;
            let account = account.ok_or_else(|| ProjectError::NotFound(slug.to_string()))?;
            let user = User::any_by_email(connection, &email).await?;
            let user = user.ok_or_else(|| ProjectError::NoUser(email.clone()))?;
            if !account::remove_member(connection, account.id, user.id).await? {
                return Err(ProjectError::NotFound(format!("member {email} of {slug}")));
            }
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Changes an account. Quotas bind deployments from then on.
///
/// # Errors
///
/// When there is no such account, something cannot be stored, or the database does not answer.
pub async fn set_account(
    by: &Acting,
    slug: AccountSlug,
    edit: AccountEdit,
) -> Result<(), ProjectError> {
    let AccountEdit { name, namespace, namespace_prefix, suspended, quotas, .. } = edit;
    let AccountEdit { unset_quotas, only_these_quotas, seen, .. } = edit;
    for quota in &quotas {
        check_quota_row(quota)?;
    }
    let name = name.as_deref().map(label).transpose()?.map(str::to_owned);
    let namespace = namespace.map(|namespace| (!namespace.is_empty()).then_some(namespace));
    let prefix = namespace_prefix.as_deref().unwrap_or_default();
    if !prefix.is_empty() && (prefix.len() > LONGEST_PREFIX || !is_part(&format!("{prefix}a"))) {
        return Err(ProjectError::Part(prefix.to_owned(), "the beginning of a namespace"));
    }
    let set: Vec<String> = quotas.iter().map(ToString::to_string).collect();
    let entry = by
        .entry(Deed::ChangeAccount, &slug)
        .with_some("name", name.clone())
        .with_some("namespace", namespace.clone().map(Option::unwrap_or_default))
        .with_some("namespace_prefix", namespace_prefix.clone())
        .with_some("suspended", suspended)
        .with_some("quotas", (!set.is_empty()).then_some(set))
        .with_some("only_these_quotas", only_these_quotas.then_some(true))
        .with_some("unset_quotas", (!unset_quotas.is_empty()).then(|| unset_quotas.clone()));
    by.db
        .transaction(async move |connection| {
            // A repeat, after an answer was lost, would find its own change.
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let mut account = known(Account::any_by_slug(connection, &slug).await?, &slug)?;
            if !seen.is_still(Some(account.updated_at)) {
                return Err(ProjectError::Changed(slug.to_string()));
            }
            let change = AccountChange {
                name,
                namespace: namespace.clone(),
                namespace_prefix: namespace_prefix.clone(),
                suspended_at: suspended
                    .map(|is| is.then(|| account.suspended_at.unwrap_or_else(Utc::now))),
                deleted_at: None,
            };
            account.namespace = namespace.unwrap_or(account.namespace);
            account.namespace_prefix = namespace_prefix.unwrap_or(account.namespace_prefix);
            let whole = account.default_namespace();
            let fits = |name: &str| name.len() <= LONGEST_NAMESPACE && is_part(name);
            if let Some(bad) = account.namespace.iter().chain([&whole]).find(|name| !fits(name)) {
                return Err(ProjectError::Part(bad.clone(), "a namespace"));
            }
            account.update(connection, &change).await?;
            for quota in &quotas {
                account_quota::set(connection, account.id, quota).await?;
            }
            if only_these_quotas {
                let kinds: Vec<&str> = quotas.iter().map(|quota| quota.kind.as_str()).collect();
                account_quota::unset_others(connection, account.id, &kinds).await?;
            }
            for kind in &unset_quotas {
                if !account_quota::unset(connection, account.id, kind).await? {
                    return Err(ProjectError::NotFound(format!("quota {kind} of {slug}")));
                }
            }
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Whether something may be a part of names in a cluster.
pub(super) fn is_part(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.bytes().all(|b| plain(b) || b == b'-')
        && text.bytes().next().is_some_and(plain)
        && text.bytes().last().is_some_and(plain)
}

fn check_quota_row(quota: &HardQuota) -> Result<(), ProjectError> {
    let bad = |message: String| ProjectError::Quota { kind: quota.kind.clone(), message };
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let fits = |b: u8| plain(b) || b"./-".contains(&b);
    let begins = quota.kind.bytes().next().is_some_and(plain);
    if !begins || quota.kind.len() > LONGEST_KIND || !quota.kind.bytes().all(fits) {
        return Err(bad(
            "a resource is written with a-z, 0-9, and between them `.`, `/` and `-`".to_owned()
        ));
    }
    check_quota(quota).map(drop).map_err(bad)
}

fn known(found: Option<Account>, slug: &AccountSlug) -> Result<Account, ProjectError> {
    match found {
        None => Err(ProjectError::NotFound(slug.to_string())),
        Some(account) if account.deleted_at.is_some() => {
            Err(ProjectError::Deleted(slug.to_string()))
        }
        Some(account) => Ok(account),
    }
}

/// Deletes an account: nothing of it is stored or deployed any more. What it deployed goes on.
///
/// # Errors
///
/// When there is no such account, or the database does not answer.
pub async fn delete_account(by: &Acting, slug: AccountSlug) -> Result<(), ProjectError> {
    let entry = by.entry(Deed::DeleteAccount, &slug);
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let account = known(Account::any_by_slug(connection, &slug).await?, &slug)?;
            let deleted_at = Some(Some(Utc::now()));
            let change = AccountChange { deleted_at, ..AccountChange::default() };
            account.update(connection, &change).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Takes the deletion of an account back.
///
/// # Errors
///
/// When no such account is deleted, or the database does not answer.
pub async fn restore_account(by: &Acting, slug: AccountSlug) -> Result<(), ProjectError> {
    let entry = by.entry(Deed::RestoreAccount, &slug);
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let account = deleted(Account::any_by_slug(connection, &slug).await?, &slug)?;
            let change = AccountChange { deleted_at: Some(None), ..AccountChange::default() };
            account.update(connection, &change).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Removes a deleted account with its projects, their jobs and Histories; their repositories go to
/// the trash. What they deployed is left where it is, but for their routes.
///
/// # Errors
///
/// When no such account is deleted, a deployment is under way, or the database does not answer.
pub async fn purge_account(by: &Acting, slug: AccountSlug) -> Result<(), ProjectError> {
    let entry = by.entry(Deed::PurgeAccount, &slug);
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let account = deleted(Account::any_by_slug(connection, &slug).await?, &slug)?;
            for project in Project::of_account(connection, account.id).await? {
                RepositoryLock::take(connection, project).await?;
                if let Some(job) = Job::open_of_project(connection, project).await? {
                    return Err(ProjectError::Busy(job));
                }
                trash::put(connection, project).await?;
            }
            account.purge(connection).await?;
            route::changed(connection).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

fn deleted(found: Option<Account>, slug: &AccountSlug) -> Result<Account, ProjectError> {
    match found {
        None => Err(ProjectError::NotFound(slug.to_string())),
        Some(account) if account.deleted_at.is_none() => {
            Err(ProjectError::NotDeleted(slug.to_string()))
        }
        Some(account) => Ok(account),
    }
}
