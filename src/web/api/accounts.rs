//! Accounts, and what they grant.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::access::Role;
use crate::domain::ids::AccountId;
use crate::domain::quota::HardQuota;
use crate::domain::slug::AccountSlug;
use crate::projects::{
    self, AccountEdit, Page, SeenAccount, account_seen, accounts_seen, create_account,
    delete_account, set_account,
};
use crate::web::api::answer::{
    Answered, List, Rows, created, cursor, done, most, ok_at, part, version, whole, with_version,
};
use crate::web::api::call::Call;
use crate::web::api::problem::Problem;

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Account {
    id: AccountId,
    /// Its name in addresses.
    account: AccountSlug,
    /// How people call it.
    name: String,
    /// What whoever asks is there for; null of administrators who are no member.
    role: Option<Role>,
    /// Where new targets deploy to, without what stands before it; null for the account's name.
    namespace: Option<String>,
    /// What stands before it.
    namespace_prefix: String,
    /// Whether nothing of it is stored or deployed.
    suspended: bool,
    /// What each deployment may use.
    quotas: Vec<Quota>,
    updated_at: DateTime<Utc>,
}

/// What each deployment of an account may use of a resource.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Quota {
    /// `compute` or `memory`.
    category: String,
    /// The resource, such as `cpu`.
    r#type: String,
    /// Most that all its containers may use together.
    capacity: String,
    /// Most that they may be guaranteed; the capacity if nothing is said.
    requires: Option<String>,
}

impl From<HardQuota> for Quota {
    fn from(quota: HardQuota) -> Self {
        let HardQuota { category, kind, capacity, requires } = quota;
        Self { category, r#type: kind, capacity, requires }
    }
}

impl From<Quota> for HardQuota {
    fn from(quota: Quota) -> Self {
        let Quota { category, r#type, capacity, requires } = quota;
        Self { category, kind: r#type, capacity, requires }
    }
}

impl Account {
    fn new((account, role, quotas): SeenAccount) -> Self {
        Self {
            id: account.id,
            account: account.slug,
            name: account.name,
            role,
            namespace: account.namespace,
            namespace_prefix: account.namespace_prefix,
            suspended: account.suspended_at.is_some(),
            quotas: quotas.into_iter().map(Quota::from).collect(),
            updated_at: account.updated_at,
        }
    }
}

/// An account about to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccount {
    account: AccountSlug,
    /// Address of its owner.
    owner: Option<String>,
}

/// What is changed of an account; what is not said stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountChange {
    /// How people call it.
    #[schema(min_length = 1, max_length = 64)]
    name: Option<String>,
    /// Where new targets deploy to; empty for the account's name.
    namespace: Option<String>,
    /// What stands before it; empty for nothing.
    namespace_prefix: Option<String>,
    /// Whether nothing of it is stored or deployed.
    suspended: Option<bool>,
    /// All that each deployment may use: a resource that is not in it has no bound.
    #[schema(max_items = 100)]
    quotas: Option<Vec<Quota>>,
}

/// List the accounts that one may see.
#[utoipa::path(
    get, path = "/accounts", tag = "accounts", operation_id = "list_accounts", params(Rows),
    responses((status = 200, body = List<Account>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    let Rows { limit, cursor: place } = call.query()?;
    let most = most(limit)?;
    let after = cursor(place.as_deref(), |text| text.parse().ok())?;
    let (db, who) = (call.db(), call.who());
    let page = Page { after, most };
    let rows = call.run(async move { accounts_seen(&db, &who, page).await }).await?;
    let last = |(account, ..): &SeenAccount| account.slug.to_string();
    Ok(part(rows, most, &call.address(), last, Account::new))
}

/// Show an account.
#[utoipa::path(
    get, path = "/accounts/{account}", tag = "accounts", operation_id = "show_account",
    responses((status = 200, body = Account)),
)]
pub(super) async fn show(call: Call) -> Answered {
    let account = read(&call, call.account()?.slug.clone()).await?;
    let version = version(account.updated_at);
    Ok(ok_at(&account, &version))
}

