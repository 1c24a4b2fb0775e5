//! `pierhead admin set variable`, `unset variable` and `list variables`.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::admin_error::AdminError;
use crate::cli::lists::Table;
use crate::config::Config;
use crate::db::acting::Acting;
use crate::db::models::variable::Owner;
use crate::db::pool::Db;
use crate::domain::environment::EnvironmentName;
use crate::domain::slug::ProjectName;
use crate::projects::{self, Secrecy};

/// Most bytes that are read for a value: more than any may have.
const MOST: u64 = 1024 * 1024;

/// A variable, by its name.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The project, as `account/project`.
    project: ProjectName,
    /// The variable.
    name: String,
    /// Only of this environment, before that of the whole project.
    #[arg(long)]
    environment: Option<EnvironmentName>,
}

/// A variable, and whether it is a secret.
#[derive(Debug, Args)]
pub(super) struct SetVariable {
    #[command(flatten)]
    which: Which,
    /// Nobody reads it any more, only deployments get it.
    #[arg(long)]
    secret: bool,
}

impl Which {
    /// Whose it is, and that in words.
    async fn owner(&self, db: &Db) -> Result<(Owner, String), AdminError> {
        let project = projects::named(db, self.project.clone()).await?;
        project.check_active()?;
        let name = project.name().to_string();
        let Some(environment) = self.environment.clone() else {
            return Ok(((project.id, None), name));
        };
        let environment = projects::find_environment(db, &project, environment).await?;
        let words = format!("{name} {}", environment.name);
        Ok(((project.id, Some(environment.id)), words))
    }

    /// Takes it away, and says so.
    pub(super) async fn unset(self, by: &Acting) -> Result<String, AdminError> {
        let (owner, whose) = self.owner(&by.db).await?;
        projects::unset_variable(by, owner, self.name.clone()).await?;
        Ok(format!("{} of {whose} is unset, from the next deployment on.", self.name))
    }
}

impl SetVariable {
    /// Sets it to what standard input says, and says so.
    pub(super) async fn run(self, config: &Config, by: &Acting) -> Result<String, AdminError> {
        let Self { which, secret } = self;
        let (owner, whose) = which.owner(&by.db).await?;
        let asked = if secret { Secrecy::Secret } else { Secrecy::Plain };
        let new = (which.name.clone(), typed()?);
        let secrecy =
            projects::set_variable(by, &config.seal.public_key, owner, new, asked).await?;
        let kind = if secrecy == Secrecy::Secret { " as a secret" } else { "" };
        Ok(format!("{} of {whose} is set{kind}, from the next deployment on.", which.name))
    }
}

/// Standard input, without the end of its last line.
fn typed() -> Result<String, AdminError> {
    let mut text = String::new();
    let read = std::io::stdin().take(MOST).read_to_string(&mut text);
    read.map_err(|source| AdminError::File { path: PathBuf::from("-"), source })?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// Lists the variables of a project and of its environments.
pub(super) async fn list(
    table: &mut Table,
    db: &Db,
    project: ProjectName,
) -> Result<(), AdminError> {
    let project = projects::named(db, project).await?;
    let known = projects::environments(db, &project).await?;
    for variable in projects::variables(db, &project).await? {
        let whose = variable.environment.and_then(|id| known.iter().find(|row| row.id == id));
        let whose = whose.map(|row| row.name.to_string());
        let readable = variable.value.readable();
        let value = json!({"name": variable.name, "environment": whose,
            "secret": readable.is_none(), "value": readable});
        let whose = whose.unwrap_or_else(|| "everywhere".to_owned());
        table.push([variable.name, whose, variable.value.shown()], value);
    }
    Ok(())
}
