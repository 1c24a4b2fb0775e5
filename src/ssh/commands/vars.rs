//! `vars`.

use std::collections::BTreeSet;

use serde_json::json;

use crate::db::models::project::Project;
use crate::db::models::variable::Variable;
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::EnvironmentId;
use crate::domain::slug::ProjectName;
use crate::projects::{
    Secrecy, environments, find_environment, set_variable, unset_variable, variables,
};
use crate::ssh::command::Change;
use crate::ssh::commands::{Call, Failure, Format, Status};
use crate::ssh::output::Input;

/// Lists the variables of a project, or those that one environment gets.
pub(super) async fn list(
    call: &Call<'_>,
    name: &ProjectName,
    environment: Option<EnvironmentName>,
) -> Result<Status, Failure> {
    let db = &call.door.db;
    let project = call.project(name).await?;
    let only = environment_id(call, &project, environment).await?;
    let known = environments(db, &project).await?;
    let mut listed = variables(db, &project).await?;
    if let Some(only) = only {
        let own: BTreeSet<String> = listed
            .iter()
            .filter(|variable| variable.environment == Some(only))
            .map(|variable| variable.name.clone())
            .collect();
        listed.retain(|variable| match variable.environment {
            Some(environment) => environment == only,
            None => !own.contains(&variable.name),
        });
    }
    if listed.is_empty() && call.json == Format::Text {
        let set = call.door.jobs.command(&format!("vars {name} set NAME"));
        call.output.line(&format!("no variables yet; {set} reads a value and keeps it")).await?;
    }
    for variable in &listed {
        let whose = variable.environment.and_then(|id| known.iter().find(|row| row.id == id));
        let whose = whose.map(|row| row.name.as_str());
        let text = match call.json {
            Format::Text => text(variable, whose),
            Format::Json => json(variable, whose),
        };
        call.output.line(&text).await?;
    }
    Ok(Status::OK)
}

fn text(variable: &Variable, whose: Option<&str>) -> String {
    let value = variable.value.shown();
    let Variable { name, .. } = variable;
    format!("{name:<24}  {:<12}  {value}", whose.unwrap_or("everywhere"))
}

fn json(variable: &Variable, whose: Option<&str>) -> String {
    let value = variable.value.readable();
    json!({
        "name": variable.name,
        "environment": whose,
        "secret": value.is_none(),
        "value": value,
    })
    .to_string()
}

/// Sets or removes a variable.
pub(super) async fn change(
    call: &Call<'_>,
    (name, environment): (&ProjectName, Option<EnvironmentName>),
    change: Change,
    input: Input,
) -> Result<Status, Failure> {
    let project = call.project(name).await?;
    project.check_active()?;
    let whose = environment.as_ref().map(ToString::to_string);
    let owner = (project.id, environment_id(call, &project, environment).await?);
    let (variable, done, secrecy) = match change {
        Change::Set { name, secret } => {
            let asked = if secret { Secrecy::Secret } else { Secrecy::Plain };
            let new = (name.clone(), input.text().await?);
            let secrecy =
                set_variable(&call.acting(), &call.door.public_key, owner, new, asked).await?;
            (name, "set", Some(secrecy))
        }
        Change::Unset { name } => {
            unset_variable(&call.acting(), owner, name.clone()).await?;
            (name, "unset", None)
        }
    };
    let of = whose.as_ref().map_or_else(String::new, |whose| format!(" {whose}"));
    let kind = if secrecy == Some(Secrecy::Secret) { " as a secret" } else { "" };
    let text = format!(
        "{variable} of {}{of} is {done}{kind}, from the next deployment on",
        project.name()
    );
    let text = match call.json {
        Format::Text => text,
        Format::Json => json!({
            "name": variable,
            "environment": whose,
            "answer": done,
            "secret": secrecy.map(|secrecy| secrecy == Secrecy::Secret),
            "text": text,
        })
        .to_string(),
    };
    call.output.line(&text).await?;
    Ok(Status::OK)
}

async fn environment_id(
    call: &Call<'_>,
    project: &Project,
    name: Option<EnvironmentName>,
) -> Result<Option<EnvironmentId>, Failure> {
    Ok(match name {
        Some(name) => Some(find_environment(&call.door.db, project, name).await?.id),
        None => None,
    })
}
