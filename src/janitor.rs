//! Rings bells that are due, and forgets what nobody needs any more.
//!
//! It only rings: whether there is something to do is decided by whoever hears it. One process at
//! a time does the work, by an advisory lock; every process that runs a janitor hears of it.

use std::time::Duration;

use chrono::Utc;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::config::WorkerConfig;
use crate::db::feed::{Bell, Feed};
use crate::db::lock::{self, RepositoryLock};
use crate::db::models::{
    outbox, question, router, run as runs, sign_in_tries, source_check, trash, web_session,
};
use crate::db::pool::Transient;
use crate::domain::ids::{JobId, ProjectId};
use crate::git::quarantine::remove_forgotten;
use crate::jobs::{Jobs, JobsError};
use crate::queue::{Queue, QueueError, Ringer};
use crate::tasks::{Tasks, blocking};

/// Bells rung in one transaction.
const AT_ONCE: usize = 100;

/// Longest time that one transaction may wait for Redis.
const REDIS_TIME: Duration = Duration::from_secs(5);

/// Pause after a round that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Time between two rounds of forgetting.
const FORGETTING: Duration = Duration::from_secs(3_600);

/// Age at which what a push has brought is no longer on its way.
const BROKEN_OFF_AFTER: Duration = Duration::from_secs(86_400);

/// Keeps the bells of an installation ringing.
#[derive(Debug)]
pub struct Janitor {
    jobs: Jobs,
    queue: Queue,
    settings: WorkerConfig,
    trash_time: Duration,
    ringer: Option<Ringer>,
    forgot_at: Option<Instant>,
}

#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error("PostgreSQL: {0}")]
    Db(#[from] diesel::result::Error),
    #[error(transparent)]
    Jobs(#[from] JobsError),
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error("Redis does not answer")]
    RedisSilent,
}

impl Transient for RoundError {
    fn is_transient(&self) -> bool {
        // The next round is the repeat.
        false
    }
}

impl Janitor {
    /// The janitor of an installation. Repositories of deleted projects stay for `trash_time`.
    pub const fn new(
        jobs: Jobs,
        queue: Queue,
        settings: WorkerConfig,
        trash_time: Duration,
    ) -> Self {
        Self { jobs, queue, settings, trash_time, ringer: None, forgot_at: None }
    }

    /// Works until the tasks stop.
    pub async fn run(mut self, feed: Feed, tasks: Tasks) {
        let interval = self.settings.janitor_interval.duration();
        let mut bells = feed.subscribe();
        let mut looked = None;
        let mut failing = false;
        while !tasks.is_stopping() {
            let due = looked.is_none_or(|looked: Instant| looked.elapsed() >= interval);
            let round = if due { self.look_for_lost().await } else { self.ring_outbox().await };
            if due && round.is_ok() {
                looked = Some(Instant::now());
            }
            match &round {
                Ok(()) if failing => info!("Bells ring again"),
                Err(error) if !failing => warn!("Could not ring bells: {error:?}"),
                Ok(()) | Err(_) => {}
            }
            failing = round.is_err();
            let pause = async {
                if failing {
                    self.ringer = None;
                    tokio::time::sleep(AFTER_FAILURE).await;
                } else {
                    bells.heard_any(&[Bell::Outbox], interval).await;
                }
            };
            tokio::select! {
                () = pause => {}
                () = tasks.stopping() => {}
            }
        }
    }

    /// Rings what is due and also what may have been lost, and forgets what is old.
    async fn look_for_lost(&mut self) -> Result<(), RoundError> {
        // First: jobs are forgotten most of all when Redis is away.
        self.jobs.end_forgotten(self.settings.queue_limit.duration()).await?;
        self.ring_outbox().await?;
        self.ask_for_sources().await?;
        self.ring_unattended().await?;
        self.empty_trash().await;
        self.forget().await
    }

    /// Rings what the outbox holds.
    async fn ring_outbox(&mut self) -> Result<(), RoundError> {
        while self.ring_some().await? == AT_ONCE {}
        Ok(())
    }

    /// Rings up to [`AT_ONCE`] bells of the outbox, and gives how many.
    async fn ring_some(&mut self) -> Result<usize, RoundError> {
        let db = self.jobs.db().clone();
        let ringer = self.ringer().await?.clone();
        let most = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
        db.transaction(async move |connection| {
            if !lock::try_janitor(connection).await? {
                return Ok(0);
            }
            let bells = outbox::take(connection, most).await?;
            let (ids, jobs): (Vec<i64>, Vec<JobId>) = bells.into_iter().unzip();
            ring(ringer, &jobs).await?;
            outbox::sent(connection, &ids).await?;
            Ok::<_, RoundError>(ids.len())
        })
        .await
    }

