//! Variables that projects and their environments keep.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db::schema::{projects, variables};
use crate::domain::ids::{EnvironmentId, ProjectId};
use crate::domain::sealed::Sealed;
use crate::domain::stored_variables::{Origin, SecretValue, StoredValue, StoredVariables};

/// Whose a variable is: a project's, or one of its environments'.
pub type Owner = (ProjectId, Option<EnvironmentId>);

/// A variable as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The environment that has it; `None` for all of the project.
    pub environment: Option<EnvironmentId>,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: StoredValue,
    /// When it was set last.
    pub updated_at: DateTime<Utc>,
}

type Row = (Option<EnvironmentId>, String, Option<String>, Option<Sealed>, DateTime<Utc>);

/// Waits until nobody else changes variables of a project, and lets nobody until this transaction ends.
///
/// # Errors
///
/// When there is no such project, or the database does not answer.
pub async fn lock(connection: &mut AsyncPgConnection, project: ProjectId) -> QueryResult<()> {
    projects::table
        .find(project)
        .select(projects::id)
        .for_no_key_update()
        .first::<ProjectId>(connection)
        .await
        .map(|_| ())
}

/// The variables of a project and of its environments, by name; those of the project first.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_project(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
) -> QueryResult<Vec<Variable>> {
    let rows: Vec<Row> = variables::table
        .filter(variables::project_id.eq(project))
        .order((variables::name, variables::environment_id.asc().nulls_first()))
        .select((
            variables::environment_id,
            variables::name,
            variables::plain,
            variables::sealed,
            variables::updated_at,
        ))
        .load(connection)
        .await?;
    Ok(rows.into_iter().filter_map(variable).collect())
}

/// A row has a plain value or a sealed one; the table sees to that.
fn variable((environment, name, plain, sealed, updated_at): Row) -> Option<Variable> {
    let origin = if environment.is_some() { Origin::Environment } else { Origin::Project };
    let secret = |sealed| StoredValue::Secret(Box::new(SecretValue { origin, sealed }));
    let value = plain.map(StoredValue::Plain).or_else(|| sealed.map(secret))?;
    Some(Variable { environment, name, value, updated_at })
}

/// What a deployment to an environment gets; what the environment has wins.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_environment(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
    environment: EnvironmentId,
) -> QueryResult<StoredVariables> {
    let mut all = StoredVariables::default();
    for variable in of_project(connection, project).await? {
        // Those of the project come first.
        if variable.environment.is_none_or(|own| own == environment) {
            all.set(variable.name, variable.value);
        }
    }
    Ok(all)
}

/// Adds a variable, or replaces the one of this name.
///
/// # Errors
///
/// When the database refuses or does not answer.
pub async fn set(
    connection: &mut AsyncPgConnection,
    (project, environment): Owner,
    name: &str,
    value: &StoredValue,
) -> QueryResult<()> {
    let (plain, sealed) = match value {
        StoredValue::Plain(text) => (Some(text), None),
        StoredValue::Secret(secret) => (None, Some(&secret.sealed)),
    };
    let values = (variables::plain.eq(plain), variables::sealed.eq(sealed));
    diesel::insert_into(variables::table)
        .values((
            variables::id.eq(Uuid::now_v7()),
            variables::project_id.eq(project),
            variables::environment_id.eq(environment),
            variables::name.eq(name),
            values,
        ))
        .on_conflict((variables::project_id, variables::environment_id, variables::name))
        .do_update()
        .set((values, variables::updated_at.eq(now)))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Removes a variable; whether it was there.
///
/// # Errors
///
/// When the database does not answer.
pub async fn unset(
    connection: &mut AsyncPgConnection,
    (project, environment): Owner,
    name: &str,
) -> QueryResult<bool> {
    diesel::delete(variables::table)
        .filter(variables::project_id.eq(project))
        .filter(variables::environment_id.is_not_distinct_from(environment))
        .filter(variables::name.eq(name))
        .execute(connection)
        .await
        .map(|rows| rows > 0)
}
