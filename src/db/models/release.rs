//! What jobs put live.

use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::db::models::job::Held;
use crate::db::schema::releases;
use crate::domain::ids::{EnvironmentId, Fence, JobId, ReleaseId, ReleaseNumber};
use crate::domain::oid::Oid;
use crate::domain::release::ReleaseState;

/// A release, with everything that is needed to apply it again.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// "v18".
    pub number: ReleaseNumber,
    /// Where it stands.
    pub state: ReleaseState,
    /// The job that made it.
    pub job_id: JobId,
    /// What its objects on the targets carry.
    pub fence: Fence,
    /// What was deployed.
    pub commit_oid: Oid,
    /// The compiled model.
    pub model: Value,
    /// Each image by digest or id.
    pub images: Value,
    /// The variables it was compiled with.
    pub variables: Value,
    /// What was put on each target.
    pub objects: Value,
    /// What became of each target when it was taken back.
    pub undone: Option<Value>,
    /// The release of which it is one more.
    pub source: Option<ReleaseNumber>,
}

/// The content of a release about to be numbered.
#[derive(Debug, Clone, AsChangeset, Insertable)]
#[diesel(table_name = releases)]
pub struct NewRelease {
    /// What its objects on the targets carry.
    pub fence: Fence,
    /// What is deployed.
    pub commit_oid: Oid,
    /// The compiled model.
    pub model: Value,
    /// Each image by digest or id.
    pub images: Value,
    /// The variables it was compiled with.
    pub variables: Value,
    /// What is put on each target.
    pub objects: Value,
    /// What its containers use of each resource.
    pub uses: Value,
    /// The release of which it is one more.
    pub source: Option<ReleaseNumber>,
}

impl NewRelease {
    /// Stores the release of a job as pending; a later try of the job keeps the number.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn store(
        &self,
        connection: &mut AsyncPgConnection,
        environment: EnvironmentId,
        held: &Held,
    ) -> QueryResult<Release> {
        let again = diesel::update(releases::table.filter(releases::job_id.eq(held.job())))
            .set((releases::state.eq(ReleaseState::Pending), self))
            .returning(Release::as_returning())
            .get_result(connection)
            .await
            .optional()?;
        if let Some(release) = again {
            return Ok(release);
        }
        let last: Option<ReleaseNumber> = releases::table
            .filter(releases::environment_id.eq(environment))
            .order(releases::number.desc())
            .select(releases::number)
            .first(connection)
            .await
            .optional()?;
        diesel::insert_into(releases::table)
            .values((
                releases::id.eq(ReleaseId::from(Uuid::now_v7())),
                releases::environment_id.eq(environment),
                releases::number.eq(ReleaseNumber(last.map_or(1, |last| last.0.saturating_add(1)))),
                releases::state.eq(ReleaseState::Pending),
                releases::job_id.eq(held.job()),
                self,
            ))
            .returning(Release::as_returning())
            .get_result(connection)
            .await
    }
}

impl Release {
    /// The release with this id.
    ///
    /// # Errors
    ///
    /// When there is none, or the database does not answer.
    pub async fn find(connection: &mut AsyncPgConnection, id: ReleaseId) -> QueryResult<Self> {
        releases::table.find(id).select(Self::as_select()).first(connection).await
    }

