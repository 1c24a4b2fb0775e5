//! Sends the files of a build context as a tar, in constant memory.
//!
//! The folder is written by whoever pushed. It is walked without following a link, everything is
//! opened beneath its root, and what is neither file, folder nor link is refused. Equal content
//! gives equal bytes: owners, modes and dates are made up, the date of a file from its content, so
//! that it changes when the content does.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use rustix::fs::{AtFlags, FileType, Mode, Stat};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;

use crate::docker::beneath::{self, Links, What};
use crate::image::dockerignore::{BadPattern, Ignore, Verdict};

/// Bytes sent at once.
pub(super) const CHUNK: usize = 64 * 1024;

/// Chunks written ahead of the engine. Past it the writer waits.
pub(super) const CHUNKS: usize = 8;

/// Longest Dockerfile or `.dockerignore`.
const LONGEST_TEXT: u64 = 1024 * 1024;

/// Dates of files begin here, 2000-01-01, and end twenty years later.
const FIRST_DATE: u64 = 946_684_800;
const DATES: u64 = 631_152_000;

/// What a context may at most be.
#[derive(Debug, Clone, Copy)]
pub struct ContextLimits {
    /// Bytes of all files.
    pub bytes: u64,
    /// Files, folders and links.
    pub files: u64,
}

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// Bytes of all files.
    pub(super) bytes: u64,
    /// Files, folders and links.
    pub(super) files: u64,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.files == 1 { "file" } else { "files" };
        write!(f, "context: {} {noun}, {} KiB", self.files, self.bytes.div_ceil(1024))
    }
}

