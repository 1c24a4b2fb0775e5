//! Removes what no release owns any more.
//!
//! In two steps. Whoever removes something makes sure in between that the environment is still
//! theirs: a worker that stood still for minutes then removes nothing that another one has made
//! meanwhile, because that is not on its list.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};

use crate::deploy::docker_target::{DockerTarget, STOP_SECONDS};
use crate::docker::{EngineError, ImageFacts, Network, Owned};
use crate::domain::ids::{EnvironmentId, Fence};

/// Containers that are ended at the same time; most of that time they only wait.
const AT_ONCE: usize = 16;

/// What is to be removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    containers: Vec<Owned>,
    networks: Vec<Network>,
    volumes: Vec<Owned>,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Names of containers.
    pub containers: Vec<String>,
    /// Names of networks.
    pub networks: Vec<String>,
    /// Names of volumes.
    pub volumes: Vec<String>,
}

impl DockerTarget {
    /// Every container, network and volume of an environment whose fence is not to be kept, older or newer.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn leftovers(
        &self,
        environment: EnvironmentId,
        keep: &[Fence],
    ) -> Result<Leftovers, EngineError> {
        let keep: Vec<String> = keep.iter().map(ToString::to_string).collect();
        let fence = self.labels.fence();
        let label = [(self.labels.environment(), environment.to_string())];
        let is_over = |labels: &BTreeMap<String, String>| {
            labels.get(&fence).is_none_or(|fence| !keep.contains(fence))
        };
        let mut containers = self.engine.containers(&label).await?;
        let mut networks = self.engine.networks(&label).await?;
        containers.retain(|owned| is_over(&owned.labels));
        let mut volumes = self.engine.volumes(&label).await?;
        networks.retain(|network| is_over(&network.labels));
        volumes.retain(|owned| is_over(&owned.labels));
        Ok(Leftovers { containers, networks, volumes })
    }

    /// Removes them. Containers are asked to end first.
    ///
    /// # Errors
    ///
    /// The first of the engine's refusals, after everything was tried; a repeat goes on.
    pub async fn remove(&self, leftovers: Leftovers) -> Result<Swept, EngineError> {
        let removals = stream::iter(leftovers.containers)
            .map(async |owned| self.end(owned).await)
            .buffered(AT_ONCE);
        let mut swept = Swept::default();
        let mut refusal = None;
        for removed in removals.collect::<Vec<_>>().await {
            match removed {
                Ok(name) => swept.containers.push(name),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        for network in leftovers.networks {
            match self.engine.remove_network(&network.id).await {
                Ok(()) => swept.networks.push(network.name),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        for volume in leftovers.volumes {
            match self.engine.remove_volume(&volume.id).await {
                Ok(()) => swept.volumes.push(volume.name),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        refusal.map_or(Ok(swept), Err)
    }

    async fn end(&self, container: Owned) -> Result<String, EngineError> {
        // One that cannot be stopped is removed all the same, or says why not.
        self.engine.stop_container(&container.id, STOP_SECONDS).await.ok();
        self.engine.remove_container(&container.id).await?;
        Ok(container.name)
    }

    /// The images that were built for an environment, except those to be kept.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn spare_images(
        &self,
        environment: EnvironmentId,
        keep: &BTreeSet<String>,
    ) -> Result<Vec<ImageFacts>, EngineError> {
        let label = [(self.labels.environment(), environment.to_string())];
        let mut images = self.engine.images(&label).await?;
        let is_kept = |image: &ImageFacts| {
            keep.contains(&image.id) || image.digests.iter().any(|digest| keep.contains(digest))
        };
        images.retain(|image| !is_kept(image));
        Ok(images)
    }

    /// Removes images, except those that something still needs. Gives the ids of what was removed.
    ///
    /// # Errors
    ///
    /// When the engine does not answer; a repeat goes on.
    pub async fn remove_images(&self, images: Vec<ImageFacts>) -> Result<Vec<String>, EngineError> {
        let mut removed = Vec::new();
        for image in images {
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
