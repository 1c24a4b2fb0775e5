//! Images that are another one and files: the layer is made beside the engine and given to it.

use std::io::{self, Seek as _, Write as _};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::building::ContextLimits;
use crate::building::archive::{CHUNKS, Chunks};
use crate::deploy::docker_target::DockerTarget;
use crate::deploy::docker_target::image_error::ImageError;
use crate::deploy::docker_target::images::{How, Obtained, Sources};
use crate::docker::{EngineError, ImageFacts};
use crate::domain::digest::Digest;
use crate::domain::pinned::Pinned;
use crate::domain::release::PinnedImages;
use crate::image::layer::LayerBuild;
use crate::layers::{Base, BaseFault, Bundle, Layer, LayerError, Layers, Written};
use crate::tasks::blocking;

/// What a layer is made from.
pub(super) struct Making {
    pub(super) layers: Layers,
    pub(super) build: LayerBuild,
    root: PathBuf,
    limits: ContextLimits,
    /// The base's id on the engine.
    below: Digest,
    /// Tells the threads that work for it that nobody waits any more.
    stop: CancellationToken,
}

impl DockerTarget {
    /// Makes an image of another one, which is there, and files of the commit.
    pub(super) async fn lay(
        &self,
        build: &LayerBuild,
        (sources, pinned): (&Sources, &PinnedImages),
        lines: &mpsc::Sender<String>,
    ) -> Result<Obtained, ImageError> {
        if let Some(several) = self.several(sources).await? {
            return self.lay_several(build, (sources, pinned), &several, lines).await;
        }
        let image = self.below(build, pinned).await?;
        let below = image.id.parse().map_err(|_no_id| ImageError::Gone(build.base.clone()))?;
        let stop = CancellationToken::new();
        let _stops_with_this = stop.clone().drop_guard();
        let making = Arc::new(Making {
            layers: self.layers.clone(),
            build: build.clone(),
            root: sources.checkout.clone(),
            limits: sources.limits,
            below,
            stop,
        });
        let (base, layer) = self.make(&making).await?;
        let how = How::Laid(layer.sent());
        let tag = build.tag.of(Digest::of(layer.config()).as_str());
        let name = format!("{}:{tag}", build.repository);
        let pinned = match &sources.registry {
            None => Pinned::ImageId(self.give(&making, base, layer).await?),
            Some(registry) => {
                self.check_name(&name, registry, sources).await?;
                match self.push_layer(&making, (&image, &layer), registry, lines).await? {
                    Some(pinned) => pinned,
                    None => {
                        let id = self.give(&making, base, layer).await?;
                        self.engine.push(&id, &name, registry, lines).await?
                    }
                }
            }
        };
        let own_name = format!("{}:{}", build.repository, build.own_tag);
        for name in [&name, &own_name] {
            self.engine.tag(pinned.reference(), name).await?;
        }
        Ok(Obtained { pinned, how })
    }

    /// What a layer is put on.
    pub(super) async fn below(
        &self,
        build: &LayerBuild,
        pinned: &PinnedImages,
    ) -> Result<ImageFacts, ImageError> {
        let gone = || ImageError::Gone(build.base.clone());
        let reference = pinned.get(&build.base).ok_or_else(gone)?.reference();
        self.engine.image(reference).await?.ok_or_else(gone)
    }

    /// Writes the layer; the base is asked for where it is not known well enough.
    async fn make(&self, making: &Arc<Making>) -> Result<(Arc<Base>, Arc<Layer>), ImageError> {
        let own = Arc::clone(making);
        let known = blocking(move || own.layers.known(&own.below)).await;
        if let Some(base) = known.map(Arc::new)
            && let Written::Layer(layer) = write(making, &base).await?
        {
            return Ok((base, Arc::new(layer)));
        }
        let base = Arc::new(self.read(making).await?);
        match write(making, &base).await? {
            Written::Layer(layer) => Ok((base, Arc::new(layer))),
            Written::NeedsFiles(_) => Err(LayerError::from(BaseFault::Absent).into()),
        }
    }

    /// Reads the base, of which the engine gives an archive.
    async fn read(&self, making: &Arc<Making>) -> Result<Base, ImageError> {
        let layers = making.layers.clone();
        let mut file = blocking(move || layers.temporary()).await.map_err(LayerError::Write)?;
        let mut archive = pin!(self.engine.export(making.below.as_str()));
        while let Some(chunk) = archive.next().await {
            let chunk = chunk?;
            let written = blocking(move || file.write_all(&chunk).map(|()| file)).await;
            file = written.map_err(LayerError::Write)?;
        }
        let own = Arc::clone(making);
        let base = blocking(move || {
            file.rewind()?;
            own.layers.read(&own.below, file, &own.stop)
        });
        Ok(base.await.map_err(LayerError::from)?)
    }

    /// Gives the image to the engine, unless it has it, and tells its id there.
    async fn give(
        &self,
        making: &Arc<Making>,
        base: Arc<Base>,
        layer: Arc<Layer>,
    ) -> Result<String, ImageError> {
        let name = format!("{}:{}", making.build.repository, making.build.own_tag);
        // Engines whose images have other ids are given it again, and find that they have it.
        let id = Digest::of(layer.config());
        if self.engine.image(id.as_str()).await?.is_some() {
            self.engine.tag(id.as_str(), &name).await?;
            return Ok(id.to_string());
        }
        match self.load(&name, None, &layer).await? {
            // Some want to see every layer, or have lost one of them.
            Err(EngineError::Refused { .. }) => {
                let base = if base.has_files() { base } else { Arc::new(self.read(making).await?) };
                self.load(&name, Some(base), &layer).await??;
            }
            loaded => loaded?,
        }
        let image = self.engine.image(&name).await?;
        Ok(image.ok_or_else(|| ImageError::Gone(name))?.id)
    }

    /// Has the engine take an archive of the layer, and of those below where a base is given.
    async fn load(
        &self,
        name: &str,
        base: Option<Arc<Base>>,
        layer: &Arc<Layer>,
    ) -> Result<Result<(), EngineError>, LayerError> {
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let (layer, tags) = (Arc::clone(layer), [name.to_owned()]);
        let writing = blocking(move || {
            let mut chunks = Chunks::new(sender);
            let bundle = base.as_deref().map_or(Bundle::Layer, Bundle::Whole);
            let written = layer.send(bundle, &tags, &mut chunks);
            if written.is_err() {
                chunks.break_off();
            }
            written
        });
        let loading = self.engine.load(ReceiverStream::new(receiver));
        let (written, loaded) = tokio::join!(writing, loading);
        // What the engine says of half an archive is of no use; that it wants no more is.
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(LayerError::Write(error))
            }
            Ok(()) | Err(_) => Ok(loaded),
        }
    }
}

async fn write(making: &Arc<Making>, base: &Arc<Base>) -> Result<Written, LayerError> {
    let (own, base) = (Arc::clone(making), Arc::clone(base));
    let files = move || own.layers.write(&base, &own.build, (&own.root, own.limits), &own.stop);
    blocking(files).await
}
