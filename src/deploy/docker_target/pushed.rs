//! Images of files in registries: only the layer is sent, and by nobody but us.

use std::slice;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::building::send;
use crate::deploy::docker_target::DockerTarget;
use crate::deploy::docker_target::image_error::ImageError;
use crate::deploy::docker_target::images::Sources;
use crate::deploy::docker_target::layers::Making;
use crate::docker::ImageFacts;
use crate::domain::digest::Digest;
use crate::domain::pinned::Pinned;
use crate::domain::registry::Registry;
use crate::layers::{Layer, LayerError};
use crate::oci::{NewImage, Oci, OciError, PackedLayer, RemoteImage};
use crate::tasks::blocking;

impl DockerTarget {
    /// Pushes a layer upon what its base's registry has, and has the engine pull it from there.
    ///
    /// `None` when the base is in no registry, or that does not answer: then the engine has all that
    /// is needed.
    pub(super) async fn push_layer(
        &self,
        making: &Making,
        (base, layer): (&ImageFacts, &Arc<Layer>),
        registry: &Registry,
        lines: &mpsc::Sender<String>,
    ) -> Result<Option<Pinned>, ImageError> {
        let build = &making.build;
        let oci = Oci::new(slice::from_ref(registry));
        let Some(remote) = self.remote_base(&oci, (base, &build.base), lines).await? else {
            return Ok(None);
        };
        if !layer.is_upon(&remote.config) {
            return Ok(None);
        }
        let (own, layers) = (Arc::clone(layer), making.layers.clone());
        let packed = blocking(move || own.pack(layers.temporary()?)).await;
        let packed = packed.map_err(LayerError::Write)?;
        let layer_at_registry =
            PackedLayer { file: packed.file, digest: packed.digest, size: packed.size };
        let tag = build.tag.of(Digest::of(layer.config()).as_str());
        let name = registry.address.repository(&format!("{}:{tag}", build.repository));
        let image = NewImage {
            base: &remote,
            layer: &layer_at_registry,
            config: layer.config(),
            annotations: &build.annotations,
        };
        let digest = match oci.push(&name, image).await {
            Ok(digest) => digest,
            Err(error @ OciError::NotCopied(_)) => {
                send([format!("{error}; the engine sends its image")], lines).await;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        send([format!("pushed {name}: {digest}")], lines).await;
        let pinned = format!("{}@{digest}", registry.address.repository(&build.repository));
        self.engine.pull(&pinned, slice::from_ref(registry), lines).await?;
        Ok(Some(Pinned::Digest(pinned)))
    }

    /// What a base is called in the registry that it came from.
    pub(super) fn in_registry<'a>(&self, base: &'a ImageFacts, name: &str) -> Option<&'a String> {
        let repository = |name: &str| {
            let name = name.split_once('@').map_or(name, |(name, _)| name);
            let tag = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
            tag.map_or(name, |(repository, _)| repository).to_owned()
        };
        let is_own = |digest: &&String| {
            repository(digest) == repository(name)
                || base.labels.contains_key(&self.labels.key("project"))
        };
        base.digests.iter().find(is_own)
    }

    async fn remote_base(
        &self,
        oci: &Oci,
        (base, name): (&ImageFacts, &str),
        lines: &mpsc::Sender<String>,
    ) -> Result<Option<RemoteImage>, ImageError> {
        let Some(reference) = self.in_registry(base, name) else { return Ok(None) };
        match oci.image(reference, &self.engine.platform().await?).await {
            Ok(image) => Ok(Some(image)),
            Err(
                error @ (OciError::Absent(_)
                | OciError::OtherPlatform { .. }
                | OciError::Damaged(_)
                | OciError::Refused { .. }),
            ) => {
                send([format!("{error}; the engine sends its image")], lines).await;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes sure that a name in a registry is not another project's.
    pub(super) async fn check_name(
        &self,
        name: &str,
        registry: &Registry,
        sources: &Sources,
    ) -> Result<(), ImageError> {
        let reference = registry.address.repository(name);
        let oci = Oci::new(slice::from_ref(registry));
        let labels = oci.labels(&reference).await;
        match labels.get(&self.labels.key("project")) {
            Some(owner) if *owner != sources.project.to_string() => {
                Err(ImageError::Taken(reference))
            }
            Some(_) | None => Ok(()),
        }
    }
}
