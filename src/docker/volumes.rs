//! Volumes of deployments, and the containers that fill them.

use std::collections::BTreeMap;
use std::pin::pin;

use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, HostConfig, Mount, MountType, MountVolumeOptions, VolumeCreateRequest,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListVolumesOptionsBuilder, RemoveVolumeOptions,
};
use futures::StreamExt as _;

use crate::docker::containers::{Owned, hardened};
use crate::docker::{Engine, EngineError, found, labelled};
use crate::stack::Volume;

/// Where the container that fills a volume sees it: nowhere that an image has files.
const FILLED_AT: &str = "/.pierhead-volume";

impl Engine {
    /// Makes a volume; one of this name that is there already stays as it is.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn create_volume(
        &self,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            driver: Some("local".to_owned()),
            labels: Some(labels.clone().into_iter().collect()),
            ..VolumeCreateRequest::default()
        };
        Ok(self.docker.create_volume(request).await.map(drop)?)
    }

    /// The volumes that carry all of these labels; their ids are their names.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn volumes(&self, labels: &[(String, String)]) -> Result<Vec<Owned>, EngineError> {
        let options = ListVolumesOptionsBuilder::default().filters(&labelled(labels)).build();
        let volumes = self.docker.list_volumes(Some(options)).await?.volumes.unwrap_or_default();
        let owned = volumes.into_iter().map(|volume| Owned {
            id: volume.name.clone(),
            name: volume.name,
            labels: volume.labels.into_iter().collect(),
        });
        Ok(owned.collect())
    }

    /// Removes a volume with what is in it, if it is there.
    ///
    /// # Errors
    ///
    /// When containers use it, or the engine does not answer.
    pub async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        found(self.docker.remove_volume(name, None::<RemoveVolumeOptions>).await).map(drop)
    }

    /// Makes the container that fills a volume from its image, and gives its id. It is not started.
    ///
    /// # Errors
    ///
    /// When the engine refuses or does not answer.
    pub async fn create_filler(
        &self,
        volume: &Volume,
        labels: &BTreeMap<String, String>,
    ) -> Result<String, EngineError> {
        let mounts = vec![mount(&volume.name, FILLED_AT)];
        let body = ContainerCreateBody {
            image: Some(volume.image.clone()),
            env: Some(vec![format!("MOUNT_PATH={FILLED_AT}")]),
            labels: Some(labels.clone().into_iter().collect()),
            host_config: Some(HostConfig {
                mounts: Some(mounts),
                network_mode: Some("none".to_owned()),
                ..hardened()
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(&volume.filler()).build();
        Ok(self.docker.create_container(Some(options), body).await?.id)
    }

    /// Waits until a container has ended, and gives its exit code.
    ///
    /// # Errors
    ///
    /// When the engine does not answer, or there is no such container.
    pub async fn exit_code(&self, id: &str) -> Result<i64, EngineError> {
        let mut answers = pin!(self.docker.wait_container(id, None));
        match answers.next().await {
            Some(Ok(answer)) => Ok(answer.status_code),
            Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) => Err(error.into()),
            None => Ok(0),
        }
    }
}

/// A volume in a container, without the image's own files at that place.
pub(super) fn mount(volume: &str, folder: &str) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source: Some(volume.to_owned()),
        target: Some(folder.to_owned()),
        volume_options: Some(MountVolumeOptions {
            no_copy: Some(true),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    }
}
