//! The Docker Engine that tests deploy to, as it is.

use std::collections::HashMap;

use bollard::Docker;
use bollard::models::{ContainerConfig, ContainerCreateBody};
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, CreateContainerOptions, ListContainersOptionsBuilder,
    ListImagesOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptions,
};
use pierhead::domain::ids::EnvironmentId;

use crate::support::app::App;

impl App {
    /// Makes a base image for the hello application, under a name of the test's own.
    pub(crate) async fn tag_hello_base(&self, name: &str) {
        let container = self
            .docker
            .create_container(
                None::<CreateContainerOptions>,
                ContainerCreateBody {
                    image: Some("busybox:stable".to_owned()),
                    cmd: Some(
                        ["httpd", "-f", "-p", "8080", "-h", "/www"].map(str::to_owned).to_vec(),
                    ),
                    ..Default::default()
                },
            )
            .await
            .unwrap();
        let (repository, tag) = name.rsplit_once(':').unwrap();
        let options = CommitContainerOptionsBuilder::default()
            .container(&container.id)
            .repo(repository)
            .tag(tag)
            .build();
        self.docker.commit_container(options, ContainerConfig::default()).await.unwrap();
        self.docker.remove_container(&container.id, None).await.unwrap();
        self.own_images.lock().unwrap().push(name.to_owned());
    }

    /// The images of the containers of an environment, as they were asked for.
    pub(crate) async fn images_of(&self, environment: EnvironmentId) -> Vec<String> {
        let label = format!("pierhead.dev/environment={environment}");
        let filters = [("label", vec![label.as_str()])].into();
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let mut images = Vec::new();
        for found in self.docker.list_containers(Some(options)).await.unwrap() {
            let id = found.id.unwrap();
            let container = self.docker.inspect_container(&id, None).await.unwrap();
            images.extend(container.config.unwrap().image);
        }
        images
    }

    /// Ids of the images that were built for an environment.
    pub(crate) async fn images_built_for(&self, environment: EnvironmentId) -> Vec<String> {
        let label = format!("pierhead.dev/environment={environment}");
        let filters = [("label", vec![label.as_str()])].into();
        let all = ListImagesOptionsBuilder::default().filters(&filters).build();
        let all = self.docker.list_images(Some(all)).await.unwrap();
        all.into_iter().map(|image| image.id).collect()
    }

    /// Names and fences of containers, networks and volumes of an environment.
    pub(crate) async fn objects_of(&self, environment: &str) -> Vec<(String, String)> {
        let label = format!("pierhead.dev/environment={environment}");
        let filters = [("label", vec![label.as_str()])].into();
        let containers =
            ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let networks = ListNetworksOptionsBuilder::default().filters(&filters).build();
        let fence = |labels: Option<HashMap<String, String>>| {
            labels.unwrap_or_default().get("pierhead.dev/fence").cloned().unwrap_or_default()
        };
        let containers = self.docker.list_containers(Some(containers)).await.unwrap();
        let networks = self.docker.list_networks(Some(networks)).await.unwrap();
        let volumes = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let volumes = self.docker.list_volumes(Some(volumes)).await.unwrap().volumes;
        let volumes = volumes.unwrap_or_default().into_iter();
        let volumes = volumes.map(|found| (found.name, fence(Some(found.labels))));
        let name = |names: Option<Vec<String>>| names.unwrap_or_default().join(",");
        containers
            .into_iter()
            .map(|found| (name(found.names), fence(found.labels)))
            .chain(
                networks
                    .into_iter()
                    .map(|found| (found.name.unwrap_or_default(), fence(found.labels))),
            )
            .chain(volumes)
            .collect()
    }
}

/// Connects to it.
pub(super) async fn connect(address: &str) -> Docker {
    let socket = address.trim_start_matches("unix://");
    let docker = Docker::connect_with_unix(socket, 60, bollard::API_DEFAULT_VERSION).unwrap();
    docker.negotiate_version().await.unwrap()
}

/// Removes everything that was made for environments, running or not.
pub(super) async fn clear(docker: &Docker, environments: &[EnvironmentId]) {
    for environment in environments {
        let label = format!("pierhead.dev/environment={environment}");
        let filters = [("label", vec![label.as_str()])].into();
        let all = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        for found in docker.list_containers(Some(all)).await.unwrap_or_default() {
            let force = RemoveContainerOptionsBuilder::default().force(true).build();
            docker.remove_container(&found.id.unwrap_or_default(), Some(force)).await.ok();
        }
        let all = ListNetworksOptionsBuilder::default().filters(&filters).build();
        for found in docker.list_networks(Some(all)).await.unwrap_or_default() {
            docker.remove_network(&found.name.unwrap_or_default()).await.ok();
        }
        let all = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let volumes = docker.list_volumes(Some(all)).await.ok().and_then(|found| found.volumes);
        for found in volumes.unwrap_or_default() {
            docker.remove_volume(&found.name, None::<RemoveVolumeOptions>).await.ok();
        }
        let all = ListImagesOptionsBuilder::default().filters(&filters).build();
        for found in docker.list_images(Some(all)).await.unwrap_or_default() {
            let force = RemoveImageOptionsBuilder::default().force(true).build();
            docker.remove_image(&found.id, Some(force), None).await.ok();
        }
    }
}
