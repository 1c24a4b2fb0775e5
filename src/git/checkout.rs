//! Writes the files of one commit to a folder.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use git2::{ObjectType, Repository, Tree};

use crate::domain::oid::Oid;
use crate::git::bare_repository::{BareRepository, GitError};
use crate::git::commit_files::DEEPEST;

/// What a checkout may at most be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of all files.
    pub bytes: u64,
    /// Files, folders and links.
    pub files: u64,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Bytes of all files.
    pub bytes: u64,
    /// Files, folders and links.
    pub files: u64,
    /// Files that only point to where Git LFS keeps the content.
    pub lfs_pointers: u64,
    /// Submodules, left as empty folders.
    pub submodules: u64,
}

/// Why a commit was not written.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// Too many bytes.
    #[error("the commit has more than {0} bytes of files")]
    TooLarge(u64),
    /// Too many files.
    #[error("the commit has more than {0} files")]
    TooMany(u64),
    /// Folders in folders.
    #[error("the commit has more than {DEEPEST} folders in each other")]
    TooDeep,
    /// A name that leads out of the folder.
    #[error("the commit has a file named `{0}`")]
    Name(String),
    /// The commit cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// First line of every Git LFS pointer file.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Modes of git's tree entries.
const LINK: i32 = 0o120_000;
const EXECUTABLE: i32 = 0o100_755;

/// Writes the files of a commit into a new folder.
///
/// Nothing of the user's or the system's git configuration takes part: files are written byte for
/// byte, symbolic links as links that are never followed.
///
/// # Errors
///
/// When a limit is passed, a name leads out of the folder, or the folder cannot be written.
pub fn write(
    repository: &BareRepository,
    commit: Oid,
    folder: &Path,
    limits: Limits,
) -> Result<Written, CheckoutError> {
    let tree = repository.tree(commit)?;
    let mut writer =
        Writer { repository: repository.handle(), limits, written: Written::default() };
    writer.tree(&tree, folder, 0)?;
    Ok(writer.written)
}

struct Writer<'a> {
    repository: &'a Repository,
    limits: Limits,
    written: Written,
}

impl Writer<'_> {
    /// Writes one folder. It is always new, so nothing in it can be a link to elsewhere.
    fn tree(&mut self, tree: &Tree<'_>, folder: &Path, depth: usize) -> Result<(), CheckoutError> {
        if depth > DEEPEST {
            return Err(CheckoutError::TooDeep);
        }
        fs::create_dir(folder).map_err(|source| file_error(folder, source))?;
        for entry in tree {
            self.count(0, 1)?;
            let path = folder.join(safe_name(entry.name_bytes())?);
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    let tree = self.repository.find_tree(entry.id()).map_err(GitError::from)?;
                    self.tree(&tree, &path, depth + 1)?;
                }
                Some(ObjectType::Commit) => {
                    self.written.submodules += 1;
                    fs::create_dir(&path).map_err(|source| file_error(&path, source))?;
                }
                _ => self.blob(entry.id(), entry.filemode(), &path)?,
            }
        }
        Ok(())
    }

    fn blob(&mut self, id: git2::Oid, mode: i32, path: &Path) -> Result<(), CheckoutError> {
        let objects = self.repository.odb().map_err(GitError::from)?;
        let (size, _) = objects.read_header(id).map_err(GitError::from)?;
        // Counted before it is read: a blob may be as large as a pack.
        self.count(u64::try_from(size).unwrap_or(u64::MAX), 0)?;
        let blob = self.repository.find_blob(id).map_err(GitError::from)?;
        let content = blob.content();
        let result = if mode == LINK {
            std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(content), path)
        } else {
            self.written.lfs_pointers += u64::from(content.starts_with(LFS));
            let mode = if mode == EXECUTABLE { 0o755 } else { 0o644 };
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(path)
                .and_then(|mut file| file.write_all(content))
        };
        Ok(result.map_err(|source| file_error(path, source))?)
    }

    fn count(&mut self, bytes: u64, files: u64) -> Result<(), CheckoutError> {
        self.written.bytes = self.written.bytes.saturating_add(bytes);
        self.written.files += files;
        if self.written.bytes > self.limits.bytes {
            return Err(CheckoutError::TooLarge(self.limits.bytes));
        }
        if self.written.files > self.limits.files {
            return Err(CheckoutError::TooMany(self.limits.files));
        }
        Ok(())
    }
}

fn file_error(path: &Path, source: std::io::Error) -> GitError {
    GitError::File { path: path.to_owned(), source }
}

/// Refuses what names no file of its folder. git checks received objects for these too.
fn safe_name(name: &[u8]) -> Result<PathBuf, CheckoutError> {
    let is_own = !name.is_empty()
        && name != b"."
        && name != b".."
        && !name.eq_ignore_ascii_case(b".git")
        && !name.contains(&b'/')
        && !name.contains(&0);
    if is_own {
        Ok(PathBuf::from(std::ffi::OsStr::from_bytes(name)))
    } else {
        Err(CheckoutError::Name(String::from_utf8_lossy(name).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [&b""[..], b".", b"..", b".git", b".GIT", b"a/b", b"a\0"] {
            assert!(safe_name(name).is_err(), "{name:?}");
        }
        assert!(safe_name(b"...").is_ok());
        assert!(safe_name(b".gitignore").is_ok());
    }
}
