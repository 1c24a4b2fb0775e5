//! Containers in which a foreign command runs to its end.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;

use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType,
    ResourcesUlimits,
};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder,
    DownloadFromContainerOptionsBuilder, KillContainerOptionsBuilder, WaitContainerOptions,
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use tokio::io::AsyncWrite;

use crate::caging::{Caged, Ended, Heard};
use crate::docker::{Engine, EngineError, found};

/// Bytes that a command may have in `/tmp`; they count as its memory.
const TEMPORARY: u64 = 512 * 1024 * 1024;

/// Bytes of an archive with a file of a few bytes.
const LONGEST_ARCHIVE: usize = 64 * 1024;

/// A container in which a command runs. Whoever has it ends it: dropping it does not.
pub struct CageContainer {
    engine: Engine,
    id: String,
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
    /// The engine takes its end for ours.
    input: Option<Pin<Box<dyn AsyncWrite + Send>>>,
}

impl fmt::Debug for CageContainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "container {}", self.id)
    }
}

impl Engine {
    /// The paths at which an image has volumes.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn image_volumes(&self, image: &str) -> Result<Vec<String>, EngineError> {
        let image = found(self.docker.inspect_image(image).await)?;
        let volumes = image.and_then(|image| image.config).and_then(|config| config.volumes);
        Ok(volumes.unwrap_or_default())
    }

    /// Makes a container for a command, which is not started, and gives its id. Volumes of the image
    /// are folders in memory. Its network is that of another container, or nothing.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn create_cage(
        &self,
        caged: &Caged,
        (image, volumes): (&str, &[String]),
        outlet: Option<&str>,
        labels: BTreeMap<String, String>,
    ) -> Result<String, EngineError> {
        let env = caged.env.iter().map(|(name, value)| format!("{name}={value}"));
        let (program, arguments) = caged.command.split_at_checked(1).unwrap_or_default();
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            // Whatever the image would start otherwise.
            entrypoint: Some(program.to_vec()),
            cmd: Some(arguments.to_vec()),
            env: Some(env.collect()),
            user: Some(format!("{}:{}", caged.user.uid, caged.user.gid)),
            working_dir: Some(caged.folder.clone()),
            labels: Some(labels.into_iter().collect()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            healthcheck: Some(HealthConfig {
                test: Some(vec!["NONE".to_owned()]),
                ..HealthConfig::default()
            }),
            host_config: Some(host_config(caged, outlet, volumes)),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(&caged.name).build();
        Ok(self.docker.create_container(Some(options), body).await?.id)
    }

    /// Starts a command and listens to it.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn start_cage(&self, id: &str) -> Result<CageContainer, EngineError> {
        let options =
            AttachContainerOptionsBuilder::default().stream(true).stdout(true).stderr(true).build();
        let AttachContainerResults { output, input } =
            self.docker.attach_container(id, Some(options)).await?;
        self.start_container(id).await?;
        Ok(CageContainer { engine: self.clone(), id: id.to_owned(), output, input: Some(input) })
    }

    /// Whether a container that is not started sees a file with this content.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn sees(&self, id: &str, path: &str, content: &str) -> Result<bool, EngineError> {
        let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
        let chunks = self.docker.download_from_container(id, Some(options));
        let archive = chunks.try_fold(Vec::<u8>::new(), async |mut archive, chunk: Bytes| {
            let room = LONGEST_ARCHIVE.saturating_sub(archive.len());
            archive.extend(chunk.iter().take(room));
            Ok(archive)
        });
        match archive.await.map_err(EngineError::from) {
            Ok(archive) => {
                Ok(archive.windows(content.len().max(1)).any(|part| part == content.as_bytes()))
            }
            Err(EngineError::Refused { status: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl CageContainer {
    /// The next piece of output; `None` when there is no more.
    ///
    /// # Errors
    ///
    /// When the engine goes away.
    pub async fn hear(&mut self) -> Option<Result<Heard, EngineError>> {
        let heard = self.output.next().await?;
        Some(heard.map_err(EngineError::from).map(|output| match output {
            LogOutput::StdErr { message } => Heard::Err(message),
            LogOutput::StdOut { message }
            | LogOutput::StdIn { message }
            | LogOutput::Console { message } => Heard::Out(message),
        }))
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn ended(&mut self) -> Result<Ended, EngineError> {
        let (docker, id) = (self.engine.docker.clone(), self.id.clone());
        // Every code but 0 is told as an error; what it was is asked below.
        let waiting = docker.wait_container(&id, None::<WaitContainerOptions>);
        drop(waiting.collect::<Vec<_>>().await);
        let state = docker.inspect_container(&id, None).await?.state;
        let state = state.unwrap_or_default();
        if state.running.unwrap_or_default() {
            // The code of one that runs is 0.
            let words = "it told of the end of a container that still runs".to_owned();
            return Err(EngineError::Refused { status: 500, words });
        }
        let Some(code) = state.exit_code else {
            let words = "it does not know how a container ended".to_owned();
            return Err(EngineError::Refused { status: 500, words });
        };
        let was_killed = state.oom_killed.unwrap_or_default() && code != 0;
        Ok(if was_killed { Ended::OutOfMemory } else { Ended::Code(code) })
    }

    /// Asks it to end. Nothing that it says is heard any more.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn ask(&mut self) -> Result<(), EngineError> {
        // An engine that cannot get rid of output does not see the end either.
        self.output = Box::pin(futures::stream::empty());
        self.input = None;
        let signal = KillContainerOptionsBuilder::default().signal("SIGTERM").build();
        match self.engine.docker.kill_container(&self.id, Some(signal)).await {
            Ok(()) => Ok(()),
            Err(error) => match EngineError::from(error) {
                // It has ended by itself.
                EngineError::Refused { .. } => Ok(()),
                error @ (EngineError::Address(_)
                | EngineError::Away(_)
                | EngineError::Routes(_)) => Err(error),
            },
        }
    }

    /// Ends it, if it runs, and removes it.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn remove(self) -> Result<(), EngineError> {
        let Self { engine, id, output, input } = self;
        drop((output, input));
        engine.remove_container(&id).await
    }
}

fn host_config(caged: &Caged, outlet: Option<&str>, volumes: &[String]) -> HostConfig {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let bounds = caged.bounds;
    let mounts = caged.mounts.iter().map(|mount| Mount {
        typ: Some(MountType::BIND),
        source: Some(mount.source.to_string_lossy().into_owned()),
        target: Some(mount.target.clone()),
        read_only: Some(!mount.writes),
        ..Mount::default()
    });
    let limit = |name: &str, most: u64| ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(number(most)),
        hard: Some(number(most)),
    };
    let temporary = TEMPORARY.min(bounds.memory);
    let temporary = format!("rw,nosuid,nodev,exec,mode=1777,size={temporary}");
    let in_memory = volumes.iter().map(String::as_str).chain(["/tmp"]);
    HostConfig {
        network_mode: Some(outlet.map_or("none".to_owned(), |id| format!("container:{id}"))),
        readonly_rootfs: Some(true),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        mounts: Some(mounts.collect()),
        tmpfs: Some(in_memory.map(|path| (path.to_owned(), temporary.clone())).collect()),
        memory: Some(number(bounds.memory)),
        // As much again could be swapped otherwise.
        memory_swap: Some(number(bounds.memory)),
        nano_cpus: Some(number(bounds.milli_cpus.saturating_mul(1_000_000))),
        pids_limit: Some(i64::from(bounds.pids)),
        ulimits: Some(vec![limit("fsize", bounds.file), limit("core", 0)]),
        // What it leaves when it ends is ended with it.
        init: Some(true),
        ipc_mode: Some("private".to_owned()),
        // Lines are read as they come, and nobody asks for them again.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        ..HostConfig::default()
    }
}
