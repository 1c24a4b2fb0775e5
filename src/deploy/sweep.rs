//! Brings back what is missing of what serves, and removes what killed workers left, where nothing
//! runs.

use std::time::Duration;

use tracing::{info, warn};

use crate::db::models::cluster;
use crate::db::models::environment::Environment;
use crate::db::models::release::Release;
use crate::db::models::run as runs;
use crate::db::pool::Transient;
use crate::deploy::docker_target::{DockerTarget, Leftovers};
use crate::deploy::stored::{Objects, Unreadable};
use crate::deploy::targets::{Target, TargetError, connect_engines};
use crate::deploy::{Deployer, Settings, stored, workspace};
use crate::docker::EngineError;
use crate::domain::cluster::Cluster;
use crate::domain::ids::{EnvironmentId, Fence, JobId};
use crate::domain::redact::Redactor;
use crate::tasks::blocking;

/// Time that engines have for one environment, below the time after which PostgreSQL ends a
/// transaction in which nothing happens.
const ENGINES_TIME: Duration = Duration::from_secs(15);

/// Why an environment was not swept.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error("PostgreSQL: {0}")]
    Db(#[from] diesel::result::Error),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("an engine did not do it within 15 s; it is tried again")]
    Slow,
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
    /// In every environment that no run holds: brings back what is missing of the live release and
    /// removes what is not of it. Also removes workspaces of runs that are over.
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
        let containers = self.settings.hooks.containers().await?.into_iter();
        let open = self.jobs.db().run(async move |connection| runs::open_jobs(connection).await);
        let open = open.await?;
        let is_left = |(job, folder)| (!open.contains(&job)).then_some(folder);
        let left: Vec<_> = folders.into_iter().filter_map(is_left).collect();
        let is_open = |job: Option<JobId>| job.is_some_and(|job| open.contains(&job));
        let ended = containers.filter(|container| !is_open(container.job));
        // What writes to a folder goes before it.
        self.settings.hooks.remove(ended).await?;
        let hooks = self.settings.hooks.clone();
        Ok(blocking(move || {
            let removed = workspace::remove(&left);
            hooks.sweep_caches();
            removed
        })
        .await?)
    }

    async fn sweep_environment(&self, id: EnvironmentId) -> Result<(), SweepError> {
        let (settings, opener) = (self.settings.clone(), self.settings.keyring.opener.clone());
        let found = self.jobs.db().transaction(async move |connection| {
            // While it is held no run can begin, so that what is found is nobody's for ever; it is
            // removed later, because somebody may want to push meanwhile.
            let Some(_lock) = Environment::try_lock(connection, id).await? else {
                return Ok(Vec::new());
            };
            if runs::open_of_environment(connection, id).await?.is_some() {
                return Ok(Vec::new());
            }
            let live = Release::live(connection, id).await?;
            let clusters = cluster::of_environment(connection, id).await?;
            let reviving = async {
                let objects = match &live {
                    Some(live) => stored::objects(&opener, live).await?,
                    None => Objects::default(),
                };
                let serving = live.map(|live| (live.fence, objects));
                revive(id, clusters, serving, &settings).await
            };
            tokio::time::timeout(ENGINES_TIME, reviving).await.map_err(|_slow| SweepError::Slow)?
        });
        for (docker, leftovers) in found.await? {
            let swept = docker.remove(leftovers).await?;
            if !swept.containers.is_empty() || !swept.networks.is_empty() {
                info!("Swept {:?} and {:?}", swept.containers, swept.networks);
            }
        }
        Ok(())
    }
}

/// Brings back what is missing of a live release, and finds what is not of it.
async fn revive(
    environment: EnvironmentId,
    clusters: Vec<Cluster>,
    serving: Option<(Fence, Objects)>,
    settings: &Settings,
) -> Result<Vec<(DockerTarget, Leftovers)>, SweepError> {
    let (keep, objects) = match serving {
        Some((fence, objects)) => (vec![fence], objects),
        None => (Vec::new(), Objects::default()),
    };
    let mut found = Vec::new();
    // Nothing that is done here has output.
    let redactor = Redactor::default();
    // A Kubernetes cluster itself brings back what is missing.
    for Target { cluster, driver: docker } in connect_engines(clusters, settings, &redactor).await?
    {
        for on in objects.docker.iter().filter(|on| on.cluster == cluster.id) {
            if let Err(error) = docker.revive(&on.placed).await {
                warn!(
                    "Could not bring back what is missing of {}: {error}",
                    on.placed.stack.network
                );
            }
        }
        let leftovers = docker.leftovers(environment, &keep).await?;
        found.push((docker, leftovers));
    }
    Ok(found)
}
