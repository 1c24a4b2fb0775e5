//! `pierhead admin rollback`, `redeploy` and `cancel`.

use clap::{Args, Subcommand};

use crate::cli::admin_error::AdminError;
use crate::config::Config;
use crate::db::acting::Acting;
use crate::db::models::audit::NewEntry;
use crate::db::models::environment::Environment;
use crate::db::models::project::Project;
use crate::db::models::user::User;
use crate::db::pool::Db;
use crate::domain::audit::Deed;
use crate::domain::cache::Cache;
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::{JobName, ReleaseNumber};
use crate::domain::slug::ProjectName;
use crate::git::bare_repository::Repositories;
use crate::jobs::Jobs;
use crate::people;
use crate::projects;

/// A deployment without a push.
#[derive(Debug, Subcommand)]
pub(super) enum Deployment {
    /// Make a release serve again, without a build; jobs and builds that wait let it pass.
    Rollback {
        #[command(flatten)]
        asked: Asked,
        /// The release, such as v17; without one, what served before.
        release: Option<ReleaseNumber>,
    },
    /// Deploy the tip of the ref that was deployed last.
    Redeploy {
        #[command(flatten)]
        asked: Asked,
        /// Drop what build hooks kept for it, such as downloads.
        #[arg(long)]
        no_cache: bool,
    },
    /// End a job: one that runs takes back what it did.
    Cancel {
        /// The job, by its number or its id.
        job: JobName,
    },
}

/// Where something is to serve, and for whom.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// The project, as `account/project`.
    project: ProjectName,
    /// The environment.
    environment: EnvironmentName,
    /// E-mail address of whoever it is for: the job is in their name.
    #[arg(long, value_name = "EMAIL")]
    by: String,
}

/// The same, found.
struct Found {
    project: Project,
    environment: Environment,
    user: User,
    jobs: Jobs,
}

impl Asked {
    async fn find(self, config: &Config, db: &Db) -> Result<Found, AdminError> {
        let Self { project, environment, by } = self;
        let user = people::user(db, &by).await?;
        let project = projects::named(db, project).await?;
        project.check_active()?;
        let environment = projects::find_environment(db, &project, environment).await?;
        Ok(Found { project, environment, user, jobs: jobs(config, db) })
    }
}

impl Deployment {
    /// Makes the job, and says how to follow it.
    pub(super) async fn run(self, config: &Config, by: &Acting) -> Result<String, AdminError> {
        match self {
            Self::Cancel { job } => crate::cli::jobs::cancel(&jobs(config, &by.db), by, job).await,
            Self::Rollback { asked, release } => {
                let found = asked.find(config, &by.db).await?;
                let Found { project, environment, user, jobs } = &found;
                let created = jobs.roll_back(project, environment, release, (user, "")).await?;
                let job = created.job();
                let source = job.source.map(|source| source.to_string()).unwrap_or_default();
                let entry = by.entry(Deed::Rollback, &project.name());
                let entry = entry.with("release", source.clone()).with("job", job.number.0);
                note(&found, by, entry).await?;
                let (name, number) = (project.name(), job.number);
                let attach = jobs.command(&format!("attach {number}"));
                let environment = &environment.name;
                Ok(format!(
                    "Job {number} makes {source} of {name} {environment} serve again: {attach}"
                ))
            }
            Self::Redeploy { asked, no_cache } => {
                let found = asked.find(config, &by.db).await?;
                let Found { project, environment, user, jobs } = &found;
                let cache = if no_cache { Cache::Dropped } else { Cache::Used };
                let created = jobs.redeploy(project, environment, (user, ""), cache).await?;
                let number = created.job().number;
                let entry = by.entry(Deed::Redeploy, &project.name()).with("job", number.0);
                note(&found, by, entry).await?;
                let attach = jobs.command(&format!("attach {number}"));
                let (name, environment) = (project.name(), &environment.name);
                Ok(format!("Job {number} deploys {name} {environment} again: {attach}"))
            }
        }
    }
}

async fn note(found: &Found, by: &Acting, entry: NewEntry) -> Result<(), AdminError> {
    let entry = entry.with("environment", found.environment.name.to_string());
    let entry = entry.with("for", found.user.email.clone());
    Ok(by.db.run(async move |connection| entry.insert(connection).await).await?)
}

/// Jobs, made at the server's terminal.
fn jobs(config: &Config, db: &Db) -> Jobs {
    let repositories = Repositories::new(config.repositories());
    let lease = config.worker.lease.duration();
    let command = format!("ssh {}", config.ssh.address());
    Jobs::new(db.clone(), db.clone(), repositories, lease, command)
}
