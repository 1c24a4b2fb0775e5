//! Starts a use in the cage that its definition asks for.

use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use crate::cage::CageProcess;
use crate::caging::{Bounds, Caged, Ended, HOME, Heard, Mount};
use crate::config::{HookConfig, Runner};
use crate::docker::{CageContainer, Engine, EngineError};
use crate::hooks::folders::{Folders, NONCE, environment, folder, mounts};
use crate::hooks::outlet::Outlet;
use crate::hooks::{HookFault, HookUse, PWD, Parts};
use crate::paas::HookKind;

/// Where a command's programs are, unless an image says otherwise.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A command that runs in a cage.
#[derive(Debug)]
pub(super) enum Cage {
    Container(Box<Contained>),
    Process(Box<CageProcess>),
}

/// A command in a container.
#[derive(Debug)]
pub(super) struct Contained {
    container: CageContainer,
    /// What its way out is in, and on which engine.
    gate: Option<(Engine, String)>,
}

impl Parts {
    /// Has the image of a hook in a container.
    pub(super) async fn obtain(
        &self,
        hook: &HookConfig,
        lines: &mpsc::Sender<String>,
    ) -> Result<(), HookFault> {
        if hook.runner == Runner::Container {
            let engine = Engine::connect(&self.engine).await?;
            if engine.image(&hook.image).await?.is_none() {
                engine.pull(&hook.image, &[], lines).await?;
            }
        }
        Ok(())
    }

    /// Starts a use.
    pub(super) async fn cage(
        &self,
        asked: &HookUse,
        hook: &HookConfig,
        (folders, outlet): (&Folders, Option<&Outlet>),
    ) -> Result<Cage, HookFault> {
        let mut caged = self.caged(asked, hook, folders);
        match hook.runner {
            Runner::Container => {
                let engine = Engine::connect(&self.engine).await?;
                let volumes = engine.image_volumes(&hook.image).await?;
                let volumes = in_memory(&hook.image, volumes, &caged.mounts)?;
                // What is made and not started is removed by the sweep.
                let gate = match outlet {
                    Some(outlet) => {
                        Some(self.start_gate(&engine, asked, (outlet, &caged.name)).await?)
                    }
                    None => None,
                };
                let (labels, image) = (self.labels(asked), &hook.image);
                let gate_id = gate.as_deref();
                let id = engine.create_cage(&caged, (image, &volumes), gate_id, labels).await?;
                let container = self.start(&engine, &id, folders).await;
                if container.is_err() {
                    engine.remove_container(&id).await?;
                    if let Some(gate) = &gate {
                        engine.remove_container(gate).await?;
                    }
                }
                let gate = gate.map(|gate| (engine, gate));
                Ok(Cage::Container(Box::new(Contained { container: container?, gate })))
            }
            Runner::Process => {
                let cages = self.cages.as_ref().ok_or(HookFault::Unknown)?;
                if let Some(outlet) = outlet {
                    self.lead_out(&mut caged, outlet).await?;
                }
                caged.env.insert(0, ("PATH".to_owned(), PATH.to_owned()));
                Ok(Cage::Process(Box::new(cages.start(&caged, &hook.root)?)))
            }
        }
    }

    async fn start(
        &self,
        engine: &Engine,
        id: &str,
        folders: &Folders,
    ) -> Result<CageContainer, HookFault> {
        if !self.is_local.load(Ordering::Relaxed) {
            if !engine.sees(id, &format!("{HOME}/{NONCE}"), &folders.nonce).await? {
                return Err(HookFault::Elsewhere(self.engine.clone()));
            }
            self.is_local.store(true, Ordering::Relaxed);
        }
        engine.start_cage(id).await.map_err(|error| match error {
            // The command is not in the image, and the like.
            EngineError::Refused { words, .. } => HookFault::NotStarted(words),
            error @ (EngineError::Address(_) | EngineError::Away(_) | EngineError::Routes(_)) => {
                error.into()
            }
        })
    }

