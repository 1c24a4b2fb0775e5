//! What containers mount: disks, configuration and files of the repository (deployment.md §4.6).

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, Container, EmptyDirVolumeSource, EnvVar, ImageVolumeSource,
    PersistentVolumeClaimVolumeSource, SecretVolumeSource, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::manifests::fault::Cannot;
use crate::manifests::level;
use crate::manifests::names::dns_label;
use crate::manifests::render::Renderer;
use crate::manifests::render::containers::{Environment, literal, some};
use crate::manifests::render::images::Pulled;
use crate::paas::compiled::{self, Mount};

/// Where a volume's content is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Claim(String),
    Secret(String),
    Map(String),
    /// In the image of a shared volume, by its key.
    Files(String),
}

/// The volumes of one pod, each once.
#[derive(Debug, Default)]
pub(super) struct PodVolumes {
    volumes: Vec<Volume>,
    sources: BTreeMap<String, Source>,
    /// They fill volumes before the pod's own containers start.
    fillers: Vec<Container>,
}

impl PodVolumes {
    /// The volumes, and the containers that fill some of them, which may use as much as others.
    pub(super) fn into_parts(
        self,
        containers: &[Container],
    ) -> (Option<Vec<Volume>>, Option<Vec<Container>>) {
        let resources = containers.iter().find_map(|container| container.resources.clone());
        let taken: BTreeSet<&str> = containers.iter().map(|other| other.name.as_str()).collect();
        let fillers = self.fillers.into_iter().map(|filler| {
            let is_taken = taken.contains(filler.name.as_str());
            let name =
                if is_taken { dns_label(&format!("{}-init", filler.name)) } else { filler.name };
            Container { name, resources: resources.clone(), ..filler }
        });
        (some(self.volumes), some(fillers.collect()))
    }

    /// The name of a volume with this content; `None` when it has to be made.
    fn find(&self, name: &str, source: &Source) -> Option<&Source> {
        self.sources.get(name).filter(|known| *known == source)
    }

    /// A name for content: the first that no other content has.
    fn name(&self, candidates: [String; 2], source: &Source) -> String {
        let [first, second] = candidates;
        let numbered = (2_u32..).map(|number| dns_label(&format!("{second}-{number}")));
        let mut all = [first, second.clone()].into_iter().chain(numbered);
        let fits =
            |name: &String| !self.sources.contains_key(name) || self.find(name, source).is_some();
        all.find(fits).unwrap_or(second)
    }
}

