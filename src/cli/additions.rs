//! What can be added: people, their keys and tokens, accounts, projects, targets and rules.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::{Args, Subcommand};

use crate::cli::admin::Told;
use crate::cli::admin_error::AdminError;
use crate::cli::cluster::NewCluster;
use crate::cli::note;
use crate::cli::token::NewToken;
use crate::config::Config;
use crate::db::acting::Acting;
use crate::domain::access::{KeyAccess, Role, Standing};
use crate::domain::deploy_rule::{Protection, RefPattern};
use crate::domain::environment::EnvironmentName;
use crate::domain::lifetime::Lifetime;
use crate::domain::slug::{AccountSlug, ProjectName};
use crate::people::{self, KeyTerms};
use crate::projects::{self, NewRule};

/// What can be added.
#[derive(Debug, Subcommand)]
pub(super) enum Create {
    /// A person; prints a password for one sign-in at the page.
    User {
        /// Their e-mail address.
        email: String,
        /// How they are called in Histories; without one, the address up to the `@`.
        #[arg(long)]
        name: Option<String>,
        /// May do everything.
        #[arg(long)]
        administrator: bool,
        #[command(flatten)]
        existing: Existing,
    },
    /// A public key of a person.
    Key {
        /// Their e-mail address.
        email: String,
        /// The file that ends in .pub; `-` reads standard input.
        #[arg(default_value = "-")]
        file: PathBuf,
        #[command(flatten)]
        terms: Box<Terms>,
        #[command(flatten)]
        existing: Existing,
    },
    /// A token of a person, for the API; prints it, once.
    Token {
        /// Their e-mail address.
        email: String,
        #[command(flatten)]
        token: Box<NewToken>,
    },
    /// An account, which owns projects.
    Account {
        /// Its name in URLs.
        account: AccountSlug,
        /// E-mail address of its owner.
        #[arg(long)]
        owner: Option<String>,
        #[command(flatten)]
        existing: Existing,
    },
    /// A member of an account, or another role for one.
    Member {
        /// The account.
        account: AccountSlug,
        /// Their e-mail address.
        email: String,
        /// owner, developer or viewer.
        #[arg(long, default_value = "developer")]
        role: Role,
    },
    /// A project, with a repository to push to.
    Project {
        /// Its name, as `account/project`.
        project: ProjectName,
        /// The branch that is checked out by a clone, and deploys first.
        #[arg(long, default_value = "main")]
        default_branch: String,
        #[command(flatten)]
        existing: Existing,
    },
    /// A target of a project; the first one makes its default branch deploy there.
    Cluster {
        #[command(flatten)]
        cluster: Box<NewCluster>,
        #[command(flatten)]
        existing: Existing,
    },
    /// Which refs deploy where; a rule for the same pattern is replaced.
    Rule {
        /// The project, as `account/project`.
        project: ProjectName,
        /// A full ref name such as refs/heads/main, `*` within a segment.
        pattern: RefPattern,
        /// Where they deploy to.
        #[arg(long)]
        environment: EnvironmentName,
        /// Higher wins among patterns for the same ref.
        #[arg(long, default_value_t = 0)]
        priority: i32,
        /// Refuse pushes that drop commits.
        #[arg(long)]
        protected: bool,
    },
}

/// What a key is for.
#[derive(Debug, Args)]
pub(super) struct Terms {
    /// What to call it; without one, its comment.
    #[arg(long)]
    name: Option<String>,
    /// It clones and looks, and changes nothing.
    #[arg(long)]
    read_only: bool,
    /// Only for this project, as `account/project`; may be given several times.
    #[arg(long)]
    project: Vec<ProjectName>,
    /// How long it lasts, such as 90d or 12w; without this, for ever.
    #[arg(long)]
    expires: Option<Lifetime>,
}

/// What to do about something that is there already.
#[derive(Debug, Args)]
pub(super) struct Existing {
    /// Leave what exists as it is, instead of failing.
    #[arg(long)]
    if_not_exists: bool,
}

