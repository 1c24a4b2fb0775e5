//! Removes what no release owns any more.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};

use crate::deploy::docker_target::{DockerTarget, STOP_SECONDS};
use crate::docker::{EngineError, Owned};
use crate::domain::ids::{EnvironmentId, Fence};

/// Containers that are ended at the same time; most of that time they only wait.
const AT_ONCE: usize = 16;

/// How long a container has to end when it is asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// It may have served people a moment ago: 10 s.
    Long,
    /// It is a leftover that nobody was sent to: 1 s.
    Short,
}

impl Farewell {
    const fn seconds(self) -> i32 {
        match self {
            Self::Long => STOP_SECONDS,
            Self::Short => 1,
        }
    }
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Names of containers.
    pub containers: Vec<String>,
    /// Names of networks.
    pub networks: Vec<String>,
}

impl DockerTarget {
    /// Removes every container and network of an environment whose fence is not to be kept, older
    /// or newer. Containers are asked to end first.
    ///
    /// # Errors
    ///
    /// The first of the engine's refusals, after everything was tried; a repeat goes on.
    pub async fn sweep(
        &self,
        environment: EnvironmentId,
        keep: &[Fence],
        farewell: Farewell,
    ) -> Result<Swept, EngineError> {
        let keep: Vec<String> = keep.iter().map(ToString::to_string).collect();
        let fence = self.labels.fence();
        let label = [(self.labels.environment(), environment.to_string())];
        let is_over = |labels: &BTreeMap<String, String>| {
            labels.get(&fence).is_none_or(|fence| !keep.contains(fence))
        };

        let containers = self.engine.containers(&label).await?.into_iter();
        let removals = stream::iter(containers.filter(|owned| is_over(&owned.labels)))
            .map(async |owned| self.end(owned, farewell).await)
            .buffered(AT_ONCE);
        let mut swept = Swept::default();
        let mut refusal = None;
        for removed in removals.collect::<Vec<_>>().await {
            match removed {
                Ok(name) => swept.containers.push(name),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }

        for network in self.engine.networks(&label).await? {
            if is_over(&network.labels) {
                match self.engine.remove_network(&network.id).await {
                    Ok(()) => swept.networks.push(network.name),
                    Err(error) => refusal = refusal.or(Some(error)),
                }
            }
        }
        refusal.map_or(Ok(swept), Err)
    }

    async fn end(&self, container: Owned, farewell: Farewell) -> Result<String, EngineError> {
        // One that cannot be stopped is removed all the same, or says why not.
        self.engine.stop_container(&container.id, farewell.seconds()).await.ok();
        self.engine.remove_container(&container.id).await?;
        Ok(container.name)
    }

    /// Removes the images that were built for an environment, except those to be kept and those
    /// that something still needs. Gives the ids of what was removed.
    ///
    /// # Errors
    ///
    /// When the engine does not answer; a repeat goes on.
    pub async fn sweep_images(
        &self,
        environment: EnvironmentId,
        keep: &BTreeSet<String>,
    ) -> Result<Vec<String>, EngineError> {
        let label = [(self.labels.environment(), environment.to_string())];
        let mut removed = Vec::new();
        for image in self.engine.images(&label).await? {
            if keep.contains(&image.id) {
                continue;
            }
            let mut names = image.tags;
            if names.is_empty() {
                names.push(image.id.clone());
            }
            let mut is_gone = true;
            for name in names {
                is_gone &= self.engine.remove_image(&name).await?;
            }
            if is_gone {
                removed.push(image.id);
            }
        }
        Ok(removed)
    }
}
