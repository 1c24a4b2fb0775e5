//! Where the images of projects are pushed to.

use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::registries;
use crate::domain::ids::ProjectId;
use crate::domain::registry::{RegistryAddress, StoredLogin, StoredRegistry};
use crate::domain::sealed::Sealed;

type Row = (RegistryAddress, Option<bool>, Option<String>, Option<Sealed>);

/// The registry of a project.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_project(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
) -> QueryResult<Option<StoredRegistry>> {
    let row: Option<Row> = registries::table
        .find(project)
        .select((
            registries::address,
            registries::plain_http,
            registries::username,
            registries::password,
        ))
        .first(connection)
        .await
        .optional()?;
    Ok(row.map(|(address, plain_http, username, password)| {
        let login = username.zip(password);
        let login = login.map(|(username, password)| StoredLogin { username, password });
        StoredRegistry { address, plain_http, login }
    }))
}

/// Says which registry a project has.
///
/// # Errors
///
/// When the database refuses or does not answer.
pub async fn set(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
    registry: &StoredRegistry,
) -> QueryResult<()> {
    let login = registry.login.as_ref();
    let values = (
        registries::address.eq(&registry.address),
        registries::plain_http.eq(registry.plain_http),
        registries::username.eq(login.map(|login| login.username.as_str())),
        registries::password.eq(login.map(|login| &login.password)),
    );
    diesel::insert_into(registries::table)
        .values((registries::project_id.eq(project), values))
        .on_conflict(registries::project_id)
        .do_update()
        .set((values, registries::updated_at.eq(now)))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Takes the registry of a project away; whether it had one.
///
/// # Errors
///
/// When the database does not answer.
pub async fn unset(connection: &mut AsyncPgConnection, project: ProjectId) -> QueryResult<bool> {
    let rows = diesel::delete(registries::table.find(project)).execute(connection).await?;
    Ok(rows > 0)
}