impl Existing {
    /// Passes over the failure to add what is there, when that was asked for.
    fn accept(&self, result: Result<Told, AdminError>) -> Result<Told, AdminError> {
        match result {
            Err(error) if self.if_not_exists && error.is_about_existing() => {
                Ok(Told::Note(error.to_string()))
            }
            other => other,
        }
    }
}

impl Create {
    /// Adds it, and says what was added.
    pub(super) async fn run(self, config: &Config, by: &Acting) -> Result<Told, AdminError> {
        match self {
            Self::User { email, name, administrator, existing } => {
                let standing =
                    if administrator { Standing::Administrator } else { Standing::Person };
                existing.accept(user(by, &email, name, standing).await)
            }
            Self::Key { email, file, terms, existing } => {
                existing.accept(key(by, &email, &file, *terms).await)
            }
            Self::Token { email, token } => token.run(by, &email).await.map(Told::Data),
            Self::Account { account, owner, existing } => {
                let created = projects::create_account(by, account.clone(), owner).await;
                let told = created.map(|()| Told::Note(format!("Account {account} was added.")));
                existing.accept(told.map_err(Into::into))
            }
            Self::Member { account, email, role } => {
                projects::set_member(by, account.clone(), email.clone(), role).await?;
                Ok(Told::Note(format!("{email} is {role} of {account}.")))
            }
            Self::Project { project, default_branch, existing } => {
                existing.accept(self::project(config, by, project, &default_branch).await)
            }
            Self::Cluster { cluster, existing } => {
                existing.accept(cluster.run(config, by).await.map(Told::Note))
            }
            Self::Rule { project, pattern, environment, priority, protected } => {
                let text = format!("{pattern} of {project} deploys to {environment}.");
                let protection = if protected { Protection::Protected } else { Protection::Open };
                let rule = NewRule { project, pattern, environment, priority, protection };
                projects::set_rule(by, rule).await?;
                Ok(Told::Note(text))
            }
        }
    }
}

async fn user(
    by: &Acting,
    email: &str,
    name: Option<String>,
    standing: Standing,
) -> Result<Told, AdminError> {
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or(email).to_owned());
    let password = people::create_user(by, email, &name, standing).await?;
    note(&format!("{email} was added. The password, shown only now, is for one sign-in."));
    Ok(Told::Data(password))
}

async fn key(by: &Acting, email: &str, file: &Path, terms: Terms) -> Result<Told, AdminError> {
    let mut ids = Vec::new();
    for name in terms.project {
        ids.push(projects::named(&by.db, name).await?.id);
    }
    let terms = KeyTerms {
        name: terms.name,
        access: if terms.read_only { KeyAccess::Read } else { KeyAccess::Deploy },
        projects: (!ids.is_empty()).then_some(ids),
        expires_at: terms.expires.map(|lifetime| Utc::now() + lifetime.duration()),
    };
    let read = || {
        if file == Path::new("-") {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(file)
        }
    };
    let line = read().map_err(|source| AdminError::File { path: file.to_owned(), source })?;
    let fingerprint = people::create_key(by, email, &line, terms).await?;
    Ok(Told::Note(format!("Key {fingerprint} of {email} was added.")))
}

async fn project(
    config: &Config,
    by: &Acting,
    name: ProjectName,
    default_branch: &str,
) -> Result<Told, AdminError> {
    let ProjectName { account: Some(account), project } = name else {
        return Err(AdminError::Account);
    };
    let url = format!(
        "ssh://{}@{}:{}/{account}/{project}",
        config.ssh.user, config.ssh.host, config.ssh.port
    );
    let names = (account.clone(), project.clone());
    projects::create_project(by, names, default_branch).await?;
    note(&format!("Project {account}/{project} was added; push to it at this URL."));
    Ok(Told::Data(url))
}
