//! The rules of the HTTP entrance.

use std::net::SocketAddr;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::db::schema::{route_state, routes};
use crate::domain::ids::{EnvironmentId, ReleaseId, RouteVersion};
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

/// The first of these hosts and paths that another environment holds.
///
/// # Errors
///
/// When the database does not answer.
pub async fn taken(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
    wanted: &[(Host, String)],
) -> QueryResult<Option<(Host, String)>> {
    for (host, path) in wanted {
        let holder: Option<EnvironmentId> = routes::table
            .find((host, path))
            .filter(routes::environment_id.ne(environment))
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
/// A unique violation when another environment holds one of them meanwhile.
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
    // Last, because every change of routes waits for this row.
    let version = diesel::update(route_state::table)
        .set(route_state::version.eq(route_state::version + 1))
        .returning(route_state::version)
        .get_result(connection)
        .await?;
    diesel::sql_query("SELECT pg_notify('routes', '')").execute(connection).await?;
    Ok(version)
}
