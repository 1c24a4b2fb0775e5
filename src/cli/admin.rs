//! `pierhead admin …`: people, projects, targets, rules and jobs.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::{Args, Subcommand};

use crate::cli::admin_error::AdminError;
use crate::cli::cluster::{NewCluster, Which};
use crate::cli::deployments::Deployment;
use crate::cli::lists::{Entries, Form, List};
use crate::cli::looks::Look;
use crate::cli::removals::{Delete, Purge, Restore};
use crate::cli::{cluster, note, registry, reseal, say};
use crate::config::Config;
use crate::db::acting::Acting;
use crate::db::pool::Db;
use crate::domain::access::{KeyAccess, Role, Standing};
use crate::domain::audit::{Actor, Deed};
use crate::domain::deploy_rule::{Protection, RefPattern};
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::JobName;
use crate::domain::lifetime::Lifetime;
use crate::domain::slug::{AccountSlug, ProjectName};
use crate::domain::stored_variables::StoredVariables;
use crate::git::bare_repository::Repositories;
use crate::paas_file::{Launch, context_at};
use crate::people::{self, KeyTerms};
use crate::projects::{self, NewRule};
use crate::tasks::blocking;

/// What can be administrated here.
#[derive(Debug, Subcommand)]
pub(super) enum Admin {
    /// Add something.
    #[command(subcommand)]
    Create(Create),
    /// Say what there is one of.
    #[command(subcommand)]
    Set(registry::Set),
    /// Take something away.
    #[command(subcommand)]
    Unset(registry::Unset),
    /// Delete something. Nothing that was deployed is taken down by it.
    #[command(subcommand)]
    Delete(Delete),
    /// Take a deletion back.
    #[command(subcommand)]
    Restore(Restore),
    /// Remove for good what is deleted.
    #[command(subcommand)]
    Purge(Purge),
    /// Say what there is.
    List {
        /// How.
        #[command(flatten)]
        form: Form,
        /// What.
        #[command(subcommand)]
        list: List,
    },
    /// Say who changed what, when and from where; newest first.
    Audit {
        /// How.
        #[command(flatten)]
        form: Form,
        /// Which entries.
        #[command(flatten)]
        wanted: Entries,
    },
    #[command(flatten)]
    Deployment(Deployment),
    #[command(flatten)]
    Look(Look),
    /// Try something out.
    #[command(subcommand)]
    Test(Test),
    /// Seal everything with the newest key, so that older ones can be removed.
    Reseal,
    /// Ask about a job.
    #[command(subcommand)]
    Job(JobQuestion),
}

/// What can be tried out.
#[derive(Debug, Subcommand)]
pub(super) enum Test {
    /// Whether a target can be deployed to, and which rights are missing.
    Cluster {
        #[command(flatten)]
        which: Box<Which>,
    },
}

/// What can be asked about a job.
#[derive(Debug, Subcommand)]
pub(super) enum JobQuestion {
    /// Print what its file was compiled with, for `pierhead check --context`.
    Context {
        /// The job, by its number or its id.
        job: JobName,
    },
}

/// What can be added.
#[derive(Debug, Subcommand)]
pub(super) enum Create {
    /// A person; prints a password for the page's sign-in, which is not there yet.
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

/// What is said about something that was added.
enum Told {
    /// What a script may want to keep: alone on standard output.
    Data(String),
    /// For a person, on standard error.
    Note(String),
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

impl Admin {
    /// Does it, and says what was done.
    pub(super) async fn run(self, config: &Config, actor: Actor) -> Result<(), AdminError> {
        let db = Db::open(&config.database.url, 1)?;
        let by = Acting { db: db.clone(), actor };
        let told = match self {
            Self::Create(create) => create.run(config, &by).await?,
            Self::Set(set) => Told::Note(set.run(config, &by).await?),
            Self::Unset(unset) => Told::Note(unset.run(&by).await?),
            Self::Delete(delete) => Told::Note(delete.run(&by).await?),
            Self::Restore(restore) => Told::Note(restore.run(&by).await?),
            Self::Purge(purge) => Told::Note(purge.run(&by).await?),
            Self::List { form, list } => Told::Data(list.run(&db, form).await?),
            Self::Audit { form, wanted } => Told::Data(wanted.run(&db, form).await?),
            Self::Deployment(deployment) => Told::Note(deployment.run(config, &by).await?),
            Self::Look(look) => return look.run(config, &db).await,
            Self::Test(Test::Cluster { which }) => {
                Told::Note(cluster::test(*which, config, &db).await?)
            }
            Self::Reseal => {
                let text = reseal::run(config, &db).await?;
                let entry = by.entry(Deed::Reseal, &text);
                db.run(async move |connection| entry.insert(connection).await).await?;
                Told::Note(text)
            }
            Self::Job(JobQuestion::Context { job }) => context(config, &db, job).await?,
        };
        match told {
            // Nothing is no line: whoever reads JSON would find one without an object.
            Told::Data(text) if text.is_empty() => {}
            Told::Data(text) => say(&text),
            Told::Note(text) => note(&text),
        }
        Ok(())
    }
}

impl Create {
    async fn run(self, config: &Config, by: &Acting) -> Result<Told, AdminError> {
        match self {
            Self::User { email, name, administrator, existing } => {
                let standing =
                    if administrator { Standing::Administrator } else { Standing::Person };
                existing.accept(user(by, &email, name, standing).await)
            }
            Self::Key { email, file, terms, existing } => {
                existing.accept(key(by, &email, &file, *terms).await)
            }
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

/// The context file of a job.
async fn context(config: &Config, db: &Db, name: JobName) -> Result<Told, AdminError> {
    let (job, project) = projects::job_named(db, name).await?;
    let repositories = Repositories::new(config.repositories());
    let (platform, max_files) = (config.platform(), config.git.max_files);
    let file = config.paas_file.clone();
    let mut variables = job.snapshot.variables.clone();
    variables.overlay(job.variables.clone());
    let left_out = left_out(&variables);
    let context = blocking(move || {
        let repository = repositories.open(project)?;
        let launch = Launch {
            file: &file,
            snapshot: &job.snapshot,
            launched: &job.variables,
            variables: &variables.plain(),
            platform: &platform,
            max_files,
        };
        context_at(&repository, job.new_oid, &launch)
    })
    .await?;
    Ok(Told::Data(format!("{left_out}{}", context.text()?.trim_end())))
}

/// What a context does not tell: secrets, by their names.
fn left_out(variables: &StoredVariables) -> String {
    let names: Vec<&str> = variables.secrets().map(|(name, _)| name).collect();
    if names.is_empty() {
        return String::new();
    }
    format!("# Left out, because they are secret (give them with --var): {}\n\n", names.join(", "))
}

async fn user(
    by: &Acting,
    email: &str,
    name: Option<String>,
    standing: Standing,
) -> Result<Told, AdminError> {
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or(email).to_owned());
    let password = people::create_user(by, email, &name, standing).await?;
    note(&format!(
        "{email} was added. The password, shown only now, is for the page's sign-in, which is not \
         there yet."
    ));
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
