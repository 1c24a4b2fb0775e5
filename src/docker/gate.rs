//! Containers that are the way out of others: no network, and one socket that leads to a proxy.

use std::collections::HashMap;
use std::path::Path;
use std::pin::pin;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, CreateImageOptionsBuilder,
    StartContainerOptions,
};
use futures::StreamExt as _;

use crate::docker::{Engine, EngineError};

/// What it may use: it copies bytes.
const MEMORY: i64 = 256 * 1024 * 1024;
const MOST_PROCESSES: i64 = 32;

/// Most that is kept of what one says that does not start.
const LONGEST: usize = 2_000;

/// A container that forwards to a socket.
#[derive(Debug, Clone)]
pub struct GateContainer<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its image.
    pub image: &'a str,
    /// What runs in it; it says a line as soon as it listens.
    pub command: &'a [String],
    /// The proxy's socket on this machine.
    pub socket: &'a Path,
    /// Where that is in the container.
    pub at: &'a str,
    /// Who may open the socket, as `uid:gid`.
    pub user: &'a str,
    /// Its labels.
    pub labels: HashMap<String, String>,
}

impl Engine {
    /// Makes an image of a file system, given as an archive.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn import(
        &self,
        archive: Vec<u8>,
        repository: &str,
        tag: &str,
    ) -> Result<(), EngineError> {
        let options =
            CreateImageOptionsBuilder::default().from_src("-").repo(repository).tag(tag).build();
        let body = bollard::body_full(archive.into());
        let mut answers = pin!(self.docker.create_image(Some(options), Some(body), None));
        while let Some(answer) = answers.next().await {
            drop(answer?);
        }
        Ok(())
    }

    /// Starts a container that forwards, and gives its id once it listens. It has no network of its
    /// own; containers that are put into its namespace reach what it forwards, and nothing else.
    ///
    /// # Errors
    ///
    /// When the engine refuses, or what runs in the container ends before it listens; then the
    /// container is there still.
    pub async fn start_gate(&self, gate: &GateContainer<'_>) -> Result<String, EngineError> {
        let options = CreateContainerOptionsBuilder::default().name(gate.name).build();
        let id = self.docker.create_container(Some(options), body(gate)).await?.id;
        let options =
            AttachContainerOptionsBuilder::default().stdout(true).stderr(true).stream(true).build();
        // Before it starts, so that nothing of what it says is missed.
        let mut attached = self.docker.attach_container(&id, Some(options)).await?;
        self.docker.start_container(&id, None::<StartContainerOptions>).await?;
        let mut said = String::new();
        while let Some(output) = attached.output.next().await {
            match output? {
                LogOutput::StdOut { .. } => return Ok(id),
                other @ (LogOutput::StdErr { .. }
                | LogOutput::StdIn { .. }
                | LogOutput::Console { .. }) => {
                    said.extend(String::from_utf8_lossy(&other.into_bytes()).chars());
                }
            }
            if said.len() > LONGEST {
                break;
            }
        }
        let words = format!("the way out of a hook's container ended: {}", said.trim_end());
        Err(EngineError::Refused { status: 500, words })
    }
}

fn body(gate: &GateContainer<'_>) -> ContainerCreateBody {
    let socket = Mount {
        typ: Some(MountType::BIND),
        source: Some(gate.socket.to_string_lossy().into_owned()),
        target: Some(gate.at.to_owned()),
        read_only: Some(true),
        ..Mount::default()
    };
    let host = HostConfig {
        network_mode: Some("none".to_owned()),
        mounts: Some(vec![socket]),
        readonly_rootfs: Some(true),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        memory: Some(MEMORY),
        memory_swap: Some(MEMORY),
        pids_limit: Some(MOST_PROCESSES),
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        ..HostConfig::default()
    };
    ContainerCreateBody {
        image: Some(gate.image.to_owned()),
        entrypoint: Some(gate.command.to_vec()),
        cmd: Some(Vec::new()),
        user: Some(gate.user.to_owned()),
        labels: Some(gate.labels.clone()),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    }
}
