//! Every row that holds sealed values: for which keys, and page by page, to be sealed anew.
//!
//! A row is replaced only as it was read: whoever has changed it meanwhile has sealed it with the
//! newest key, or it is found once more.
//!
//! It is long because whatever holds sealed values is read and replaced here, so that none is forgotten.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::db::schema::{
    clusters, environments, jobs, project_sources, registries, releases, variables,
};
use crate::domain::ids::{ClusterId, EnvironmentId, JobId, JobNumber, ProjectId, ReleaseId};
use crate::domain::registry::RegistryAddress;
use crate::domain::sealed::Sealed;
use crate::domain::snapshot::Snapshot;
use crate::domain::source::SourceUrl;
use crate::domain::stored_variables::StoredVariables;

/// Rows of a page.
const PAGE: i64 = 100;

/// Keys of everything that somebody still wants to open, with how many rows want it.
const KEY_USES: &str = "
    SELECT kid AS key,
        count(DISTINCT id) FILTER (WHERE what = 'variable') AS variables,
        count(DISTINCT id) FILTER (WHERE what = 'registry') AS registries,
        count(DISTINCT id) FILTER (WHERE what = 'cluster') AS clusters,
        count(DISTINCT id) FILTER (WHERE what = 'source') AS sources,
        count(DISTINCT id) FILTER (WHERE what = 'release') AS releases,
        count(DISTINCT id) FILTER (WHERE what = 'job') AS jobs
    FROM (
        SELECT 'variable', id, sealed ->> 'kid' FROM variables
        UNION ALL
        SELECT 'registry', project_id, password ->> 'kid' FROM registries
        UNION ALL
        SELECT 'cluster', id, credentials ->> 'kid' FROM clusters
        UNION ALL
        SELECT 'source', project_id, secret ->> 'kid' FROM project_sources
        UNION ALL
        SELECT 'release', id, part ->> 'kid'
        FROM releases, unnest(ARRAY[model, variables, objects]) AS part WHERE state = 'live'
        UNION ALL
        SELECT 'job', id, value #>> '{sealed,kid}'
        FROM jobs, jsonb_each(coalesce(snapshot -> 'variables', '{}') || variables)
        WHERE state <> 'ended'
        UNION ALL
        SELECT 'job', id, snapshot #>> '{registry,login,password,kid}'
        FROM jobs WHERE state <> 'ended'
        UNION ALL
        SELECT 'job', id, cluster #>> '{credentials,kid}'
        FROM jobs, jsonb_array_elements(snapshot -> 'clusters') AS cluster
        WHERE state <> 'ended'
    ) AS sealed (what, id, kid)
    WHERE kid IS NOT NULL GROUP BY kid ORDER BY kid";

/// How much is sealed for one key, of what somebody still wants to open.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct KeyUse {
    /// The key's id.
    #[diesel(sql_type = Text)]
    pub key: String,
    /// Secret variables.
    #[diesel(sql_type = BigInt)]
    pub variables: i64,
    /// Registries with a password.
    #[diesel(sql_type = BigInt)]
    pub registries: i64,
    /// Clusters at which somebody signs in.
    #[diesel(sql_type = BigInt)]
    pub clusters: i64,
    /// Sources at which somebody signs in.
    #[diesel(sql_type = BigInt)]
    pub sources: i64,
    /// Releases that serve.
    #[diesel(sql_type = BigInt)]
    pub releases: i64,
    /// Jobs that have not ended.
    #[diesel(sql_type = BigInt)]
    pub jobs: i64,
}

/// A secret variable.
#[derive(Debug, Clone, Queryable)]
pub struct SealedVariable {
    /// Its row.
    pub id: Uuid,
    /// Whose it is.
    pub project: ProjectId,
    /// The environment that has it; `None` for all.
    pub environment: Option<EnvironmentId>,
    /// Its name.
    pub name: String,
    /// Its value.
    pub sealed: Option<Sealed>,
}

