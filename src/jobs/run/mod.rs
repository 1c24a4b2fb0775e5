//! What a run may write, as long as it is the current one.

mod ending;

use std::time::Duration;

use diesel_async::AsyncPgConnection;
use serde_json::Value;

use crate::db::models::environment::Environment;
use crate::db::models::job::{Held, Job};
use crate::db::models::release::{NewRelease, Release};
use crate::db::models::{cluster, route};
use crate::db::pool::{Db, Transient};
use crate::domain::cluster::Adoption;
use crate::domain::ids::{Attempt, Fence, ProjectId, ReleaseId, RouteVersion};
use crate::domain::job::RefResult;
use crate::domain::ref_move::RefMoves;
use crate::domain::route::{Host, Route};
use crate::history::{Recorder, Writer};
use crate::jobs::{Jobs, JobsError};
use crate::tasks::Tasks;

pub use ending::{RefEnd, RunEnd};

/// One try of a job, by the worker that claimed it.
#[derive(Debug, Clone)]
pub struct Run {
    jobs: Jobs,
    job: Job,
    project: ProjectId,
    fence: Fence,
    attempt: Attempt,
}

/// Why a run did not write.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is no longer the current run: its worker touches nothing more.
    #[error("another worker owns the environment")]
    Lost,
    /// Somebody asked for the job to be cancelled before this.
    #[error("cancelled by {by}")]
    Cancelled {
        /// Who.
        by: String,
    },
    /// Another environment holds a host and path.
    #[error("`{0}` is taken by another deployment")]
    Taken(String),
    /// The database or the repository does not answer.
    #[error(transparent)]
    Jobs(#[from] JobsError),
}

impl From<diesel::result::Error> for RunError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Jobs(error.into())
    }
}

impl Transient for RunError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Jobs(error) => error.is_transient(),
            Self::Lost | Self::Cancelled { .. } | Self::Taken(_) => false,
        }
    }
}

impl Run {
    pub(super) const fn new(
        jobs: Jobs,
        job: Job,
        project: ProjectId,
        fence: Fence,
        attempt: Attempt,
    ) -> Self {
        Self { jobs, job, project, fence, attempt }
    }

    /// The job as it was when it was claimed.
    pub const fn job(&self) -> &Job {
        &self.job
    }

    /// The project that is deployed.
    pub const fn project(&self) -> ProjectId {
        self.project
    }

    /// What everything it puts on a target carries.
    pub const fn fence(&self) -> Fence {
        self.fence
    }

    /// Which try it is.
    pub const fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// What all jobs are kept in.
    pub const fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    pub(super) const fn vital(&self) -> &Db {
        &self.jobs.vital
    }

    pub(super) const fn db(&self) -> &Db {
        &self.jobs.db
    }

    pub(super) const fn lease(&self) -> Duration {
        self.jobs.lease
    }

    pub(super) fn lease_ms(&self) -> i64 {
        self.jobs.lease_ms()
    }

    /// Starts writing the History of this run.
    pub fn recorder(&self, tasks: &Tasks) -> Recorder {
        Recorder::start(self.vital(), self.job.id, self.writer(), tasks)
    }

    const fn writer(&self) -> Writer {
        Writer::Run { fence: self.fence, attempt: self.attempt }
    }

    /// Holds the job's row, if this is still its run.
    async fn hold(&self, connection: &mut AsyncPgConnection) -> Result<(Held, Job), RunError> {
        Job::hold(connection, self.job.id, self.fence).await?.ok_or(RunError::Lost)
    }

