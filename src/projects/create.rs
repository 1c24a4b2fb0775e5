//! Accounts, projects and rules come into being.
//!
//! Ids are made before the transaction, so that a repeat, after the answer to a COMMIT was lost,
//! knows what the first try has added.

use uuid::Uuid;

use crate::db::models::environment::Environment;
use crate::db::models::project::Project;
use crate::db::models::user::User;
use crate::db::models::{account, deploy_rule};
use crate::db::pool::Db;
use crate::domain::access::Role;
use crate::domain::deploy_rule::{DeployRule, Protection, RefPattern};
use crate::domain::environment::EnvironmentName;
use crate::domain::git_ref::RefName;
use crate::domain::ids::{AccountId, ProjectId};
use crate::domain::slug::{AccountSlug, ProjectName, ProjectSlug};
use crate::projects::{ProjectError, only};

/// Adds an account, and its owner if one is named.
///
/// # Errors
///
/// When the name is taken, nobody has the owner's address, or the database does not answer.
pub async fn create_account(
    db: &Db,
    slug: AccountSlug,
    owner: Option<String>,
) -> Result<(), ProjectError> {
    let id = AccountId::from(Uuid::now_v7());
    db.transaction(async move |connection| {
        let Some(id) = account::insert(connection, id, &slug).await? else {
            return Err(ProjectError::Exists(slug.to_string()));
        };
        if let Some(email) = owner {
            let user = User::by_email(connection, &email).await?;
            let user = user.ok_or(ProjectError::NoUser(email))?;
            account::set_member(connection, id, user.id, Role::Owner).await?;
        }
        Ok(())
    })
    .await
}

/// Makes somebody a member of an account, or changes their role.
///
/// # Errors
///
/// When there is no such account or person, or the database does not answer.
pub async fn set_member(
    db: &Db,
    slug: AccountSlug,
    email: String,
    role: Role,
) -> Result<(), ProjectError> {
    db.transaction(async move |connection| {
        let account = account::by_slug(connection, &slug).await?;
        let account = account.ok_or(ProjectError::NotFound(slug.to_string()))?;
        let user = User::by_email(connection, &email).await?;
        let user = user.ok_or(ProjectError::NoUser(email))?;
        Ok(account::set_member(connection, account, user.id, role).await?)
    })
    .await
}

/// Adds a project.
///
/// Its repository is made by whoever serves it, when it is first asked for: an administrator may
/// be another user, or at another machine.
///
/// # Errors
///
/// When the account is missing, the name is taken, or the database does not answer.
pub async fn create_project(
    db: &Db,
    (account, project): (AccountSlug, ProjectSlug),
    default_branch: &str,
) -> Result<(), ProjectError> {
    RefName::branch(default_branch)?;
    let (id, branch) = (ProjectId::from(Uuid::now_v7()), default_branch.to_owned());
    db.transaction(async move |connection| {
        let owner = account::by_slug(connection, &account).await?;
        let owner = owner.ok_or(ProjectError::NotFound(account.to_string()))?;
        match Project::insert(connection, id, (owner, &project), &branch).await? {
            Some(_) => Ok(()),
            None => Err(ProjectError::Exists(format!("{account}/{project}"))),
        }
    })
    .await
}

/// A deploy rule about to be set.
#[derive(Debug, Clone)]
pub struct NewRule {
    /// The project.
    pub project: ProjectName,
    /// Refs it speaks of.
    pub pattern: RefPattern,
    /// Where they deploy to, made if it is not there.
    pub environment: EnvironmentName,
    /// Higher wins.
    pub priority: i32,
    /// Whether forced updates are accepted.
    pub protection: Protection,
}

/// Sets what a pattern of refs deploys to.
///
/// # Errors
///
/// When the project is missing, or the database does not answer.
pub async fn set_rule(db: &Db, new: NewRule) -> Result<(), ProjectError> {
    db.transaction(async move |connection| {
        let project = only(Project::by_name(connection, &new.project).await?, &new.project)?;
        let environment = Environment::ensure(connection, project.id, &new.environment).await?.id;
        let NewRule { pattern, priority, protection, .. } = new.clone();
        let rule = DeployRule { pattern, environment, priority, protection };
        Ok(deploy_rule::set(connection, project.id, &rule).await?)
    })
    .await
}