    /// Rings for jobs that wait although nothing runs, and for runs whose lease is over.
    async fn ring_unattended(&mut self) -> Result<(), RoundError> {
        let db = self.jobs.db().clone();
        let mut ringer = self.ringer().await?.clone();
        let waiting = tokio::time::timeout(REDIS_TIME, ringer.waiting());
        if waiting.await.map_err(|_silent| RoundError::RedisSilent)?? > 0 {
            // Workers have all they can do; what was lost is rung for when they are idle.
            return Ok(());
        }
        db.transaction(async move |connection| {
            if !lock::try_janitor(connection).await? {
                return Ok(());
            }
            ring(ringer, &runs::unattended(connection).await?).await
        })
        .await
    }

    /// Asks for a look at every source that is due.
    async fn ask_for_sources(&self) -> Result<(), RoundError> {
        self.jobs
            .db()
            .transaction(async move |connection| {
                if lock::try_janitor(connection).await? {
                    source_check::ask_due(connection).await?;
                }
                Ok(())
            })
            .await
    }

    async fn forget(&mut self) -> Result<(), RoundError> {
        if self.forgot_at.is_some_and(|at| at.elapsed() < FORGETTING) {
            return Ok(());
        }
        self.forgot_at = Some(Instant::now());
        self.jobs
            .db()
            .run(async move |connection| {
                outbox::prune(connection).await?;
                question::prune(connection).await?;
                web_session::prune(connection).await?;
                sign_in_tries::prune(connection, FORGETTING).await?;
                source_check::prune(connection).await?;
                router::prune(connection).await
            })
            .await
            .map_err(|error: diesel::result::Error| RoundError::from(error))?;
        self.forget_pushes().await;
        Ok(self.ringer().await?.tidy(Utc::now().timestamp()).await?)
    }

    /// Removes what pushes have left that were broken off by a kill.
    async fn forget_pushes(&self) {
        let repositories = self.jobs.repositories().clone();
        let before = Utc::now() - BROKEN_OFF_AFTER;
        let removed = blocking(move || remove_forgotten(&repositories, before.into())).await;
        if let Err(error) = removed {
            warn!("Could not remove what broken off pushes left: {error:?}");
        }
    }

    /// Puts repositories of deleted projects away, and removes those that were for long enough.
    async fn empty_trash(&self) {
        let seconds = self.trash_time.as_secs_f64();
        let all = self
            .jobs
            .db()
            .run(async move |connection| trash::all(connection, seconds).await)
            .await
            .map_err(JobsError::from);
        let cleared = match all {
            Ok(all) => self.clear(all).await,
            Err(error) => Err(error),
        };
        if let Err(error) = cleared {
            warn!("Could not empty the trash of repositories: {error:?}");
        }
    }

    async fn clear(&self, projects: Vec<(ProjectId, bool)>) -> Result<(), JobsError> {
        for (project, is_over) in projects {
            let repositories = self.jobs.repositories().clone();
            self.jobs
                .db()
                .transaction(async move |connection| {
                    RepositoryLock::take(connection, project).await?;
                    // It may have been restored meanwhile.
                    if !trash::holds(connection, project).await? {
                        return Ok(());
                    }
                    blocking(move || {
                        repositories.put_away(project)?;
                        if is_over { repositories.remove_put_away(project) } else { Ok(()) }
                    })
                    .await?;
                    if is_over {
                        trash::forget(connection, project).await?;
                    }
                    Ok::<_, JobsError>(())
                })
                .await?;
        }
        Ok(())
    }

    async fn ringer(&mut self) -> Result<&mut Ringer, RoundError> {
        if self.ringer.is_none() {
            let connecting = tokio::time::timeout(REDIS_TIME, self.queue.ringer());
            self.ringer = Some(connecting.await.map_err(|_silent| RoundError::RedisSilent)??);
        }
        self.ringer.as_mut().ok_or(RoundError::RedisSilent)
    }
}

async fn ring(mut ringer: Ringer, jobs: &[JobId]) -> Result<(), RoundError> {
    let ringing = async {
        for job in jobs {
            ringer.ring(*job).await?;
        }
        Ok(())
    };
    tokio::time::timeout(REDIS_TIME, ringing).await.map_err(|_silent| RoundError::RedisSilent)?
}
