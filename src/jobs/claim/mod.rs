//! A worker takes the environment of a job.

mod check;

use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::db::lock::RepositoryLock;
use crate::db::models::environment::{Environment, EnvironmentLock};
use crate::db::models::job::Job;
use crate::db::models::release::Release;
use crate::db::models::run::{self as runs, NewRun, OpenRun};
use crate::domain::history::{EntryKind, NewEntry, Step};
use crate::domain::ids::{EnvironmentId, Fence, JobId};
use crate::domain::job::{JobKind, Outcome};
use crate::domain::release::ReleaseState;
use crate::domain::run::RunOutcome;
use crate::domain::take_over::{Applied, Cancel, TakeOver, take_over};
use crate::history::{Appended, Writer, append};
use crate::jobs::claim::check::{Check, Passed};
use crate::jobs::{Jobs, JobsError, Run, Verdict, end};

/// A run that has begun, and what it is to do.
#[derive(Debug)]
pub struct Claimed {
    /// The run.
    pub run: Run,
    /// What it is to do.
    pub task: Task,
}

/// What a run is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// What its job is for, from the beginning.
    Deploy,
    /// Go on behind the point at which the release became live.
    Finish,
    /// Make the environment what it was, and end the job.
    PutBack,
}

impl Jobs {
    /// Looks at the environment of a job and takes what is to be done there, if anything is.
    ///
    /// A run that was lost is taken over before anything that waits. Of waiting deployments the
    /// newest runs and the older ones end; one whose ref went on without it ends as stale. A plan
    /// runs before a deployment that came after it, and the newest rollback before everything else:
    /// what came before it ends, and what came after it runs next.
    ///
    /// # Errors
    ///
    /// When the database or the repository does not answer.
    pub async fn claim(&self, bell: JobId, worker: &str) -> Result<Option<Claimed>, JobsError> {
        // By this a repeat knows its own run, when the answer to the first COMMIT was lost.
        let (jobs, worker) = (self.clone(), format!("{worker} {}", Uuid::now_v7().simple()));
        self.db
            .transaction(async move |connection| {
                let environment = Job::find(connection, bell).await?.environment_id;
                let project = Environment::find(connection, environment).await?.project_id;
                let repository = RepositoryLock::take(connection, project).await?;
                let lock = Environment::lock(connection, environment).await?;
                Claim { jobs: &jobs, connection, repository, lock, worker: &worker }.take().await
            })
            .await
    }
}

struct Claim<'a> {
    jobs: &'a Jobs,
    connection: &'a mut AsyncPgConnection,
    repository: RepositoryLock,
    lock: EnvironmentLock,
    worker: &'a str,
}

