//! `pierhead admin …`: people, projects, targets, rules and jobs.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::cli::admin_error::AdminError;
use crate::cli::cluster::{NewCluster, Which};
use crate::cli::{cluster, note, registry, reseal, say};
use crate::config::Config;
use crate::db::pool::Db;
use crate::domain::access::{Role, Standing};
use crate::domain::deploy_rule::{Protection, RefPattern};
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::JobName;
use crate::domain::slug::{AccountSlug, ProjectName};
use crate::domain::stored_variables::StoredVariables;
use crate::git::bare_repository::Repositories;
use crate::paas_file::{Launch, context_at};
use crate::people;
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
    pub(super) async fn run(self, config: &Config) -> Result<(), AdminError> {
        let db = Db::open(&config.database.url, 1)?;
        let told = match self {
            Self::Create(create) => create.run(config, &db).await?,
            Self::Set(set) => Told::Note(set.run(config, &db).await?),
            Self::Unset(unset) => Told::Note(unset.run(&db).await?),
            Self::Test(Test::Cluster { which }) => {
                Told::Note(cluster::test(*which, config, &db).await?)
            }
            Self::Reseal => Told::Note(reseal::run(config, &db).await?),
            Self::Job(JobQuestion::Context { job }) => context(config, &db, job).await?,
        };
        match told {
            Told::Data(text) => say(&text),
            Told::Note(text) => note(&text),
        }
        Ok(())
    }
}

impl Create {
    async fn run(self, config: &Config, db: &Db) -> Result<Told, AdminError> {
        match self {
            Self::User { email, name, administrator, existing } => {
                let standing =
                    if administrator { Standing::Administrator } else { Standing::Person };
                existing.accept(user(db, &email, name, standing).await)
            }
            Self::Key { email, file, existing } => existing.accept(key(db, &email, &file).await),
            Self::Account { account, owner, existing } => {
                let created = projects::create_account(db, account.clone(), owner).await;
                let told = created.map(|()| Told::Note(format!("Account {account} was added.")));
                existing.accept(told.map_err(Into::into))
            }
            Self::Member { account, email, role } => {
                projects::set_member(db, account.clone(), email.clone(), role).await?;
                Ok(Told::Note(format!("{email} is {role} of {account}.")))
            }
            Self::Project { project, default_branch, existing } => {
                existing.accept(self::project(config, db, project, &default_branch).await)
            }
            Self::Cluster { cluster, existing } => {
                existing.accept(cluster.run(config, db).await.map(Told::Note))
            }
            Self::Rule { project, pattern, environment, priority, protected } => {
                let text = format!("{pattern} of {project} deploys to {environment}.");
                let protection = if protected { Protection::Protected } else { Protection::Open };
                let rule = NewRule { project, pattern, environment, priority, protection };
                projects::set_rule(db, rule).await?;
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
    db: &Db,
    email: &str,
    name: Option<String>,
    standing: Standing,
) -> Result<Told, AdminError> {
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or(email).to_owned());
    let password = people::create_user(db, email, &name, standing).await?;
    note(&format!(
        "{email} was added. The password, shown only now, is for the page's sign-in, which is not \
         there yet."
    ));
    Ok(Told::Data(password))
}

async fn key(db: &Db, email: &str, file: &Path) -> Result<Told, AdminError> {
    let read = || {
        if file == Path::new("-") {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(file)
        }
    };
    let line = read().map_err(|source| AdminError::File { path: file.to_owned(), source })?;
    let fingerprint = people::create_key(db, email, &line).await?;
    Ok(Told::Note(format!("Key {fingerprint} of {email} was added.")))
}

async fn project(
    config: &Config,
    db: &Db,
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
    projects::create_project(db, names, default_branch).await?;
    note(&format!("Project {account}/{project} was added; push to it at this URL."));
    Ok(Told::Data(url))
}
