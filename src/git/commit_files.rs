//! The files of a commit, however its trees are nested.
//!
//! A tree may name another one many times, so a few kilobytes hold more files than any disk, and a
//! chain of them is as deep as whoever pushed likes.

use std::path::Path;

use git2::{ObjectType, Tree};

use crate::domain::oid::Oid;
use crate::git::bare_repository::{BareRepository, GitError};

/// Most folders in each other. Whoever writes or sends them keeps a frame and an open folder each.
pub const DEEPEST: usize = 128;

/// Bytes of all paths together.
const MOST_PATHS: usize = 64 * MIB;

const MIB: usize = 1024 * 1024;

/// Why the files of a commit are not listed.
#[derive(Debug, thiserror::Error)]
pub enum TooMuch {
    /// Too many files, folders and links.
    #[error("the commit has more than {0} files")]
    Files(u64),
    /// Folders in folders.
    #[error("the commit has more than {DEEPEST} folders in each other")]
    Depth,
    /// Names that nobody types.
    #[error("the paths of the commit's files have more than {} MiB in all", MOST_PATHS / MIB)]
    Paths,
    /// The commit cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl From<git2::Error> for TooMuch {
    fn from(error: git2::Error) -> Self {
        Self::Git(error.into())
    }
}

/// The paths of every file of a commit, links among them, in no order.
///
/// # Errors
///
/// When it has more than `most` files, folders and links, or is nested too deep, or cannot be read.
pub fn paths(repository: &BareRepository, commit: Oid, most: u64) -> Result<Vec<String>, TooMuch> {
    let mut listing =
        Listing { most, entries: 0, bytes: 0, files: Vec::new(), folders: Vec::new() };
    listing.folder("", 0, &repository.tree(commit)?)?;
    // One tree at a time: a thousand names of a large one would be a thousand copies.
    while let Some(Folder { path, depth, id }) = listing.folders.pop() {
        listing.folder(&path, depth, &repository.handle().find_tree(id)?)?;
    }
    Ok(listing.files)
}

/// Whether a file or a folder, and everything in it, is the same in two commits; a link is not
/// followed, and so never known to be.
///
/// # Errors
///
/// When a commit cannot be read.
pub fn is_same_path(
    repository: &BareRepository,
    commits: [Oid; 2],
    path: &str,
) -> Result<bool, GitError> {
    /// How a tree says that an entry of it is a link.
    const LINK: i32 = 0o120_000;

    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let path = parts.collect::<Vec<_>>().join("/");
    let mut found = Vec::new();
    for commit in commits {
        let tree = repository.tree(commit)?;
        if path.is_empty() {
            found.push((tree.id(), 0));
            continue;
        }
        match tree.get_path(Path::new(&path)) {
            Ok(entry) if entry.filemode() != LINK => found.push((entry.id(), entry.filemode())),
            // Whoever asks for it is told when it is used.
            Ok(_) | Err(_) => return Ok(false),
        }
    }
    Ok(matches!(found.as_slice(), [one, other] if one == other))
}

struct Listing {
    most: u64,
    entries: u64,
    bytes: usize,
    files: Vec<String>,
    /// Those that are still to be read.
    folders: Vec<Folder>,
}

struct Folder {
    path: String,
    depth: usize,
    id: git2::Oid,
}

impl Listing {
    fn folder(&mut self, path: &str, depth: usize, tree: &Tree<'_>) -> Result<(), TooMuch> {
        if depth > DEEPEST {
            return Err(TooMuch::Depth);
        }
        for entry in tree {
            let path = format!("{path}{}", String::from_utf8_lossy(entry.name_bytes()));
            self.entries += 1;
            self.bytes += path.len();
            if self.entries > self.most {
                return Err(TooMuch::Files(self.most));
            }
            if self.bytes > MOST_PATHS {
                return Err(TooMuch::Paths);
            }
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    let (path, depth) = (format!("{path}/"), depth + 1);
                    self.folders.push(Folder { path, depth, id: entry.id() });
                }
                Some(ObjectType::Blob) => self.files.push(path),
                _ => {}
            }
        }
        Ok(())
    }
}
