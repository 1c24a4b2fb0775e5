//! Images made of another one and files of the repository (paas-yaml.md §10.8).

use std::collections::HashSet;

use indexmap::IndexMap;

use crate::paas::compile::Setting;
use crate::paas::compile::images::{Images, LATEST};
use crate::paas::compiled::{EmbeddedImage, EmbeddedVolume, ImageRef, Origin};
use crate::paas::fault::Code;
use crate::paas::naming::is_image_tag;
use crate::paas::report::{Poisoned, Reports};
use crate::paas::view::View;

/// All of them, in the order of the containers that run them.
#[derive(Debug, Default)]
pub(super) struct EmbeddedImages {
    images: Vec<EmbeddedImage>,
    /// Their names and tags.
    known: HashSet<(String, String)>,
}

/// A container that needs one.
pub(super) struct New<'a> {
    pub(super) container: &'a View<'a>,
    /// What it would run without.
    pub(super) base: ImageRef,
    /// Tells it from all other containers.
    pub(super) hash: String,
    /// The files, by the keys of the volumes.
    pub(super) volumes: IndexMap<String, EmbeddedVolume>,
}

impl EmbeddedImages {
    /// The image of a container: its own one with files added.
    pub(super) fn derive(
        &mut self,
        new: New<'_>,
        (setting, images): (&Setting<'_>, &Images),
        reports: &mut Reports,
    ) -> Result<ImageRef, Poisoned> {
        let New { container, base, hash, volumes } = new;
        let version = container.filled("version")?.filter(|version| *version != LATEST);
        let tag = [version.unwrap_or_default(), &hash, setting.environment_tag];
        let parts: Vec<_> = tag.into_iter().filter(|part| !part.is_empty()).collect();
        let tag = parts.join("-");
        let image = container.filled("image")?.ok_or(Poisoned)?;
        let name = image.split('@').next().and_then(|name| name.rsplit('/').next());
        let name = name.unwrap_or_default().to_owned();
        if !is_image_tag(&tag) {
            let message = "the image with this container's files would have no valid tag";
            let hint = "its `version` is too long, or no tag".to_owned();
            let fault = container.key_fault(Code::BadImageName, message).hint(hint);
            return Err(reports.add(fault));
        }
        let is_new = self.known.insert((name.clone(), tag.clone()));
        if !is_new || images.has(&name, &tag) {
            let message = "another image has the name and the tag of the one with these files";
            return Err(reports.add(container.key_fault(Code::DuplicateImage, message)));
        }
        self.images.push(EmbeddedImage { name: name.clone(), tag: tag.clone(), base, volumes });
        Ok(ImageRef { origin: Origin::Embedded, name, tag })
    }

    /// What they are based on.
    pub(super) fn bases(&self) -> impl Iterator<Item = &ImageRef> {
        self.images.iter().map(|image| &image.base)
    }

    pub(super) fn into_model(self) -> Vec<EmbeddedImage> {
        self.images
    }
}
