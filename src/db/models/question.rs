//! Questions to workers, and what they said so far.
//!
//! Nothing here outlives its asker for long: what was read is gone, and so is what nobody reads.

use diesel::dsl::{IntervalDsl as _, now};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{answers, questions};
use crate::domain::ids::{EnvironmentId, QuestionId};
use crate::domain::question::{Question, Told};

/// Seconds for which a question is wanted once somebody has asked it, or has waited for it.
pub const WANTED_SECONDS: i32 = 30;

/// Parts of an answer that may wait to be read.
const MOST_UNREAD: i64 = 2_000;

/// A question that a worker took.
#[derive(Debug, Clone, Queryable)]
pub struct Taken {
    /// Its id.
    pub id: QuestionId,
    /// What it is about.
    pub environment: EnvironmentId,
    /// What is asked.
    pub asked: Question,
}

/// Asks workers.
///
/// # Errors
///
/// When the database does not answer.
pub async fn ask(
    connection: &mut AsyncPgConnection,
    (id, environment): (QuestionId, EnvironmentId),
    asked: &Question,
) -> QueryResult<()> {
    let wanted = now.into_sql::<Timestamptz>() + WANTED_SECONDS.seconds();
    diesel::insert_into(questions::table)
        .values((
            questions::id.eq(id),
            questions::environment_id.eq(environment),
            questions::asked.eq(asked),
            questions::wanted_until.eq(wanted),
        ))
        .execute(connection)
        .await?;
    diesel::sql_query("SELECT pg_notify('questions', '')").execute(connection).await.map(|_| ())
}

/// Takes the oldest question that no worker has; another that asks meanwhile gets others.
///
/// # Errors
///
/// When the database does not answer.
pub async fn take(connection: &mut AsyncPgConnection, worker: &str) -> QueryResult<Option<Taken>> {
    let found: Option<Taken> = questions::table
        .filter(questions::worker.is_null())
        .filter(questions::wanted_until.gt(now))
        .order(questions::asked_at)
        .select((questions::id, questions::environment_id, questions::asked))
        .for_update()
        .skip_locked()
        .first(connection)
        .await
        .optional()?;
    if let Some(taken) = &found {
        diesel::update(questions::table.find(taken.id))
            .set((questions::worker.eq(worker), questions::seen_at.eq(now)))
            .execute(connection)
            .await?;
    }
    Ok(found)
}

/// Who does something about a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No worker took it yet.
    Asked,
    /// A worker answers.
    Answered,
    /// Its worker has fallen silent, or found that nobody waited.
    Left,
}

/// Says that its asker still waits for an answer, and asks who gives it.
///
/// # Errors
///
/// When the database does not answer.
pub async fn wait_on(connection: &mut AsyncPgConnection, id: QuestionId) -> QueryResult<Standing> {
    let seconds = || WANTED_SECONDS.seconds();
    let seen: Option<(Option<String>, Option<bool>)> =
        diesel::update(questions::table.find(id).filter(questions::wanted_until.gt(now)))
            .set(questions::wanted_until.eq(now.into_sql::<Timestamptz>() + seconds()))
            .returning((
                questions::worker,
                questions::seen_at.gt((now.into_sql::<Timestamptz>() - seconds()).nullable()),
            ))
            .get_result(connection)
            .await
            .optional()?;
    Ok(match seen {
        Some((None, _)) => Standing::Asked,
        Some((Some(_), Some(true))) => Standing::Answered,
        Some((Some(_), Some(false) | None)) | None => Standing::Left,
    })
}

/// Whether more of an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// It is.
    Free,
    /// Not before some of it was read.
    Full,
    /// Nobody waits for it.
    Unwanted,
}

/// Whether somebody waits for more of an answer, which its worker still gives.
///
/// # Errors
///
/// When the database does not answer.
pub async fn room(connection: &mut AsyncPgConnection, id: QuestionId) -> QueryResult<Room> {
    let seen = diesel::update(questions::table.find(id).filter(questions::wanted_until.gt(now)))
        .set(questions::seen_at.eq(now))
        .execute(connection)
        .await?;
    if seen == 0 {
        return Ok(Room::Unwanted);
    }
    let unread: i64 =
        answers::table.filter(answers::question_id.eq(id)).count().get_result(connection).await?;
    Ok(if unread < MOST_UNREAD { Room::Free } else { Room::Full })
}

/// Adds to an answer.
///
/// # Errors
///
/// When nobody waits for it any more, or the database does not answer.
pub async fn tell(
    connection: &mut AsyncPgConnection,
    id: QuestionId,
    told: &[Told],
) -> QueryResult<()> {
    let rows: Vec<_> =
        told.iter().map(|told| (answers::question_id.eq(id), answers::told.eq(told))).collect();
    diesel::insert_into(answers::table).values(rows).execute(connection).await?;
    diesel::sql_query("SELECT pg_notify('answers', $1)")
        .bind::<Text, _>(id.to_string())
        .execute(connection)
        .await
        .map(|_| ())
}

/// Takes what was said so far, in order.
///
/// # Errors
///
/// When the database does not answer.
pub async fn read(connection: &mut AsyncPgConnection, id: QuestionId) -> QueryResult<Vec<Told>> {
    let mut rows: Vec<(i64, Told)> =
        diesel::delete(answers::table.filter(answers::question_id.eq(id)))
            .returning((answers::id, answers::told))
            .get_results(connection)
            .await?;
    rows.sort_by_key(|(number, _)| *number);
    Ok(rows.into_iter().map(|(_, told)| told).collect())
}

/// Says that nobody waits for an answer any more.
///
/// # Errors
///
/// When the database does not answer.
pub async fn drop(connection: &mut AsyncPgConnection, id: QuestionId) -> QueryResult<()> {
    diesel::delete(questions::table.find(id)).execute(connection).await.map(|_| ())
}

/// Forgets questions whose askers are gone.
///
/// # Errors
///
/// When the database does not answer.
pub async fn prune(connection: &mut AsyncPgConnection) -> QueryResult<usize> {
    let long_ago = now.into_sql::<Timestamptz>() - (2 * WANTED_SECONDS).seconds();
    diesel::delete(questions::table.filter(questions::wanted_until.lt(long_ago)))
        .execute(connection)
        .await
}
