//! A job that comes into being.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::models::job::Job;
use crate::db::schema::jobs;
use crate::domain::git_ref::RefName;
use crate::domain::ids::{EnvironmentId, JobId, PushId, ReleaseNumber, UserId};
use crate::domain::job::JobKind;
use crate::domain::oid::Oid;
use crate::domain::ref_move::RefMoves;
use crate::domain::snapshot::Snapshot;
use crate::domain::stored_variables::StoredVariables;

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
    /// Who asked for it; nobody when it was time to look at a source.
    pub user_id: Option<UserId>,
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
    pub variables: StoredVariables,
    /// Their hash.
    pub variables_hash: String,
    /// Settings it runs with.
    pub snapshot: Snapshot,
    /// Who moves the ref.
    pub ref_moves: RefMoves,
    /// The release that a rollback applies again.
    pub source: Option<ReleaseNumber>,
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
            .filter(jobs::source.is_not_distinct_from(self.source))
            .select(Job::as_select())
            .first(connection)
            .await
            .optional()
    }
}
