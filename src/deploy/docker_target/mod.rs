//! Deployments on a Docker Engine: started beside what serves, watched until healthy, swept away.
//!
//! Every future here may be dropped at any time. What it left on the engine carries its fence, and
//! the next [`DockerTarget::leftovers`] that are not told to keep that fence are removed with it.

mod image_error;
mod images;
mod layers;
mod private;
mod pushed;
mod rollout;
mod room;
mod several;
mod sweep;
mod volumes;

use std::net::Ipv4Addr;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest, Sha256};

use crate::builder::Builder;
use crate::docker::{Engine, EngineError, NetworkCreated, Place};
use crate::domain::address_pool::{AddressPool, Subnet};
use crate::layers::Layers;
use crate::stack::{Container, ContainerFacts, Group, Labels, Phase, Placed, Stack};

pub use image_error::ImageError;
pub use images::{Obtained, Sources, plan_images};
pub use rollout::{RolloutError, Unhealthy};
pub use room::{Demand, NoRoom};
pub use sweep::{Leftovers, Swept};

/// Groups that are started at the same time: an engine does little more at once.
const AT_ONCE: usize = 4;

/// Seconds a container that people may be using has to end when it is asked to.
const STOP_SECONDS: i32 = 10;

/// A Docker Engine that deployments are put on.
#[derive(Debug, Clone)]
pub struct DockerTarget {
    /// The engine.
    pub engine: Engine,
    /// Who builds images for it.
    pub builder: Builder,
    /// Makes images of others and files.
    pub layers: Layers,
    /// Names of labels.
    pub labels: Labels,
    /// Addresses that networks are cut from.
    pub pool: AddressPool,
    /// How long a container without a health check must stay up.
    pub min_ready: Duration,
}

/// Why a stack was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Every network of the pool overlaps with one that exists.
    #[error("no network of {0} is free; raise docker.networks or remove networks")]
    NoFreeNetwork(AddressPool),
    /// The network that it had was given to somebody else.
    #[error("the addresses {0} are used by another network now")]
    AddressesTaken(Subnet),
    /// A name is held by something that is not of this stack.
    #[error("the name `{0}` is taken on the engine by something else")]
    NameTaken(String),
    /// A container cannot be made or started.
    #[error("pod {pod}: container \"{container}\" cannot be started: {words}")]
    Container {
        /// The pod.
        pod: String,
        /// The container, as the file calls it.
        container: String,
        /// The engine's words.
        words: String,
    },
    /// A volume was not filled.
    #[error("volume {0}: {1}")]
    Volume(String, String),
    /// The engine did not do something else, or is away.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What to do with a container that is there already.
#[derive(Debug, Clone, Copy)]
enum Existing {
    /// Go on with it.
    Keep,
    /// Make it anew: it hangs on a network or an anchor that is gone.
    Replace,
}

impl DockerTarget {
    /// Starts a stack beside everything else, and gives it with the addresses it got.
    ///
    /// A repeat goes on where the first call ended. That containers run is not waited for.
    ///
    /// # Errors
    ///
    /// When no network is free, or the engine refuses a container or is away.
    pub async fn start(&self, stack: &Stack) -> Result<Placed, StartError> {
        let existing = self.network_of(stack).await?;
        let (subnet, existing) = match existing {
            Some(subnet) => (subnet, Existing::Keep),
            None => (self.make_network(stack).await?, Existing::Replace),
        };
        let placed = Placed { stack: stack.clone(), subnet };
        self.start_groups(&placed, existing).await?;
        Ok(placed)
    }