/// Why a folder cannot be a build context.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// There is no such file or folder.
    #[error("there is no `{0}` in the repository")]
    Missing(String),
    /// A link on the way leads out.
    #[error("`{0}` leads out of the repository")]
    Leaves(String),
    /// A device, a pipe or a socket.
    #[error("`{0}` is neither a file nor a folder nor a link")]
    Special(String),
    /// A Dockerfile or `.dockerignore` that nobody has written by hand.
    #[error("`{0}` is longer than 1 MiB")]
    Long(String),
    /// A line of `.dockerignore` is wrong.
    #[error(transparent)]
    Ignore(#[from] BadPattern),
    /// Too many bytes.
    #[error("the build context has more than {0} bytes of files; leave some out in .dockerignore")]
    TooLarge(u64),
    /// Too many files.
    #[error("the build context has more than {0} files; leave some out in .dockerignore")]
    TooMany(u64),
    /// It cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// What was read.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Reads the Dockerfile of a context; this blocks.
///
/// # Errors
///
/// When there is none, it leads out of its folder, or cannot be read.
pub fn dockerfile(root: &Path, context: &str) -> Result<String, ContextError> {
    dockerfile_in(&open_context(root, context)?, context)
}

fn dockerfile_in(folder: &OwnedFd, context: &str) -> Result<String, ContextError> {
    let path = Path::new("Dockerfile");
    read_text(folder, path)?.ok_or_else(|| missing(&Path::new(context).join(path)))
}

/// Writes the context's tar to a channel; `None` when nobody reads it any more.
pub(super) fn write(
    root: &Path,
    context: &str,
    limits: ContextLimits,
    chunks: &mut Chunks,
) -> Result<Option<Sent>, ContextError> {
    let folder = open_context(root, context)?;
    dockerfile_in(&folder, context)?;
    let ignore = read_text(&folder, Path::new(".dockerignore"))?;
    let ignore = Ignore::parse(ignore.as_deref().unwrap_or_default())?;
    let tar = Builder::new(chunks);
    let mut walk = Walk { folder, ignore, tar, limits, sent: Sent::default(), pending: Vec::new() };
    let walked = walk.folder(Path::new(""), &Verdict::default());
    let ended = walked.and_then(|()| {
        let ended = walk.tar.finish().and_then(|()| walk.tar.get_mut().flush());
        ended.map_err(|source| read(Path::new(""), source))
    });
    match ended {
        Ok(()) => Ok(Some(walk.sent)),
        Err(ContextError::Read { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn open_context(root: &Path, context: &str) -> Result<OwnedFd, ContextError> {
    let root = File::open(root).map_err(|source| read(root, source))?;
    let path = Path::new(if context.is_empty() { "." } else { context });
    let path = path.strip_prefix("/").unwrap_or(path);
    beneath::open(root, path, What::Folder, Links::Inner).map_err(|errno| told(path, errno))
}

/// The text of a file that may be missing.
fn read_text(folder: &OwnedFd, path: &Path) -> Result<Option<String>, ContextError> {
    let file = match beneath::open(folder, path, What::File, Links::Inner) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(told(path, errno)),
    };
    if !file.metadata().map_err(|source| read(path, source))?.is_file() {
        return Err(ContextError::Special(shown(path)));
    }
    let mut text = Vec::new();
    file.take(LONGEST_TEXT + 1).read_to_end(&mut text).map_err(|source| read(path, source))?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= LONGEST_TEXT) {
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    } else {
        Err(ContextError::Long(shown(path)))
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().chars().filter(|c| !c.is_control()).collect()
}

fn missing(path: &Path) -> ContextError {
    ContextError::Missing(shown(path))
}

fn read(path: &Path, source: io::Error) -> ContextError {
    ContextError::Read { path: shown(path), source }
}

fn told(path: &Path, errno: Errno) -> ContextError {
    match errno {
        Errno::NOENT | Errno::NOTDIR => missing(path),
        Errno::XDEV | Errno::LOOP => ContextError::Leaves(shown(path)),
        other => read(path, other.into()),
    }
}

/// A walk over a folder, writing what it meets.
struct Walk<'a> {
    folder: OwnedFd,
    ignore: Ignore,
    tar: Builder<&'a mut Chunks>,
    limits: ContextLimits,
    sent: Sent,
    /// Ignored folders that are on the way to where the walk is; written when something in them is.
    pending: Vec<PathBuf>,
}

impl Walk<'_> {
    fn folder(&mut self, path: &Path, verdict: &Verdict) -> Result<(), ContextError> {
        let own = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let folder = beneath::open(&self.folder, own, What::Folder, Links::None)
            .map_err(|errno| told(own, errno))?;
        for name in names(&folder).map_err(|errno| told(own, errno))? {
            let entry = path.join(&name);
            if self.tar.get_ref().is_unread() {
                // Also where everything is ignored and so nothing would be sent.
                return Err(read(&entry, io::ErrorKind::BrokenPipe.into()));
            }
            let stat = rustix::fs::statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|errno| told(&entry, errno))?;
            let mut verdict = self.ignore.judge(&entry.to_string_lossy(), verdict);
            if matches!(entry.as_os_str().as_bytes(), b"Dockerfile" | b".dockerignore") {
                // The builder needs both, and leaves them out itself after reading them.
                verdict.is_ignored = false;
            }
            self.entry(&entry, &stat, &verdict)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, stat: &Stat, verdict: &Verdict) -> Result<(), ContextError> {
        let kind = FileType::from_raw_mode(stat.st_mode);
        if verdict.is_ignored {
            if kind == FileType::Directory && self.ignore.may_keep_in(&path.to_string_lossy()) {
                self.pending.push(path.to_owned());
                self.folder(path, verdict)?;
                if self.pending.last().is_some_and(|last| last == path) {
                    self.pending.pop();
                }
            }
            return Ok(());
        }
        for folder in std::mem::take(&mut self.pending) {
            self.write_folder(&folder)?;
        }
        match kind {
            FileType::Directory => {
                self.write_folder(path)?;
                self.folder(path, verdict)
            }
            FileType::RegularFile => self.write_file(path),
            FileType::Symlink => self.write_link(path),
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => Err(ContextError::Special(shown(path))),
        }
    }

    fn write_folder(&mut self, path: &Path) -> Result<(), ContextError> {
        self.count(0)?;
        let mut header = header(EntryType::Directory, 0o755, 0);
        self.tar.append_data(&mut header, path, io::empty()).map_err(|source| read(path, source))
    }

    fn write_link(&mut self, path: &Path) -> Result<(), ContextError> {
        self.count(0)?;
        let target = rustix::fs::readlinkat(&self.folder, path, Vec::new())
            .map_err(|errno| told(path, errno))?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        let mut header = header(EntryType::Symlink, 0o777, 0);
        self.tar.append_link(&mut header, path, &target).map_err(|source| read(path, source))
    }

    fn write_file(&mut self, path: &Path) -> Result<(), ContextError> {
        let file = beneath::open(&self.folder, path, What::File, Links::None)
            .map_err(|errno| told(path, errno))?;
        let read_error = |source| read(path, source);
        let mut file = File::from(file);
        let metadata = file.metadata().map_err(read_error)?;
        self.count(metadata.len())?;
        let date = content_date(&file).map_err(read_error)?;
        file.rewind().map_err(read_error)?;
        let is_program = Mode::from_raw_mode(metadata.mode()).contains(Mode::XUSR);
        let mode = if is_program { 0o755 } else { 0o644 };
        let mut header = header(EntryType::Regular, mode, metadata.len());
        header.set_mtime(date);
        let content = (&file).take(metadata.len());
        self.tar.append_data(&mut header, path, content).map_err(read_error)?;
        if file.stream_position().map_err(read_error)? == metadata.len() {
            Ok(())
        } else {
            Err(read_error(io::Error::other("it became shorter meanwhile")))
        }
    }

    fn count(&mut self, bytes: u64) -> Result<(), ContextError> {
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
}

/// The names in a folder, in the same order everywhere.
fn names(folder: &OwnedFd) -> Result<Vec<OsString>, Errno> {
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

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(FIRST_DATE);
    header.set_size(size);
    header
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
    let digits = hash.finalize();
    let number = digits.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    Ok(FIRST_DATE + number % DATES)
}

/// Writes into a channel, chunk by chunk.
pub(super) struct Chunks {
    buffer: BytesMut,
    sender: mpsc::Sender<io::Result<Bytes>>,
}

impl Chunks {
    pub(super) fn new(sender: mpsc::Sender<io::Result<Bytes>>) -> Self {
        Self { buffer: BytesMut::with_capacity(CHUNK), sender }
    }

    /// Whether nobody reads any more.
    fn is_unread(&self) -> bool {
        self.sender.is_closed()
    }

    /// Ends the stream so that nobody takes it for complete.
    pub(super) fn break_off(self) {
        // When nobody reads any more, it is broken off already.
        self.sender.blocking_send(Err(io::ErrorKind::InvalidData.into())).ok();
    }

    fn send(&mut self) -> io::Result<()> {
        let chunk = self.buffer.split().freeze();
        self.sender.blocking_send(Ok(chunk)).map_err(|_closed| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(bytes.get(..taken).unwrap_or(bytes));
        if self.buffer.len() == CHUNK {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() { Ok(()) } else { self.send() }
    }
}

#[cfg(test)]
mod tests;
