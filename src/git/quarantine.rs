//! What a push brought, while it is not stored yet.

use std::path::Path;
use std::time::SystemTime;
use std::{fs, io};

use git2::{ObjectType, Odb};

use crate::domain::oid::Oid;
use crate::git::bare_repository::{GitError, Repositories, from_git2};

const KIB: usize = 1024;

/// Largest commits and tags, trees, and their names. Every one is read whole, by git and by us,
/// and a pack of some kilobytes may hold one of gigabytes.
const LARGEST: [(ObjectType, usize, &str); 3] = [
    (ObjectType::Commit, 1024 * KIB, "commit"),
    (ObjectType::Tag, 1024 * KIB, "tag"),
    (ObjectType::Tree, 32 * 1024 * KIB, "folder"),
];

/// An object that nobody made by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {} has {} KiB; at most {}", .oid.short(), .bytes / KIB, .most / KIB)]
pub struct Oversized {
    oid: Oid,
    kind: &'static str,
    bytes: usize,
    most: usize,
}

/// Looks for an object among those of a folder that is too large to be read.
///
/// # Errors
///
/// When the folder is no object folder, or damaged.
pub fn oversized(objects: &Path) -> Result<Option<Oversized>, GitError> {
    let brought = Odb::new()?;
    brought.add_disk_alternate(objects.to_str().unwrap_or_default())?;
    let mut found = Ok(None);
    let walked = brought.foreach(|id| {
        found = look(&brought, *id);
        matches!(found, Ok(None))
    });
    match (&found, walked) {
        // Ended by us.
        (Ok(Some(_)) | Err(_), _) | (Ok(None), Ok(())) => found,
        (Ok(None), Err(error)) => Err(error.into()),
    }
}

/// Begins the name of the folder where git keeps what a push brings.
pub(super) const NAME: &str = "tmp_objdir-incoming-";

/// Removes what pushes brought before this that were broken off, and git with them.
///
/// # Errors
///
/// When a folder cannot be read or removed.
pub fn remove_forgotten(repositories: &Repositories, before: SystemTime) -> Result<(), GitError> {
    let root = repositories.root();
    for repository in entries(root)? {
        for folder in entries(&repository.path().join("objects"))? {
            let is_quarantine = folder.file_name().as_encoded_bytes().starts_with(NAME.as_bytes());
            let modified = folder.metadata().and_then(|metadata| metadata.modified());
            // What vanishes meanwhile has become a part of its repository.
            if is_quarantine && modified.is_ok_and(|modified| modified < before) {
                let path = folder.path();
                fs::remove_dir_all(&path).map_err(|source| GitError::File { path, source })?;
            }
        }
    }
    Ok(())
}

/// Removes everything that is just coming in to a repository which nobody uses any more. Blocks.
///
/// # Errors
///
/// When a folder cannot be read or removed.
pub(super) fn remove_all(repository: &Path) -> Result<(), GitError> {
    for folder in entries(&repository.join("objects"))? {
        if folder.file_name().as_encoded_bytes().starts_with(NAME.as_bytes()) {
            let path = folder.path();
            match fs::remove_dir_all(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(GitError::File { path, source });
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}

/// What is in a folder, if it is there.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, GitError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.and_then(Iterator::collect),
    };
    entries.map_err(|source| GitError::File { path: folder.to_owned(), source })
}

fn look(objects: &Odb<'_>, id: git2::Oid) -> Result<Option<Oversized>, GitError> {
    let (bytes, kind) = objects.read_header(id)?;
    let limit = LARGEST.into_iter().find(|(limited, ..)| *limited == kind);
    Ok(match limit {
        Some((_, most, kind)) if bytes > most => {
            Some(Oversized { oid: from_git2(id), kind, bytes, most })
        }
        Some(_) | None => None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_a_broken_off_push_brought_is_forgotten_in_time() {
        let root = tempfile::tempdir().unwrap();
        let objects = root.path().join("one.git/objects");
        let names = ["tmp_objdir-incoming-old", "tmp_objdir-incoming-new", "pack"];
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (name, age) in names.into_iter().zip([100, 10, 100]) {
            fs::create_dir_all(objects.join(name).join("pack")).unwrap();
            let folder = fs::File::open(objects.join(name)).unwrap();
            folder.set_modified(now - Duration::from_secs(age)).unwrap();
        }
        let repositories = Repositories::new(root.path().to_owned());
        remove_forgotten(&repositories, now - Duration::from_secs(50)).unwrap();
        let left: Vec<bool> = names.iter().map(|name| objects.join(name).exists()).collect();
        assert_eq!(left, [false, true, true]);
        let nowhere = Repositories::new(root.path().join("nowhere"));
        remove_forgotten(&nowhere, now).unwrap();
    }
}
