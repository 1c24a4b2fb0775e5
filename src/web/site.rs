//! What pages are made from.

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::db::feed::Feed;
use crate::db::pool::Db;
use crate::tasks::Tasks;

/// Everything a page needs.
pub(super) struct Site {
    db: Db,
    feed: Feed,
    tasks: Tasks,
    runtime: Handle,
}

impl Site {
    /// `runtime` is that of the whole process.
    pub(super) const fn new(db: Db, feed: Feed, tasks: Tasks, runtime: Handle) -> Self {
        Self { db, feed, tasks, runtime }
    }

    /// Where rows are.
    pub(super) fn db(&self) -> Db {
        self.db.clone()
    }

    /// Where bells ring.
    pub(super) fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Who runs, and how they stop.
    pub(super) fn tasks(&self) -> Tasks {
        self.tasks.clone()
    }

    /// Starts work on the threads of the whole process.
    ///
    /// Requests are answered on threads that end with the server. A connection to `PostgreSQL`
    /// dies with the thread it was opened on, and those of the pool belong to everybody, so
    /// whoever needs one runs here.
    pub(super) fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let _inside = self.runtime.enter();
        self.tasks.start(work)
    }

    /// Does work on the threads of the whole process.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.start(work).await {
            Ok(value) => value,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
