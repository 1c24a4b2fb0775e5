//! What was read of bases, kept on disk so that it is read once.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW};
use tracing::warn;
use uuid::Uuid;

use crate::domain::digest::Digest;
use crate::layers::index::LayerIndex;

/// Most bytes that are kept. Past it what was not used for the longest time goes.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Most bytes that one entry may have when it is unpacked.
const LARGEST: u64 = 256 * 1024 * 1024;

/// The folder of indexes and configurations. What is in it may be lost at any time.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(super) fn new(folder: &Path) -> Self {
        // Another format is another folder.
        Self { folder: folder.join("bases-1") }
    }

    /// The index of a layer, if it is there and whole.
    pub(super) fn index(&self, diff_id: &Digest) -> Option<LayerIndex> {
        serde_json::from_slice(&self.read("layer", diff_id)?).ok()
    }

    /// Keeps the index of a layer.
    pub(super) fn keep_index(&self, diff_id: &Digest, index: &LayerIndex) {
        match serde_json::to_vec(index) {
            Ok(bytes) => self.keep("layer", diff_id, &bytes),
            Err(error) => warn!("Could not write the index of a layer: {error}"),
        }
    }

    /// The configuration of an image, if it is there and whole.
    pub(super) fn config(&self, id: &Digest) -> Option<Vec<u8>> {
        self.read("config", id)
    }

    /// Keeps the configuration of an image.
    pub(super) fn keep_config(&self, id: &Digest, config: &[u8]) {
        self.keep("config", id, config);
    }

    /// A file without a name: it is gone with whoever has it open.
    pub(super) fn temporary(&self) -> io::Result<File> {
        fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(format!("{}.tmp", Uuid::now_v7()));
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    }

    fn path(&self, kind: &str, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{kind}-{}", digest.hex()))
    }

    /// Packed, so that a check comes with it: what is damaged is read anew.
    fn read(&self, kind: &str, digest: &Digest) -> Option<Vec<u8>> {
        let file = File::open(self.path(kind, digest)).ok()?;
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let used = Timestamps { last_access: now, last_modification: now };
        // At worst it goes earlier than others.
        rustix::fs::futimens(&file, &used).ok();
        let mut bytes = Vec::new();
        GzDecoder::new(file).take(LARGEST).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn keep(&self, kind: &str, digest: &Digest, bytes: &[u8]) {
        let kept = self.write(&self.path(kind, digest), bytes).and_then(|()| self.shrink());
        if let Err(error) = kept {
            // The build goes on; the next one reads the base again.
            warn!("Could not keep what was read of a base: {error}");
        }
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let new = self.folder.join(format!("{}.tmp", Uuid::now_v7()));
        let written = File::create_new(&new).and_then(|file| {
            let mut packed = GzEncoder::new(file, Compression::fast());
            packed.write_all(bytes)?;
            packed.finish()?;
            fs::rename(&new, path)
        });
        if written.is_err() {
            fs::remove_file(&new).ok();
        }
        written
    }

    fn shrink(&self) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // Another build may have taken it away meanwhile.
            if let Ok(metadata) = entry.metadata() {
                kept.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        kept.sort();
        let mut total: u64 = kept.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in kept {
            if total <= MOST_BYTES {
                break;
            }
            fs::remove_file(path).ok();
            total -= length;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_damaged_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let digest = Digest::of(b"x");
        assert_eq!(cache.config(&digest), None);
        cache.keep_config(&digest, b"{}");
        assert_eq!(cache.config(&digest).as_deref(), Some(b"{}".as_slice()));
        let path = cache.path("config", &digest);
        for damage in [&fs::read(&path).unwrap()[..15], b"", b"junk"] {
            fs::write(&path, damage).unwrap();
            assert_eq!(cache.config(&digest), None);
        }
        cache.keep_index(&digest, &LayerIndex::default());
        assert_eq!(cache.index(&digest), Some(LayerIndex::default()));
        let left: Vec<_> = fs::read_dir(cache.folder).unwrap().collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }
}
