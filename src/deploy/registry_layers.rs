//! Images of files for several platforms, made of what registries have: no engine takes part.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::building::{ContextLimits, Sent};
use crate::domain::platform::Platform;
use crate::image::layer::LayerBuild;
use crate::layers::{Assembled, Layer, LayerError, Layers, Written};
use crate::oci::{Index, NewImage, Oci, OciError, PackedLayer, Part, RemoteImage};
use crate::tasks::blocking;

/// Who makes them, and of what.
#[derive(Debug, Clone)]
pub(super) struct RegistryLayers {
    /// What writes layers.
    pub(super) layers: Layers,
    /// Registries, of bases and of the result.
    pub(super) oci: Oci,
    /// The commit's files.
    pub(super) root: PathBuf,
    /// What they may at most be.
    pub(super) limits: ContextLimits,
}

/// An image that only lacks its tag.
#[derive(Debug)]
pub(super) struct Laid {
    /// Names the images of all platforms, which are in the repository.
    pub(super) index: Index,
    /// What of the commit is in each.
    pub(super) sent: Sent,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub(super) enum RegistryLayersError {
    /// A registry does not give or take something.
    #[error(transparent)]
    Oci(#[from] OciError),
    /// The layer was not made.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

/// Layers of a base that were fetched, by their numbers.
type Fetched = BTreeMap<usize, Arc<File>>;

impl RegistryLayers {
    /// Puts files upon a base, for each platform, into a repository. Equal files upon an equal base
    /// are an equal index, and what the repository has is not sent again.
    pub(super) async fn lay(
        &self,
        build: &LayerBuild,
        (base, platforms): (&str, &[Platform]),
        repository: &str,
    ) -> Result<Laid, RegistryLayersError> {
        let mut bases = Vec::new();
        // All of them before anything is sent.
        for platform in platforms {
            bases.push((platform, self.oci.image(base, platform).await?));
        }
        let (mut parts, mut sent) = (Vec::new(), Sent::default());
        for (platform, base) in bases {
            let layer = self.layer(build, &base).await?;
            sent = layer.sent();
            parts.push(self.push(build, (&base, platform), layer, repository).await?);
        }
        Ok(Laid { index: Index::of(&parts, &build.annotations)?, sent })
    }

    /// Writes the layer upon one base, of which it fetches what is not known and needed.
    async fn layer(
        &self,
        build: &LayerBuild,
        base: &RemoteImage,
    ) -> Result<Layer, RegistryLayersError> {
        if Layers::count(&base.config).map_err(LayerError::from)? != base.layers() {
            return Err(OciError::Damaged(base.meant()).into());
        }
        let stop = CancellationToken::new();
        let _stops_with_this = stop.clone().drop_guard();
        let build = Arc::new(build.clone());
        let mut fetched = Fetched::new();
        loop {
            let (own, config, files) = (self.clone(), base.config.clone(), fetched.clone());
            let (build, stop) = (Arc::clone(&build), stop.clone());
            let written = blocking(move || own.try_layer(&build, (&config, &files), &stop)).await?;
            let missing = match written {
                Written::Layer(layer) => return Ok(layer),
                Written::NeedsFiles(missing) => missing,
            };
            for number in missing {
                let layers = self.layers.clone();
                let file = blocking(move || layers.temporary()).await.map_err(LayerError::Write)?;
                let file = self.oci.layer(base, number, file).await?;
                fetched.insert(number, Arc::new(file));
            }
        }
    }

    /// Writes the layer as far as that can be with the layers that are at hand.
    fn try_layer(
        &self,
        build: &LayerBuild,
        (config, files): (&[u8], &Fetched),
        stop: &CancellationToken,
    ) -> Result<Written, LayerError> {
        match self.layers.assemble(config, files, stop)? {
            Assembled::Lacks(missing) => Ok(Written::NeedsFiles(missing)),
            Assembled::Base(base) => {
                self.layers.write(&base, build, (&self.root, self.limits), stop)
            }
        }
    }

    async fn push(
        &self,
        build: &LayerBuild,
        (base, platform): (&RemoteImage, &Platform),
        layer: Layer,
        repository: &str,
    ) -> Result<Part, RegistryLayersError> {
        let (layer, layers) = (Arc::new(layer), self.layers.clone());
        let own = Arc::clone(&layer);
        let packed = blocking(move || own.pack(layers.temporary()?)).await;
        let packed = packed.map_err(LayerError::Write)?;
        let packed = PackedLayer { file: packed.file, digest: packed.digest, size: packed.size };
        let image = NewImage {
            base,
            layer: &packed,
            config: layer.config(),
            annotations: &build.annotations,
        };
        Ok(self.oci.push_part(repository, image, platform).await?)
    }
}