impl Renderer<'_> {
    /// What a container mounts.
    pub(super) fn mounts(
        &mut self,
        container: &compiled::Container,
        environment: &Environment<'_>,
        volumes: &mut PodVolumes,
    ) -> Vec<VolumeMount> {
        let mut mounts = Vec::new();
        let mut paths = BTreeSet::new();
        for (key, mount) in &container.volumes {
            let at = format!("{}.volumes.{key}", environment.at);
            let mount = self.mount(&at, (container, environment), mount, volumes);
            let path = &mount.mount_path;
            if path.contains(':') {
                self.fault(&at, Cannot::MountPath(path.clone()));
            }
            if !paths.insert(path.clone()) {
                self.fault(&at, Cannot::MountedTwice(path.clone()));
            }
            mounts.push(mount);
        }
        mounts
    }

    fn mount(
        &mut self,
        at: &str,
        (container, environment): (&compiled::Container, &Environment<'_>),
        mount: &Mount,
        volumes: &mut PodVolumes,
    ) -> VolumeMount {
        let (name, path, source) = match mount {
            Mount::Persistent { name, mount_path, .. } => {
                (name, mount_path, Source::Claim(self.names.claim(name)))
            }
            Mount::Secret { name, secret, mount_path } => {
                let secret = self.secret_name(secret, environment.purpose);
                (name, mount_path, Source::Secret(self.named(at, secret)))
            }
            Mount::Map { name, map, mount_path } => {
                let map = self.map_name(map, environment.purpose);
                (name, mount_path, Source::Map(self.named(at, map)))
            }
            Mount::Shared { volume, name, mount_path } => {
                (name, mount_path, Source::Files(volume.clone()))
            }
        };
        let candidates = [
            dns_label(&format!("{name}-volume")),
            dns_label(&format!("{}-{name}-volume", container.name)),
        ];
        let volume = volumes.name(candidates, &source);
        let mut made = VolumeMount {
            name: volume.clone(),
            mount_path: path.clone(),
            // Nobody writes to what others read too, or what the cluster would not keep.
            read_only: Some(!matches!(source, Source::Claim(_))),
            ..VolumeMount::default()
        };
        let files = match &source {
            Source::Files(key) => Some(key.clone()),
            Source::Claim(_) | Source::Secret(_) | Source::Map(_) => None,
        };
        let is_image = files.is_some() && self.mounts_images();
        if is_image && let Some(key) = &files {
            made.sub_path = self.folder_in_image(key);
        }
        if volumes.find(&volume, &source).is_none() {
            let image = files.map(|key| self.volume_image(at, &key));
            if let Some(image) = image.as_ref().filter(|_| !is_image) {
                volumes.fillers.push(filler(image, &made));
            }
            let image = image.filter(|_| is_image);
            volumes.volumes.push(self.volume(&volume, &source, image));
            volumes.sources.insert(volume, source);
        }
        made
    }

    fn mounts_images(&self) -> bool {
        let (level, settings) = (self.inputs.target.level, &self.inputs.settings.pods);
        level >= level::IMAGE_VOLUMES
            || settings.early_image_volumes && level >= level::EARLY_IMAGE_VOLUMES
    }

    /// Where the image of a shared volume has its files, from its root.
    fn folder_in_image(&self, key: &str) -> Option<String> {
        let volume = self.deployment.volumes.get(key)?;
        let folder = volume.local_path.trim_matches('/');
        (!folder.is_empty()).then(|| folder.to_owned())
    }

    /// A volume; `image` is one that is mounted itself.
    fn volume(&self, name: &str, source: &Source, image: Option<Pulled>) -> Volume {
        let mut volume = Volume { name: name.to_owned(), ..Volume::default() };
        match source {
            Source::Claim(claim) => {
                volume.persistent_volume_claim = Some(PersistentVolumeClaimVolumeSource {
                    claim_name: claim.clone(),
                    read_only: None,
                });
            }
            Source::Secret(secret) => {
                volume.secret = Some(SecretVolumeSource {
                    secret_name: Some(secret.clone()),
                    ..SecretVolumeSource::default()
                });
            }
            Source::Map(map) => {
                volume.config_map = Some(ConfigMapVolumeSource {
                    name: map.clone(),
                    ..ConfigMapVolumeSource::default()
                });
            }
            Source::Files(_) => match image {
                Some(image) => {
                    volume.image = Some(ImageVolumeSource {
                        reference: Some(image.reference),
                        pull_policy: Some(image.policy.to_owned()),
                    });
                }
                None => {
                    let limit = self.inputs.settings.pods.shared_volume_limit.clone();
                    volume.empty_dir = Some(EmptyDirVolumeSource {
                        size_limit: limit.map(Quantity),
                        medium: None,
                    });
                }
            },
        }
        volume
    }
}

/// A container that copies the files of an image to where another one will see them.
fn filler(image: &Pulled, mount: &VolumeMount) -> Container {
    let name = mount.name.strip_suffix("-volume").unwrap_or(&mount.name);
    Container {
        name: name.to_owned(),
        image: Some(image.reference.clone()),
        image_pull_policy: Some(image.policy.to_owned()),
        env: Some(vec![EnvVar {
            name: "MOUNT_PATH".to_owned(),
            value: Some(literal(&mount.mount_path)),
            value_from: None,
        }]),
        volume_mounts: Some(vec![VolumeMount { read_only: Some(false), ..mount.clone() }]),
        ..Container::default()
    }
}
