//! Workers: a bell is heard, an environment claimed, its job deployed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tracing::{error, info, warn};

use crate::config::WorkerConfig;
use crate::db::feed::Bell;
use crate::deploy::Deployer;
use crate::domain::ids::JobId;
use crate::jobs::{Claimed, Jobs};
use crate::questions::Questions;
use crate::queue::Queue;
use crate::tasks::Tasks;

/// Questions that are answered at the same time, and how many of them for as long as somebody looks
/// on: who only wants to know something waits for no onlooker.
const MOST_QUESTIONS: usize = 64;
const MOST_ONLOOKERS: usize = 48;

/// Time after which it is looked for questions without a bell.
const WITHOUT_BELL: Duration = Duration::from_secs(5);

/// A worker: hears bells and does what is to be done.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Who it is, unique for every start of a process.
    pub name: String,
    /// Where jobs are claimed.
    pub jobs: Jobs,
    /// Deploys them.
    pub deployer: Deployer,
    /// Settings.
    pub settings: WorkerConfig,
    /// Runs under way.
    pub runs: Tasks,
}

/// Hears bells until the tasks stop. Runs go on; whoever stops the process waits for them.
pub async fn serve(worker: Worker, queue: Queue, tasks: Tasks) {
    let concurrency = worker.settings.concurrency.get();
    let sweeper = worker.deployer.clone();
    let interval = worker.settings.sweep_interval.duration();
    let sweeping = tasks.clone();
    drop(tasks.start(async move {
        while !sweeping.is_stopping() {
            sweeper.sweep_idle().await;
            sweeping.pause(interval).await;
        }
    }));
    // The queue's own bound is lost when its connection is; this one is not.
    let places = Arc::new(Semaphore::new(concurrency));
    let (name, stopping) = (worker.name.clone(), tasks.clone());
    let handler = move |bell: JobId| {
        let (worker, places, tasks) = (worker.clone(), places.clone(), stopping.clone());
        async move {
            let Ok(place) = places.acquire_owned().await else { return };
            if tasks.is_stopping() {
                return;
            }
            // Apart from the bell: a run goes on when Redis goes away.
            let run = worker.runs.clone().start(async move {
                Box::pin(worker.answer(bell)).await;
                drop(place);
            });
            if let Err(error) = run.await {
                error!("A run broke off: {error}");
            }
        }
    };
    queue.consume(&name, concurrency, &tasks, handler).await;
}

/// Answers questions until the tasks stop, beside the runs of jobs.
pub async fn answer(worker: Worker, questions: Questions, tasks: Tasks) {
    let mut bells = questions.bells();
    let places = Arc::new(Semaphore::new(MOST_QUESTIONS));
    let onlookers = Arc::new(Semaphore::new(MOST_ONLOOKERS));
    while let Ok(place) = places.clone().acquire_owned().await {
        if tasks.is_stopping() {
            return;
        }
        match questions.take(&worker.name).await {
            Ok(Some(asked)) => {
                let is_followed = asked.question.is_followed();
                let onlooker = is_followed.then(|| onlookers.clone().try_acquire_owned());
                let is_refused = matches!(onlooker, Some(Err(_)));
                let (deployer, stopping) = (worker.deployer.clone(), tasks.clone());
                drop(tasks.start(async move {
                    if is_refused {
                        let why = "too many follow what containers print: try again later";
                        return asked.end(Some(why.to_owned())).await;
                    }
                    tokio::select! {
                        () = Box::pin(deployer.answer(&asked)) => {}
                        () = stopping.stopping() => {
                            asked.end(Some("the worker stops: ask again".to_owned())).await;
                        }
                    }
                    drop((place, onlooker));
                }));
                continue;
            }
            Ok(None) => {}
            Err(error) => warn!("Could not look for questions: {error}"),
        }
        drop(place);
        tokio::select! {
            () = bells.heard_any(&[Bell::Questions], WITHOUT_BELL) => {}
            () = tasks.stopping() => return,
        }
    }
}

impl Worker {
    /// Does what is to be done in the environment of a job, and before that what others wait for
    /// who want a release back.
    async fn answer(&self, bell: JobId) {
        match self.jobs.waiting_rollbacks().await {
            Ok(rollbacks) => {
                for rollback in rollbacks {
                    self.take(rollback).await;
                }
            }
            // Each has a bell of its own.
            Err(error) => warn!("Could not look for rollbacks: {error}"),
        }
        self.take(bell).await;
    }

    /// Claims what there is to do in the environment of a job, and does it.
    async fn take(&self, bell: JobId) {
        match self.jobs.claim(bell, &self.name).await {
            Ok(Some(Claimed { run, task })) => {
                let number = run.job().number;
                info!(job.number = %number, "Claimed job {number}: {task:?}");
                // As large as the longest step.
                Box::pin(self.deployer.run(run, task)).await;
                info!(job.number = %number, "Done with job {number}");
            }
            Ok(None) => {}
            // The janitor rings again.
            Err(error) => warn!(job.id = %bell, "Could not claim: {error:?}"),
        }
    }
}