    /// Brings back what is missing of a stack, or stands still, under the addresses it had.
    ///
    /// # Errors
    ///
    /// When its addresses were taken, or the engine refuses a container or is away.
    pub async fn revive(&self, placed: &Placed) -> Result<(), StartError> {
        let stack = &placed.stack;
        let existing = match self.network_of(stack).await? {
            Some(subnet) if subnet == placed.subnet => Existing::Keep,
            Some(_) => return Err(StartError::NameTaken(stack.network.clone())),
            None => {
                let network =
                    self.engine.create_network(&stack.network, placed.subnet, &stack.labels);
                match network.await? {
                    NetworkCreated::Created => Existing::Replace,
                    NetworkCreated::Overlaps => {
                        return Err(StartError::AddressesTaken(placed.subnet));
                    }
                }
            }
        };
        self.start_groups(placed, existing).await
    }

    /// The addresses of a stack's network, if it exists.
    async fn network_of(&self, stack: &Stack) -> Result<Option<Subnet>, StartError> {
        let Some(network) = self.engine.network(&stack.network).await? else { return Ok(None) };
        match network.subnet {
            Some(subnet) if stack.owns(&network.labels) => Ok(Some(subnet)),
            _ => Err(StartError::NameTaken(network.name)),
        }
    }

    async fn make_network(&self, stack: &Stack) -> Result<Subnet, StartError> {
        for subnet in self.pool.cut(stack.size(), seed(&stack.network)) {
            match self.engine.create_network(&stack.network, subnet, &stack.labels).await? {
                NetworkCreated::Created => return Ok(subnet),
                NetworkCreated::Overlaps => {}
            }
        }
        Err(StartError::NoFreeNetwork(self.pool))
    }

