//! Jobs. Only `jobs` changes their state.

mod changes;
mod new;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{environments, jobs};
use crate::domain::git_ref::RefName;
use crate::domain::ids::{
    EnvironmentId, Fence, JobId, JobName, JobNumber, ProjectId, ReleaseNumber, Seq,
};
use crate::domain::job::{JobKind, JobState, RefResult};
use crate::domain::oid::Oid;
use crate::domain::ref_move::{RefMoves, RefUpdate};
use crate::domain::snapshot::Snapshot;
use crate::domain::stored_variables::StoredVariables;

pub use changes::Source;
pub use new::NewJob;

/// One deployment attempt.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What people call it by.
    pub number: JobNumber,
    /// What it is to do.
    pub kind: JobKind,
    /// Where it stands.
    #[diesel(select_expression = (jobs::state, jobs::outcome))]
    pub state: JobState,
    /// Where it deploys to.
    pub environment_id: EnvironmentId,
    /// Who asked for it, by name.
    pub pusher: String,
    /// The ref it deploys; a redeploy learns it when it is claimed.
    pub ref_name: Option<RefName>,
    /// What the pusher saw there.
    pub old_oid: Option<Oid>,
    /// What it deploys; a redeploy learns it when it is claimed.
    pub new_oid: Option<Oid>,
    /// First line of the commit's message.
    pub subject: String,
    /// Whether commits are dropped from the ref.
    pub forced: bool,
    /// Launch variables.
    pub variables: StoredVariables,
    /// Settings at the time it was created.
    pub snapshot: Snapshot,
    /// Who moves the ref.
    pub ref_moves: RefMoves,
    /// The tip that was read when it was claimed.
    pub expected_tip: Option<Oid>,
    /// What came of the ref.
    pub ref_result: Option<RefResult>,
    /// The number its current run must know.
    pub fence: Option<Fence>,
    /// When the first change to a target was about to be made.
    pub applying_since: Option<DateTime<Utc>>,
    /// When somebody asked for it to be cancelled.
    pub cancel_asked_at: Option<DateTime<Utc>>,
    /// Who did.
    pub cancel_asked_by: Option<String>,
    /// How many History rows it has.
    pub last_seq: Seq,
    /// Why it ended as it did.
    pub reason: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The release that a rollback applies again.
    pub source: Option<ReleaseNumber>,
}

/// Proof that this transaction holds a running job's row, and that the fence is still right.
#[derive(Debug)]
pub struct Held {
    job: JobId,
}

impl Held {
    /// The job whose row is held.
    pub const fn job(&self) -> JobId {
        self.job
    }
}

impl Job {
    /// The update of a ref it stands for; `None` for a redeploy that was not claimed yet.
    pub fn ref_update(&self) -> Option<RefUpdate> {
        Some(RefUpdate {
            kind: self.ref_name.as_ref()?.kind(),
            old: self.old_oid,
            new: self.new_oid?,
            forced: self.forced,
        })
    }

    /// The job with this id.
    ///
    /// # Errors
    ///
    /// When there is none, or the database does not answer.
    pub async fn find(connection: &mut AsyncPgConnection, id: JobId) -> QueryResult<Self> {
        jobs::table.find(id).select(Self::as_select()).first(connection).await
    }