/// A registry with somebody who signs in.
#[derive(Debug, Clone, Queryable)]
pub struct SealedPassword {
    /// Whose it is.
    pub project: ProjectId,
    /// Where it is.
    pub address: RegistryAddress,
    /// Who signs in.
    pub username: Option<String>,
    /// Their password.
    pub password: Option<Sealed>,
}

/// A cluster at which somebody signs in.
#[derive(Debug, Clone, Queryable)]
pub struct SealedCredentials {
    /// Its row.
    pub id: ClusterId,
    /// Whose it is.
    pub project: ProjectId,
    /// Where it is.
    pub address: String,
    /// Its name.
    pub name: String,
    /// Who signs in.
    pub credentials: Option<Sealed>,
}

/// A source at which somebody signs in.
#[derive(Debug, Clone, Queryable)]
pub struct SealedSource {
    /// Whose it is.
    pub project: ProjectId,
    /// Where it is.
    pub url: SourceUrl,
    /// Who signs in.
    pub username: String,
    /// By what.
    pub secret: Option<Sealed>,
}

/// A job, with what it remembers.
#[derive(Debug, Clone, Queryable)]
pub struct SealedJob {
    /// Its id.
    pub id: JobId,
    /// What people call it by.
    pub number: JobNumber,
    /// Where it deploys to.
    pub environment: EnvironmentId,
    /// The project of that.
    pub project: ProjectId,
    /// Settings at the time it was created.
    pub snapshot: Snapshot,
    /// Launch variables.
    pub variables: StoredVariables,
}

/// What of a release is sealed.
#[derive(Debug, Clone, Queryable)]
pub struct SealedRelease {
    /// Its id.
    pub id: ReleaseId,
    /// The environment it belongs to.
    pub environment: EnvironmentId,
    /// The job that made it.
    pub job: JobId,
    /// The compiled model.
    pub model: Value,
    /// The variables of its containers.
    pub variables: Value,
    /// What was put on each target.
    pub objects: Value,
}

/// Every key that something is sealed for, in order of their ids.
///
/// # Errors
///
/// When the database does not answer.
pub async fn key_uses(connection: &mut AsyncPgConnection) -> QueryResult<Vec<KeyUse>> {
    sql_query(KEY_USES).load(connection).await
}

/// The secret variables behind a row, in order.
///
/// # Errors
///
/// When the database does not answer.
pub async fn variables(
    connection: &mut AsyncPgConnection,
    behind: Uuid,
) -> QueryResult<Vec<SealedVariable>> {
    variables::table
        .filter(variables::id.gt(behind))
        .filter(variables::sealed.is_not_null())
        .order(variables::id)
        .limit(PAGE)
        .select((
            variables::id,
            variables::project_id,
            variables::environment_id,
            variables::name,
            variables::sealed,
        ))
        .load(connection)
        .await
}

/// Every registry with a password.
///
/// # Errors
///
/// When the database does not answer.
pub async fn passwords(connection: &mut AsyncPgConnection) -> QueryResult<Vec<SealedPassword>> {
    registries::table
        .filter(registries::password.is_not_null())
        .order(registries::project_id)
        .select((
            registries::project_id,
            registries::address,
            registries::username,
            registries::password,
        ))
        .load(connection)
        .await
}

/// Every cluster at which somebody signs in.
///
/// # Errors
///
/// When the database does not answer.
pub async fn credentials(
    connection: &mut AsyncPgConnection,
) -> QueryResult<Vec<SealedCredentials>> {
    clusters::table
        .filter(clusters::credentials.is_not_null())
        .order(clusters::id)
        .select((
            clusters::id,
            clusters::project_id,
            clusters::address,
            clusters::name,
            clusters::credentials,
        ))
        .load(connection)
        .await
}

/// Every source at which somebody signs in.
///
/// # Errors
///
/// When the database does not answer.
pub async fn sources(connection: &mut AsyncPgConnection) -> QueryResult<Vec<SealedSource>> {
    project_sources::table
        .filter(project_sources::secret.is_not_null())
        .order(project_sources::project_id)
        .select((
            project_sources::project_id,
            project_sources::url,
            project_sources::username,
            project_sources::secret,
        ))
        .load(connection)
        .await
}

