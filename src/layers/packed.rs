//! Layers as registries have them: packed, the same bytes for the same layer.

use std::fs::File;
use std::io;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::domain::digest::Digest;
use crate::layers::config::Config;
use crate::layers::write::{Hashed, Layer};

/// A packed layer.
#[derive(Debug)]
pub struct Packed {
    /// The file it is in.
    pub file: File,
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
}

impl Layer {
    /// Packs the layer into a file. This blocks.
    ///
    /// # Errors
    ///
    /// When the layer cannot be read, or the file not be written.
    pub fn pack(&self, file: File) -> io::Result<Packed> {
        let mut packed = GzEncoder::new(Hashed::new(file), Compression::default());
        io::copy(&mut self.tar.file.packed(), &mut packed)?;
        let (file, digest, size) = packed.finish()?.end();
        Ok(Packed { file, digest, size })
    }

    /// Whether an image with this configuration is what the layer is put on.
    pub fn is_upon(&self, config: &[u8]) -> bool {
        Config::parse(config).is_ok_and(|config| config.diff_ids() == self.below)
    }
}
