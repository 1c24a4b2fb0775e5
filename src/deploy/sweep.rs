//! Removes what killed workers left where nothing runs.

use tracing::{info, warn};

use crate::db::models::cluster;
use crate::db::models::environment::Environment;
use crate::db::models::release::Release;
use crate::db::models::run as runs;
use crate::db::pool::Transient;
use crate::deploy::targets::{Target, TargetError, connect};
use crate::deploy::{Deployer, workspace};
use crate::docker::EngineError;
use crate::domain::ids::EnvironmentId;
use crate::tasks::blocking;

/// Why an environment was not swept.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error("PostgreSQL: {0}")]
    Db(#[from] diesel::result::Error),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("could not remove workspaces: {0}")]
    Workspaces(#[from] std::io::Error),
}

impl Transient for SweepError {
    fn is_transient(&self) -> bool {
        // The next sweep is the repeat.
        false
    }
}

impl Deployer {
    /// Removes, in every environment that no run holds, what is not of the live release, and
    /// workspaces of runs that are over.
    pub async fn sweep_idle(&self) {
        if let Err(error) = self.sweep_workspaces().await {
            warn!("Could not sweep workspaces: {error}");
        }
        let all = self.jobs.db().run(async move |connection| Environment::all(connection).await);
        let environments = match all.await {
            Ok(environments) => environments,
            Err(error) => {
                let error: diesel::result::Error = error;
                return warn!("Could not sweep: {error}");
            }
        };
        for environment in environments {
            if let Err(error) = self.sweep_environment(environment.id).await {
                warn!("Could not sweep environment {}: {error}", environment.name);
            }
        }
    }

    async fn sweep_workspaces(&self) -> Result<(), SweepError> {
        let root = self.settings.workspaces.clone();
        // Listed before runs are: a folder that is there by then, and whose run is not, is left.
        let folders = blocking(move || workspace::list(&root)).await?;
        let open = self.jobs.db().run(async move |connection| runs::open_jobs(connection).await);
        let open = open.await?;
        let is_left = |(job, folder)| (!open.contains(&job)).then_some(folder);
        let left = folders.into_iter().filter_map(is_left).collect();
        Ok(blocking(move || workspace::remove(left)).await?)
    }

    async fn sweep_environment(&self, id: EnvironmentId) -> Result<(), SweepError> {
        let settings = self.settings.docker.clone();
        self.jobs
            .db()
            .transaction(async move |connection| {
                // Held to the end: no run can begin while its objects might be taken for leftovers.
                let Some(_lock) = Environment::try_lock(connection, id).await? else {
                    return Ok(());
                };
                if runs::open_of_environment(connection, id).await?.is_some() {
                    return Ok(());
                }
                let live = Release::live(connection, id).await?.map(|release| release.fence);
                let clusters = cluster::of_environment(connection, id).await?;
                for Target { docker, .. } in connect(clusters, &settings).await? {
                    let swept = docker.sweep(id, live.as_slice()).await?;
                    if !swept.containers.is_empty() || !swept.networks.is_empty() {
                        info!("Swept {:?} and {:?}", swept.containers, swept.networks);
                    }
                }
                Ok::<_, SweepError>(())
            })
            .await
    }
}