/// The jobs behind a number, in order.
///
/// # Errors
///
/// When the database does not answer.
pub async fn jobs(
    connection: &mut AsyncPgConnection,
    behind: JobNumber,
) -> QueryResult<Vec<SealedJob>> {
    jobs::table
        .inner_join(environments::table)
        .filter(jobs::number.gt(behind))
        .order(jobs::number)
        .limit(PAGE)
        .select((
            jobs::id,
            jobs::number,
            jobs::environment_id,
            environments::project_id,
            jobs::snapshot,
            jobs::variables,
        ))
        .load(connection)
        .await
}

/// The releases behind one, in order.
///
/// # Errors
///
/// When the database does not answer.
pub async fn releases(
    connection: &mut AsyncPgConnection,
    behind: ReleaseId,
) -> QueryResult<Vec<SealedRelease>> {
    releases::table
        .filter(releases::id.gt(behind))
        .order(releases::id)
        .limit(PAGE)
        .select((
            releases::id,
            releases::environment_id,
            releases::job_id,
            releases::model,
            releases::variables,
            releases::objects,
        ))
        .load(connection)
        .await
}

impl SealedVariable {
    /// Replaces the value, if it is still the one that was read.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn replace(
        &self,
        connection: &mut AsyncPgConnection,
        sealed: &Sealed,
    ) -> QueryResult<()> {
        diesel::update(variables::table.find(self.id))
            .filter(variables::sealed.eq(&self.sealed))
            .set(variables::sealed.eq(sealed))
            .execute(connection)
            .await
            .map(|_| ())
    }
}

impl SealedPassword {
    /// Replaces the password, if it is still the one that was read.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn replace(
        &self,
        connection: &mut AsyncPgConnection,
        sealed: &Sealed,
    ) -> QueryResult<()> {
        diesel::update(registries::table.find(self.project))
            .filter(registries::password.eq(&self.password))
            .set(registries::password.eq(sealed))
            .execute(connection)
            .await
            .map(|_| ())
    }
}

impl SealedCredentials {
    /// Replaces who signs in, if it is still what was read.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn replace(
        &self,
        connection: &mut AsyncPgConnection,
        sealed: &Sealed,
    ) -> QueryResult<()> {
        diesel::update(clusters::table.find(self.id))
            .filter(clusters::credentials.eq(&self.credentials))
            .set(clusters::credentials.eq(sealed))
            .execute(connection)
            .await
            .map(|_| ())
    }
}

impl SealedSource {
    /// Replaces what signs in, if it is still what was read.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn replace(
        &self,
        connection: &mut AsyncPgConnection,
        sealed: &Sealed,
    ) -> QueryResult<()> {
        diesel::update(project_sources::table.find(self.project))
            .filter(project_sources::secret.eq(&self.secret))
            .set(project_sources::secret.eq(sealed))
            .execute(connection)
            .await
            .map(|_| ())
    }
}

impl SealedJob {
    /// Replaces what the job remembers, if it is still what was read.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn replace(
        &self,
        connection: &mut AsyncPgConnection,
        snapshot: &Snapshot,
        variables: &StoredVariables,
    ) -> QueryResult<()> {
        diesel::update(jobs::table.find(self.id))
            .filter(jobs::snapshot.eq(&self.snapshot))
            .filter(jobs::variables.eq(&self.variables))
            .set((jobs::snapshot.eq(snapshot), jobs::variables.eq(variables)))
            .execute(connection)
            .await
            .map(|_| ())
    }
}

impl SealedRelease {
    /// Replaces all that is sealed, if it is still what was read.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn replace(
        &self,
        connection: &mut AsyncPgConnection,
        [model, variables, objects]: &[Value; 3],
    ) -> QueryResult<()> {
        diesel::update(releases::table.find(self.id))
            .filter(releases::model.eq(&self.model))
            .filter(releases::variables.eq(&self.variables))
            .filter(releases::objects.eq(&self.objects))
            .set((
                releases::model.eq(model),
                releases::variables.eq(variables),
                releases::objects.eq(objects),
            ))
            .execute(connection)
            .await
            .map(|_| ())
    }
}