    fn caged(&self, asked: &HookUse, hook: &HookConfig, folders: &Folders) -> Caged {
        let limits = &hook.limits;
        let folder = folder(asked);
        let of_kind: &[&str] = match hook.kind {
            HookKind::Composer => &["composer"],
            HookKind::Npm => &["npm"],
            HookKind::Pip => &["pip"],
            HookKind::Make => &["make"],
            HookKind::Symfony => &["php", "bin/console"],
            HookKind::Exec | HookKind::Git => &[],
        };
        let own = hook.command.iter().map(|word| word.replace(PWD, &folder));
        let mut command: Vec<String> = own.collect();
        if command.is_empty() {
            command = of_kind.iter().map(|word| (*word).to_owned()).collect();
        }
        command.extend(asked.call.words.iter().cloned());
        Caged {
            name: format!("pierhead-hook-{}-{}-{}", asked.job, asked.place, folders.nonce),
            command,
            folder,
            env: environment(asked, hook, folders),
            mounts: mounts(asked, folders),
            user: self.user,
            bounds: Bounds {
                memory: limits.memory,
                milli_cpus: limits.milli_cpus(),
                pids: limits.pids,
                file: limits.disk,
            },
        }
    }
}

impl Cage {
    /// The next piece of output; `None` when there is no more.
    pub(super) async fn hear(&mut self) -> Option<Result<Heard, HookFault>> {
        match self {
            Self::Container(own) => {
                own.container.hear().await.map(|heard| heard.map_err(HookFault::from))
            }
            Self::Process(process) => {
                let heard = process.hear().await?;
                Some(heard.map(Heard::Out).map_err(HookFault::from))
            }
        }
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&mut self) -> Result<Ended, HookFault> {
        Ok(match self {
            Self::Container(own) => own.container.ended().await?,
            Self::Process(process) => process.ended().await?,
        })
    }

    /// Asks everything in it to end. Nothing that it says is heard any more.
    pub(super) async fn ask(&mut self) -> Result<(), HookFault> {
        match self {
            Self::Container(own) => own.container.ask().await?,
            Self::Process(process) => process.ask(),
        }
        Ok(())
    }

    /// Ends whatever still runs in it, and removes it.
    pub(super) async fn clear(self) -> Result<(), HookFault> {
        match self {
            Self::Container(own) => {
                let Contained { container, gate } = *own;
                container.remove().await?;
                if let Some((engine, gate)) = gate {
                    engine.remove_container(&gate).await?;
                }
            }
            Self::Process(process) => process.end().await?,
        }
        Ok(())
    }
}

/// The volumes of an image that are to be folders in memory: an engine would make them on its disk,
/// where nobody looks.
fn in_memory(
    image: &str,
    volumes: Vec<String>,
    mounts: &[Mount],
) -> Result<Vec<String>, HookFault> {
    let mut paths = Vec::new();
    for path in volumes {
        let path = path.trim_end_matches('/').to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        // The engine takes `a`, `//a` and `/a/../b` for places that are not found by comparing.
        let is_plain = matches!(parts.as_slice(), ["", rest @ ..]
            if !rest.is_empty() && rest.iter().all(|part| !matches!(*part, "" | "." | "..")));
        // A folder for it would be made in the files of the mount, and be root's.
        let is_below = |mount: &Mount| {
            path.strip_prefix(&mount.target).is_some_and(|rest| rest.starts_with('/'))
        };
        if !is_plain || mounts.iter().any(is_below) {
            return Err(HookFault::Volume { image: image.to_owned(), path });
        }
        if mounts.iter().all(|mount| mount.target != path) {
            paths.push(path);
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_in_memory_and_none_is_in_the_files_of_a_mount() {
        let mount = Mount { source: "/a".into(), target: "/workspace".to_owned(), writes: true };
        let of = |path: &str| {
            in_memory("php:8", vec![path.to_owned()], std::slice::from_ref(&mount))
                .map_err(|fault| fault.to_string())
        };
        assert_eq!(of("/data/"), Ok(vec!["/data".to_owned()]));
        assert_eq!(of("/workspaces"), Ok(vec!["/workspaces".to_owned()]));
        assert_eq!(of("/workspace"), Ok(Vec::new()));
        for path in ["data", "//workspace", "/a/../workspace", "/workspace/vendor", "/", ""] {
            let fault = of(path).unwrap_err();
            assert!(fault.starts_with("cannot run in php:8: no hook can have"), "{path}: {fault}");
        }
    }
}
