//! The History of a job: one ordered, numbered list that everybody reads.
//!
//! Rows are the truth. A bell rings in the transaction that writes them, and whoever follows reads
//! what came after the last row seen, so a lost bell costs seconds and never a line.

mod follow;
mod record;

use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::db::models::history;
use crate::db::models::job::Job;
use crate::domain::history::NewEntry;
use crate::domain::ids::{Attempt, BatchId, Fence, JobId};

pub use follow::{Follower, follow};
pub use record::{Recorder, Stopwatch};

/// Who writes to a History.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Nobody's run: the handler of a push, a cancel, a claim.
    Outside,
    /// The current run of the job.
    Run {
        /// The owner's number.
        fence: Fence,
        /// Which try it is.
        attempt: Attempt,
    },
}

impl Writer {
    const fn attempt(self) -> Attempt {
        match self {
            Self::Outside => Attempt(0),
            Self::Run { attempt, .. } => attempt,
        }
    }

    const fn fence(self) -> Option<Fence> {
        match self {
            Self::Outside => None,
            Self::Run { fence, .. } => Some(fence),
        }
    }
}

/// Whether rows were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Appended {
    /// They were.
    Written,
    /// The job has ended, or the run is no longer the current one.
    Refused,
}

/// Appends rows in the caller's transaction.
///
/// # Errors
///
/// When the database does not answer.
pub async fn append(
    connection: &mut AsyncPgConnection,
    job: JobId,
    writer: Writer,
    entries: &[NewEntry],
) -> diesel::QueryResult<Appended> {
    append_batch(connection, job, writer, BatchId::from(Uuid::now_v7()), entries).await
}

async fn append_batch(
    connection: &mut AsyncPgConnection,
    job: JobId,
    writer: Writer,
    batch: BatchId,
    entries: &[NewEntry],
) -> diesel::QueryResult<Appended> {
    let numbers = Job::take_numbers(connection, job, writer.fence(), entries.len()).await?;
    let Some(last) = numbers else { return Ok(Appended::Refused) };
    history::insert(connection, job, (writer.attempt(), batch), last, entries).await?;
    Ok(Appended::Written)
}
