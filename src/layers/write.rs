//! The layer as a tar: equal content gives equal bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};
use tokio_util::sync::CancellationToken;

use crate::building::Sent;
use crate::building::files::{open_declared, open_root};
use crate::domain::digest::Digest;
use crate::layers::index::LayerFile;
use crate::layers::placing::{Added, AddedKind};
use crate::layers::tar_reader::TarReader;
use crate::layers::tree::{Content, Key};
use crate::layers::{BaseFault, LayerError, go_on};

/// A layer, and the image that it makes of its base.
#[derive(Debug)]
pub struct Layer {
    pub(super) tar: Tar,
    pub(super) config: Vec<u8>,
    /// The layers below.
    pub(super) below: Vec<Digest>,
    pub(super) sent: Sent,
}

/// A tar that was written.
#[derive(Debug)]
pub(super) struct Tar {
    pub(super) file: LayerFile,
    pub(super) diff_id: Digest,
}

impl Layer {
    /// The configuration of the image.
    pub fn config(&self) -> &[u8] {
        &self.config
    }

    /// What of the commit is in it.
    pub fn sent(&self) -> Sent {
        self.sent
    }
}

/// Writes entries into a file. Those of the base are read from its layers, each layer once.
pub(super) fn tar(
    added: &BTreeMap<Key, Added>,
    (root, layers): (&Path, &BTreeMap<usize, LayerFile>),
    file: File,
    stop: &CancellationToken,
) -> Result<Tar, LayerError> {
    let root = open_root(root)?;
    let hashed = Hashed::new(BufWriter::new(file));
    let mut writing = Writing { tar: Builder::new(hashed), root, stop };
    let mut again: BTreeSet<usize> = BTreeSet::new();
    for (key, entry) in added {
        match &entry.kind {
            AddedKind::Again(content) => drop(again.insert(content.layer)),
            AddedKind::Folder | AddedKind::Link(_) | AddedKind::File(_) => {
                writing.entry(key, entry)?;
            }
        }
    }
    for number in again {
        let layer = layers.get(&number).ok_or(BaseFault::Absent)?;
        writing.again(added, number, layer)?;
    }
    writing.end()
}

struct Writing<'a> {
    tar: Builder<Hashed<BufWriter<File>>>,
    root: OwnedFd,
    stop: &'a CancellationToken,
}

impl Writing<'_> {
    fn entry(&mut self, key: &[u8], entry: &Added) -> Result<(), LayerError> {
        go_on(self.stop)?;
        let path = Path::new(OsStr::from_bytes(key));
        let written = match &entry.kind {
            AddedKind::Folder => {
                let mut header = header(EntryType::Directory, entry, 0);
                self.tar.append_data(&mut header, path, io::empty())
            }
            AddedKind::Link(target) => {
                let mut header = header(EntryType::Symlink, entry, 0);
                self.tar.append_link(&mut header, path, Path::new(OsStr::from_bytes(target)))
            }
            AddedKind::File(source) => {
                let file = open_declared(&self.root, source)?;
                let size = file.metadata().map_err(LayerError::Write)?.len();
                let mut header = header(EntryType::Regular, entry, size);
                let exact = Exact { inner: file, left: size };
                self.tar.append_data(&mut header, path, exact)
            }
            AddedKind::Again(_) => Ok(()),
        };
        written.map_err(LayerError::Write)
    }

    /// Writes the files whose content is in one layer of the base, in the order in which they are
    /// there.
    fn again(
        &mut self,
        added: &BTreeMap<Key, Added>,
        number: usize,
        layer: &LayerFile,
    ) -> Result<(), LayerError> {
        let mut wanted: HashMap<u32, Vec<(&Key, &Added)>> = HashMap::new();
        for (key, entry) in added {
            if let AddedKind::Again(content) = &entry.kind
                && content.layer == number
            {
                let Content { number, .. } = content;
                wanted.entry(*number).or_default().push((key, entry));
            }
        }
        let mut tar = TarReader::new(layer.open(self.stop).map_err(BaseFault::Read)?);
        let mut place: u32 = 0;
        while !wanted.is_empty() {
            let Some(item) = tar.next()? else { return Err(BaseFault::Absent.into()) };
            let found = wanted.remove(&place).unwrap_or_default();
            place = place.saturating_add(1);
            let mut names = found.into_iter();
            let Some((first, entry)) = names.next() else { continue };
            let first = Path::new(OsStr::from_bytes(first));
            let mut regular = header(EntryType::Regular, entry, item.size);
            let exact = Exact { inner: &mut tar, left: item.size };
            self.tar.append_data(&mut regular, first, exact).map_err(LayerError::Write)?;
            for (key, entry) in names {
                // One content under several names stays one.
                let path = Path::new(OsStr::from_bytes(key));
                let mut link = header(EntryType::Link, entry, 0);
                self.tar.append_link(&mut link, path, first).map_err(LayerError::Write)?;
            }
        }
        Ok(())
    }

    fn end(self) -> Result<Tar, LayerError> {
        let written = self.tar.into_inner().and_then(|hashed| {
            let (file, diff_id, size) = hashed.end();
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            Ok(Tar { file: LayerFile { file: Arc::new(file), start: 0, size }, diff_id })
        });
        written.map_err(LayerError::Write)
    }
}

fn header(kind: EntryType, entry: &Added, size: u64) -> Header {
    let (uid, gid) = entry.user.map_or((0, 0), |user| (user.uid, user.gid));
    let writable = if entry.user.is_some() { 0o200 } else { 0 };
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(entry.mode | writable);
    header.set_uid(uid.into());
    header.set_gid(gid.into());
    header.set_mtime(entry.date);
    header.set_size(size);
    header
}

/// As many bytes as the header says, or a fault.
struct Exact<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let length = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.inner.read(bytes.get_mut(..length).unwrap_or_default())?;
        if read == 0 && length > 0 {
            return Err(crate::building::files::became_shorter());
        }
        self.left -= u64::try_from(read).unwrap_or(self.left);
        Ok(read)
    }
}

/// Hashes and counts what is written.
pub(super) struct Hashed<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W> Hashed<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), size: 0 }
    }

    /// What it was written to, the digest, and how many bytes it was.
    pub(super) fn end(self) -> (W, Digest, u64) {
        (self.inner, Digest::end(self.hash), self.size)
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or(bytes));
        self.size += u64::try_from(written).unwrap_or(0);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
