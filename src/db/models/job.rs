//! Jobs. Only `jobs` changes their state.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{environments, jobs};
use crate::domain::git_ref::RefName;
use crate::domain::ids::{EnvironmentId, Fence, JobId, JobNumber, ProjectId, PushId, Seq, UserId};
use crate::domain::job::{JobKind, JobState, Outcome, RefResult};
use crate::domain::oid::Oid;
use crate::domain::ref_move::{RefMoves, RefUpdate};
use crate::domain::snapshot::Snapshot;
use crate::domain::variables::Variables;

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
    pub variables: Variables,
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

    /// Marks a queued job as running, owned by whoever knows the fence.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_running(
        connection: &mut AsyncPgConnection,
        id: JobId,
        fence: Fence,
        expected_tip: Option<Oid>,
    ) -> QueryResult<()> {
        diesel::update(jobs::table.find(id))
            .set((
                jobs::state.eq(JobState::Running.as_str()),
                jobs::fence.eq(fence),
                jobs::expected_tip.eq(expected_tip),
            ))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Gives a job that is taken over to a new owner.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_fence(
        connection: &mut AsyncPgConnection,
        id: JobId,
        fence: Fence,
    ) -> QueryResult<()> {
        diesel::update(jobs::table.find(id))
            .set(jobs::fence.eq(fence))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Puts a job back into the queue.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_queued(connection: &mut AsyncPgConnection, id: JobId) -> QueryResult<()> {
        diesel::update(jobs::table.find(id))
            .set(jobs::state.eq(JobState::Queued.as_str()))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Says what a redeploy deploys.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_source(
        connection: &mut AsyncPgConnection,
        id: JobId,
        source: &Source<'_>,
    ) -> QueryResult<()> {
        diesel::update(jobs::table.find(id)).set(source).execute(connection).await.map(|_| ())
    }

    /// Ends a job.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_ended(
        connection: &mut AsyncPgConnection,
        id: JobId,
        outcome: Outcome,
        reason: &str,
        superseded_by: Option<JobId>,
    ) -> QueryResult<()> {
        diesel::update(jobs::table.find(id))
            .set((
                jobs::state.eq("ended"),
                jobs::outcome.eq(outcome),
                jobs::reason.eq(reason),
                jobs::superseded_by.eq(superseded_by),
                jobs::ended_at.eq(now),
            ))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Notes that somebody wants the job to end.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_cancel_asked(
        connection: &mut AsyncPgConnection,
        id: JobId,
        by: &str,
    ) -> QueryResult<()> {
        diesel::update(jobs::table.find(id).filter(jobs::cancel_asked_at.is_null()))
            .set((jobs::cancel_asked_at.eq(now), jobs::cancel_asked_by.eq(by)))
            .execute(connection)
            .await?;
        diesel::sql_query("SELECT pg_notify('cancel', $1)")
            .bind::<diesel::sql_types::Text, _>(id.to_string())
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Lets a followed job's ref be moved at once.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_moves_at_once(
        connection: &mut AsyncPgConnection,
        id: JobId,
    ) -> QueryResult<()> {
        diesel::update(jobs::table.find(id))
            .set(jobs::ref_moves.eq(RefMoves::AtOnce))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Notes that targets are about to be changed.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_applying(connection: &mut AsyncPgConnection, held: &Held) -> QueryResult<()> {
        diesel::update(jobs::table.find(held.job).filter(jobs::applying_since.is_null()))
            .set(jobs::applying_since.eq(now))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Says what came of the ref.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_ref_result(
        connection: &mut AsyncPgConnection,
        held: &Held,
        result: RefResult,
    ) -> QueryResult<()> {
        diesel::update(jobs::table.find(held.job))
            .set(jobs::ref_result.eq(result))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Takes `count` History numbers and gives the last; `None` when nothing may be written.
    ///
    /// With a fence only the current run may, without only while the job has not ended.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn take_numbers(
        connection: &mut AsyncPgConnection,
        id: JobId,
        fence: Option<Fence>,
        count: usize,
    ) -> QueryResult<Option<Seq>> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let mut query = diesel::update(jobs::table)
            .filter(jobs::id.eq(id))
            .filter(jobs::state.ne("ended"))
            .into_boxed();
        if let Some(fence) = fence {
            query = query.filter(jobs::state.eq("running")).filter(jobs::fence.eq(fence));
        }
        query
            .set(jobs::last_seq.eq(jobs::last_seq + count))
            .returning(jobs::last_seq)
            .get_result(connection)
            .await
            .optional()
    }
}

/// What a redeploy deploys, found when it is claimed.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = jobs)]
pub struct Source<'a> {
    /// The ref.
    pub ref_name: &'a RefName,
    /// Its tip.
    pub new_oid: Oid,
    /// First line of the tip's message.
    pub subject: &'a str,
    /// Launch variables of the job that deployed the ref last.
    pub variables: &'a Variables,
}

/// A job about to be created.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = jobs)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// What it is to do.
    pub kind: JobKind,
    /// Where it deploys to.
    pub environment_id: EnvironmentId,
    /// The push it came with.
    pub push_id: Option<PushId>,
    /// Who asked for it.
    pub user_id: UserId,
    /// Their name.
    pub pusher: String,
    /// The key they came with.
    pub fingerprint: String,
    /// The ref.
    pub ref_name: Option<RefName>,
    /// What the pusher saw there.
    pub old_oid: Option<Oid>,
    /// What was pushed.
    pub new_oid: Option<Oid>,
    /// First line of the commit's message.
    pub subject: String,
    /// Whether commits are dropped.
    pub forced: bool,
    /// Launch variables.
    pub variables: Variables,
    /// Their hash.
    pub variables_hash: String,
    /// Settings it runs with.
    pub snapshot: Snapshot,
    /// Who moves the ref.
    pub ref_moves: RefMoves,
}

impl NewJob {
    /// Creates the job; `None` when an open job has the same key.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn insert(&self, connection: &mut AsyncPgConnection) -> QueryResult<Option<Job>> {
        diesel::insert_into(jobs::table)
            .values(self)
            .on_conflict_do_nothing()
            .returning(Job::as_returning())
            .get_result(connection)
            .await
            .optional()
    }

    /// The open job with the same key.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn find_open(&self, connection: &mut AsyncPgConnection) -> QueryResult<Option<Job>> {
        jobs::table
            .filter(jobs::state.ne("ended"))
            .filter(jobs::cancel_asked_at.is_null())
            .filter(jobs::kind.eq(self.kind))
            .filter(jobs::environment_id.eq(self.environment_id))
            .filter(jobs::ref_name.is_not_distinct_from(&self.ref_name))
            .filter(jobs::old_oid.is_not_distinct_from(self.old_oid))
            .filter(jobs::new_oid.is_not_distinct_from(self.new_oid))
            .filter(jobs::forced.eq(self.forced))
            .filter(jobs::variables_hash.eq(&self.variables_hash))
            .select(Job::as_select())
            .first(connection)
            .await
            .optional()
    }
}