    /// The release that serves where this run deploys to.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn live_release(&self) -> Result<Option<Release>, RunError> {
        let environment = self.job.environment_id;
        Ok(self
            .db()
            .run(async move |connection| Release::live(connection, environment).await)
            .await?)
    }

    /// Stores what is about to be applied, and numbers it.
    ///
    /// # Errors
    ///
    /// [`RunError::Lost`], or when the database does not answer.
    pub async fn store_release(&self, new: NewRelease) -> Result<Release, RunError> {
        let run = self.clone();
        self.db()
            .transaction(async move |connection| {
                drop(Environment::lock(connection, run.job.environment_id).await?);
                let (held, job) = run.hold(connection).await?;
                Ok(new.store(connection, job.environment_id, &held).await?)
            })
            .await
    }

    /// Adds to a release what was put where.
    ///
    /// # Errors
    ///
    /// [`RunError::Lost`], or when the database does not answer.
    pub async fn store_objects(&self, release: &Release, objects: Value) -> Result<(), RunError> {
        let (run, release) = (self.clone(), release.id);
        self.db()
            .transaction(async move |connection| {
                let (held, _job) = run.hold(connection).await?;
                Ok(Release::set_objects(connection, release, &objects, &held).await?)
            })
            .await
    }

    /// Adds to the run's release what became of each target when it was taken back.
    ///
    /// # Errors
    ///
    /// [`RunError::Lost`], or when the database does not answer.
    pub async fn store_undone(&self, undone: Value) -> Result<(), RunError> {
        let run = self.clone();
        self.db()
            .transaction(async move |connection| {
                let (held, _job) = run.hold(connection).await?;
                Ok(Release::set_undone(connection, &undone, &held).await?)
            })
            .await
    }

    /// Whether targets may have been changed.
    ///
    /// # Errors
    ///
    /// [`RunError::Lost`], or when the database does not answer.
    pub async fn has_applied(&self) -> Result<bool, RunError> {
        let run = self.clone();
        self.db()
            .transaction(async move |connection| {
                let (_held, job) = run.hold(connection).await?;
                Ok(job.applying_since.is_some())
            })
            .await
    }

    /// Makes sure that this is still the current run, right before something on a target is
    /// removed.
    ///
    /// # Errors
    ///
    /// [`RunError::Lost`], or when the database does not answer.
    pub async fn still_owns(&self) -> Result<(), RunError> {
        self.has_applied().await.map(drop)
    }

    /// Stores durably that targets are about to be changed.
    ///
    /// # Errors
    ///
    /// When the job is cancelled, an entrance is taken, the run is lost, or the database does not
    /// answer.
    pub async fn begin_applying(&self, entrances: Vec<(Host, String)>) -> Result<(), RunError> {
        let run = self.clone();
        self.db()
            .transaction(async move |connection| {
                let (held, job) = run.hold(connection).await?;
                refuse_cancelled(&job)?;
                refuse_taken(connection, &job, &entrances).await?;
                Ok(Job::set_applying(connection, &held).await?)
            })
            .await
    }

    /// Makes sure that no other environment holds one of these hosts and paths by now.
    ///
    /// # Errors
    ///
    /// [`RunError::Taken`], or when the database does not answer.
    pub async fn check_entrances(&self, entrances: Vec<(Host, String)>) -> Result<(), RunError> {
        let job = self.job.clone();
        self.db()
            .run(async move |connection| refuse_taken(connection, &job, &entrances).await)
            .await
    }

    /// Sends people to a release, or to nothing, once routers have followed.
    ///
    /// # Errors
    ///
    /// When an entrance is taken, the run is lost, or the database does not answer.
    pub async fn switch_routes(
        &self,
        release: Option<ReleaseId>,
        routes: Vec<Route>,
    ) -> Result<RouteVersion, RunError> {
        let run = self.clone();
        self.db()
            .transaction(async move |connection| {
                let (_held, job) = run.hold(connection).await?;
                // Or two environments that want the same would both find it free.
                route::lock(connection).await?;
                let entrances: Vec<_> =
                    routes.iter().map(|route| (route.host.clone(), route.path.clone())).collect();
                refuse_taken(connection, &job, &entrances).await?;
                Ok(route::replace(connection, job.environment_id, release, &routes).await?)
            })
            .await
    }

    /// Makes a release the one that serves. From here the job can only end as live.
    ///
    /// # Errors
    ///
    /// When the job is cancelled, the run is lost, or the database does not answer.
    pub async fn go_live(&self, release: &Release) -> Result<(), RunError> {
        let (run, release) = (self.clone(), release.clone());
        self.db()
            .transaction(async move |connection| {
                let mut lock = Environment::lock(connection, run.job.environment_id).await?;
                let (held, job) = run.hold(connection).await?;
                if lock.environment().live_release == Some(release.id) {
                    // Done before; the answer was lost.
                    return Ok(());
                }
                refuse_cancelled(&job)?;
                release.set_live(connection, &held).await?;
                lock.set_live(connection, release.id).await?;
                let clusters = job.snapshot.clusters.iter();
                let adopted =
                    clusters.filter(|cluster| cluster.kubernetes.adoption == Adoption::Adopt);
                let adopted: Vec<_> = adopted.map(|cluster| cluster.id).collect();
                cluster::set_adopted(connection, &adopted).await?;
                let result = match job.ref_moves {
                    RefMoves::OnSuccess => RefResult::Pending,
                    // Its handler or its claim has moved it.
                    RefMoves::AtOnce => RefResult::Moved,
                    RefMoves::Never => return Ok(()),
                };
                Ok(Job::set_ref_result(connection, &held, result).await?)
            })
            .await
    }
}

fn refuse_cancelled(job: &Job) -> Result<(), RunError> {
    match &job.cancel_asked_at {
        Some(_) => Err(RunError::Cancelled { by: job.cancel_asked_by.clone().unwrap_or_default() }),
        None => Ok(()),
    }
}

async fn refuse_taken(
    connection: &mut AsyncPgConnection,
    job: &Job,
    entrances: &[(Host, String)],
) -> Result<(), RunError> {
    match route::taken(connection, job.environment_id, entrances).await? {
        Some((host, path)) => Err(RunError::Taken(format!("{host}{path}"))),
        None => Ok(()),
    }
}
