//! Targets of deployments.

use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::clusters;
use crate::domain::ids::{ClusterId, EnvironmentId, ProjectId};
use crate::domain::snapshot::{Cluster, ClusterKind};

/// The targets of an environment, by name.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_environment(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
) -> QueryResult<Vec<Cluster>> {
    let rows: Vec<(ClusterId, String, ClusterKind, String, String)> = clusters::table
        .filter(clusters::environment_id.eq(environment))
        .order(clusters::name)
        .select((
            clusters::id,
            clusters::name,
            clusters::kind,
            clusters::address,
            clusters::namespace,
        ))
        .load(connection)
        .await?;
    let cluster =
        |(id, name, kind, address, namespace)| Cluster { id, name, kind, address, namespace };
    Ok(rows.into_iter().map(cluster).collect())
}

/// A target about to be added.
#[derive(Debug)]
pub struct NewCluster<'a> {
    /// Its id.
    pub id: ClusterId,
    /// The project it belongs to.
    pub project: ProjectId,
    /// The environment it serves.
    pub environment: EnvironmentId,
    /// Its name within the project.
    pub name: &'a str,
    /// What drives it.
    pub kind: ClusterKind,
    /// Where it answers.
    pub address: &'a str,
    /// First part of the names of what is deployed there.
    pub namespace: &'a str,
}

impl NewCluster<'_> {
    /// Adds the target, or finds it added; `None` when the project has another one of this name.
    ///
    /// # Errors
    ///
    /// When the database refuses or does not answer.
    pub async fn insert(
        &self,
        connection: &mut AsyncPgConnection,
    ) -> QueryResult<Option<ClusterId>> {
        use diesel::query_dsl::methods::FilterDsl;

        diesel::insert_into(clusters::table)
            .values((
                clusters::id.eq(self.id),
                clusters::project_id.eq(self.project),
                clusters::environment_id.eq(self.environment),
                clusters::name.eq(self.name),
                clusters::kind.eq(self.kind),
                clusters::address.eq(self.address),
                clusters::namespace.eq(self.namespace),
            ))
            .on_conflict((clusters::project_id, clusters::name))
            .do_update()
            .set(clusters::name.eq(excluded(clusters::name)))
            .filter(clusters::id.eq(excluded(clusters::id)))
            .returning(clusters::id)
            .get_result(connection)
            .await
            .optional()
    }
}
