//! A worker takes the environment of a job.

use diesel_async::AsyncPgConnection;

use crate::db::lock::RepositoryLock;
use crate::db::models::environment::{Environment, EnvironmentLock};
use crate::db::models::job::{Job, Source};
use crate::db::models::release::Release;
use crate::db::models::run::{self as runs, NewRun, OpenRun};
use crate::domain::git_ref::RefName;
use crate::domain::ids::{EnvironmentId, Fence, JobId, ProjectId};
use crate::domain::job::{JobKind, Outcome};
use crate::domain::oid::Oid;
use crate::domain::ref_move::RefMoves;
use crate::domain::release::ReleaseState;
use crate::domain::run::RunOutcome;
use crate::domain::take_over::{Applied, Cancel, TakeOver, take_over};
use crate::git::bare_repository::Swap;
use crate::jobs::create::moved_elsewhere;
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
    /// Deploy, from the beginning.
    Deploy,
    /// Go on behind the point at which the release became live.
    Finish,
    /// Make the environment what it was, and end the job.
    PutBack,
}

/// Whether a queued job may run.
enum Check {
    Passed { expected_tip: Option<Oid> },
    Ends(Outcome, String),
}

impl Jobs {
    /// Looks at the environment of a job and takes what is to be done there, if anything is.
    ///
    /// A run that was lost is taken over before anything that waits. Of waiting jobs the newest
    /// runs and the older ones end; a job whose ref went on without it ends as stale.
    ///
    /// # Errors
    ///
    /// When the database or the repository does not answer.
    pub async fn claim(&self, bell: JobId, worker: &str) -> Result<Option<Claimed>, JobsError> {
        let (jobs, worker) = (self.clone(), worker.to_owned());
        self.db
            .transaction(async move |connection| {
                let environment = Job::find(connection, bell).await?.environment_id;
                let project = Environment::find(connection, environment).await?.project_id;
                RepositoryLock::take(connection, project).await?;
                let lock = Environment::lock(connection, environment).await?;
                Claim { jobs: &jobs, connection, lock, project, worker: &worker }.take().await
            })
            .await
    }
}

struct Claim<'a> {
    jobs: &'a Jobs,
    connection: &'a mut AsyncPgConnection,
    lock: EnvironmentLock,
    project: ProjectId,
    worker: &'a str,
}

