//! Which images are needed, and in which order they can be had.

use std::collections::{BTreeMap, BTreeSet};

use chrono::SecondsFormat;

use crate::domain::release::volume_reference;
use crate::image::dockerfile::{Unclear, bases};
use crate::image::layers::{embedded, volume};
use crate::image::{Build, Folder, ImageBuild, Node, Provenance, Root, naming};
use crate::paas::compiled::{
    Container, Deployment, DockerfileImage, EmbeddedImage, Image, ImageRef, Mount, Origin,
};

/// Why images cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Images are built from each other in a circle.
    #[error("image `{0}` is built from itself")]
    Circle(String),
    /// An instruction that may name an image of somebody else.
    #[error("{image}: {source}")]
    Unclear {
        /// The image.
        image: String,
        /// The instruction.
        source: Unclear,
    },
    /// An argument that would steer the builder.
    #[error("{image}: build argument `{argument}` is reserved for the builder")]
    Argument {
        /// The image.
        image: String,
        /// The argument.
        argument: String,
    },
}

/// The images that some container runs or mounts, and those they are built from: each once, each
/// after everything that it needs.
///
/// `dockerfiles` holds the text of every Dockerfile by the folder it is in; an image whose text is
/// missing is taken to have no base among the others.
///
/// # Errors
///
/// When images are built from each other in a circle, or an argument is reserved.
pub fn plan(
    deployment: &Deployment,
    provenance: &Provenance<'_>,
    dockerfiles: &BTreeMap<Folder, String>,
) -> Result<Vec<Node>, PlanError> {
    let mut planner = Planner::new(deployment, provenance, dockerfiles);
    for container in deployment.containers() {
        planner.image(&container.image)?;
        for key in shared(container) {
            planner.volume(key);
        }
    }
    Ok(planner.planned)
}

/// The images that are built from Dockerfiles.
pub fn dockerfile_images(
    deployment: &Deployment,
) -> impl Iterator<Item = (Folder, &DockerfileImage)> {
    deployment.images.iter().filter_map(|image| match image {
        Image::Dockerfile(image) => Some((folder(image), image)),
        Image::Embedded(_) => None,
    })
}

/// Keys of the shared volumes that a container mounts.
fn shared(container: &Container) -> impl Iterator<Item = &str> {
    container.volumes.values().filter_map(|mount| match mount {
        Mount::Shared { volume, .. } => Some(volume.as_str()),
        Mount::Persistent { .. } | Mount::Map { .. } | Mount::Secret { .. } => None,
    })
}

fn folder(image: &DockerfileImage) -> Folder {
    let root = if image.library { Root::Library } else { Root::Checkout };
    Folder { root, path: image.path.clone() }
}

/// How far the ordering has come with an image.
enum Stage {
    Begun,
    Done,
}

/// Puts what is needed before what needs it.
struct Planner<'a> {
    deployment: &'a Deployment,
    provenance: &'a Provenance<'a>,
    builds: Vec<ImageBuild>,
    embedded: BTreeMap<String, &'a EmbeddedImage>,
    /// Why the bases of an image are not known.
    unclear: BTreeMap<String, Unclear>,
    stages: BTreeMap<String, Stage>,
    planned: Vec<Node>,
}

impl<'a> Planner<'a> {
    fn new(
        deployment: &'a Deployment,
        provenance: &'a Provenance<'a>,
        dockerfiles: &BTreeMap<Folder, String>,
    ) -> Self {
        let mut unclear = BTreeMap::new();
        let mut builds = Vec::new();
        for (folder, image) in dockerfile_images(deployment) {
            let dockerfile = dockerfiles.get(&folder).map_or("", String::as_str);
            let mut build = build(image, provenance);
            match bases(dockerfile, &build.args) {
                Ok(taken) => (build.bases, build.platforms) = (taken.images, taken.platforms),
                Err(reason) => drop(unclear.insert(build.reference.clone(), reason)),
            }
            builds.push(build);
        }
        let embedded = deployment.images.iter().filter_map(|image| match image {
            Image::Embedded(own) => Some((image.reference().reference(), own)),
            Image::Dockerfile(_) => None,
        });
        let embedded = embedded.collect();
        let (stages, planned) = (BTreeMap::new(), Vec::new());
        Self { deployment, provenance, builds, embedded, unclear, stages, planned }
    }

