//! Images for several platforms: one for each, and in the registry an index that names them.
//!
//! What is pinned is the index: the engine takes its own image out of it, and so would any other.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use tokio::sync::mpsc;

use crate::building::{BuildError, dockerfile, send};
use crate::deploy::docker_target::DockerTarget;
use crate::deploy::docker_target::image_error::ImageError;
use crate::deploy::docker_target::images::{How, Obtained, Sources};
use crate::deploy::registry_layers::{RegistryLayers, RegistryLayersError};
use crate::domain::pinned::Pinned;
use crate::domain::platform::Platform;
use crate::domain::registry::Registry;
use crate::domain::release::PinnedImages;
use crate::image::ImageBuild;
use crate::image::dockerfile::{bases, bases_of_triggers, renamed, runs_commands};
use crate::image::layer::LayerBuild;
use crate::oci::{Index, Oci, OciError, Part, RemoteImage};
use crate::tasks::blocking;

/// Where images for several platforms go.
#[derive(Debug)]
pub(super) struct Several {
    registry: Registry,
    oci: Oci,
    own: Platform,
    /// All others.
    foreign: Vec<Platform>,
}

impl Several {
    fn all(&self) -> Vec<Platform> {
        self.foreign.iter().chain([&self.own]).cloned().collect()
    }
}

impl DockerTarget {
    /// Whether images are for several platforms, which needs a registry: engines have one.
    pub(super) async fn several(&self, sources: &Sources) -> Result<Option<Several>, ImageError> {
        let Some(registry) = sources.registry.clone() else { return Ok(None) };
        if sources.platforms.is_empty() {
            return Ok(None);
        }
        let own = self.engine.platform().await?;
        if !sources.platforms.contains(&own) {
            return Err(ImageError::NotOwn(own));
        }
        let foreign = sources.platforms.iter().filter(|platform| **platform != own);
        let foreign: Vec<_> = foreign.cloned().collect();
        let oci = Oci::new(slice::from_ref(&registry));
        Ok((!foreign.is_empty()).then_some(Several { registry, oci, own, foreign }))
    }

    /// Makes images of others and files of the commit.
    pub(super) async fn lay_several(
        &self,
        build: &LayerBuild,
        (sources, pinned): (&Sources, &PinnedImages),
        several: &Several,
        lines: &mpsc::Sender<String>,
    ) -> Result<Obtained, ImageError> {
        let base = match pinned.get(&build.base) {
            Some(Pinned::Digest(digest)) => digest.clone(),
            Some(Pinned::ImageId(_)) | None => {
                let image = self.below(build, pinned).await?;
                let digest = self.in_registry(&image, &build.base);
                digest.ok_or_else(|| ImageError::EngineOnly(build.base.clone()))?.clone()
            }
        };
        let laying = RegistryLayers {
            layers: self.layers.clone(),
            oci: several.oci.clone(),
            root: sources.checkout.clone(),
            limits: sources.limits,
        };
        let repository = several.registry.address.repository(&build.repository);
        let platforms = several.all();
        let laid = laying.lay(build, (&base, &platforms), &repository).await;
        let laid = laid.map_err(|error| match error {
            RegistryLayersError::Oci(error) => of_base(&build.base, error),
            RegistryLayersError::Layer(error) => error.into(),
        })?;
        let tag = build.tag.of(laid.index.digest().as_str());
        let name = format!("{}:{tag}", build.repository);
        let pinned = self.push_index(&name, &laid.index, (sources, several), lines).await?;
        let own_name = format!("{}:{}", build.repository, build.own_tag);
        for name in [&name, &own_name] {
            self.engine.tag(pinned.reference(), name).await?;
        }
        Ok(Obtained { pinned, how: How::Laid(laid.sent) })
    }

    /// Builds an image for each platform.
    pub(super) async fn build_several(
        &self,
        build: &ImageBuild,
        (sources, pinned): (&Sources, &PinnedImages),
        several: &Several,
        lines: &mpsc::Sender<String>,
    ) -> Result<Obtained, ImageError> {
        // Whatever is refused is refused before anything is built.
        let mut others = Vec::new();
        for platform in &several.foreign {
            let other = self.for_platform(build, platform, (sources, pinned), several).await?;
            others.push((platform, other));
        }
        let own = self.build_own(build, sources, lines).await?;
        let name = build.of_platform(&several.own, BTreeMap::new()).tag;
        let mut parts =
            vec![self.push_part((&own.id, &name), &several.own, (sources, several), lines).await?];
        for (platform, other) in others {
            send([format!("building for {platform}")], lines).await;
            let materials = sources.materials(&other.context);
            let built = self.builder.build(&self.engine, &other, &materials, lines).await?;
            let image = (built.id.as_str(), other.tag.as_str());
            parts.push(self.push_part(image, platform, (sources, several), lines).await?);
            // Nothing here can run it.
            if let Some(image) = self.engine.image(&built.id).await? {
                self.remove_images(vec![image]).await?;
            }
        }
        let annotations = build.labels.iter();
        let annotations = annotations.filter(|(key, _)| key.starts_with("org.opencontainers."));
        let annotations = annotations.map(|(key, value)| (key.clone(), value.clone())).collect();
        let index = Index::of(&parts, &annotations)?;
        let pinned = self.push_index(&build.tag, &index, (sources, several), lines).await?;
        Ok(Obtained { pinned, how: How::Built(own.steps) })
    }

