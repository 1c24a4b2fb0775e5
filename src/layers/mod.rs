//! Images that are another one and a layer of files, made without running anything.
//!
//! A base is read once: which paths its layers have, of which kind, whose (`index`), kept by the
//! digest of each layer (`cache`) and laid over each other (`tree`). What a deployment declares is
//! placed over that (`placing`), what the application may write is looked up in both
//! (`writables`), and the difference is written as one tar (`write`), which is the same for the
//! same content. `archive` is the form in which engines give and take images.

mod archive;
mod cache;
mod config;
mod index;
mod packed;
mod placing;
mod remote;
mod source;
mod tar_reader;
mod tree;
mod writables;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use crate::building::{ContextError, ContextLimits};
use crate::domain::digest::Digest;
use crate::image::layer::LayerBuild;
use crate::layers::cache::Cache;
use crate::layers::config::Config;
use crate::layers::index::LayerFile;
use crate::layers::placing::Overlay;
use crate::layers::tree::Tree;

pub use archive::Bundle;
pub use packed::Packed;
pub use remote::Assembled;
pub use write::Layer;

/// Why a base cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BaseFault {
    /// It breaks off, or the disk fails.
    #[error("the image below cannot be read: {0}")]
    Read(#[from] io::Error),
    /// Something in it is not what it should be.
    #[error("the image below is damaged: {0}")]
    Tar(#[source] io::Error),
    /// Its configuration is none.
    #[error("the configuration of the image below cannot be read")]
    Config(#[from] serde_json::Error),
    /// There is no image in the archive.
    #[error("the engine gave no image where the one below was asked for")]
    Absent,
    /// A layer is not the one that it is said to be.
    #[error("the image below has not the layer {0}")]
    OtherLayer(Digest),
    /// A path or a link of more than 4 KiB.
    #[error("the image below has a path of more than 4 KiB")]
    LongPath,
    /// Names that nobody has by accident.
    #[error("the paths of the image below have more than {0} bytes together")]
    LongPaths(usize),
    /// Too much to keep in mind.
    #[error("the image below has more than {0} files")]
    TooManyFiles(usize),
}

/// Why a layer was not made.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The image below.
    #[error(transparent)]
    Base(#[from] BaseFault),
    /// The files of the commit.
    #[error(transparent)]
    Source(#[from] ContextError),
    /// Where a file belongs there is a folder, or the other way round.
    #[error("`{what}` cannot be put to `/{place}`, where the image has a {there}")]
    Occupied {
        /// What was declared.
        what: String,
        /// Where it belongs.
        place: String,
        /// What is there.
        there: &'static str,
    },
    /// Links of the image lead to each other.
    #[error("`{0}` leads nowhere in the image: its links go in a circle")]
    Circle(String),
    /// Something is called as what takes files away from an image.
    #[error("`/{0}` cannot be put into an image: there a name with `.wh.` takes something away")]
    TakesAway(String),
    /// A path of more than 4 KiB.
    #[error("a path in the image would have more than 4 KiB")]
    LongPath,
    /// What is writable is no pattern.
    #[error("`{0}` in `writables` is no pattern of paths")]
    Pattern(String),
    /// The layer cannot be written on this machine.
    #[error("the layer cannot be written: {0}")]
    Write(#[source] io::Error),
}

/// Makes layers, and remembers what it read of bases.
#[derive(Debug, Clone)]
pub struct Layers {
    cache: Cache,
}

/// An image that others are put on.
#[derive(Debug)]
pub struct Base {
    config: Config,
    tree: Tree,
    /// Those of its layers that are at hand, by their numbers, lowest first.
    files: BTreeMap<usize, LayerFile>,
}

/// What came of writing a layer.
#[derive(Debug)]
pub enum Written {
    /// The layer.
    Layer(Layer),
    /// Files of the base become part of it, whose layers are not at hand.
    NeedsFiles(BTreeSet<usize>),
}

impl Layers {
    /// Keeps what it reads in a folder, which may be emptied at any time.
    pub fn new(folder: &Path) -> Self {
        Self { cache: Cache::new(folder) }
    }

    /// A file without a name, for what is read or written once.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    pub fn temporary(&self) -> io::Result<File> {
        self.cache.temporary()
    }

    /// A base by the engine's id of it, when everything that is asked of it was read before.
    /// This blocks.
    pub fn known(&self, id: &Digest) -> Option<Base> {
        let config = Config::parse(&self.cache.config(id)?).ok()?;
        let mut tree = Tree::default();
        for diff_id in config.diff_ids() {
            tree.lay(self.cache.index(diff_id)?).ok()?;
        }
        Some(Base { config, tree, files: BTreeMap::new() })
    }

    /// Reads a base from the archive that an engine gives of it. This blocks, for a second for
    /// each 300 MB.
    ///
    /// # Errors
    ///
    /// When the archive is damaged, or somebody called it off.
    pub fn read(
        &self,
        id: &Digest,
        archive: File,
        stop: &CancellationToken,
    ) -> Result<Base, BaseFault> {
        let (text, files) = archive::open(archive)?;
        let config = Config::parse(&text)?;
        let mut tree = Tree::default();
        if files.len() != config.diff_ids().len() {
            return Err(BaseFault::Absent);
        }
        for (diff_id, file) in config.diff_ids().iter().zip(&files) {
            let index = match self.cache.index(diff_id) {
                Some(index) => index,
                None => {
                    let index = file.index(diff_id, stop)?;
                    self.cache.keep_index(diff_id, &index);
                    index
                }
            };
            tree.lay(index)?;
        }
        self.cache.keep_config(id, &text);
        Ok(Base { config, tree, files: files.into_iter().enumerate().collect() })
    }

    /// Writes the layer, and the configuration of the image with it. This blocks.
    ///
    /// # Errors
    ///
    /// When something declared is missing or does not fit, or the disk fails.
    pub fn write(
        &self,
        base: &Base,
        build: &LayerBuild,
        (root, limits): (&Path, ContextLimits),
        stop: &CancellationToken,
    ) -> Result<Written, LayerError> {
        let mut overlay = Overlay::new(&base.tree);
        let sent = source::place(&mut overlay, &build.placements, (root, limits), stop)?;
        writables::own(&mut overlay, &build.writables, build.user, stop)?;
        let mut needed = overlay.layers();
        needed.retain(|number| !base.files.contains_key(number));
        if !needed.is_empty() {
            return Ok(Written::NeedsFiles(needed));
        }
        let file = self.cache.temporary().map_err(LayerError::Write)?;
        let tar = write::tar(overlay.added(), (root, &base.files), file, stop)?;
        let config = base.config.with(build, &tar.diff_id)?;
        Ok(Written::Layer(Layer { tar, config, below: base.config.diff_ids().to_vec(), sent }))
    }
}

/// Whether anybody still waits.
fn go_on(stop: &CancellationToken) -> Result<(), LayerError> {
    match stop.is_cancelled() {
        true => Err(LayerError::Write(io::Error::other("nobody waits for it any more"))),
        false => Ok(()),
    }
}

impl Base {
    /// Whether all its layers are at hand.
    pub fn has_files(&self) -> bool {
        self.files.len() == self.config.diff_ids().len()
    }
}

#[cfg(test)]
mod tests;
