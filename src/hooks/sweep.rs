//! Containers of hooks that a killed worker left.

use std::collections::BTreeMap;

use crate::config::Runner;
use crate::docker::{Engine, EngineError, Owned};
use crate::domain::ids::JobId;
use crate::hooks::{HookUse, Hooks, Parts, caches};

impl Parts {
    /// The label of all hooks of this installation, which may share its engine.
    fn own_label(&self) -> (String, String) {
        (format!("{}/hooks-of", self.domain), self.workspaces.display().to_string())
    }

    fn job_label(&self) -> String {
        format!("{}/hook-of-job", self.domain)
    }

    /// Labels of a container of a hook.
    pub(super) fn labels(&self, asked: &HookUse) -> BTreeMap<String, String> {
        let (own, place) = self.own_label();
        let mut labels = asked.labels.clone();
        labels.extend([(own, place), (self.job_label(), asked.job.to_string())]);
        labels
    }
}

/// A container of a hook.
#[derive(Debug, Clone)]
pub struct HookContainer {
    id: String,
    /// The job whose hook it is.
    pub job: Option<JobId>,
}

impl Hooks {
    /// Every container of a hook of this installation.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn containers(&self) -> Result<Vec<HookContainer>, EngineError> {
        let parts = &self.parts;
        let mut definitions = parts.config.definitions.values();
        if !definitions.any(|hook| hook.runner == Runner::Container) {
            return Ok(Vec::new());
        }
        let engine = Engine::connect(&parts.engine).await?;
        let label = parts.job_label();
        let containers = engine.containers(&[parts.own_label()]).await?.into_iter();
        let of = |owned: Owned| HookContainer {
            job: owned.labels.get(&label).and_then(|job| job.parse().ok()),
            id: owned.id,
        };
        Ok(containers.map(of).collect())
    }

    /// Ends and removes containers.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn remove(
        &self,
        containers: impl IntoIterator<Item = HookContainer>,
    ) -> Result<(), EngineError> {
        let mut containers = containers.into_iter().peekable();
        if containers.peek().is_none() {
            return Ok(());
        }
        let engine = Engine::connect(&self.parts.engine).await?;
        for container in containers {
            engine.remove_container(&container.id).await?;
        }
        Ok(())
    }

    /// Removes caches that were dropped and are used by nobody. Blocks.
    pub fn sweep_caches(&self) {
        caches::sweep(&self.parts.caches);
    }

    /// Removes containers that an earlier run of a job left.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn clear(&self, job: JobId) -> Result<(), EngineError> {
        let containers = self.containers().await?.into_iter();
        self.remove(containers.filter(|container| container.job == Some(job))).await
    }
}
