//! What containers run, in the words of whoever pulls it.

use crate::domain::pinned::Pinned;
use crate::domain::release::volume_reference;
use crate::manifests::Unpinned;
use crate::manifests::fault::Cannot;
use crate::manifests::render::Renderer;
use crate::paas::compiled::{ImageRef, Origin};

/// An image, and when it is pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pulled {
    pub(super) reference: String,
    pub(super) policy: &'static str,
}

impl Pulled {
    fn new(reference: String) -> Self {
        // What a digest names never changes.
        let policy = if reference.contains("@sha") { "IfNotPresent" } else { "Always" };
        Self { reference, policy }
    }
}

impl Renderer<'_> {
    /// The image of a container.
    pub(super) fn image(&mut self, at: &str, image: &ImageRef) -> Pulled {
        let reference = image.reference();
        let is_built = match image.origin {
            Origin::Built | Origin::Embedded => true,
            Origin::External => false,
        };
        let named = is_built.then_some(image.name.as_str());
        self.pulled(at, &reference, named.map(|name| (name, image.tag.as_str())))
    }

    /// The image of a shared volume.
    pub(super) fn volume_image(&mut self, at: &str, key: &str) -> Pulled {
        let name = self.deployment.volumes.get(key).map_or(key, |volume| volume.name.as_str());
        let tag = self.deployment.environment_tag.as_str();
        self.pulled(at, &volume_reference(key), Some((name, tag)))
    }

    /// An image by its key among the pinned ones; `built` has the name and the tag of one that the
    /// project builds.
    fn pulled(&mut self, at: &str, key: &str, built: Option<(&str, &str)>) -> Pulled {
        let images = self.inputs.images;
        let missing = |cannot: fn(String) -> Cannot| cannot(key.to_owned());
        let cannot = match (images.pinned.get(key), images.others) {
            (Some(Pinned::Digest(reference)), _) => return Pulled::new(reference.clone()),
            (Some(Pinned::ImageId(_)), _) => missing(Cannot::NotPushed),
            (None, Unpinned::Refused) => missing(Cannot::Image),
            (None, Unpinned::ByTag(registry)) => {
                let Some((name, tag)) = built else { return Pulled::new(key.to_owned()) };
                let project = self.deployment.project_name.trim_matches('-');
                let image = format!("{project}/{name}:{tag}");
                let reference = registry.map(|registry| registry.repository(&image));
                return Pulled::new(reference.unwrap_or(image));
            }
        };
        self.fault(at, cannot);
        Pulled::new(key.to_owned())
    }
}
