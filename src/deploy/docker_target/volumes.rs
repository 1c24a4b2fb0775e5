//! Fills the volumes of a stack before anything mounts them.
//!
//! The container that filled a volume stays beside it, ended: it is the proof that the volume holds
//! everything, whatever was killed meanwhile.

use std::time::Duration;

use crate::deploy::docker_target::{DockerTarget, StartError};
use crate::docker::EngineError;
use crate::domain::history::truncate;
use crate::stack::{Phase, Stack, Volume};

/// Longest time that copying the files of a volume takes.
const FILL_LIMIT: Duration = Duration::from_secs(600);

/// Lines of a copy's output that are looked at when it fails.
const LAST_LINES: usize = 1;

/// Longest line that is shown, in bytes.
const LONGEST_LINE: usize = 200;

impl DockerTarget {
    /// Fills every volume of a stack that is not filled yet.
    pub(super) async fn fill_volumes(&self, stack: &Stack) -> Result<(), StartError> {
        for volume in &stack.volumes {
            self.fill(stack, volume).await?;
        }
        Ok(())
    }

    async fn fill(&self, stack: &Stack, volume: &Volume) -> Result<(), StartError> {
        let refused = |error| match error {
            EngineError::Refused { words, .. } => StartError::Volume(volume.key.clone(), words),
            error @ (EngineError::Address(_) | EngineError::Away(_) | EngineError::Routes(_)) => {
                error.into()
            }
        };
        let filler = volume.filler();
        if let Some(facts) = self.engine.container(&filler).await? {
            if !stack.owns(&facts.labels) {
                return Err(StartError::NameTaken(filler));
            }
            if facts.phase == Phase::Stopped && facts.exit_code == 0 {
                return Ok(());
            }
            self.engine.remove_container(&facts.id).await?;
        }
        self.engine.create_volume(&volume.name, &stack.labels).await.map_err(refused)?;
        let id = self.engine.create_filler(volume, &stack.labels).await.map_err(refused)?;
        self.engine.start_container(&id).await.map_err(refused)?;
        let ended = tokio::time::timeout(FILL_LIMIT, self.engine.exit_code(&id)).await;
        let words = match ended {
            Ok(code) => match code? {
                0 => return Ok(()),
                code => self.last_words(&id).await.unwrap_or_else(|| format!("exited {code}")),
            },
            Err(_elapsed) => format!("not filled in {} s", FILL_LIMIT.as_secs()),
        };
        Err(StartError::Volume(volume.key.clone(), words))
    }

    async fn last_words(&self, container: &str) -> Option<String> {
        let mut line = self.engine.last_lines(container, LAST_LINES).await.ok()?.pop()?;
        truncate(&mut line, LONGEST_LINE);
        Some(line)
    }
}