    /// The release that people call by this number.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn by_number(
        connection: &mut AsyncPgConnection,
        environment: EnvironmentId,
        number: ReleaseNumber,
    ) -> QueryResult<Option<Self>> {
        releases::table
            .filter(releases::environment_id.eq(environment))
            .filter(releases::number.eq(number))
            .select(Self::as_select())
            .first(connection)
            .await
            .optional()
    }

    /// The newest release of an environment, whatever became of it.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn newest(
        connection: &mut AsyncPgConnection,
        environment: EnvironmentId,
    ) -> QueryResult<Option<ReleaseId>> {
        releases::table
            .filter(releases::environment_id.eq(environment))
            .order(releases::number.desc())
            .select(releases::id)
            .first(connection)
            .await
            .optional()
    }

    /// The newest release before a number that has served.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn served_before(
        connection: &mut AsyncPgConnection,
        environment: EnvironmentId,
        number: ReleaseNumber,
    ) -> QueryResult<Option<Self>> {
        releases::table
            .filter(releases::environment_id.eq(environment))
            .filter(releases::number.lt(number))
            .filter(releases::state.eq(ReleaseState::Replaced))
            .order(releases::number.desc())
            .select(Self::as_select())
            .first(connection)
            .await
            .optional()
    }

    /// The release that serves in an environment.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn live(
        connection: &mut AsyncPgConnection,
        environment: EnvironmentId,
    ) -> QueryResult<Option<Self>> {
        releases::table
            .filter(releases::environment_id.eq(environment))
            .filter(releases::state.eq(ReleaseState::Live))
            .select(Self::as_select())
            .first(connection)
            .await
            .optional()
    }

    /// Releases of an environment that were made after one, or all, the newest first.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn after(
        connection: &mut AsyncPgConnection,
        environment: EnvironmentId,
        number: Option<ReleaseNumber>,
    ) -> QueryResult<Vec<Self>> {
        releases::table
            .filter(releases::environment_id.eq(environment))
            .filter(releases::number.gt(number.unwrap_or(ReleaseNumber(0))))
            .order(releases::number.desc())
            .select(Self::as_select())
            .load(connection)
            .await
    }

    /// The release a job made.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn of_job(
        connection: &mut AsyncPgConnection,
        job: JobId,
    ) -> QueryResult<Option<Self>> {
        releases::table
            .filter(releases::job_id.eq(job))
            .select(Self::as_select())
            .first(connection)
            .await
            .optional()
    }

    /// Says what was put on each target.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_objects(
        connection: &mut AsyncPgConnection,
        id: ReleaseId,
        objects: &Value,
        held: &Held,
    ) -> QueryResult<()> {
        diesel::update(releases::table.find(id).filter(releases::job_id.eq(held.job())))
            .set(releases::objects.eq(objects))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Says what became of each target when the release of a held job was taken back.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_undone(
        connection: &mut AsyncPgConnection,
        undone: &Value,
        held: &Held,
    ) -> QueryResult<()> {
        diesel::update(releases::table.filter(releases::job_id.eq(held.job())))
            .set(releases::undone.eq(undone))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// What became of targets when releases of these jobs were taken back.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn undone_of_jobs(
        connection: &mut AsyncPgConnection,
        jobs: &[JobId],
    ) -> QueryResult<Vec<(JobId, Value)>> {
        releases::table
            .filter(releases::job_id.eq_any(jobs))
            .filter(releases::undone.is_not_null())
            .select((releases::job_id, releases::undone.assume_not_null()))
            .load(connection)
            .await
    }

    /// Makes the release of a held job the one that serves.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_live(
        &self,
        connection: &mut AsyncPgConnection,
        _held: &Held,
    ) -> QueryResult<()> {
        diesel::update(releases::table)
            .filter(releases::environment_id.eq(self.environment_id))
            .filter(releases::state.eq(ReleaseState::Live))
            .filter(releases::id.ne(self.id))
            .set(releases::state.eq(ReleaseState::Replaced))
            .execute(connection)
            .await?;
        diesel::update(releases::table.find(self.id))
            .set((releases::state.eq(ReleaseState::Live), releases::live_at.eq(now)))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Marks what a job that did not become live would have released.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_failed_of_job(
        connection: &mut AsyncPgConnection,
        job: JobId,
    ) -> QueryResult<()> {
        diesel::update(releases::table)
            .filter(releases::job_id.eq(job))
            .filter(releases::state.eq(ReleaseState::Pending))
            .set(releases::state.eq(ReleaseState::Failed))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// The images of the releases one may still want back: the live one and the latest `most`
    /// that were live before it.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn images_worth_keeping(
        connection: &mut AsyncPgConnection,
        environment: EnvironmentId,
        most: i64,
    ) -> QueryResult<Vec<Value>> {
        releases::table
            .filter(releases::environment_id.eq(environment))
            .filter(releases::state.eq_any([ReleaseState::Live, ReleaseState::Replaced]))
            .order(releases::number.desc())
            .limit(most.saturating_add(1))
            .select(releases::images)
            .load(connection)
            .await
    }
}
