//! `pierhead admin delete …`, `restore …` and `purge …`.

use clap::Subcommand;

use crate::cli::admin_error::AdminError;
use crate::db::acting::Acting;
use crate::domain::deploy_rule::RefPattern;
use crate::domain::ids::TokenId;
use crate::domain::slug::{AccountSlug, ProjectName, ProjectSlug};
use crate::people;
use crate::projects;

/// What can be deleted. Nothing that was deployed is taken down by it.
#[derive(Debug, Subcommand)]
pub(super) enum Delete {
    /// A person, until they are restored or purged.
    User {
        /// Their e-mail address.
        email: String,
    },
    /// A key, for good.
    Key {
        /// Its fingerprint, `SHA256:…`.
        fingerprint: String,
    },
    /// A token, for good.
    Token {
        /// Its id.
        id: TokenId,
    },
    /// An account, until it is restored or purged.
    Account {
        /// The account.
        account: AccountSlug,
    },
    /// A membership.
    Member {
        /// The account.
        account: AccountSlug,
        /// Their e-mail address.
        email: String,
    },
    /// A project, until it is restored or purged; its repository is kept for `git.trash_time`.
    Project {
        /// The project, as `account/project`.
        project: ProjectName,
    },
    /// A target of a project.
    Cluster {
        /// The project, as `account/project`.
        project: ProjectName,
        /// Name of the target.
        name: String,
    },
    /// A deploy rule.
    Rule {
        /// The project, as `account/project`.
        project: ProjectName,
        /// The pattern.
        pattern: RefPattern,
    },
}

/// Whose deletion can be taken back.
#[derive(Debug, Subcommand)]
pub(super) enum Restore {
    /// A person, with keys and memberships.
    User {
        /// Their e-mail address.
        email: String,
    },
    /// An account.
    Account {
        /// The account.
        account: AccountSlug,
    },
    /// The project of this name that was deleted last.
    Project {
        /// The project, as `account/project`.
        project: ProjectName,
    },
}

/// What can be removed for good, after it was deleted.
#[derive(Debug, Subcommand)]
pub(super) enum Purge {
    /// A person, with keys and memberships; the audit log keeps their address.
    User {
        /// Their e-mail address.
        email: String,
    },
    /// An account, with projects, jobs and Histories.
    Account {
        /// The account.
        account: AccountSlug,
    },
    /// The deleted projects of a name, with jobs and Histories.
    Project {
        /// The project, as `account/project`.
        project: ProjectName,
    },
}

impl Delete {
    /// Does it, and says what was done.
    pub(super) async fn run(self, by: &Acting) -> Result<String, AdminError> {
        Ok(match self {
            Self::User { email } => {
                people::delete_user(by, &email).await?;
                format!("{email} is deleted: no key of theirs does anything from now on.")
            }
            Self::Key { fingerprint } => {
                people::delete_key(by, &fingerprint, None).await?;
                format!("Key {fingerprint} is deleted.")
            }
            Self::Token { id } => {
                people::delete_token(by, id, None).await?;
                format!("Token {id} is deleted.")
            }
            Self::Account { account } => {
                let text = format!("Account {account} is deleted. What it deployed goes on.");
                projects::delete_account(by, account).await?;
                text
            }
            Self::Member { account, email } => {
                let text = format!("{email} is no member of {account} any more.");
                projects::delete_member(by, account, email).await?;
                text
            }
            Self::Project { project } => {
                let text = format!("Project {project} is deleted. What it deployed goes on.");
                projects::delete_project(by, project).await?;
                text
            }
            Self::Cluster { project, name } => {
                let text =
                    format!("Cluster {name} of {project} is deleted. What runs there goes on.");
                projects::delete_cluster(by, (project, name)).await?;
                text
            }
            Self::Rule { project, pattern } => {
                let text =
                    format!("{pattern} of {project} is stored from now on, and not deployed.");
                projects::delete_rule(by, project, pattern).await?;
                text
            }
        })
    }
}

impl Restore {
    /// Does it, and says what was done.
    pub(super) async fn run(self, by: &Acting) -> Result<String, AdminError> {
        Ok(match self {
            Self::User { email } => {
                people::restore_user(by, &email).await?;
                format!("{email} is back, with keys and memberships.")
            }
            Self::Account { account } => {
                let text = format!("Account {account} is back.");
                projects::restore_account(by, account).await?;
                text
            }
            Self::Project { project } => {
                let text = format!("Project {project} is back");
                match projects::restore_project(by, whole(project)?).await? {
                    true => text + ", with its repository.",
                    false => text + ". Its repository is gone by now: push again.",
                }
            }
        })
    }
}

impl Purge {
    /// Does it, and says what was done.
    pub(super) async fn run(self, by: &Acting) -> Result<String, AdminError> {
        const LEFT: &str = "The entrance has no routes of it any more; containers and objects are \
                            left where they are.";
        Ok(match self {
            Self::User { email } => {
                people::purge_user(by, &email).await?;
                format!("{email} is forgotten, with keys and memberships.")
            }
            Self::Account { account } => {
                let text = format!("Account {account} is removed with all its projects. {LEFT}");
                projects::purge_account(by, account).await?;
                text
            }
            Self::Project { project } => {
                let text = format!("Project {project} is removed. {LEFT}");
                projects::purge_project(by, whole(project)?).await?;
                text
            }
        })
    }
}

/// A project with its account.
fn whole(name: ProjectName) -> Result<(AccountSlug, ProjectSlug), AdminError> {
    Ok((name.account.ok_or(AdminError::Account)?, name.project))
}
