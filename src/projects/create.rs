//! Accounts, projects and rules come into being.
//!
//! Ids are made before the transaction, so that a repeat, after the answer to a COMMIT was lost,
//! knows what the first try has added.

use uuid::Uuid;

use crate::db::acting::Acting;
use crate::db::models::account::{self, Account};
use crate::db::models::deploy_rule;
use crate::db::models::environment::Environment;
use crate::db::models::project::Project;
use crate::db::models::user::User;
use crate::db::pool::Db;
use crate::domain::access::Role;
use crate::domain::audit::Deed;
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
    by: &Acting,
    slug: AccountSlug,
    owner: Option<String>,
) -> Result<(), ProjectError> {
    let id = AccountId::from(Uuid::now_v7());
    let entry = by.entry(Deed::CreateAccount, &slug).with_some("owner", owner.clone());
    by.db
        .transaction(async move |connection| {
            let Some(id) = account::insert(connection, id, &slug).await? else {
                let other = Account::any_by_slug(connection, &slug).await?;
                let is_deleted = other.is_some_and(|other| other.deleted_at.is_some());
                let name = slug.to_string();
                return Err(match is_deleted {
                    true => ProjectError::Deleted(name),
                    false => ProjectError::Exists(name),
                });
            };
            if let Some(email) = owner {
                let user = User::by_email(connection, &email).await?;
                let user = user.ok_or(ProjectError::NoUser(email))?;
                account::set_member(connection, id, user.id, Role::Owner).await?;
            }
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Makes somebody a member of an account, or changes their role.
///
/// # Errors
///
/// When there is no such account or person, or the database does not answer.
pub async fn set_member(
    by: &Acting,
    slug: AccountSlug,
    email: String,
    role: Role,
) -> Result<(), ProjectError> {
    let entry = by.entry(Deed::SetMember, &slug).with("user", email.to_lowercase());
    let entry = entry.with("role", role.as_str());
    by.db
        .transaction(async move |connection| {
            let account = Account::by_slug(connection, &slug).await?;
            let account = account.ok_or(ProjectError::NotFound(slug.to_string()))?;
            let user = User::by_email(connection, &email).await?;
            let user = user.ok_or(ProjectError::NoUser(email))?;
            account::set_member(connection, account.id, user.id, role).await?;
            Ok(entry.insert(connection).await?)
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
    by: &Acting,
    (account, project): (AccountSlug, ProjectSlug),
    default_branch: &str,
) -> Result<(), ProjectError> {
    RefName::branch(default_branch)?;
    let entry = by.entry(Deed::CreateProject, &format!("{account}/{project}"));
    let (id, branch) = (ProjectId::from(Uuid::now_v7()), default_branch.to_owned());
    by.db
        .transaction(async move |connection| {
            let owner = Account::by_slug(connection, &account).await?;
            let owner = owner.ok_or(ProjectError::NotFound(account.to_string()))?;
            match Project::insert(connection, id, (owner.id, &project), &branch).await? {
                Some(_) => Ok(entry.insert(connection).await?),
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
pub async fn set_rule(by: &Acting, new: NewRule) -> Result<(), ProjectError> {
    let entry = by
        .entry(Deed::SetRule, &new.project)
        .with("pattern", new.pattern.to_string())
        .with("environment", new.environment.to_string())
        .with("priority", new.priority)
        .with("protected", new.protection == Protection::Protected);
    by.db
        .transaction(async move |connection| {
            let project = only(Project::by_name(connection, &new.project).await?, &new.project)?;
            let environment =
                Environment::ensure(connection, project.id, &new.environment).await?.id;
            let NewRule { pattern, priority, protection, .. } = new.clone();
            let rule = DeployRule { pattern, environment, priority, protection };
            deploy_rule::set(connection, project.id, &rule).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// The enabled rules of a project, each with the environment it deploys to.
///
/// # Errors
///
/// When the project is missing, or the database does not answer.
pub async fn rules(
    db: &Db,
    name: ProjectName,
) -> Result<Vec<(DeployRule, EnvironmentName)>, ProjectError> {
    db.run(async move |connection| {
        let project = only(Project::by_name(connection, &name).await?, &name)?.id;
        let environments = Environment::of_project(connection, project).await?;
        let named = |rule: DeployRule| {
            let environment = environments.iter().find(|row| row.id == rule.environment)?;
            Some((rule, environment.name.clone()))
        };
        let rules = deploy_rule::of_project(connection, project).await?;
        Ok(rules.into_iter().filter_map(named).collect())
    })
    .await
}

/// Takes a rule away: what it speaks of is stored from then on, and not deployed.
///
/// # Errors
///
/// When the project or the rule is missing, or the database does not answer.
pub async fn delete_rule(
    by: &Acting,
    name: ProjectName,
    pattern: RefPattern,
) -> Result<(), ProjectError> {
    let entry = by.entry(Deed::DeleteRule, &name).with("pattern", pattern.to_string());
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let project = only(Project::by_name(connection, &name).await?, &name)?.id;
            if !deploy_rule::delete(connection, project, &pattern).await? {
                return Err(ProjectError::NotFound(format!("rule {pattern} of {name}")));
            }
            Ok(entry.insert(connection).await?)
        })
        .await
}
