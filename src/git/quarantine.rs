//! What a push brought, while it is not stored yet.

use std::path::Path;

use git2::{ObjectType, Odb};

use crate::domain::oid::Oid;
use crate::git::bare_repository::{GitError, from_git2};

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
