//! Containers of deployments.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum, EndpointIpamConfig,
    EndpointSettings, HostConfig, HostConfigLogConfig, Mount, NetworkingConfig, RestartPolicy,
    RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
    RestartContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
};
use chrono::{DateTime, Datelike as _, Utc};

use crate::docker::volumes::mount;
use crate::docker::{Engine, EngineError, found, labelled};
use crate::stack::{Container, ContainerFacts, Phase};

/// Most processes and threads of one container: a fork bomb ends here, a JVM does not.
const MOST_PROCESSES: i64 = 4_096;

/// Capabilities that applications do not need, and that help against their neighbours.
const DROPPED: [&str; 2] = ["MKNOD", "NET_RAW"];

/// Bytes of each container's log, and how many such files are kept.
const LOG_OPTIONS: [(&str, &str); 2] = [("max-size", "10m"), ("max-file", "3")];

/// Where a container has its network.
#[derive(Debug, Clone)]
pub enum Place<'a> {
    /// In a network, under an address of its own.
    Network {
        /// The network's name.
        network: &'a str,
        /// The address.
        address: Ipv4Addr,
        /// Names by which others in the network find it.
        aliases: &'a [String],
        /// Names that lead back to itself.
        own_names: Vec<String>,
    },
    /// In the network namespace of another container.
    With {
        /// The other's id.
        anchor: &'a str,
    },
}

/// A container or a volume in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl Engine {
    /// Makes a container, and gives its id. It is not started.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn create_container(
        &self,
        container: &Container,
        labels: &BTreeMap<String, String>,
        place: Place<'_>,
    ) -> Result<String, EngineError> {
        let labels = labels.iter().chain(&container.labels);
        let env = container.env.iter().map(|(name, value)| format!("{name}={value}"));
        let mut body = ContainerCreateBody {
            image: Some(container.image.clone()),
            env: Some(env.collect()),
            labels: Some(labels.map(|(name, value)| (name.clone(), value.clone())).collect()),
            ..ContainerCreateBody::default()
        };
        let mut host = host_config(container);
        match place {
            Place::Network { network, address, aliases, own_names } => {
                let hosts = own_names.into_iter().map(|name| format!("{name}:127.0.0.1"));
                host.extra_hosts = Some(hosts.collect());
                host.network_mode = Some(network.to_owned());
                let address = EndpointIpamConfig {
                    ipv4_address: Some(address.to_string()),
                    ..EndpointIpamConfig::default()
                };
                let endpoint = EndpointSettings {
                    ipam_config: Some(address),
                    aliases: Some(aliases.to_vec()),
                    ..EndpointSettings::default()
                };
                let endpoints = HashMap::from([(network.to_owned(), endpoint)]);
                body.networking_config =
                    Some(NetworkingConfig { endpoints_config: Some(endpoints) });
            }
            Place::With { anchor } => host.network_mode = Some(format!("container:{anchor}")),
        }
        body.host_config = Some(host);
        let options = CreateContainerOptionsBuilder::default().name(&container.name).build();
        Ok(self.docker.create_container(Some(options), body).await?.id)
    }

    /// Starts a container; one that runs is left alone.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn start_container(&self, id: &str) -> Result<(), EngineError> {
        Ok(self.docker.start_container(id, None::<StartContainerOptions>).await?)
    }

    /// Asks a container to end, and ends it after so many seconds. One that is gone is well.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn stop_container(&self, id: &str, seconds: i32) -> Result<(), EngineError> {
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        found(self.docker.stop_container(id, Some(options)).await).map(|_| ())
    }

    /// Stops a container likewise, and starts it again.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn restart_container(&self, id: &str, seconds: i32) -> Result<(), EngineError> {
        let options = RestartContainerOptionsBuilder::default().t(seconds).build();
        Ok(self.docker.restart_container(id, Some(options)).await?)
    }

    /// Removes a container with its nameless volumes, running or not, if it is there.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn remove_container(&self, id: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match found(self.docker.remove_container(id, Some(options)).await) {
            // Somebody else is removing it already.
            Err(EngineError::Refused { status: 409, .. }) => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// What a container is and does, if there is one with this id or name.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn container(&self, id: &str) -> Result<Option<ContainerFacts>, EngineError> {
        Ok(found(self.docker.inspect_container(id, None).await)?.map(facts))
    }

    /// The containers, running or not, that carry all of these labels.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn containers(&self, labels: &[(String, String)]) -> Result<Vec<Owned>, EngineError> {
        let options =
            ListContainersOptionsBuilder::default().all(true).filters(&labelled(labels)).build();
        let containers = self.docker.list_containers(Some(options)).await?;
        let owned = containers.into_iter().map(|container| Owned {
            id: container.id.unwrap_or_default(),
            name: container
                .names
                .and_then(|names| names.into_iter().next())
                .map(|name| name.trim_start_matches('/').to_owned())
                .unwrap_or_default(),
            labels: container.labels.unwrap_or_default().into_iter().collect(),
        });
        Ok(owned.collect())
    }
}

