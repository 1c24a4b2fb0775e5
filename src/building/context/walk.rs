//! Walks over a build context and shows what is in it.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Stat};

use crate::building::beneath::{self, Links, What};
use crate::building::context::{
    ContextError, ContextLimits, Sent, dockerfile_in, open_context, read, read_text, shown, told,
};
use crate::building::files::{FileFacts, Tally, facts, names, target};
use crate::image::dockerignore::{Ignore, Verdict};

/// Who is shown what is in a context, parents first, names in order.
pub(crate) trait Sink {
    /// Whether the builder finds the Dockerfile and `.dockerignore` in here, and so gets both even
    /// if they are ignored.
    fn has_both(&self) -> bool;

    /// Whether nobody wants to see more.
    fn is_unread(&self) -> bool;

    /// A folder.
    fn folder(&mut self, path: &Path) -> io::Result<()>;

    /// A link, wherever it leads.
    fn link(&mut self, path: &Path, target: &Path) -> io::Result<()>;

    /// A file, open at its beginning.
    fn file(&mut self, path: &Path, file: &File, facts: FileFacts) -> io::Result<()>;

    /// There is no more.
    fn end(&mut self) -> io::Result<()>;
}

/// Shows a context; `None` when nobody wanted to see all of it. This blocks.
pub(crate) fn walk(
    root: &Path,
    context: &str,
    limits: ContextLimits,
    sink: &mut impl Sink,
) -> Result<Option<Sent>, ContextError> {
    let folder = open_context(root, context)?;
    dockerfile_in(&folder, context)?;
    let ignore = read_text(&folder, Path::new(".dockerignore"))?;
    let ignore = Ignore::parse(ignore.as_deref().unwrap_or_default())?;
    let (tally, pending) = (Tally::new(limits), Vec::new());
    let mut walk = Walk { folder, ignore, sink, tally, pending };
    let walked = walk.folder(Path::new(""), &Verdict::default());
    let ended = walked.and_then(|()| walk.sink.end().map_err(|source| read(Path::new(""), source)));
    match ended {
        Ok(()) => Ok(Some(walk.tally.sent())),
        Err(ContextError::Read { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

struct Walk<'a, S> {
    folder: OwnedFd,
    ignore: Ignore,
    sink: &'a mut S,
    tally: Tally,
    /// Ignored folders that are on the way to where the walk is; shown when something in them is.
    pending: Vec<PathBuf>,
}

impl<S: Sink> Walk<'_, S> {
    fn folder(&mut self, path: &Path, verdict: &Verdict) -> Result<(), ContextError> {
        let own = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let folder = beneath::open(&self.folder, own, What::Folder, Links::None)
            .map_err(|errno| told(own, errno))?;
        for name in names(&folder).map_err(|errno| told(own, errno))? {
            let entry = path.join(&name);
            if self.sink.is_unread() {
                // Also where everything is ignored and so nothing would be shown.
                return Err(read(&entry, io::ErrorKind::BrokenPipe.into()));
            }
            let stat = rustix::fs::statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|errno| told(&entry, errno))?;
            let mut verdict = self.ignore.judge(&entry.to_string_lossy(), verdict);
            let is_read = matches!(entry.as_os_str().as_bytes(), b"Dockerfile" | b".dockerignore");
            if self.sink.has_both() && is_read {
                // The builder leaves them out itself after reading them.
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
            self.show_folder(&folder)?;
        }
        match kind {
            FileType::Directory => {
                self.show_folder(path)?;
                self.folder(path, verdict)
            }
            FileType::RegularFile => self.show_file(path),
            FileType::Symlink => self.show_link(path),
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => Err(ContextError::Special(shown(path))),
        }
    }

    fn show_folder(&mut self, path: &Path) -> Result<(), ContextError> {
        self.tally.count(0)?;
        self.sink.folder(path).map_err(|source| read(path, source))
    }

    fn show_link(&mut self, path: &Path) -> Result<(), ContextError> {
        self.tally.count(0)?;
        let target = target(&self.folder, path)?;
        self.sink.link(path, &target).map_err(|source| read(path, source))
    }

    fn show_file(&mut self, path: &Path) -> Result<(), ContextError> {
        let file = open_file(&self.folder, path)?;
        let facts = facts(&file, path, &mut self.tally)?;
        self.sink.file(path, &file, facts).map_err(|source| read(path, source))
    }
}

/// Opens a context for [`open_file`].
pub(crate) fn open_folder(root: &Path, context: &str) -> Result<OwnedFd, ContextError> {
    open_context(root, context)
}

/// Opens a file of a context, through no link.
pub(crate) fn open_file(folder: &OwnedFd, path: &Path) -> Result<File, ContextError> {
    beneath::open(folder, path, What::File, Links::None)
        .map(File::from)
        .map_err(|errno| told(path, errno))
}