    /// The job people call by this number, with the project it deploys.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn by_number(
        connection: &mut AsyncPgConnection,
        number: JobNumber,
    ) -> QueryResult<Option<(Self, ProjectId)>> {
        jobs::table
            .inner_join(environments::table)
            .filter(jobs::number.eq(number))
            .select((Self::as_select(), environments::project_id))
            .first(connection)
            .await
            .optional()
    }

    /// The job of a name, with the project it deploys.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn by_name(
        connection: &mut AsyncPgConnection,
        name: JobName,
    ) -> QueryResult<Option<(Self, ProjectId)>> {
        let id = match name {
            JobName::Number(number) => return Self::by_number(connection, number).await,
            JobName::Id(id) => id,
        };
        jobs::table
            .inner_join(environments::table)
            .filter(jobs::id.eq(id))
            .select((Self::as_select(), environments::project_id))
            .first(connection)
            .await
            .optional()
    }

    /// Waits for the job's row.
    ///
    /// # Errors
    ///
    /// When there is none, or the database does not answer.
    pub async fn lock(connection: &mut AsyncPgConnection, id: JobId) -> QueryResult<Self> {
        jobs::table.find(id).select(Self::as_select()).for_no_key_update().first(connection).await
    }

    /// Waits for the row of a job that a worker runs; `None` when the run is not the current one.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn hold(
        connection: &mut AsyncPgConnection,
        id: JobId,
        fence: Fence,
    ) -> QueryResult<Option<(Held, Self)>> {
        let job = Self::lock(connection, id).await?;
        let current = job.fence == Some(fence) && job.state == JobState::Running;
        Ok(current.then_some((Held { job: id }, job)))
    }

    /// The jobs of an environment that have not ended, newest first.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn open_of_environment(
        connection: &mut AsyncPgConnection,
        environment: EnvironmentId,
    ) -> QueryResult<Vec<Self>> {
        jobs::table
            .filter(jobs::environment_id.eq(environment))
            .filter(jobs::state.ne("ended"))
            .order(jobs::number.desc())
            .select(Self::as_select())
            .load(connection)
            .await
    }

    /// The oldest job of a project that has not ended.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn open_of_project(
        connection: &mut AsyncPgConnection,
        project: ProjectId,
    ) -> QueryResult<Option<JobNumber>> {
        jobs::table
            .inner_join(environments::table)
            .filter(environments::project_id.eq(project))
            .filter(jobs::state.ne("ended"))
            .order(jobs::number)
            .select(jobs::number)
            .first(connection)
            .await
            .optional()
    }

    /// The newest job of an environment that waits.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn newest_queued(
        connection: &mut AsyncPgConnection,
        environment: EnvironmentId,
    ) -> QueryResult<Option<JobId>> {
        jobs::table
            .filter(jobs::environment_id.eq(environment))
            .filter(jobs::state.eq(JobState::Queued.as_str()))
            .order(jobs::number.desc())
            .select(jobs::id)
            .first(connection)
            .await
            .optional()
    }

    /// Rollbacks that wait where nothing runs, the oldest first.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn waiting_rollbacks(connection: &mut AsyncPgConnection) -> QueryResult<Vec<JobId>> {
        use crate::db::schema::job_runs;

        let runs = job_runs::table
            .filter(job_runs::environment_id.eq(jobs::environment_id))
            .filter(job_runs::ended_at.is_null());
        jobs::table
            .filter(jobs::kind.eq(JobKind::Rollback))
            .filter(jobs::state.eq(JobState::Queued.as_str()))
            .filter(diesel::dsl::not(diesel::dsl::exists(runs)))
            .order(jobs::number)
            .select(jobs::id)
            .load(connection)
            .await
    }

    /// The jobs of a project that have not ended and deploy this ref, newest first.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn open_of_ref(
        connection: &mut AsyncPgConnection,
        project: ProjectId,
        name: &RefName,
    ) -> QueryResult<Vec<Self>> {
        jobs::table
            .inner_join(environments::table)
            .filter(environments::project_id.eq(project))
            .filter(jobs::ref_name.eq(name))
            .filter(jobs::state.ne("ended"))
            .order(jobs::number.desc())
            .select(Self::as_select())
            .load(connection)
            .await
    }

    /// The newest jobs of a project.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn newest_of_project(
        connection: &mut AsyncPgConnection,
        project: ProjectId,
        most: i64,
    ) -> QueryResult<Vec<Self>> {
        jobs::table
            .inner_join(environments::table)
            .filter(environments::project_id.eq(project))
            .order(jobs::number.desc())
            .limit(most)
            .select(Self::as_select())
            .load(connection)
            .await
    }

    /// The newest job of an environment that deployed a pushed ref.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn newest_deploy(
        connection: &mut AsyncPgConnection,
        environment: EnvironmentId,
    ) -> QueryResult<Option<Self>> {
        jobs::table
            .filter(jobs::environment_id.eq(environment))
            .filter(jobs::kind.eq(JobKind::Deploy))
            .order(jobs::number.desc())
            .select(Self::as_select())
            .first(connection)
            .await
            .optional()
    }

    /// How long the latest jobs of an environment took until they were live, in seconds.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn recent_durations(
        connection: &mut AsyncPgConnection,
        environment: EnvironmentId,
        most: i64,
    ) -> QueryResult<Vec<i64>> {
        use crate::db::schema::job_runs;

        let spans: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)> = job_runs::table
            .filter(job_runs::environment_id.eq(environment))
            .filter(job_runs::outcome.eq("live"))
            .order(job_runs::started_at.desc())
            .limit(most)
            .select((job_runs::started_at, job_runs::ended_at))
            .load(connection)
            .await?;
        let seconds = |(start, end): (DateTime<Utc>, Option<DateTime<Utc>>)| {
            Some((end? - start).num_seconds())
        };
        Ok(spans.into_iter().filter_map(seconds).collect())
    }
}
