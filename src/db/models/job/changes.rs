//! What becomes of a job's row.

use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::models::job::{Held, Job};
use crate::db::schema::jobs;
use crate::domain::git_ref::RefName;
use crate::domain::ids::{Fence, JobId, Seq};
use crate::domain::job::{MoveRefused, Outcome, RefResult};
use crate::domain::oid::Oid;
use crate::domain::ref_move::RefMoves;
use crate::domain::stored_variables::StoredVariables;

/// What a redeploy deploys, found when it is claimed.
#[derive(Debug, Clone, AsChangeset)]
#[diesel(table_name = jobs)]
pub struct Source {
    /// The ref.
    pub ref_name: RefName,
    /// Its tip.
    pub new_oid: Oid,
    /// First line of the tip's message.
    pub subject: String,
    /// Launch variables of the job that deployed the ref last.
    pub variables: StoredVariables,
}

/// A move that a job's state refuses, as an error of the statement that would have made it.
fn refused(refusal: MoveRefused) -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError(Box::new(refusal))
}

impl Job {
    /// Marks a queued job as running, owned by whoever knows the fence.
    ///
    /// # Errors
    ///
    /// When its state refuses the move, or the database does not answer.
    pub async fn set_running(
        &self,
        connection: &mut AsyncPgConnection,
        fence: Fence,
        expected_tip: Option<Oid>,
    ) -> QueryResult<()> {
        let running = self.state.claimed().map_err(refused)?;
        diesel::update(jobs::table.find(self.id).filter(jobs::state.eq(self.state.as_str())))
            .set((
                jobs::state.eq(running.as_str()),
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

    /// Puts a running job back into the queue.
    ///
    /// # Errors
    ///
    /// When its state refuses the move, or the database does not answer.
    pub async fn set_queued(&self, connection: &mut AsyncPgConnection) -> QueryResult<()> {
        let queued = self.state.requeued().map_err(refused)?;
        diesel::update(jobs::table.find(self.id).filter(jobs::state.eq(self.state.as_str())))
            .set(jobs::state.eq(queued.as_str()))
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
        source: &Source,
    ) -> QueryResult<()> {
        diesel::update(jobs::table.find(id)).set(source).execute(connection).await.map(|_| ())
    }

    /// Ends a job.
    ///
    /// # Errors
    ///
    /// When its state refuses the move, or the database does not answer.
    pub async fn set_ended(
        &self,
        connection: &mut AsyncPgConnection,
        outcome: Outcome,
        reason: &str,
        superseded_by: Option<JobId>,
    ) -> QueryResult<()> {
        let ended = self.state.ended(outcome).map_err(refused)?;
        diesel::update(jobs::table.find(self.id).filter(jobs::state.eq(self.state.as_str())))
            .set((
                jobs::state.eq(ended.as_str()),
                jobs::outcome.eq(ended.outcome()),
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
