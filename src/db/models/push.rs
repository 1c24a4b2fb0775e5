//! Pushes, and what became of their refs.

use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{push_refs, pushes};
use crate::domain::git_ref::RefName;
use crate::domain::ids::{JobId, ProjectId, PushId, UserId};
use crate::domain::oid::Oid;
use crate::domain::push_ref::Decision;

/// Records that a push reached the policy check; a repeat changes nothing.
///
/// # Errors
///
/// When the database does not answer.
pub async fn begin(
    connection: &mut AsyncPgConnection,
    id: PushId,
    project: ProjectId,
    user: UserId,
    fingerprint: &str,
) -> QueryResult<()> {
    diesel::insert_into(pushes::table)
        .values((
            pushes::id.eq(id),
            pushes::project_id.eq(project),
            pushes::user_id.eq(user),
            pushes::fingerprint.eq(fingerprint),
        ))
        .on_conflict_do_nothing()
        .execute(connection)
        .await
        .map(|_| ())
}

/// Records that a push is over, with its exit status when somebody was there to get it.
///
/// # Errors
///
/// When the database does not answer.
pub async fn finish(
    connection: &mut AsyncPgConnection,
    id: PushId,
    exit_code: Option<i16>,
) -> QueryResult<()> {
    diesel::update(pushes::table.find(id).filter(pushes::finished_at.is_null()))
        .set((pushes::finished_at.eq(now), pushes::exit_code.eq(exit_code)))
        .execute(connection)
        .await
        .map(|_| ())
}

/// What became of one ref.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = push_refs)]
pub struct PushRef<'a> {
    /// The push it was part of.
    pub push_id: PushId,
    /// The ref.
    pub ref_name: &'a RefName,
    /// What the pusher saw.
    pub old_oid: Option<Oid>,
    /// What was pushed; `None`: a deletion.
    pub new_oid: Option<Oid>,
    /// What was decided.
    pub decision: Decision,
    /// Why, when it was refused.
    pub reason: &'a str,
    /// The job that deploys it.
    pub job_id: Option<JobId>,
}

impl PushRef<'_> {
    /// Records the decision; a later one for the same ref of the same push replaces it.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn record(&self, connection: &mut AsyncPgConnection) -> QueryResult<()> {
        diesel::insert_into(push_refs::table)
            .values(self)
            .on_conflict((push_refs::push_id, push_refs::ref_name))
            .do_update()
            .set(self)
            .execute(connection)
            .await
            .map(|_| ())
    }
}