    /// The build of an image for another platform than the engine's, when it is certain what comes
    /// of it: everything that it takes is named by digest, and was looked at.
    async fn for_platform(
        &self,
        build: &ImageBuild,
        platform: &Platform,
        (sources, pinned): (&Sources, &PinnedImages),
        several: &Several,
    ) -> Result<ImageBuild, ImageError> {
        let Some(runs) = self.builder.runs(&self.engine).await? else {
            return Err(BuildError::Platform(platform.clone()).into());
        };
        let (root, path) = (sources.root(&build.context).to_owned(), build.context.path.clone());
        let text = blocking(move || dockerfile(&root, &path)).await.map_err(BuildError::from)?;
        let mut does_run = runs_commands(&text);
        // Some stages may be of the machine that builds.
        let platforms = [platform, &several.own];
        let mut pins = BTreeMap::new();
        for base in &build.bases {
            let name = match build.own.get(base) {
                Some(own) => {
                    pinned.get(own).ok_or_else(|| ImageError::Gone(base.clone()))?.reference()
                }
                None => base,
            };
            let mut name = name.to_owned();
            for platform in platforms {
                let image = several.oci.image(&name, platform).await;
                let image = image.map_err(|error| of_base(base, error))?;
                does_run |= self.check_remote(base, &image, sources)?;
                // Nobody moves it from here on.
                name = image.meant();
            }
            pins.insert(base.clone(), name);
        }
        let known: BTreeSet<&String> = pins.values().collect();
        let taken = bases(&renamed(&text, &pins), &build.args);
        let taken = taken.map_err(|unclear| BuildError::Step(unclear.to_string()))?;
        if let Some(other) = taken.images.iter().find(|image| !known.contains(image)) {
            return Err(ImageError::Unnamed(other.clone()));
        }
        if does_run && !runs.contains(platform) {
            return Err(ImageError::CannotRun { platform: platform.clone(), runs });
        }
        Ok(build.of_platform(platform, pins))
    }

    /// Makes sure that a project may build from an image of a registry; `true` when building from it
    /// runs commands.
    fn check_remote(
        &self,
        base: &str,
        image: &RemoteImage,
        sources: &Sources,
    ) -> Result<bool, ImageError> {
        let owner = image.labels().remove(&self.labels.key("project"));
        if owner.is_some_and(|owner| owner != sources.project.to_string()) {
            return Err(ImageError::Foreign(base.to_owned()));
        }
        let triggers = image.triggers();
        let triggered = bases_of_triggers(&triggers)
            .map_err(|source| ImageError::Trigger { image: base.to_owned(), source })?;
        match triggered.into_iter().next() {
            // It would be looked up when it is too late to look at it.
            Some(name) => Err(ImageError::Unnamed(name)),
            None => Ok(triggers.iter().any(|trigger| runs_commands(trigger))),
        }
    }

    /// Has the engine push an image that becomes part of an index. It needs a tag for that.
    async fn push_part(
        &self,
        (id, name): (&str, &str),
        platform: &Platform,
        (sources, several): (&Sources, &Several),
        lines: &mpsc::Sender<String>,
    ) -> Result<Part, ImageError> {
        self.check_name(name, &several.registry, sources).await?;
        let pushed = self.engine.push(id, name, &several.registry, lines).await?;
        Ok(several.oci.part(pushed.reference(), platform).await?)
    }

    /// Pushes an index under a name, and has the engine take its own image out of it.
    async fn push_index(
        &self,
        name: &str,
        index: &Index,
        (sources, several): (&Sources, &Several),
        lines: &mpsc::Sender<String>,
    ) -> Result<Pinned, ImageError> {
        let registry = &several.registry;
        self.check_name(name, registry, sources).await?;
        let reference = registry.address.repository(name);
        let digest = several.oci.push_index(&reference, index).await?;
        send([format!("pushed {reference}: {digest}")], lines).await;
        let repository = reference.rsplit_once(':').map_or(&*reference, |(name, _tag)| name);
        let pinned = format!("{repository}@{digest}");
        self.engine.pull(&pinned, slice::from_ref(registry), lines).await?;
        Ok(Pinned::Digest(pinned))
    }
}

/// Says which base it is that is not there for a platform.
fn of_base(base: &str, error: OciError) -> ImageError {
    if let OciError::OtherPlatform { asked, has, .. } = error {
        return ImageError::BasePlatform { base: base.to_owned(), asked, has };
    }
    error.into()
}
