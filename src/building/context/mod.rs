//! What a folder of a checkout gives to a builder.
//!
//! The folder is written by whoever pushed. It is walked without following a link, everything is
//! opened beneath its root, and what is neither file, folder nor link is refused. Equal content
//! gives equal bytes: owners, modes and dates are made up, the date of a file from its content, so
//! that it changes when the content does.

pub(crate) mod archive;
pub(crate) mod walk;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::io::Errno;

use crate::building::beneath::{self, Links, What};
use crate::image::dockerignore::BadPattern;

/// Longest Dockerfile or `.dockerignore`.
const LONGEST_TEXT: u64 = 1024 * 1024;

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
pub struct Sent {
    /// Bytes of all files.
    pub bytes: u64,
    /// Files, folders and links.
    pub files: u64,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.files == 1 { "file" } else { "files" };
        write!(f, "{} {noun}, {} KiB", self.files, self.bytes.div_ceil(1024))
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

/// Makes sure that a path below a folder leads nowhere else; this blocks.
pub(crate) fn check_inside(folder: &Path, path: &str) -> Result<(), ContextError> {
    let folder = File::open(folder).map_err(|source| read(folder, source))?;
    let inner = Path::new(path.trim_start_matches('/'));
    let inner = if inner.as_os_str().is_empty() { Path::new(".") } else { inner };
    let opened = beneath::open(folder, inner, What::File, Links::Inner);
    opened.map(drop).map_err(|errno| told(inner, errno))
}

fn dockerfile_in(folder: &OwnedFd, context: &str) -> Result<String, ContextError> {
    let path = Path::new("Dockerfile");
    read_text(folder, path)?.ok_or_else(|| missing(&Path::new(context).join(path)))
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

pub(in crate::building) fn read(path: &Path, source: io::Error) -> ContextError {
    ContextError::Read { path: shown(path), source }
}

pub(in crate::building) fn told(path: &Path, errno: Errno) -> ContextError {
    match errno {
        Errno::NOENT | Errno::NOTDIR => missing(path),
        Errno::XDEV | Errno::LOOP => ContextError::Leaves(shown(path)),
        other => read(path, other.into()),
    }
}

#[cfg(test)]
mod tests;
