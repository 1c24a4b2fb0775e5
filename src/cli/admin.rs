//! `pierhead admin …`: people, projects, targets, rules and jobs.

use clap::Subcommand;

use crate::cli::additions::Create;
use crate::cli::admin_error::AdminError;
use crate::cli::deployments::Deployment;
use crate::cli::lists::{Entries, Form, List};
use crate::cli::looks::Look;
use crate::cli::removals::{Delete, Purge, Restore};
use crate::cli::trying::{Check, Test};
use crate::cli::{first_run, jobs, note, registry, reseal, say};
use crate::config::Config;
use crate::db::acting::Acting;
use crate::db::pool::Db;
use crate::domain::audit::{Actor, Deed};
use crate::domain::ids::JobName;
use crate::domain::stored_variables::StoredVariables;
use crate::git::bare_repository::Repositories;
use crate::paas_file::{Launch, context_at};
use crate::projects;
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
    /// Look at something now, and deploy what is new there.
    #[command(subcommand)]
    Check(Check),
    /// Seal everything with the newest key, so that older ones can be removed.
    Reseal,
    /// Say how deployments get on: what waits, what runs, which routers serve.
    Health,
    /// Ask about a job.
    #[command(subcommand)]
    Job(JobQuestion),
    /// Print the address of the page on which the first administrator is made: for a day, and once.
    FirstRun,
}

/// What can be asked about a job.
#[derive(Debug, Subcommand)]
pub(super) enum JobQuestion {
    /// Print what its file was compiled with, for `pierhead check --context`.
    Context {
        /// The job, by its number or its id.
        job: JobName,
    },
    /// Print what it has said so far.
    Log {
        /// The job, by its number or its id.
        job: JobName,
    },
}

/// What is said about something that was done.
pub(super) enum Told {
    /// What a script may want to keep: alone on standard output.
    Data(String),
    /// For a person, on standard error.
    Note(String),
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
            Self::Test(test) => test.run(config, &by).await?,
            Self::Check(check) => Told::Data(check.run(config, &by).await?),
            Self::Reseal => {
                let text = reseal::run(config, &db).await?;
                let entry = by.entry(Deed::Reseal, &text);
                db.run(async move |connection| entry.insert(connection).await).await?;
                Told::Note(text)
            }
            Self::Job(JobQuestion::Log { job }) => return jobs::log(&db, job).await,
            Self::Job(JobQuestion::Context { job }) => context(config, &db, job).await?,
            Self::Health => Told::Data(jobs::health(&db).await?),
            Self::FirstRun => Told::Data(first_run::run(config, &db).await?),
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
