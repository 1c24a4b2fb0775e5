//! What is in one layer: read once, whoever wrote it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::domain::digest::Digest;
use crate::layers::BaseFault;
use crate::layers::tar_reader::{Item, TarReader};

/// Most entries of a layer.
pub(super) const MOST_ENTRIES: usize = 500_000;

/// Most bytes of all paths and links of a layer.
const MOST_PATHS: usize = 64 * 1024 * 1024;

/// Most bytes of a layer when it is unpacked.
const MOST_BYTES: u64 = 32 * 1024 * 1024 * 1024;

/// How packed layers begin.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// The entries of one layer, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LayerIndex {
    pub(super) entries: Vec<Entry>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// From the root, without a slash before it.
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: u64,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    Folder,
    /// A file whose content is that of the entry with this number in the tar.
    File {
        number: u32,
    },
    Link(String),
    /// A device, a pipe, or something else that is only known to be there.
    Other,
    /// Takes away what lower layers have there.
    Gone,
    /// Takes away what lower layers have in there.
    Emptied,
}

/// A layer that can be read, as often as needed.
#[derive(Debug, Clone)]
pub(super) struct LayerFile {
    pub(super) file: Arc<File>,
    pub(super) start: u64,
    pub(super) size: u64,
}

impl LayerFile {
    /// Reads the layer as it is.
    pub(super) fn packed(&self) -> impl Read + use<> {
        Place { layer: self.clone(), at: 0, stop: CancellationToken::new() }
    }

    /// Reads the layer, unpacked where it was packed, until somebody calls it off.
    pub(super) fn open(&self, stop: &CancellationToken) -> io::Result<impl Read + use<>> {
        let place = Place { layer: self.clone(), at: 0, stop: stop.clone() };
        let mut magic = [0; 4];
        let is_packed = self.size > 3 && self.file.read_exact_at(&mut magic, self.start).is_ok();
        if is_packed && magic == ZSTD {
            return Err(io::Error::other("it is packed by zstd, which is not read here"));
        }
        let reader = BufReader::with_capacity(CHUNK, place);
        let unpacked: Box<dyn Read + Send> = if is_packed && magic.starts_with(&GZIP) {
            Box::new(MultiGzDecoder::new(reader))
        } else {
            Box::new(reader)
        };
        Ok(Bounded { inner: unpacked, left: MOST_BYTES })
    }

    /// Lists the layer, and makes sure that it is the one with this digest.
    pub(super) fn index(
        &self,
        diff_id: &Digest,
        stop: &CancellationToken,
    ) -> Result<LayerIndex, BaseFault> {
        let mut hashed = Hashed { inner: self.open(stop)?, hash: Sha256::new() };
        let mut tar = TarReader::new(&mut hashed);
        let index = list(&mut tar)?;
        tar.drain()?;
        if Digest::end(hashed.hash) == *diff_id {
            Ok(index)
        } else {
            Err(BaseFault::OtherLayer(diff_id.clone()))
        }
    }
}

fn list(tar: &mut TarReader<impl Read>) -> Result<LayerIndex, BaseFault> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let (mut number, mut bytes) = (0_u32, 0);
    while let Some(item) = tar.next()? {
        let own = number;
        number = number.saturating_add(1);
        let Some(path) = clean_path(&item.path) else { continue };
        bytes += item.path.len() + item.link.len();
        if bytes > MOST_PATHS {
            return Err(BaseFault::LongPaths(MOST_PATHS));
        }
        if entries.len() >= MOST_ENTRIES {
            return Err(BaseFault::TooManyFiles(MOST_ENTRIES));
        }
        let mut entry = entry(&item, path, own);
        if item.kind.is_hard_link() {
            let target = clean_path(&item.link).and_then(|link| places.get(&link).copied());
            if let Some(target) = target.and_then(|place| entries.get(place)) {
                entry = Entry { path: entry.path, ..target.clone() };
            }
        }
        places.insert(entry.path.clone(), entries.len());
        entries.push(entry);
    }
    Ok(LayerIndex { entries })
}

fn entry(item: &Item, path: String, number: u32) -> Entry {
    const GONE: &str = ".wh.";
    const EMPTIED: &str = ".wh..wh..opq";
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let beside =
        |name: &str| if folder.is_empty() { name.into() } else { format!("{folder}/{name}") };
    let (path, kind) = if name == EMPTIED {
        (folder.to_owned(), Kind::Emptied)
    } else if let Some(name) = name.strip_prefix(GONE) {
        (beside(name), Kind::Gone)
    } else if item.kind.is_dir() {
        (path, Kind::Folder)
    } else if item.kind.is_file() || item.kind.is_contiguous() {
        (path, Kind::File { number })
    } else if item.kind.is_symlink() {
        (path, Kind::Link(String::from_utf8_lossy(&item.link).into_owned()))
    } else {
        (path, Kind::Other)
    };
    Entry { path, kind, mode: item.mode, uid: item.uid, gid: item.gid, mtime: item.mtime }
}

/// The path from the root; none for the root itself, for one that leads out of it, and for one
/// that is no text: what nobody can write in a file nobody can ask for.
pub(super) fn clean_path(path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok()?;
    let names: Vec<_> = path.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
    (!names.is_empty() && !names.contains(&"..")).then(|| names.join("/"))
}

/// A place in a file that others read too.
struct Place {
    layer: LayerFile,
    at: u64,
    stop: CancellationToken,
}

impl Read for Place {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(io::Error::other("nobody waits for it any more"));
        }
        let left = usize::try_from(self.layer.size - self.at).unwrap_or(usize::MAX);
        let length = bytes.len().min(left);
        let bytes = bytes.get_mut(..length).unwrap_or_default();
        let read = self.layer.file.read_at(bytes, self.layer.start + self.at)?;
        self.at += u64::try_from(read).unwrap_or_default();
        Ok(read)
    }
}

/// Ends with a fault where too much comes.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        let left = self.left.checked_sub(u64::try_from(read).unwrap_or(u64::MAX));
        self.left = left.ok_or_else(|| io::Error::other("it has more than 32 GiB"))?;
        Ok(read)
    }
}

/// Hashes what is read.
struct Hashed<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.hash.update(bytes.get(..read).unwrap_or_default());
        Ok(read)
    }
}
