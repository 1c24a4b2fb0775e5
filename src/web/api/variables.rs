//! Variables. A secret goes in and never comes out.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::models::variable::Owner;
use crate::domain::environment::EnvironmentName;
use crate::domain::stored_variables::StoredValue;
use crate::projects::{self, Secrecy, environments, set_variable, unset_variable};
use crate::web::api::answer::{Answered, List, done, ok, whole};
use crate::web::api::call::Call;

/// A variable that deployments get.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Variable {
    name: String,
    /// The environment that has it; null for all of the project.
    environment: Option<EnvironmentName>,
    /// Whether only deployments read its value.
    secret: bool,
    /// Its value; null of a secret.
    value: Option<String>,
}

/// What a variable is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewValue {
    /// Its value, of at most 32 KiB.
    #[schema(value_type = String)]
    value: SecretString,
    /// Whether only deployments read it. What was secret stays so.
    #[serde(default)]
    secret: bool,
}

/// What became of a variable.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SetVariable {
    name: String,
    environment: Option<EnvironmentName>,
    /// Whether only deployments read its value, asked for now or before.
    secret: bool,
}

/// List the variables of a project and of its environments.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/variables", tag = "variables",
    operation_id = "list_variables", responses((status = 200, body = List<Variable>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    let (db, project) = (call.db(), call.project()?.clone());
    let read = call.run(async move {
        let names = environments(&db, &project).await?;
        Ok::<_, projects::ProjectError>((names, projects::variables(&db, &project).await?))
    });
    let (names, rows) = read.await?;
    let names: BTreeMap<_, _> = names.into_iter().map(|row| (row.id.uuid(), row.name)).collect();
    let view = |row: crate::db::models::variable::Variable| {
        let environment = row.environment.and_then(|id| names.get(&id.uuid()).cloned());
        let value = match row.value {
            StoredValue::Plain(text) => Some(text),
            StoredValue::Secret(_) => None,
        };
        Variable { name: row.name, environment, secret: value.is_none(), value }
    };
    Ok(whole(rows.into_iter().map(view).collect()))
}

/// Set a variable of all environments, from the next deployment on.
#[utoipa::path(
    put, path = "/projects/{account}/{project}/variables/{variable}", tag = "variables",
    operation_id = "set_variable", request_body = NewValue,
    responses((status = 200, body = SetVariable)),
)]
pub(super) async fn set(call: Call) -> Answered {
    set_of(call, None).await
}

/// Set a variable of one environment, from the next deployment on.
#[utoipa::path(
    put,
    path = "/projects/{account}/{project}/environments/{environment}/variables/{variable}",
    tag = "variables", operation_id = "set_variable_of_environment", request_body = NewValue,
    responses((status = 200, body = SetVariable)),
)]
pub(super) async fn set_of_environment(call: Call) -> Answered {
    let environment = call.environment().await?;
    set_of(call, Some((environment.id, environment.name))).await
}

/// Remove a variable of all environments.
#[utoipa::path(
    delete, path = "/projects/{account}/{project}/variables/{variable}", tag = "variables",
    operation_id = "unset_variable",
    responses((status = 204, description = "The next deployment does not get it")),
)]
pub(super) async fn unset(call: Call) -> Answered {
    let owner = (call.project()?.id, None);
    unset_of(call, owner).await
}

/// Remove a variable of one environment.
#[utoipa::path(
    delete,
    path = "/projects/{account}/{project}/environments/{environment}/variables/{variable}",
    tag = "variables", operation_id = "unset_variable_of_environment",
    responses((status = 204, description = "The next deployment does not get it")),
)]
pub(super) async fn unset_of_environment(call: Call) -> Answered {
    let owner = (call.project()?.id, Some(call.environment().await?.id));
    unset_of(call, owner).await
}

type Place = Option<(crate::domain::ids::EnvironmentId, EnvironmentName)>;

async fn set_of(mut call: Call, place: Place) -> Answered {
    let NewValue { value, secret } = call.body().await?;
    let project = call.project()?;
    project.check_active()?;
    let name: String = call.segment("variable")?;
    let (id, environment) = place.unzip();
    let owner: Owner = (project.id, id);
    let asked = if secret { Secrecy::Secret } else { Secrecy::Plain };
    let (by, public_key) = (call.acting(), call.site().public_key());
    let new = (name.clone(), value.expose_secret().to_owned());
    let set = async move { set_variable(&by, &public_key, owner, new, asked).await };
    let secret = call.run(set).await? == Secrecy::Secret;
    Ok(ok(&SetVariable { name, environment, secret }))
}

async fn unset_of(call: Call, owner: Owner) -> Answered {
    call.project()?.check_active()?;
    let (by, name) = (call.acting(), call.segment("variable")?);
    call.run(async move { unset_variable(&by, owner, name).await }).await?;
    Ok(done())
}
