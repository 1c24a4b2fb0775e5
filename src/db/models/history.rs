//! Rows of Histories.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::history;
use crate::domain::history::{Entry, EntryKind, Extra, NewEntry, Step};
use crate::domain::ids::{Attempt, BatchId, JobId, Seq};

/// Whether a batch was written.
///
/// # Errors
///
/// When the database does not answer.
pub async fn has_batch(
    connection: &mut AsyncPgConnection,
    job: JobId,
    batch: BatchId,
) -> QueryResult<bool> {
    let written = history::table.filter(history::job_id.eq(job)).filter(history::batch.eq(batch));
    diesel::select(diesel::dsl::exists(written)).get_result(connection).await
}

/// Writes rows that end at `last`, whose numbers the caller took from the job's row, and rings
/// the bell of whoever follows the job.
///
/// # Errors
///
/// When the database does not answer.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    job: JobId,
    (attempt, batch): (Attempt, BatchId),
    last: Seq,
    entries: &[NewEntry],
) -> QueryResult<()> {
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let first = last.0.saturating_sub(count).saturating_add(1);
    let rows: Vec<_> = (first..)
        .zip(entries)
        .map(|(seq, entry)| {
            (
                history::job_id.eq(job),
                history::seq.eq(Seq(seq)),
                history::attempt.eq(attempt),
                history::step.eq(entry.step),
                history::kind.eq(entry.kind),
                history::text.eq(&entry.text),
                history::extra.eq(&entry.extra),
                history::batch.eq(batch),
            )
        })
        .collect();
    diesel::insert_into(history::table).values(rows).execute(connection).await?;
    diesel::sql_query("SELECT pg_notify('history', $1)")
        .bind::<sql_types::Text, _>(job.to_string())
        .execute(connection)
        .await
        .map(|_| ())
}

/// A row, without its job.
type Row = (Seq, Attempt, Step, EntryKind, String, DateTime<Utc>, Extra);

/// The columns of a row.
const COLUMNS: (
    history::seq,
    history::attempt,
    history::step,
    history::kind,
    history::text,
    history::date,
    history::extra,
) = (
    history::seq,
    history::attempt,
    history::step,
    history::kind,
    history::text,
    history::date,
    history::extra,
);

fn entry((seq, attempt, step, kind, text, date, extra): Row) -> Entry {
    Entry { seq, attempt, step, kind, text, date, extra }
}

/// Up to `most` rows after `seq`, in order.
///
/// # Errors
///
/// When the database does not answer.
pub async fn after(
    connection: &mut AsyncPgConnection,
    job: JobId,
    seq: Seq,
    most: i64,
) -> QueryResult<Vec<Entry>> {
    let rows: Vec<Row> = history::table
        .filter(history::job_id.eq(job))
        .filter(history::seq.gt(seq))
        .order(history::seq)
        .limit(most)
        .select(COLUMNS)
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(entry).collect())
}

/// The last `most` rows before `seq`, in order.
///
/// # Errors
///
/// When the database does not answer.
pub async fn before(
    connection: &mut AsyncPgConnection,
    job: JobId,
    seq: Seq,
    most: i64,
) -> QueryResult<Vec<Entry>> {
    let rows: Vec<Row> = history::table
        .filter(history::job_id.eq(job))
        .filter(history::seq.lt(seq))
        .order(history::seq.desc())
        .limit(most)
        .select(COLUMNS)
        .load(connection)
        .await?;
    Ok(rows.into_iter().rev().map(entry).collect())
}

define_sql_function! {
    /// The place of a text in another one, from 1; 0 when it is not there.
    fn strpos(text: sql_types::Text, part: sql_types::Text) -> sql_types::Integer;
}

define_sql_function! {
    /// A text with all that matches a pattern replaced.
    fn regexp_replace(
        text: sql_types::Text,
        pattern: sql_types::Text,
        with: sql_types::Text,
        flags: sql_types::Text,
    ) -> sql_types::Text;
}

define_sql_function! {
    /// A text in small letters.
    fn lower(text: sql_types::Text) -> sql_types::Text;
}

/// Up to `most` rows after `seq` that say this, in order. Neither capitals nor colours matter.
///
/// # Errors
///
/// When the database does not answer.
pub async fn saying(
    connection: &mut AsyncPgConnection,
    job: JobId,
    (seq, part): (Seq, &str),
    most: i64,
) -> QueryResult<Vec<Entry>> {
    let plain = regexp_replace(history::text, r"\x1b\[[0-9;:]*m", "", "g");
    let rows: Vec<Row> = history::table
        .filter(history::job_id.eq(job))
        .filter(history::seq.gt(seq))
        .filter(strpos(lower(plain), lower(part)).gt(0))
        .order(history::seq)
        .limit(most)
        .select(COLUMNS)
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(entry).collect())
}
