//! What somebody may see, some at a time.
//!
//! The database narrows what is read to what can be seen at all; whether each row is shown decides
//! [`authorise`], as everywhere.

use crate::db::models::account::{self, Account};
use crate::db::models::account_quota;
use crate::db::models::job_list::{self, Listed};
use crate::db::models::project::Project;
use crate::db::models::project_list::{self, Eyes};
use crate::db::pool::Db;
use crate::domain::access::{Role, Standing, Verb, What, Who, authorise};
use crate::domain::quota::HardQuota;
use crate::domain::slug::{AccountSlug, ProjectSlug};
use crate::projects::ProjectError;
use crate::projects::find::{find_account, what};

pub use crate::db::models::job_list::Wanted as JobsWanted;

/// A part of a list: what comes after something, and how much at most.
#[derive(Debug, Clone)]
pub struct Page<K> {
    /// What stood last in the part before.
    pub after: Option<K>,
    /// Most rows.
    pub most: i64,
}

fn eyes(who: &Who) -> Eyes {
    Eyes {
        user: who.user,
        sees_all: who.standing == Standing::Administrator,
        account: who.scope.account,
        projects: who.scope.projects.clone(),
    }
}

/// The projects that somebody may see, of all accounts or of one, by account and name.
///
/// # Errors
///
/// When the database does not answer.
pub async fn projects_seen(
    db: &Db,
    who: &Who,
    account: Option<AccountSlug>,
    page: Page<(AccountSlug, ProjectSlug)>,
) -> Result<Vec<(Project, Option<Role>)>, ProjectError> {
    let who = who.clone();
    db.run(async move |connection| {
        let Page { after, most } = page;
        let (account, after) = (account.as_ref(), after.as_ref());
        let mut rows =
            project_list::projects(connection, &eyes(&who), account, after, most).await?;
        rows.retain(|(project, role)| authorise(&who, Verb::Look, what(project, *role)).is_ok());
        Ok(rows)
    })
    .await
}

/// An account as it is listed: what somebody is there for, and what it grants.
pub type SeenAccount = (Account, Option<Role>, Vec<HardQuota>);

/// The accounts that somebody may see, by name.
///
/// # Errors
///
/// When the database does not answer.
pub async fn accounts_seen(
    db: &Db,
    who: &Who,
    page: Page<AccountSlug>,
) -> Result<Vec<SeenAccount>, ProjectError> {
    let who = who.clone();
    db.run(async move |connection| {
        let Page { after, most } = page;
        let rows = project_list::accounts(connection, &eyes(&who), after.as_ref(), most).await?;
        let ids: Vec<_> = rows.iter().map(|(account, _)| account.id).collect();
        let mut quotas = account_quota::of_accounts(connection, &ids).await?;
        let may_see = |(account, role): &(Account, Option<Role>)| {
            let what = What::Account { id: account.id, role: *role };
            authorise(&who, Verb::LookAtAccount, what).is_ok()
        };
        let with_quotas = |(account, role): (Account, Option<Role>)| {
            let own = quotas.remove(&account.id).unwrap_or_default();
            (account, role, own)
        };
        Ok(rows.into_iter().filter(may_see).map(with_quotas).collect())
    })
    .await
}

/// One of them.
///
/// # Errors
///
/// [`ProjectError::NotFound`] also when they may not know that it exists.
pub async fn account_seen(
    db: &Db,
    who: &Who,
    slug: &AccountSlug,
) -> Result<SeenAccount, ProjectError> {
    let (account, role) = find_account(db, who, slug, Verb::LookAtAccount).await?;
    let id = account.id;
    let quotas = db.run(async move |connection| account_quota::of_account(connection, id).await);
    Ok((account, role, quotas.await?))
}

/// The jobs that somebody may see, newest first.
///
/// # Errors
///
/// When the database does not answer.
pub async fn jobs_seen(
    db: &Db,
    who: &Who,
    wanted: JobsWanted,
    most: i64,
) -> Result<Vec<Listed>, ProjectError> {
    let who = who.clone();
    db.run(async move |connection| {
        let roles = account::roles(connection, who.user).await?;
        let mut rows = job_list::newest(connection, &eyes(&who), &wanted, most).await?;
        rows.retain(|job| {
            let role = roles.get(&job.account.0).copied();
            let what = What::Project { id: job.project.0, account: job.account.0, role };
            authorise(&who, Verb::Look, what).is_ok()
        });
        Ok(rows)
    })
    .await
}