async fn read(call: &Call, slug: AccountSlug) -> Result<Account, Problem> {
    let (db, who) = (call.db(), call.who());
    let seen = call.run(async move { projects::account_seen(&db, &who, &slug).await });
    Ok(Account::new(seen.await?))
}

/// Add an account.
#[utoipa::path(
    post, path = "/accounts", tag = "accounts", operation_id = "create_account",
    request_body = NewAccount, responses((status = 201, body = Account)),
)]
pub(super) async fn create(mut call: Call) -> Answered {
    let NewAccount { account, owner } = call.body().await?;
    let (by, slug) = (call.acting(), account.clone());
    let made = call.run(async move { create_account(&by, slug, owner).await }).await;
    made.map_err(|problem| problem.moved_to("/owner"))?;
    let location = format!("/accounts/{account}");
    let made = read(&call, account).await?;
    let version = version(made.updated_at);
    Ok(with_version(created(&made, &location), &version))
}

/// Change an account, for pushes and jobs from now on.
#[utoipa::path(
    patch, path = "/accounts/{account}", tag = "accounts", operation_id = "change_account",
    request_body = AccountChange, responses((status = 200, body = Account)),
)]
pub(super) async fn change(mut call: Call) -> Answered {
    let seen = call.seen()?;
    let new: AccountChange = call.body().await?;
    let slug: AccountSlug = call.segment("account")?;
    let only_these_quotas = new.quotas.is_some();
    let edit = AccountEdit {
        name: new.name,
        namespace: new.namespace,
        namespace_prefix: new.namespace_prefix,
        suspended: new.suspended,
        quotas: new.quotas.unwrap_or_default().into_iter().map(HardQuota::from).collect(),
        unset_quotas: Vec::new(),
        only_these_quotas,
        seen,
    };
    let (by, which) = (call.acting(), slug.clone());
    call.run(async move { set_account(&by, which, edit).await }).await?;
    let changed = read(&call, slug).await?;
    let version = version(changed.updated_at);
    Ok(ok_at(&changed, &version))
}

/// Delete an account. What it deployed goes on.
#[utoipa::path(
    delete, path = "/accounts/{account}", tag = "accounts", operation_id = "delete_account",
    responses((status = 204, description = "Nothing more of it is stored or deployed")),
)]
pub(super) async fn delete(call: Call) -> Answered {
    let (by, slug) = (call.acting(), call.segment("account")?);
    call.run(async move { delete_account(&by, slug).await }).await?;
    Ok(done())
}

/// How much of a quota the deployment uses that uses most of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuotaUse {
    /// The resource, such as `cpu`.
    r#type: String,
    /// That deployment, as `project environment`; null while nothing that serves uses any.
    deployment: Option<String>,
    /// What all its containers may use at most.
    limit: Option<String>,
    /// What they are guaranteed.
    require: Option<String>,
    /// The larger part of what is granted of either, in percent.
    percent: Option<u64>,
}

impl QuotaUse {
    fn new(used: projects::QuotaUse) -> Self {
        let (deployment, share) = used.most.unzip();
        let percent = share.as_ref().map(|share| share.percent);
        let (limit, require) = share.map(|share| (share.limit, share.require)).unzip();
        Self { r#type: used.kind, deployment, limit, require, percent }
    }
}

/// List how much is used of what an account grants. Quotas bound each deployment by itself.
#[utoipa::path(
    get, path = "/accounts/{account}/quota-use", tag = "accounts", operation_id = "list_quota_use",
    responses((status = 200, body = List<QuotaUse>)),
)]
pub(super) async fn quota_use(call: Call) -> Answered {
    let (db, who, slug) = (call.db(), call.who(), call.account()?.slug.clone());
    let read = async move {
        let (account, _, quotas) = account_seen(&db, &who, &slug).await?;
        projects::quota_use(&db, account.id, &quotas).await
    };
    let used = call.run(read).await?;
    Ok(whole(used.into_iter().map(QuotaUse::new).collect()))
}
