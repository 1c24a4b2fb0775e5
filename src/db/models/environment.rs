//! Places a project is deployed to. Their rows order everything that deploys there.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db::schema::environments;
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::{EnvironmentId, Fence, ProjectId, ReleaseId};

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
pub struct Environment {
    /// Its id.
    pub id: EnvironmentId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Its name.
    pub name: EnvironmentName,
    fence: Fence,
    /// What serves.
    pub live_release: Option<ReleaseId>,
}

/// Proof that no other transaction creates, claims or ends jobs of an environment.
///
/// It lasts as long as the transaction in which it was taken.
#[derive(Debug)]
pub struct EnvironmentLock {
    environment: Environment,
}

impl EnvironmentLock {
    /// The locked row.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Makes a new owner's number, higher than that of every owner before.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn raise_fence(&mut self, connection: &mut AsyncPgConnection) -> QueryResult<Fence> {
        let fence = self.environment.fence.raised();
        diesel::update(environments::table.find(self.environment.id))
            .set(environments::fence.eq(fence))
            .execute(connection)
            .await?;
        self.environment.fence = fence;
        Ok(fence)
    }

    /// Says which release serves.
    ///
    /// # Errors
    ///
    /// When the release is of another environment, or the database does not answer.
    pub async fn set_live(
        &mut self,
        connection: &mut AsyncPgConnection,
        release: ReleaseId,
    ) -> QueryResult<()> {
        diesel::update(environments::table.find(self.environment.id))
            .set(environments::live_release.eq(release))
            .execute(connection)
            .await?;
        self.environment.live_release = Some(release);
        Ok(())
    }
}

impl Environment {
    /// The environment with this id.
    ///
    /// # Errors
    ///
    /// When there is none, or the database does not answer.
    pub async fn find(connection: &mut AsyncPgConnection, id: EnvironmentId) -> QueryResult<Self> {
        environments::table.find(id).select(Self::as_select()).first(connection).await
    }

    /// Waits for the environment's row.
    ///
    /// # Errors
    ///
    /// When there is none, or the database does not answer.
    pub async fn lock(
        connection: &mut AsyncPgConnection,
        id: EnvironmentId,
    ) -> QueryResult<EnvironmentLock> {
        let environment = environments::table
            .find(id)
            .select(Self::as_select())
            .for_no_key_update()
            .first(connection)
            .await?;
        Ok(EnvironmentLock { environment })
    }

    /// Takes the environment's row if nobody holds it.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn try_lock(
        connection: &mut AsyncPgConnection,
        id: EnvironmentId,
    ) -> QueryResult<Option<EnvironmentLock>> {
        let environment: Option<Self> = environments::table
            .find(id)
            .select(Self::as_select())
            .for_no_key_update()
            .skip_locked()
            .first(connection)
            .await
            .optional()?;
        Ok(environment.map(|environment| EnvironmentLock { environment }))
    }

    /// Every environment.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn all(connection: &mut AsyncPgConnection) -> QueryResult<Vec<Self>> {
        environments::table.order(environments::id).select(Self::as_select()).load(connection).await
    }

    /// The environments of a project, by name.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn of_project(
        connection: &mut AsyncPgConnection,
        project: ProjectId,
    ) -> QueryResult<Vec<Self>> {
        environments::table
            .filter(environments::project_id.eq(project))
            .order(environments::name)
            .select(Self::as_select())
            .load(connection)
            .await
    }

    /// The environments of several projects, by name.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn of_projects(
        connection: &mut AsyncPgConnection,
        projects: &[ProjectId],
    ) -> QueryResult<Vec<Self>> {
        environments::table
            .filter(environments::project_id.eq_any(projects))
            .order((environments::project_id, environments::name))
            .select(Self::as_select())
            .load(connection)
            .await
    }

    /// The environment of this name, made if it is not there.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn ensure(
        connection: &mut AsyncPgConnection,
        project: ProjectId,
        name: &EnvironmentName,
    ) -> QueryResult<Self> {
        diesel::insert_into(environments::table)
            .values((
                environments::id.eq(EnvironmentId::from(Uuid::now_v7())),
                environments::project_id.eq(project),
                environments::name.eq(name),
            ))
            .on_conflict((environments::project_id, environments::name))
            .do_nothing()
            .execute(connection)
            .await?;
        environments::table
            .filter(environments::project_id.eq(project))
            .filter(environments::name.eq(name))
            .select(Self::as_select())
            .first(connection)
            .await
    }
}
