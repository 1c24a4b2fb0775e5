//! Makes sure that there is room for images before the first of them is built.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::deploy::docker_target::DockerTarget;
use crate::docker::{EngineError, Room};
use crate::domain::ids::EnvironmentId;
use crate::image::{Build, Node};

const MIB: u64 = 1024 * 1024;

/// Why there is no room.
#[derive(Debug, thiserror::Error)]
pub enum NoRoom {
    /// The disk is too full.
    #[error(
        "the Docker Engine's disk has {} MiB free, {} MiB are needed\n\
         as much as the last build took, and {} MiB that stay free (builder.keep_free)\n\
         `docker system df` tells what is in {}; nothing was removed that is not this project's",
        free / MIB, needed.div_ceil(MIB), reserve / MIB, folder.display()
    )]
    Full {
        /// Where the engine keeps images.
        folder: PathBuf,
        /// Bytes that are free.
        free: u64,
        /// Bytes that are needed.
        needed: u64,
        /// Bytes of them that shall stay free.
        reserve: u64,
    },
    /// The engine is away.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What is about to be built.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// The images.
    pub nodes: &'a [Node],
    /// Bytes of the files they are built from.
    pub files: u64,
    /// Bytes that shall stay free.
    pub reserve: u64,
}

impl DockerTarget {
    /// Checks that what is built fits, going by the last build of the same images. When it does
    /// not, images of the environment that no release needs are removed first; nothing else is.
    ///
    /// # Errors
    ///
    /// When there is too little room all the same, or the engine is away.
    pub async fn make_room(
        &self,
        demand: Demand<'_>,
        environment: EnvironmentId,
        kept: &BTreeSet<String>,
    ) -> Result<(), NoRoom> {
        let Some(room) = self.engine.room().await? else { return Ok(()) };
        let needed = self.last_size(demand.nodes).await?.max(demand.files);
        let needed = needed.saturating_add(demand.reserve);
        if room.free >= needed {
            return Ok(());
        }
        let spare = self.spare_images(environment, kept).await?;
        self.remove_images(spare).await?;
        match self.engine.room().await? {
            Some(Room { folder, free }) if free < needed => {
                Err(NoRoom::Full { folder, free, needed, reserve: demand.reserve })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Bytes that the images took when they were built last, without what they are based on.
    async fn last_size(&self, nodes: &[Node]) -> Result<u64, EngineError> {
        let mut bytes = 0_u64;
        for node in nodes {
            let (tag, base) = match &node.build {
                Build::Dockerfile(build) => (&build.tag, build.bases.first()),
                Build::Layers(_) | Build::Stock(_) => continue,
            };
            let Some(last) = self.engine.image(tag).await? else { continue };
            let base = match base {
                Some(base) => self.engine.image(base).await.ok().flatten(),
                None => None,
            };
            let base = base.map_or(0, |base| base.size);
            bytes = bytes.saturating_add(last.size.saturating_sub(base));
        }
        Ok(bytes)
    }
}