impl Claim<'_> {
    fn environment(&self) -> EnvironmentId {
        self.lock.environment().id
    }

    async fn take(mut self) -> Result<Option<Claimed>, JobsError> {
        let environment = self.environment();
        match runs::open_of_environment(self.connection, environment).await? {
            Some(own) if own.worker == self.worker => return self.resume(&own).await.map(Some),
            Some(run) if !run.expired => return Ok(None),
            Some(lost) => {
                if let Some(claimed) = self.take_over(&lost).await? {
                    return Ok(Some(claimed));
                }
            }
            None => {}
        }
        self.take_next().await
    }

    /// The run that this very claim has begun.
    async fn resume(&mut self, own: &OpenRun) -> Result<Claimed, JobsError> {
        let job = Job::find(self.connection, own.job_id).await?;
        let task = match self.applied(&job).await? {
            Applied::Live => Task::Finish,
            Applied::Perhaps => Task::PutBack,
            Applied::Nothing => Task::Deploy,
        };
        let project = self.repository.project();
        let run = Run::new(self.jobs.clone(), job, project, own.fence, own.attempt);
        Ok(Claimed { run, task })
    }

    async fn applied(&mut self, job: &Job) -> diesel::QueryResult<Applied> {
        let release = Release::of_job(self.connection, job.id).await?;
        Ok(match release.map(|release| release.state) {
            Some(ReleaseState::Live) => Applied::Live,
            _ if job.applying_since.is_some() => Applied::Perhaps,
            _ => Applied::Nothing,
        })
    }

    /// Decides about a job whose worker fell silent.
    async fn take_over(&mut self, lost: &OpenRun) -> Result<Option<Claimed>, JobsError> {
        let job = Job::lock(self.connection, lost.job_id).await?;
        let lost_before = runs::lost(self.connection, job.id).await?;
        runs::close(self.connection, job.id, lost.attempt, RunOutcome::Lost).await?;
        let fence = self.lock.raise_fence(self.connection).await?;
        Job::set_fence(self.connection, job.id, fence).await?;
        let applied = self.applied(&job).await?;
        let cancel = if job.cancel_asked_at.is_some() { Cancel::Asked } else { Cancel::NotAsked };
        match take_over(applied, cancel, lost_before) {
            TakeOver::Finish => self.begin(job.id, fence, Task::Finish).await.map(Some),
            TakeOver::PutBack => self.begin(job.id, fence, Task::PutBack).await.map(Some),
            TakeOver::Requeue => {
                let text = "its worker was lost: trying once more";
                let row = NewEntry::new(Step::Queue, EntryKind::Step, text);
                match append(self.connection, job.id, Writer::Outside, &[row]).await? {
                    Appended::Written | Appended::Refused => {}
                }
                job.set_queued(self.connection).await?;
                Ok(None)
            }
            TakeOver::EndCancelled => {
                end(self.connection, &job, &Verdict::cancelled(&job)).await?;
                Ok(None)
            }
            TakeOver::EndLost => {
                let verdict = Verdict::new(Outcome::Lost, "its worker was lost twice");
                end(self.connection, &job, &verdict).await?;
                Ok(None)
            }
        }
    }

    /// Takes a rollback, the newest waiting job that may still deploy, or a plan that waits for
    /// longer.
    async fn take_next(&mut self) -> Result<Option<Claimed>, JobsError> {
        let waiting = Job::open_of_environment(self.connection, self.environment()).await?;
        let (mut plans, others): (Vec<Job>, Vec<Job>) =
            waiting.into_iter().partition(|job| job.kind == JobKind::Plan);
        let (rollbacks, deployments): (Vec<Job>, Vec<Job>) =
            others.into_iter().partition(|job| job.kind == JobKind::Rollback);
        if let Some(claimed) = self.take_newest(rollbacks, &deployments).await? {
            return Ok(Some(claimed));
        }
        let newest = deployments.first().map(|job| job.number);
        // Nothing supersedes a plan, and it supersedes nothing: they run in their order.
        while let Some(plan) = plans.pop_if(|plan| newest.is_none_or(|newest| plan.number < newest))
        {
            match self.check(&plan).await? {
                Check::Passed(passed) => return self.start(&plan, &passed).await.map(Some),
                Check::Ends(outcome, reason) => {
                    end(self.connection, &plan, &Verdict::new(outcome, reason)).await?;
                }
            }
        }
        self.take_newest(deployments, &[]).await
    }

    /// Takes the first of these that may run, newest first. What came before it ends, of these and
    /// of others that wait.
    async fn take_newest(
        &mut self,
        waiting: Vec<Job>,
        others: &[Job],
    ) -> Result<Option<Claimed>, JobsError> {
        let mut taken: Option<(Job, Passed)> = None;
        let mut ending = Vec::new();
        for job in waiting {
            let verdict = match &taken {
                Some((newest, _)) => Verdict::superseded(newest),
                None => match self.check(&job).await? {
                    Check::Passed(passed) => {
                        taken = Some((job, passed));
                        continue;
                    }
                    Check::Ends(outcome, reason) => Verdict::new(outcome, reason),
                },
            };
            ending.push((job, verdict));
        }
        if let Some((newest, _)) = &taken {
            let older = others.iter().filter(|job| job.number < newest.number);
            ending.extend(older.map(|job| (job.clone(), Verdict::superseded(newest))));
        }
        // Rows are locked by ascending number, here as everywhere.
        ending.sort_by_key(|(job, _)| job.number);
        for (job, verdict) in &ending {
            end(self.connection, job, verdict).await?;
        }
        let Some((job, passed)) = taken else { return Ok(None) };
        // Not before the others have ended: one of them may have the same key.
        if let Some(source) = &passed.source {
            Job::set_source(self.connection, job.id, source).await?;
        }
        self.start(&job, &passed).await.map(Some)
    }

    /// Begins the first run of a job, or another one of a job that was given back.
    async fn start(&mut self, job: &Job, passed: &Passed) -> Result<Claimed, JobsError> {
        let fence = self.lock.raise_fence(self.connection).await?;
        job.set_running(self.connection, fence, passed.expected_tip).await?;
        self.begin(job.id, fence, Task::Deploy).await
    }

    async fn begin(&mut self, job: JobId, fence: Fence, task: Task) -> Result<Claimed, JobsError> {
        let environment = self.environment();
        let lease_ms = self.jobs.lease_ms();
        let new = NewRun { job, environment, worker: self.worker, fence, lease_ms };
        let attempt = new.insert(self.connection).await?;
        let job = Job::find(self.connection, job).await?;
        let run = Run::new(self.jobs.clone(), job, self.repository.project(), fence, attempt);
        Ok(Claimed { run, task })
    }
}