    async fn start_groups(&self, placed: &Placed, existing: Existing) -> Result<(), StartError> {
        self.fill_volumes(&placed.stack).await?;
        let groups = placed.groups();
        let starts: Vec<_> = groups
            .map(|(group, address)| self.start_group(&placed.stack, group, address, existing))
            .collect();
        stream::iter(starts).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn start_group(
        &self,
        stack: &Stack,
        group: &Group,
        address: Ipv4Addr,
        existing: Existing,
    ) -> Result<(), StartError> {
        let Some((first, others)) = group.containers.split_first() else { return Ok(()) };
        let own_names = group.containers.iter().map(|container| container.container.clone());
        let place = Place::Network {
            network: &stack.network,
            address,
            aliases: &group.aliases,
            own_names: own_names.collect(),
        };
        let cannot_start = |container: &Container, words| StartError::Container {
            pod: group.pod.clone(),
            container: container.container.clone(),
            words,
        };
        let refused = |container| {
            move |error| match error {
                EngineError::Refused { words, .. } => cannot_start(container, words),
                error @ (EngineError::Address(_)
                | EngineError::Away(_)
                | EngineError::Routes(_)) => error.into(),
            }
        };
        let found = self.find(stack, first, existing).await?;
        let (anchor, existing) = if let Some(facts) = found {
            (facts.id, existing)
        } else {
            let made = self.engine.create_container(first, &stack.labels, place).await;
            // Who was in the network namespace of the one before is alone there.
            (made.map_err(refused(first))?, Existing::Replace)
        };
        self.engine.start_container(&anchor).await.map_err(refused(first))?;
        for container in others {
            if self.find(stack, container, existing).await?.is_none() {
                let place = Place::With { anchor: &anchor };
                let made = self.engine.create_container(container, &stack.labels, place).await;
                made.map_err(refused(container))?;
            }
        }
        match self.join(group).await? {
            Joined::Yes => Ok(()),
            Joined::Refused { container, words } => Err(cannot_start(container, words)),
        }
    }

    /// A container of the stack that one can go on with; what one cannot go on with is removed.
    async fn find(
        &self,
        stack: &Stack,
        container: &Container,
        existing: Existing,
    ) -> Result<Option<ContainerFacts>, StartError> {
        let Some(facts) = self.engine.container(&container.name).await? else { return Ok(None) };
        if !stack.owns(&facts.labels) {
            return Err(StartError::NameTaken(container.name.clone()));
        }
        match (existing, facts.phase) {
            (
                Existing::Keep,
                Phase::Created | Phase::Running | Phase::Restarting | Phase::Stopped,
            ) => Ok(Some(facts)),
            (Existing::Keep, Phase::Broken) | (Existing::Replace, _) => {
                self.engine.remove_container(&facts.id).await?;
                Ok(None)
            }
        }
    }

    /// Starts the other containers of a group whose first one runs, and starts those again that are
    /// in a network namespace which it has left.
    ///
    /// Nothing is done while the first one does not run: it may be on its way to exit again.
    async fn join<'a>(&self, group: &'a Group) -> Result<Joined<'a>, EngineError> {
        let Some((first, others)) = group.containers.split_first() else {
            return Ok(Joined::Yes);
        };
        for container in others {
            let Some(anchor) = self.running(first).await? else { return Ok(Joined::Yes) };
            let Some(facts) = self.engine.container(&container.name).await? else { continue };
            let result = match facts.phase {
                Phase::Created | Phase::Stopped => self.engine.start_container(&facts.id).await,
                Phase::Running if !facts.shares_network_of(&anchor) => {
                    self.engine.restart_container(&facts.id, STOP_SECONDS).await
                }
                Phase::Running | Phase::Restarting | Phase::Broken => Ok(()),
            };
            match result {
                Ok(()) => {}
                Err(EngineError::Refused { words, .. }) => {
                    if self.running(first).await? == Some(anchor) {
                        return Ok(Joined::Refused { container, words });
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Joined::Yes)
    }

    /// What a container is, if it runs.
    async fn running(&self, container: &Container) -> Result<Option<ContainerFacts>, EngineError> {
        let facts = self.engine.container(&container.name).await?;
        Ok(facts.filter(|facts| facts.phase == Phase::Running))
    }
}

/// Whether the containers of a group are together, as far as they can be.
enum Joined<'a> {
    Yes,
    Refused {
        container: &'a Container,
        /// The engine's words.
        words: String,
    },
}

/// Where a network's search for free addresses begins: seldom where another's does.
fn seed(name: &str) -> u64 {
    let hash = Sha256::digest(name);
    hash.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::PathBuf;

    use tokio::sync::mpsc;

    use super::*;
    use crate::building::ContextLimits;
    use crate::domain::ids::{EnvironmentId, ProjectId};
    use crate::domain::release::PinnedImages;
    use crate::image::{Build, Provenance};
    use crate::paas::compiled::Deployment;

    /// Compiles only when every story can be run by a task of its own.
    #[expect(dead_code, reason = "compiling it is the test")]
    fn every_story_can_be_sent_to_a_task(
        target: &DockerTarget,
        placed: &Placed,
        environment: EnvironmentId,
        images: (&Deployment, &Provenance<'_>, &Build, &BTreeSet<String>),
        lines: &mpsc::Sender<String>,
    ) {
        fn check(_: impl Send) {}
        let (deployment, provenance, build, keep) = images;
        let project = ProjectId::from(uuid::Uuid::nil());
        let (checkout, library) = (PathBuf::new(), PathBuf::new());
        let limits = ContextLimits { bytes: 0, files: 0 };
        let (secrets, registry) = (BTreeMap::new(), None);
        let (frontends, platforms, uses_cache) = (Vec::new(), Vec::new(), true);
        let pinned = PinnedImages::new();
        let sources = Sources {
            checkout,
            library,
            limits,
            project,
            secrets,
            registry,
            frontends,
            platforms,
            uses_cache,
        };

        check(target.start(&placed.stack));
        check(target.revive(placed));
        check(target.wait_healthy(placed, Duration::ZERO, |_| {}));
        check(target.leftovers(environment, &[]));
        check(target.remove(Leftovers::default()));
        check(target.spare_images(environment, keep));
        check(target.remove_images(Vec::new()));
        check(plan_images(deployment, provenance, &sources));
        check(target.obtain(build, (&sources, &pinned), lines));
    }

    #[test]
    fn searches_for_networks_begin_apart() {
        assert_ne!(seed("acme-shop-production-7-90d5b"), seed("acme-shop-production-8-90d5b"));
    }
}
