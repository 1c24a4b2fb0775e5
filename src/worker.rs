//! Workers: a bell is heard, an environment claimed, its job deployed.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tracing::{error, info, warn};

use crate::config::WorkerConfig;
use crate::deploy::Deployer;
use crate::domain::ids::JobId;
use crate::jobs::{Claimed, Jobs};
use crate::queue::Queue;
use crate::tasks::Tasks;

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

impl Worker {
    /// Claims what there is to do in the environment of a job, and does it.
    async fn answer(&self, bell: JobId) {
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