    fn image(&mut self, image: &ImageRef) -> Result<(), PlanError> {
        let reference = image.reference();
        match image.origin {
            Origin::Built => match self.dockerfile(&reference) {
                Some(build) => self.visit(&build),
                None => Ok(()),
            },
            Origin::Embedded => match self.embedded.get(&reference).copied() {
                Some(image) => self.derive(reference, image),
                None => Ok(()),
            },
            Origin::External => {
                self.stock(&reference);
                Ok(())
            }
        }
    }

    fn dockerfile(&self, reference: &str) -> Option<ImageBuild> {
        self.builds.iter().find(|build| build.reference == reference).cloned()
    }

    fn visit(&mut self, build: &ImageBuild) -> Result<(), PlanError> {
        match self.stages.get(&build.reference) {
            Some(Stage::Done) => return Ok(()),
            Some(Stage::Begun) => return Err(PlanError::Circle(build.reference.clone())),
            None => {}
        }
        if let Some(source) = self.unclear.get(&build.reference).cloned() {
            return Err(PlanError::Unclear { image: build.reference.clone(), source });
        }
        if let Some(argument) = build.args.keys().find(|name| name.starts_with("BUILDKIT_")) {
            let (image, argument) = (build.reference.clone(), argument.clone());
            return Err(PlanError::Argument { image, argument });
        }
        self.stages.insert(build.reference.clone(), Stage::Begun);
        let mut build = build.clone();
        let mut needs = BTreeSet::new();
        for base in &build.bases {
            let name = base.strip_prefix("docker.io/").unwrap_or(base);
            if let Some(own) = self.builds.iter().find(|build| build.tag == name).cloned() {
                self.visit(&own)?;
                needs.insert(own.reference.clone());
                build.pins.insert(base.clone(), own.own_tag);
                build.own.insert(base.clone(), own.reference);
            }
        }
        self.add(Build::Dockerfile(build), needs);
        Ok(())
    }

    fn derive(&mut self, reference: String, image: &EmbeddedImage) -> Result<(), PlanError> {
        if !self.stages.contains_key(&reference) {
            self.image(&image.base)?;
            let needs = BTreeSet::from([image.base.reference()]);
            self.add(Build::Layers(embedded(reference, image, self.provenance)), needs);
        }
        Ok(())
    }

    fn volume(&mut self, key: &str) {
        let reference = volume_reference(key);
        let Some(shared) = self.deployment.volumes.get(key) else { return };
        if !self.stages.contains_key(&reference) {
            let base = self.provenance.volume_base;
            self.stock(base);
            let needs = BTreeSet::from([base.to_owned()]);
            let tag = &self.deployment.environment_tag;
            let build = volume((reference, tag), shared, self.provenance);
            self.add(Build::Layers(build), needs);
        }
    }

    fn stock(&mut self, reference: &str) {
        if !self.stages.contains_key(reference) {
            self.add(Build::Stock(reference.to_owned()), BTreeSet::new());
        }
    }

    fn add(&mut self, build: Build, needs: BTreeSet<String>) {
        self.stages.insert(build.reference().to_owned(), Stage::Done);
        self.planned.push(Node { build, needs });
    }
}

fn build(image: &DockerfileImage, provenance: &Provenance<'_>) -> ImageBuild {
    let args: BTreeMap<String, String> =
        image.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let repository = naming::repository(provenance.account, provenance.project, &image.name);
    let created = provenance.committed_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut labels = provenance.labels.clone();
    labels.extend([
        ("org.opencontainers.image.title".to_owned(), image.name.clone()),
        ("org.opencontainers.image.revision".to_owned(), provenance.commit.to_string()),
        ("org.opencontainers.image.created".to_owned(), created),
    ]);
    ImageBuild {
        reference: format!("{}:{}", image.name, image.tag),
        context: folder(image),
        tag: format!("{repository}:{}", naming::tag(&image.tag, "")),
        own_tag: format!(
            "{repository}:{}",
            naming::tag(&image.tag, &format!("-job{}", provenance.job))
        ),
        bases: Vec::new(),
        platforms: BTreeSet::new(),
        pins: BTreeMap::new(),
        own: BTreeMap::new(),
        platform: None,
        account: provenance.account.to_string(),
        args,
        labels,
    }
}