fn host_config(container: &Container) -> HostConfig {
    let limits = container.resources;
    let some = |amount: i64| (amount > 0).then_some(amount);
    let mounts = container.mounts.iter();
    let mounts =
        mounts.map(|own| Mount { read_only: Some(true), ..mount(&own.volume, &own.folder) });
    HostConfig {
        mounts: Some(mounts.collect()),
        nano_cpus: some(limits.nano_cpus),
        memory: some(limits.memory),
        // As much again could be swapped otherwise.
        memory_swap: some(limits.memory),
        memory_reservation: some(limits.memory_reservation),
        // Most programs do not mind that they are process 1: they would neither hear the request
        // to end nor bury their children.
        init: Some(true),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
            maximum_retry_count: None,
        }),
        ..hardened()
    }
}

/// What no container goes without.
pub(super) fn hardened() -> HostConfig {
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    HostConfig {
        pids_limit: Some(MOST_PROCESSES),
        cap_drop: Some(DROPPED.map(str::to_owned).to_vec()),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(LOG_OPTIONS.map(text).into()),
        }),
        ..HostConfig::default()
    }
}

fn facts(answer: ContainerInspectResponse) -> ContainerFacts {
    let state = answer.state.unwrap_or_default();
    let phase = match state.status {
        Some(ContainerStateStatusEnum::CREATED) => Phase::Created,
        Some(ContainerStateStatusEnum::RUNNING | ContainerStateStatusEnum::STOPPING) => {
            Phase::Running
        }
        Some(ContainerStateStatusEnum::RESTARTING) => Phase::Restarting,
        Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::PAUSED) => Phase::Stopped,
        Some(
            ContainerStateStatusEnum::REMOVING
            | ContainerStateStatusEnum::DEAD
            | ContainerStateStatusEnum::EMPTY,
        )
        | None => Phase::Broken,
    };
    let labels = answer.config.and_then(|config| config.labels).unwrap_or_default();
    ContainerFacts {
        id: answer.id.unwrap_or_default(),
        image: answer.image.unwrap_or_default(),
        labels: labels.into_iter().collect(),
        phase,
        exit_code: state.exit_code.unwrap_or_default(),
        out_of_memory: state.oom_killed.unwrap_or_default(),
        restarts: answer.restart_count.unwrap_or_default(),
        started_at: state.started_at.as_deref().and_then(time),
    }
}

/// A time in the engine's form, in which the year 1 stands for never.
fn time(text: &str) -> Option<DateTime<Utc>> {
    // An engine that writes times otherwise is treated like one that never started anything.
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (time.year() > 1).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_1_is_never() {
        assert_eq!(time("0001-01-01T00:00:00Z"), None);
        assert!(time("2026-11-24T20:29:00.123456789Z").is_some());
        assert_eq!(time(""), None);
    }
}
