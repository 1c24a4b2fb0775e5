//! Files of a checkout, opened beneath its root and told in the same words everywhere.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::building::beneath::{self, Links, What};
use crate::building::context::{ContextError, ContextLimits, Sent, read, told};

/// Bytes handled at once.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Dates of files begin here, 2000-01-01, and end twenty years later.
pub(crate) const FIRST_DATE: u64 = 946_684_800;
pub(crate) const DATES: u64 = 631_152_000;

/// What is told of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileFacts {
    /// Bytes.
    pub(crate) size: u64,
    /// `0o755` for a program, else `0o644`.
    pub(crate) mode: u32,
    /// Seconds; stands for the content.
    pub(crate) date: u64,
}

/// Counts what is shown, up to a limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tally {
    limits: ContextLimits,
    sent: Sent,
}

impl Tally {
    pub(crate) fn new(limits: ContextLimits) -> Self {
        Self { limits, sent: Sent::default() }
    }

    /// Counts a file, a folder or a link.
    pub(crate) fn count(&mut self, bytes: u64) -> Result<(), ContextError> {
        self.sent.bytes = self.sent.bytes.saturating_add(bytes);
        self.sent.files += 1;
        if self.sent.bytes > self.limits.bytes {
            return Err(ContextError::TooLarge(self.limits.bytes));
        }
        if self.sent.files > self.limits.files {
            return Err(ContextError::TooMany(self.limits.files));
        }
        Ok(())
    }

    /// What was counted.
    pub(crate) fn sent(&self) -> Sent {
        self.sent
    }
}

/// Opens the root of a checkout for the others.
pub(crate) fn open_root(root: &Path) -> Result<OwnedFd, ContextError> {
    File::open(root).map(OwnedFd::from).map_err(|source| read(root, source))
}

/// Opens a declared path, a file or a folder, which may pass through links that stay beneath.
pub(crate) fn open_declared(root: impl AsFd, path: &Path) -> Result<File, ContextError> {
    beneath::open(root, path, What::File, Links::Inner)
        .map(File::from)
        .map_err(|errno| told(path, errno))
}

/// Of what kind an open file is.
pub(crate) fn kind_of(file: &File, path: &Path) -> Result<FileType, ContextError> {
    let metadata = file.metadata().map_err(|source| read(path, source))?;
    Ok(FileType::from_raw_mode(metadata.mode()))
}

/// What is told of an open file, once it is counted; the file is at its beginning then.
pub(crate) fn facts(
    file: &File,
    path: &Path,
    tally: &mut Tally,
) -> Result<FileFacts, ContextError> {
    let read_error = |source| read(path, source);
    let metadata = file.metadata().map_err(read_error)?;
    tally.count(metadata.len())?;
    let date = content_date(file).map_err(read_error)?;
    let mut file = file;
    file.rewind().map_err(read_error)?;
    let is_program = Mode::from_raw_mode(metadata.mode()).contains(Mode::XUSR);
    let mode = if is_program { 0o755 } else { 0o644 };
    Ok(FileFacts { size: metadata.len(), mode, date })
}

/// What a link says.
pub(crate) fn target(root: impl AsFd, path: &Path) -> Result<PathBuf, ContextError> {
    let target =
        rustix::fs::readlinkat(root, path, Vec::new()).map_err(|errno| told(path, errno))?;
    Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
}

/// The names in a folder, in the same order everywhere.
pub(crate) fn names(folder: impl AsFd) -> Result<Vec<OsString>, Errno> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    names.sort();
    Ok(names)
}

/// The names in a folder and of what kind they are, in the same order everywhere.
pub(crate) fn entries(
    folder: &File,
    path: &Path,
) -> Result<Vec<(OsString, FileType)>, ContextError> {
    let names = names(folder).map_err(|errno| told(path, errno))?;
    let kind = |name: OsString| {
        let stat = rustix::fs::statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| told(&path.join(&name), errno))?;
        Ok((name, FileType::from_raw_mode(stat.st_mode)))
    };
    names.into_iter().map(kind).collect()
}

/// What a file says that has fewer bytes than it had.
pub(crate) fn became_shorter() -> io::Error {
    io::Error::other("it became shorter meanwhile")
}

/// A date that stands for the content of a file.
fn content_date(file: &File) -> io::Result<u64> {
    let mut reader = BufReader::with_capacity(CHUNK, file);
    let mut hash = Sha256::new();
    loop {
        let chunk = reader.fill_buf()?;
        let length = chunk.len();
        if length == 0 {
            break;
        }
        hash.update(chunk);
        reader.consume(length);
    }
    Ok(date_of(&hash.finalize()))
}

/// The date that stands for what has this digest.
pub(crate) fn date_of(digest: &[u8]) -> u64 {
    let number = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    FIRST_DATE + number % DATES
}
