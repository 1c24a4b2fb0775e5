//! Targets of deployments.

use chrono::{DateTime, Utc};
use diesel::dsl::{Eq, now};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{accounts, clusters, environments, projects};
use crate::domain::cluster::{Adoption, Cluster, ClusterKind, KubernetesOptions, NamespaceManage};
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::{ClusterId, EnvironmentId, ProjectId};
use crate::domain::sealed::Sealed;
use crate::domain::slug::{AccountSlug, ProjectName, ProjectSlug};

/// The targets of an environment, by name.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_environment(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
) -> QueryResult<Vec<Cluster>> {
    let rows: Vec<Row> = clusters::table
        .filter(clusters::environment_id.eq(environment))
        .order(clusters::name)
        .select(Row::as_select())
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(Row::cluster).collect())
}

/// A target of a project, by its name.
///
/// # Errors
///
/// When the database does not answer.
pub async fn by_name(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
    name: &str,
) -> QueryResult<Option<Cluster>> {
    let row = clusters::table
        .filter(clusters::project_id.eq(project))
        .filter(clusters::name.eq(name))
        .select(Row::as_select())
        .first(connection)
        .await
        .optional()?;
    Ok(row.map(Row::cluster))
}

/// When a target was changed last.
///
/// # Errors
///
/// When there is none, or the database does not answer.
pub async fn version(
    connection: &mut AsyncPgConnection,
    id: ClusterId,
) -> QueryResult<DateTime<Utc>> {
    clusters::table.find(id).select(clusters::updated_at).for_update().first(connection).await
}

/// The environment that a target serves.
///
/// # Errors
///
/// When the database does not answer.
pub async fn environment(
    connection: &mut AsyncPgConnection,
    id: ClusterId,
) -> QueryResult<EnvironmentId> {
    clusters::table.find(id).select(clusters::environment_id).first(connection).await
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = clusters)]
struct Row {
    id: ClusterId,
    name: String,
    kind: ClusterKind,
    address: String,
    namespace: String,
    tls_verify: bool,
    namespace_manage: NamespaceManage,
    hierarchical_namespaces: bool,
    adoption: Adoption,
    credentials: Option<Sealed>,
}

impl Row {
    fn cluster(self) -> Cluster {
        let Self { id, name, kind, address, namespace, credentials, .. } = self;
        let kubernetes = KubernetesOptions {
            tls_verify: self.tls_verify,
            namespace_manage: self.namespace_manage,
            hierarchical_namespaces: self.hierarchical_namespaces,
            adoption: self.adoption,
        };
        Cluster { id, name, kind, address, namespace, kubernetes, credentials }
    }
}

/// Adds a target, or finds it added; `None` when the project has another one of this name.
///
/// # Errors
///
/// When the database refuses or does not answer.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    (project, environment): (ProjectId, EnvironmentId),
    cluster: &Cluster,
) -> QueryResult<Option<ClusterId>> {
    use diesel::query_dsl::methods::FilterDsl;

    diesel::insert_into(clusters::table)
        .values((
            clusters::id.eq(cluster.id),
            clusters::project_id.eq(project),
            clusters::environment_id.eq(environment),
            clusters::name.eq(&cluster.name),
            clusters::kind.eq(cluster.kind),
            access(cluster),
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

/// Changes where a target is, who signs in there and how it is used.
///
/// # Errors
///
/// When the database refuses or does not answer.
pub async fn update(connection: &mut AsyncPgConnection, cluster: &Cluster) -> QueryResult<()> {
    diesel::update(clusters::table.find(cluster.id))
        .set((access(cluster), clusters::updated_at.eq(now)))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Notes that what others had made in these targets was taken over.
///
/// # Errors
///
/// When the database does not answer.
pub async fn set_adopted(connection: &mut AsyncPgConnection, ids: &[ClusterId]) -> QueryResult<()> {
    diesel::update(clusters::table.filter(clusters::id.eq_any(ids)))
        .set(clusters::adoption.eq(Adoption::Refuse))
        .execute(connection)
        .await
        .map(|_| ())
}

type Access<'a> = (
    Eq<clusters::address, &'a str>,
    Eq<clusters::namespace, &'a str>,
    Eq<clusters::credentials, Option<&'a Sealed>>,
    Eq<clusters::tls_verify, bool>,
    Eq<clusters::namespace_manage, NamespaceManage>,
    Eq<clusters::hierarchical_namespaces, bool>,
    Eq<clusters::adoption, Adoption>,
);

fn access(cluster: &Cluster) -> Access<'_> {
    let options = cluster.kubernetes;
    (
        clusters::address.eq(cluster.address.as_str()),
        clusters::namespace.eq(cluster.namespace.as_str()),
        clusters::credentials.eq(cluster.credentials.as_ref()),
        clusters::tls_verify.eq(options.tls_verify),
        clusters::namespace_manage.eq(options.namespace_manage),
        clusters::hierarchical_namespaces.eq(options.hierarchical_namespaces),
        clusters::adoption.eq(options.adoption),
    )
}

/// The targets of a project, by name, each with the environment it serves and when it was changed
/// last.
///
/// # Errors
///
/// When the database does not answer.
pub async fn with_versions(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
) -> QueryResult<Vec<(Cluster, EnvironmentName, DateTime<Utc>)>> {
    let rows: Vec<(Row, EnvironmentName, DateTime<Utc>)> = clusters::table
        .inner_join(environments::table)
        .filter(clusters::project_id.eq(project))
        .order(clusters::name)
        .select((Row::as_select(), environments::name, clusters::updated_at))
        .load(connection)
        .await?;
    let target = |(row, environment, changed): (Row, _, _)| (row.cluster(), environment, changed);
    Ok(rows.into_iter().map(target).collect())
}

/// The targets of a project, by name, each with the environment it serves.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_project(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
) -> QueryResult<Vec<(Cluster, EnvironmentName)>> {
    let rows = with_versions(connection, project).await?;
    Ok(rows.into_iter().map(|(cluster, environment, _)| (cluster, environment)).collect())
}

/// The targets of all projects that are not deleted, by account, project and name.
///
/// # Errors
///
/// When the database does not answer.
pub async fn all(
    connection: &mut AsyncPgConnection,
    most: i64,
) -> QueryResult<Vec<(ProjectName, EnvironmentName, Cluster)>> {
    let rows: Vec<(AccountSlug, ProjectSlug, EnvironmentName, Row)> = clusters::table
        .inner_join(environments::table.inner_join(projects::table.inner_join(accounts::table)))
        .filter(projects::deleted_at.is_null())
        .filter(accounts::deleted_at.is_null())
        .order((accounts::slug, projects::slug, clusters::name))
        .limit(most)
        .select((accounts::slug, projects::slug, environments::name, Row::as_select()))
        .load(connection)
        .await?;
    let named = |(account, project, environment, row): (_, _, _, Row)| {
        (ProjectName { account: Some(account), project }, environment, row.cluster())
    };
    Ok(rows.into_iter().map(named).collect())
}

/// Takes a target away. What was deployed there stays.
///
/// # Errors
///
/// When the database does not answer.
pub async fn delete(connection: &mut AsyncPgConnection, id: ClusterId) -> QueryResult<()> {
    diesel::delete(clusters::table.find(id)).execute(connection).await.map(|_| ())
}
