//! Who runs, and how they stop.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of a process, or of one part of it.
///
/// Every task is started here, so that stopping can wait for all of them.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// Tasks were still running when the time given to them was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} tasks did not stop in time")]
pub struct StillRunning(pub usize);

impl Tasks {
    /// Starts a task.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that spawns")]
    pub fn start<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        tokio::spawn(self.tracker.track_future(task))
    }

    /// Tasks that stop with these, and can also be stopped alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { tracker: TaskTracker::new(), stop: self.stop.child_token() }
    }

    /// Asks every task to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether tasks were asked to stop.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Waits until tasks are asked to stop.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Waits for so long, or until tasks are asked to stop.
    pub async fn pause(&self, duration: Duration) {
        tokio::select! {
            () = self.stopping() => {}
            () = tokio::time::sleep(duration) => {}
        }
    }

    /// Asks all tasks to stop and waits until they have, at most for `grace`.
    ///
    /// # Errors
    ///
    /// When some did not stop in time.
    pub async fn shut_down(&self, grace: Duration) -> Result<(), StillRunning> {
        self.stop();
        self.tracker.close();
        tokio::time::timeout(grace, self.tracker.wait())
            .await
            .map_err(|_elapsed| StillRunning(self.tracker.len()))
    }
}

/// Does blocking work on a thread of its own.
///
/// # Panics
///
/// When the work panics.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shutting_down_waits_for_tasks_that_stop() {
        let tasks = Tasks::default();
        let (told, mut done) = tokio::sync::mpsc::channel(1);
        let own = tasks.clone();
        drop(tasks.start(async move {
            own.stopping().await;
            told.send(()).await.unwrap();
        }));
        assert_eq!(tasks.shut_down(Duration::from_secs(5)).await, Ok(()));
        assert_eq!(done.try_recv(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn shutting_down_says_who_did_not_stop() {
        let tasks = Tasks::default();
        drop(tasks.start(std::future::pending::<()>()));
        assert_eq!(tasks.shut_down(Duration::from_secs(5)).await, Err(StillRunning(1)));
    }
}
