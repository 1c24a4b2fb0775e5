//! The rules of the HTTP entrance.

use std::net::SocketAddr;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::db::schema::{environments, projects, route_state, routes};
use crate::domain::ids::{AccountId, EnvironmentId, ReleaseId, RouteVersion};
use crate::domain::route::{Host, Route};

type Row = (Host, String, Value);

fn decode((host, path, upstreams): Row) -> QueryResult<Route> {
    let upstreams: Vec<SocketAddr> = serde_json::from_value(upstreams)
        .map_err(|error| diesel::result::Error::DeserializationError(Box::new(error)))?;
    Ok(Route { host, path, upstreams })
}

fn encode(upstreams: &[SocketAddr]) -> QueryResult<Value> {
    serde_json::to_value(upstreams)
        .map_err(|error| diesel::result::Error::SerializationError(Box::new(error)))
}

/// The whole table and its version, read together.
///
/// # Errors
///
/// When the database does not answer.
pub async fn all(connection: &mut AsyncPgConnection) -> QueryResult<(RouteVersion, Vec<Route>)> {
    // The version first: routes that are newer than it do no harm, older ones would.
    let version = route_state::table.select(route_state::version).first(connection).await?;
    let rows: Vec<Row> = routes::table
        .select((routes::host, routes::path, routes::upstreams))
        .load(connection)
        .await?;
    Ok((version, rows.into_iter().map(decode).collect::<QueryResult<_>>()?))
}

/// The routes of one environment, by host and path.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_environment(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
) -> QueryResult<Vec<Route>> {
    let rows: Vec<Row> = routes::table
        .filter(routes::environment_id.eq(environment))
        .order((routes::host, routes::path))
        .select((routes::host, routes::path, routes::upstreams))
        .load(connection)
        .await?;
    rows.into_iter().map(decode).collect()
}

/// Waits for everybody else who changes routes; lasts as long as the transaction.
///
/// # Errors
///
/// When the database does not answer.
pub async fn lock(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    let version: QueryResult<RouteVersion> =
        route_state::table.select(route_state::version).for_update().first(connection).await;
    version.map(drop)
}

/// The first of these hosts and paths that an environment may not have: another one has it, or
/// the host has routes of another account, whose visitors a longer path would take away.
///
/// # Errors
///
/// When the database does not answer.
pub async fn taken(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
    wanted: &[(Host, String)],
) -> QueryResult<Option<(Host, String)>> {
    let account: AccountId = environments::table
        .inner_join(projects::table)
        .filter(environments::id.eq(environment))
        .select(projects::account_id)
        .first(connection)
        .await?;
    for (host, path) in wanted {
        let holder: Option<EnvironmentId> = routes::table
            .inner_join(environments::table.inner_join(projects::table))
            .filter(routes::host.eq(host))
            .filter(routes::environment_id.ne(environment))
            .filter(routes::path.eq(path).or(projects::account_id.ne(account)))
            .select(routes::environment_id)
            .first(connection)
            .await
            .optional()?;
        if holder.is_some() {
            return Ok(Some((host.clone(), path.clone())));
        }
    }
    Ok(None)
}

/// Replaces the routes of an environment and raises the table's version.
///
/// # Errors
///
/// A unique violation when another environment holds one of them: ask [`taken`] under [`lock`].
pub async fn replace(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
    release: Option<ReleaseId>,
    wanted: &[Route],
) -> QueryResult<RouteVersion> {
    diesel::delete(routes::table.filter(routes::environment_id.eq(environment)))
        .execute(connection)
        .await?;
    if let Some(release) = release {
        for route in wanted {
            diesel::insert_into(routes::table)
                .values((
                    routes::host.eq(&route.host),
                    routes::path.eq(&route.path),
                    routes::environment_id.eq(environment),
                    routes::release_id.eq(release),
                    routes::upstreams.eq(encode(&route.upstreams)?),
                ))
                .execute(connection)
                .await?;
        }
    }
    let version = diesel::update(route_state::table)
        .set(route_state::version.eq(route_state::version + 1))
        .returning(route_state::version)
        .get_result(connection)
        .await?;
    diesel::sql_query("SELECT pg_notify('routes', '')").execute(connection).await?;
    Ok(version)
}

/// Raises the table's version after routes went with a project.
///
/// # Errors
///
/// When the database does not answer.
pub async fn changed(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    diesel::update(route_state::table)
        .set(route_state::version.eq(route_state::version + 1))
        .execute(connection)
        .await?;
    diesel::sql_query("SELECT pg_notify('routes', '')").execute(connection).await.map(|_| ())
}
