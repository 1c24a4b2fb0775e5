//! Bells that are still to be rung.

use diesel::dsl::now;
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::outbox;
use crate::domain::ids::JobId;

/// Asks for the bell of a job to be rung once this transaction is committed.
///
/// # Errors
///
/// When the database does not answer.
pub async fn ring(connection: &mut AsyncPgConnection, job: JobId) -> QueryResult<()> {
    diesel::insert_into(outbox::table).values(outbox::job_id.eq(job)).execute(connection).await?;
    diesel::sql_query("SELECT pg_notify('outbox', '')").execute(connection).await.map(|_| ())
}

/// Takes up to `most` unsent bells; another process that asks meanwhile gets others.
///
/// # Errors
///
/// When the database does not answer.
pub async fn take(connection: &mut AsyncPgConnection, most: i64) -> QueryResult<Vec<(i64, JobId)>> {
    outbox::table
        .filter(outbox::sent_at.is_null())
        .order(outbox::id)
        .limit(most)
        .select((outbox::id, outbox::job_id))
        .for_update()
        .skip_locked()
        .load(connection)
        .await
}

/// Notes that bells were rung.
///
/// # Errors
///
/// When the database does not answer.
pub async fn sent(connection: &mut AsyncPgConnection, ids: &[i64]) -> QueryResult<()> {
    diesel::update(outbox::table.filter(outbox::id.eq_any(ids)))
        .set((outbox::sent_at.eq(now), outbox::tries.eq(outbox::tries + 1)))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Forgets bells that were rung more than an hour ago.
///
/// # Errors
///
/// When the database does not answer.
pub async fn prune(connection: &mut AsyncPgConnection) -> QueryResult<usize> {
    use diesel::dsl::IntervalDsl;

    diesel::delete(
        outbox::table
            .filter(outbox::sent_at.lt((now.into_sql::<Timestamptz>() - 1.hour()).nullable())),
    )
    .execute(connection)
    .await
}
