//! Keeps a run's environment, and hears when it has to let go.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;

use crate::db::feed::{Bell, Feed, Listener};
use crate::db::models::job::Job;
use crate::db::models::run as runs;
use crate::jobs::Run;
use crate::tasks::Tasks;

/// Why a run's work has to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Somebody else owns the environment, or may soon: nothing more may be touched.
    Lost,
    /// Somebody asked for the job to be cancelled.
    CancelAsked {
        /// Who.
        by: String,
    },
}

/// A run's environment, kept for as long as this value lives.
#[derive(Debug)]
pub struct Lease {
    state: watch::Receiver<State>,
    _renewing: DropGuard,
}

#[derive(Debug, Default)]
struct State {
    lost: bool,
    cancelled_by: Option<String>,
}

impl Lease {
    /// Starts renewing the lease of a run, three times in its length.
    pub fn keep(run: &Run, feed: &Feed, tasks: &Tasks) -> Self {
        let (state, watched) = watch::channel(State::default());
        let stop = CancellationToken::new();
        let keeper = Keeper { run: run.clone(), bells: feed.subscribe(), state };
        let stopped = stop.clone();
        drop(tasks.start(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = keeper.renew() => {}
            }
        }));
        Self { state: watched, _renewing: stop.drop_guard() }
    }

    /// Waits until the environment is lost.
    pub async fn lost(&self) {
        let mut state = self.state.clone();
        if state.wait_for(|state| state.lost).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the work has to stop.
    pub async fn ended(&self) -> Ended {
        let mut state = self.state.clone();
        match state.wait_for(|state| state.lost || state.cancelled_by.is_some()).await {
            Ok(state) if state.lost => Ended::Lost,
            Ok(state) => Ended::CancelAsked { by: state.cancelled_by.clone().unwrap_or_default() },
            Err(_keeper_gone) => Ended::Lost,
        }
    }
}

struct Keeper {
    run: Run,
    bells: Listener,
    state: watch::Sender<State>,
}

impl Keeper {
    async fn renew(mut self) {
        let lease = self.run.lease();
        let (interval, give_up) = (lease / 3, lease * 2 / 3);
        // The lease began with the claim, a moment ago.
        let mut renewed = Instant::now();
        loop {
            let asked = Instant::now();
            let answer = tokio::time::timeout_at(renewed + give_up, self.renew_once()).await;
            match answer {
                Ok(Ok(Renewal::Kept { cancelled_by })) => {
                    renewed = asked;
                    if cancelled_by.is_some() {
                        self.state.send_modify(|state| state.cancelled_by = cancelled_by);
                    }
                }
                Ok(Ok(Renewal::Lost)) => return self.lose("another worker has it"),
                Ok(Err(error)) if renewed.elapsed() < give_up => {
                    warn!("Could not renew a lease: {error}");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
                Ok(Err(_)) | Err(_) => return self.lose("PostgreSQL does not answer"),
            }
            let cancel = [Bell::Cancel(self.run.job().id)];
            self.bells.heard_any(&cancel, interval).await;
        }
    }

    fn lose(&self, why: &str) {
        let job = self.run.job().number;
        warn!(job.number = %job, "Lost the environment of job {job}: {why}");
        self.state.send_modify(|state| state.lost = true);
    }

    async fn renew_once(&self) -> diesel::QueryResult<Renewal> {
        let (job, attempt) = (self.run.job().id, self.run.attempt());
        let lease_ms = self.run.lease_ms();
        self.run
            .vital()
            .run(async move |connection| {
                if !runs::renew(connection, job, attempt, lease_ms).await? {
                    return Ok(Renewal::Lost);
                }
                let job = Job::find(connection, job).await?;
                let cancelled_by =
                    job.cancel_asked_at.map(|_| job.cancel_asked_by.unwrap_or_default());
                Ok(Renewal::Kept { cancelled_by })
            })
            .await
    }
}

enum Renewal {
    Kept { cancelled_by: Option<String> },
    Lost,
}
