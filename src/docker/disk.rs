//! How much room an engine on this machine has.

use std::path::{Path, PathBuf};

use crate::docker::{Engine, EngineError};
use crate::tasks;

/// The folder in which an engine keeps images, and its room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The folder.
    pub folder: PathBuf,
    /// Bytes that whoever is not root can still write there.
    pub free: u64,
}

impl Engine {
    /// The room where the engine keeps images; `None` when this machine does not see that folder,
    /// as when the engine runs in a machine of its own.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn room(&self) -> Result<Option<Room>, EngineError> {
        let Some(folder) = self.docker.info().await?.docker_root_dir.map(PathBuf::from) else {
            return Ok(None);
        };
        // A disk of the network may be slow.
        Ok(tasks::blocking(move || free(&folder).map(|free| Room { folder, free })).await)
    }
}

fn free(folder: &Path) -> Option<u64> {
    let facts = rustix::fs::statvfs(folder).ok()?;
    Some(facts.f_bavail.saturating_mul(facts.f_frsize))
}