impl Claim<'_> {
    fn environment(&self) -> EnvironmentId {
        self.lock.environment().id
    }

    async fn take(mut self) -> Result<Option<Claimed>, JobsError> {
        let environment = self.environment();
        match runs::open_of_environment(self.connection, environment).await? {
            Some(run) if !run.expired => return Ok(None),
            Some(lost) => {
                if let Some(claimed) = self.take_over(&lost).await? {
                    return Ok(Some(claimed));
                }
            }
            None => {}
        }
        self.take_newest().await
    }

    /// Decides about a job whose worker fell silent.
    async fn take_over(&mut self, lost: &OpenRun) -> Result<Option<Claimed>, JobsError> {
        let job = Job::lock(self.connection, lost.job_id).await?;
        let lost_before = runs::lost(self.connection, job.id).await?;
        runs::close(self.connection, job.id, lost.attempt, RunOutcome::Lost).await?;
        let fence = self.lock.raise_fence(self.connection).await?;
        Job::set_fence(self.connection, job.id, fence).await?;
        let release = Release::of_job(self.connection, job.id).await?;
        let applied = match release.map(|release| release.state) {
            Some(ReleaseState::Live) => Applied::Live,
            _ if job.applying_since.is_some() => Applied::Perhaps,
            _ => Applied::Nothing,
        };
        let cancel = if job.cancel_asked_at.is_some() { Cancel::Asked } else { Cancel::NotAsked };
        match take_over(applied, cancel, lost_before) {
            TakeOver::Finish => self.begin(job.id, fence, Task::Finish).await.map(Some),
            TakeOver::PutBack => self.begin(job.id, fence, Task::PutBack).await.map(Some),
            TakeOver::Requeue => {
                Job::set_queued(self.connection, job.id).await?;
                Ok(None)
            }
            TakeOver::EndCancelled => {
                let by = job.cancel_asked_by.clone().unwrap_or_default();
                let verdict = Verdict::new(Outcome::Cancelled, format!("cancelled by {by}"));
                end(self.connection, &job, &verdict).await?;
                Ok(None)
            }
            TakeOver::EndLost => {
                let verdict = Verdict::new(Outcome::Lost, "its worker was lost twice");
                end(self.connection, &job, &verdict).await?;
                Ok(None)
            }
        }
    }

    /// Takes the newest waiting job that may still deploy.
    async fn take_newest(&mut self) -> Result<Option<Claimed>, JobsError> {
        let mut waiting =
            Job::open_of_environment(self.connection, self.environment()).await?.into_iter();
        let (taken, expected_tip) = loop {
            let Some(job) = waiting.next() else { return Ok(None) };
            match self.check(&job).await? {
                Check::Passed { expected_tip } => break (job, expected_tip),
                Check::Ends(outcome, reason) => {
                    end(self.connection, &job, &Verdict::new(outcome, reason)).await?;
                }
            }
        };
        for older in waiting {
            let reason = format!("superseded by job {}", taken.number);
            let verdict = Verdict {
                superseded_by: Some(taken.id),
                ..Verdict::new(Outcome::Superseded, reason)
            };
            end(self.connection, &older, &verdict).await?;
        }
        let fence = self.lock.raise_fence(self.connection).await?;
        Job::set_running(self.connection, taken.id, fence, expected_tip).await?;
        self.begin(taken.id, fence, Task::Deploy).await.map(Some)
    }

    async fn begin(&mut self, job: JobId, fence: Fence, task: Task) -> Result<Claimed, JobsError> {
        let environment = self.environment();
        let lease_ms = self.jobs.lease_ms();
        let new = NewRun { job, environment, worker: self.worker, fence, lease_ms };
        let attempt = new.insert(self.connection).await?;
        let job = Job::find(self.connection, job).await?;
        let run = Run::new(self.jobs.clone(), job, self.project, fence, attempt);
        Ok(Claimed { run, task })
    }

    async fn check(&mut self, job: &Job) -> Result<Check, JobsError> {
        match job.kind {
            JobKind::Deploy => self.check_deploy(job).await,
            JobKind::Redeploy => self.check_redeploy(job).await,
            JobKind::Rollback => {
                Ok(Check::Ends(Outcome::Refused, "a rollback is not supported yet".to_owned()))
            }
        }
    }

    async fn check_deploy(&mut self, job: &Job) -> Result<Check, JobsError> {
        let (Some(name), Some(update)) = (job.ref_name.clone(), job.ref_update()) else {
            return Ok(Check::Ends(Outcome::Refused, "it names no commit".to_owned()));
        };
        let moves = job.ref_moves;
        let asked = name.clone();
        let looked = self
            .jobs
            .in_repository(self.project, move |repository| {
                let tip = repository.tip(&asked)?;
                // A tip that is no commit, or is gone, is contained in nothing.
                let contained = |tip| repository.descends(update.new, tip).unwrap_or(false);
                Ok((tip, update.at_claim(moves, tip, contained)))
            })
            .await;
        let (tip, verdict) = match looked {
            Ok(found) => found,
            Err(error) => return Ok(Check::Ends(Outcome::Refused, error.to_string())),
        };
        if verdict.is_err() {
            return Ok(Check::Ends(Outcome::Stale, moved_elsewhere(&name, tip)));
        }
        // The handler that made it may have died before it moved the ref.
        if moves == RefMoves::AtOnce && tip != Some(update.new) {
            return self.move_now(&name, tip, update.new).await;
        }
        Ok(Check::Passed { expected_tip: tip })
    }

    async fn move_now(
        &mut self,
        name: &RefName,
        tip: Option<Oid>,
        new: Oid,
    ) -> Result<Check, JobsError> {
        Ok(match self.jobs.swap(self.project, name, tip, Some(new)).await? {
            Swap::Done => Check::Passed { expected_tip: Some(new) },
            Swap::Elsewhere(tip) => Check::Ends(Outcome::Stale, moved_elsewhere(name, tip)),
            Swap::Refused(why) => Check::Ends(Outcome::Stale, why),
        })
    }

    /// Finds what a redeploy deploys: the tip of the ref that was deployed last.
    async fn check_redeploy(&mut self, job: &Job) -> Result<Check, JobsError> {
        let refused = |why: &str| Ok(Check::Ends(Outcome::Refused, why.to_owned()));
        let Some(last) = Job::newest_deploy(self.connection, job.environment_id).await? else {
            return refused("nothing was deployed here yet: push first");
        };
        let Some(name) = last.ref_name else { return refused("the last deployment names no ref") };
        let (asked, number) = (name.clone(), job.number);
        let found = self
            .jobs
            .in_repository(self.project, move |repository| {
                let Some(tip) = repository.tip(&asked)? else { return Ok(None) };
                repository.pin(number, tip)?;
                Ok(Some((tip, repository.subject(tip)?)))
            })
            .await;
        match found {
            Ok(Some((new_oid, subject))) => {
                let source = Source {
                    ref_name: &name,
                    new_oid,
                    subject: &subject,
                    variables: &last.variables,
                };
                Job::set_source(self.connection, job.id, &source).await?;
                Ok(Check::Passed { expected_tip: Some(new_oid) })
            }
            Ok(None) => refused(&format!("{} is gone: push it again", name.short())),
            Err(error) => refused(&error.to_string()),
        }
    }
}
