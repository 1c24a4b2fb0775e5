//! Images of a plan: what is known of them without building or pulling one.
//!
//! An image that is built carries its commit, so another commit is another image; one that is only
//! files on another image is the same when these files are (`docs/decisions/0023`).

use std::collections::BTreeSet;
use std::path::Path;

use crate::deploy::Deployment;
use crate::deploy::docker_target::{DockerTarget, Sources};
use crate::deploy::failure::{Cause, Failure};
use crate::deploy::steps::images::{Images, is_built, split};
use crate::deploy::targets::{Target, Targets};
use crate::domain::history::Step;
use crate::domain::oid::Oid;
use crate::domain::pinned::Pinned;
use crate::domain::release::{PinnedImages, volume_reference};
use crate::git::bare_repository::{BareRepository, GitError};
use crate::git::commit_files::is_same_path;
use crate::image::layer::LayerBuild;
use crate::image::{Build, Node};
use crate::manifests::built;
use crate::paas::compiled;
use crate::tasks::blocking;

/// Stand for images on an engine that are not there yet, where people read them.
const BUILT: &str = "built by this push";
const PULLED: &str = "pulled by this push";

/// The release that serves, opened.
#[derive(Debug)]
pub(super) struct Live {
    /// What people call it.
    pub(super) number: String,
    /// What it was deployed from.
    pub(super) commit: Oid,
    /// What it was compiled to.
    pub(super) model: compiled::Deployment,
    /// Its images.
    pub(super) images: PinnedImages,
}

impl Deployment<'_> {
    /// What containers would run: as it serves already, as it is found, or not built yet.
    pub(super) async fn known_images(
        &mut self,
        model: &compiled::Deployment,
        targets: &Targets,
        (root, live): (&Path, Option<&Live>),
    ) -> Result<Images, Failure> {
        let sources = self.sources(root);
        let nodes = self.nodes(model, &sources).await?;
        let kept = self.kept(&nodes, model, live).await?;
        let mut images = Images::default();
        for Target { driver: docker, .. } in &targets.docker {
            images.of_engines.push(self.on_engine(&nodes, docker, (&sources, &kept)).await?);
        }
        if !targets.kubernetes.is_empty() {
            let (made, others) = split(nodes, model);
            let mut pinned = PinnedImages::new();
            for node in made.iter().filter(|node| is_built(node)) {
                let reference = node.build.reference();
                let registry = sources.registry.as_ref();
                let registry = registry.ok_or_else(|| Cause::NoRegistry(reference.to_owned()))?;
                let known = kept.get(reference).filter(|known| match known {
                    Pinned::Digest(image) => registry.address.is_of(image),
                    Pinned::ImageId(_) => false,
                });
                self.tell_image(reference, known, live).await;
                let name = reference.split_once(':').map_or(reference, |(name, _)| name);
                let image = known.cloned().unwrap_or_else(|| built(name));
                pinned.insert(reference.to_owned(), image);
            }
            pinned.extend(self.pin(others, &sources).await?);
            images.of_clusters = pinned;
        }
        Ok(images)
    }

    async fn on_engine(
        &mut self,
        nodes: &[Node],
        docker: &DockerTarget,
        (sources, kept): (&Sources, &PinnedImages),
    ) -> Result<PinnedImages, Failure> {
        let mut pinned = PinnedImages::new();
        for node in nodes {
            let reference = node.build.reference();
            let stands_for = if is_built(node) { BUILT } else { PULLED };
            let found = match (&node.build, kept.get(reference)) {
                (Build::Stock(_), _) => {
                    let found = docker.known_image(reference, sources).await;
                    found.map_err(|source| Cause::Image { image: reference.to_owned(), source })?
                }
                // Somebody may have removed it.
                (_, Some(known)) => {
                    let is_there = docker.engine.image(known.reference()).await?.is_some();
                    is_there.then(|| known.clone())
                }
                (_, None) => None,
            };
            let text = found.as_ref().map_or(stands_for, Pinned::short);
            let watch = self.begin(Step::Image);
            self.recorder.result(Step::Image, format!("{reference} {text}"), watch).await;
            let image = found.unwrap_or_else(|| Pinned::ImageId(stands_for.to_owned()));
            pinned.insert(reference.to_owned(), image);
        }
        Ok(pinned)
    }

    async fn tell_image(&mut self, reference: &str, known: Option<&Pinned>, live: Option<&Live>) {
        let watch = self.begin(Step::Image);
        let text = match (known, live) {
            (Some(known), Some(live)) => format!("{} as in {}", known.short(), live.number),
            (Some(_), None) | (None, _) => BUILT.to_owned(),
        };
        self.recorder.result(Step::Image, format!("{reference} {text}"), watch).await;
    }

    /// The images of the live release that a push of this commit would come to again.
    async fn kept(
        &self,
        nodes: &[Node],
        model: &compiled::Deployment,
        live: Option<&Live>,
    ) -> Result<PinnedImages, Failure> {
        let Some(live) = live else { return Ok(PinnedImages::new()) };
        let (commit, before) = (self.commit(), live.commit);
        let (project, repositories) = (self.run.project(), self.jobs().repositories().clone());
        let (nodes, models) = (nodes.to_vec(), [live.model.clone(), model.clone()]);
        let same = blocking(move || {
            let repository = repositories.open(project)?;
            let commits = [before, repository.peel(commit)?];
            same_images(&nodes, &models, (&repository, commits))
        });
        let same = same.await.map_err(|error| Cause::Checkout(error.into()))?;
        let images = live.images.iter().filter(|(reference, _)| same.contains(*reference));
        Ok(images.map(|(reference, image)| (reference.clone(), image.clone())).collect())
    }
}

/// References of the images that two commits come to alike. Blocks.
fn same_images(
    nodes: &[Node],
    models: &[compiled::Deployment; 2],
    (repository, commits): (&BareRepository, [Oid; 2]),
) -> Result<BTreeSet<String>, GitError> {
    let is_one_commit = commits[0] == commits[1];
    let mut same = BTreeSet::new();
    for node in nodes {
        let reference = node.build.reference();
        let is_same = is_defined_alike(reference, models)
            && match &node.build {
                // What its name means by now is its registry's affair.
                Build::Stock(_) => true,
                Build::Dockerfile(_) => is_one_commit,
                Build::Layers(_) if is_one_commit => true,
                // They may write any file.
                Build::Layers(_) if models.iter().any(|model| !model.hooks.is_empty()) => false,
                Build::Layers(build) => has_same_files(build, (repository, commits))?,
            };
        // What it is made of stands before it.
        if is_same && node.needs.iter().all(|needed| same.contains(needed)) {
            same.insert(reference.to_owned());
        }
    }
    Ok(same)
}

fn has_same_files(
    build: &LayerBuild,
    (repository, commits): (&BareRepository, [Oid; 2]),
) -> Result<bool, GitError> {
    for placement in &build.placements {
        if !is_same_path(repository, commits, &placement.source)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether both files say the same of an image, whoever builds it.
fn is_defined_alike(reference: &str, models: &[compiled::Deployment; 2]) -> bool {
    let [before, after] = models.each_ref().map(|model| {
        let mut images = model.images.iter();
        let image = images.find(|image| image.reference().reference() == reference);
        let mut volumes = model.volumes.iter();
        let volume = volumes.find(|(key, _)| volume_reference(key) == reference);
        (image, volume)
    });
    before == after
}
