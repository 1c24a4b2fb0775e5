//! Opens what lies beneath a folder, and nothing else, whatever links say.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// What a path may pass through.
#[derive(Debug, Clone, Copy)]
pub(in crate::building) enum Links {
    /// Links that stay beneath the folder.
    Inner,
    /// No links.
    None,
}

/// What is opened.
#[derive(Debug, Clone, Copy)]
pub(in crate::building) enum What {
    /// A folder.
    Folder,
    /// A file; one that is a pipe or a device is not waited for.
    File,
}

/// Opens a path beneath a folder for reading.
pub(in crate::building) fn open(
    folder: impl AsFd,
    path: &Path,
    what: What,
    links: Links,
) -> Result<OwnedFd, Errno> {
    let kind = match what {
        What::Folder => OFlags::DIRECTORY,
        What::File => OFlags::NONBLOCK | OFlags::NOCTTY,
    };
    let links = match links {
        Links::Inner => ResolveFlags::NO_MAGICLINKS,
        Links::None => ResolveFlags::NO_SYMLINKS,
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | kind;
    rustix::fs::openat2(folder, path, flags, Mode::empty(), ResolveFlags::BENEATH | links)
}
