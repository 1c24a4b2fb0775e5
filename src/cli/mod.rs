//! The command line: one file a subcommand.

mod additions;
mod admin;
mod admin_error;
mod check;
mod cluster;
mod deployments;
mod diff;
mod edits;
mod explain;
mod first_run;
mod hook;
mod hook_cage;
mod hook_enter;
mod jobs;
mod keygen;
mod lists;
mod looks;
mod migrate;
mod operator;
mod pages;
mod project_source;
mod quotas;
mod registry;
mod removals;
mod render;
mod reseal;
mod schema;
mod serve;
mod sockets;
mod source;
mod token;
mod trying;
mod variables;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError, DatabaseConfig};
use crate::db::pool::connect;
use crate::domain::audit::Actor;
use crate::git_hook::HookName;
use crate::telemetry;

pub use serve::Role;

/// Exit status of a command that could not do its work, as of one that was called wrongly.
const CANNOT_RUN: u8 = 2;

/// A self-hosted build server: `git push`, and it is live.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// The configuration file; without one every setting has its default.
    #[arg(long, global = true, env = "PIERHEAD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every role in one process, on an up-to-date database.
    Serve,
    /// Run the SSH server, which takes pushes.
    Ssh,
    /// Run the web pages.
    Web,
    /// Run a worker, which deploys.
    Worker,
    /// Run the HTTP entrance of the Docker target.
    Router,
    /// Bring the database's tables up to date.
    Migrate,
    /// Set up people, projects and targets.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Make a pair of keys for sealing secrets; a worker makes the first one itself.
    Keygen(keygen::Keygen),
    /// Check a `.paas.yaml` without a server: exit status 0 fine, 1 faults, 2 cannot check.
    Check(check::Check),
    /// Print the Kubernetes objects of a `.paas.yaml` without a server, for `kubectl apply`.
    Render(render::Render),
    /// Print what a `.paas.yaml` would change on a Kubernetes cluster, and change nothing: exit
    /// status 0 nothing would change, 1 something would, 2 cannot compare.
    Diff(diff::Diff),
    /// Explain the code of a fault or a warning.
    Explain(explain::Explain),
    /// Print the JSON Schema of `.paas.yaml`, with which editors complete and check it.
    Schema,
    /// Do a git hook's part; git calls this.
    #[command(hide = true)]
    Hook {
        /// Which one.
        name: HookName,
    },
    /// Be the way out of a cage without a network; workers call this.
    #[command(hide = true)]
    HookCage(hook_cage::HookCage),
    /// Enter a cage, and become another program; workers call this.
    #[command(hide = true)]
    HookEnter(hook_enter::HookEnter),
}

/// Why a command did not do what it is for.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The filter of log lines.
    #[error("setting log.filter: {0}")]
    Log(#[from] tracing_subscriber::filter::ParseError),
    /// The database is away, or this is not its address.
    #[error("could not connect to PostgreSQL: {cause}; {next}")]
    Database {
        /// Why.
        cause: String,
        /// What to look at.
        next: String,
    },
    /// A server could not start.
    #[error(transparent)]
    Serve(#[from] serve::ServeError),
    /// The tables.
    #[error(transparent)]
    Migrate(#[from] crate::db::migrate::MigrateError),
    /// People, projects, targets.
    #[error(transparent)]
    Admin(#[from] admin_error::AdminError),
    /// Keys.
    #[error(transparent)]
    Key(#[from] crate::seal::KeyError),
    /// A hook.
    #[error(transparent)]
    Hook(#[from] crate::git_hook::HookError),
    /// The way out of a cage.
    #[error("the way out of this cage is not open")]
    Cage(#[source] std::io::Error),
    /// The runtime could not be started.
    #[error("could not start threads: {0}")]
    Runtime(std::io::Error),
}

impl Cli {
    /// Does what the command line says. `environment` is that of the process.
    ///
    /// # Errors
    ///
    /// What kept it from being done.
    pub fn run(self, environment: &BTreeMap<String, String>) -> Result<ExitCode, CliError> {
        let command = match self.command {
            Command::Hook { name } => return Ok(hook::run(name)?),
            Command::HookCage(cage) => return cage.run(),
            Command::HookEnter(enter) => return Ok(enter.run()),
            Command::Check(check) => return Ok(check.run()),
            Command::Render(render) => return Ok(render.run()),
            Command::Diff(diff) => return diff.run(),
            Command::Explain(explain) => return Ok(explain.run()),
            Command::Schema => {
                schema::run();
                return Ok(ExitCode::SUCCESS);
            }
            Command::Serve => Served::Roles(Role::ALL.to_vec()),
            Command::Ssh => Served::Roles(vec![Role::Ssh]),
            Command::Web => Served::Roles(vec![Role::Web]),
            Command::Worker => Served::Roles(vec![Role::Worker]),
            Command::Router => Served::Roles(vec![Role::Router]),
            Command::Migrate => Served::Migrate,
            Command::Admin(admin) => Served::Admin(admin, operator::operator(environment)),
            Command::Keygen(keygen) => {
                keygen.run(&Config::load(self.config.as_deref(), environment)?.seal)?;
                return Ok(ExitCode::SUCCESS);
            }
        };
        let config = Config::load(self.config.as_deref(), environment)?;
        // Several threads: the migration library blocks the one it runs on.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(CliError::Runtime)?;
        runtime.block_on(command.run(config))
    }
}

/// A command that needs the configuration.
enum Served {
    Roles(Vec<Role>),
    Migrate,
    Admin(admin::Admin, Actor),
}

impl Served {
    async fn run(self, config: Config) -> Result<ExitCode, CliError> {
        reach_database(&config.database).await?;
        match self {
            Self::Roles(roles) => {
                telemetry::start(&config.log)?;
                serve::run(config, &roles).await?;
            }
            Self::Migrate => migrate::run(&config).await?,
            Self::Admin(admin, actor) => admin.run(&config, actor).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Tries the database's address, so that whoever gave none is told how to.
async fn reach_database(settings: &DatabaseConfig) -> Result<(), CliError> {
    let reached = connect(&settings.url).await.map(drop);
    reached.map_err(|error| CliError::Database {
        cause: error.to_string(),
        next: where_to_look(&settings.url),
    })
}

/// What to do about a database's address that does not work.
fn where_to_look(url: &str) -> String {
    // An address that was given may hold a password.
    let default = DatabaseConfig::default().url;
    if url == default {
        format!(
            "database.url is {default}, its default: give your configuration with --config, or set \
             PIERHEAD_DATABASE_URL"
        )
    } else {
        "is database.url right, in the configuration or in PIERHEAD_DATABASE_URL?".to_owned()
    }
}

/// Tells the person at the terminal what was done.
fn note(text: &str) {
    use std::io::Write as _;

    // A closed standard error is no reason to fail.
    writeln!(std::io::stderr().lock(), "{text}").unwrap_or_default();
}

/// Prints what was asked for.
fn say(text: &str) {
    use std::io::Write as _;

    // A closed standard output is no reason to fail.
    writeln!(std::io::stdout().lock(), "{text}").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_can_be_parsed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn who_gave_no_database_is_told_how_to() {
        let next = where_to_look(&DatabaseConfig::default().url);
        assert!(next.contains("database.url") && next.contains("--config"), "{next}");
    }
}
