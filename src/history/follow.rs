//! Reads a History and waits for what comes.

use std::time::Duration;

use crate::db::feed::{Bell, Feed, Listener};
use crate::db::models::history;
use crate::db::pool::Db;
use crate::domain::history::{Entry, EntryKind};
use crate::domain::ids::{JobId, Seq};

/// Rows read at once. A follower that lags reads page after page.
const PAGE: i64 = 500;

/// Time after which the rows are read again without a bell.
const WITHOUT_BELL: Duration = Duration::from_secs(5);

/// Follows a job's History from after a row; [`Seq`] 0 is the beginning.
pub fn follow(db: &Db, feed: &Feed, job: JobId, after: Seq) -> Follower {
    // Subscribed before anything is read: a row written in between is either read or heard.
    Follower { db: db.clone(), listener: feed.subscribe(), job, last: after, ended: false }
}

/// Somebody who reads a History as it grows.
#[derive(Debug)]
pub struct Follower {
    db: Db,
    listener: Listener,
    job: JobId,
    last: Seq,
    ended: bool,
}

impl Follower {
    /// The next rows, in order and never empty; `None` once the last row was given.
    ///
    /// May be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    ///
    /// When the database stays away.
    pub async fn next(&mut self) -> diesel::QueryResult<Option<Vec<Entry>>> {
        loop {
            if self.ended {
                return Ok(None);
            }
            let (job, last) = (self.job, self.last);
            let entries = self
                .db
                .run(async move |connection| history::after(connection, job, last, PAGE).await)
                .await?;
            if let Some(newest) = entries.last() {
                self.last = newest.seq;
                self.ended = newest.kind == EntryKind::End;
                return Ok(Some(entries));
            }
            self.listener.heard_any(&[Bell::History(job)], WITHOUT_BELL).await;
        }
    }

    /// The job that is followed.
    pub const fn job(&self) -> JobId {
        self.job
    }
}
