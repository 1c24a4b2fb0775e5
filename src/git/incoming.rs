//! What is fetched from elsewhere, while it is not stored yet.
//!
//! It is a repository of its own within the object folder of the one it is for, under a name by
//! which git and the janitor know what was broken off.

use std::path::{Path, PathBuf};
use std::{fs, io};

use git2::{Repository, RepositoryInitMode, RepositoryInitOptions};

use crate::domain::ids::{CheckId, ProjectId};
use crate::domain::oid::Oid;
use crate::git::bare_repository::{GitError, Repositories, from_git2};
use crate::git::quarantine::{NAME, Oversized, oversized};

/// Where fetched refs are, by their number.
const REFS: &str = "refs/incoming/";

/// Ends the names of files of a pack, the one last by which it is found.
const ENDINGS: [&str; 3] = ["rev", "pack", "idx"];

/// A place for what is fetched; dropped, it vanishes with what was not stored.
#[derive(Debug)]
pub struct Incoming {
    path: PathBuf,
    stored: PathBuf,
}

impl Repositories {
    /// Makes a place for what is fetched for a project. Blocks.
    ///
    /// # Errors
    ///
    /// When the project has no repository, or its folder cannot be written.
    pub fn incoming(&self, project: ProjectId, check: CheckId) -> Result<Incoming, GitError> {
        // It may have been put away, and be needed again.
        drop(self.open(project)?);
        let objects = self.path(project).join("objects");
        let file = |source| GitError::File { path: objects.clone(), source };
        // git looks there from another folder.
        let stored = fs::canonicalize(&objects).map_err(file)?;
        let path = stored.join(format!("{NAME}{check}"));
        let incoming = Incoming { path, stored };
        incoming.remove()?;
        let mut options = RepositoryInitOptions::new();
        options.bare(true).initial_head("main").external_template(false);
        options.mode(RepositoryInitMode::SHARED_GROUP);
        drop(Repository::init_opts(&incoming.path, &options)?);
        Ok(incoming)
    }
}

impl Incoming {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the objects are that are stored already.
    pub fn stored(&self) -> &Path {
        &self.stored
    }

    /// The name under which a fetched ref is kept here.
    pub fn reference(index: usize) -> String {
        format!("{REFS}{index}")
    }

    /// Where a fetched ref is. Blocks.
    ///
    /// # Errors
    ///
    /// When it was not fetched.
    pub fn tip(&self, index: usize) -> Result<Oid, GitError> {
        let repository = Repository::open_bare(&self.path)?;
        Ok(from_git2(repository.refname_to_id(&Self::reference(index))?))
    }

    /// Looks for an object that is too large to be read. Blocks.
    ///
    /// # Errors
    ///
    /// When what was fetched is damaged.
    pub fn oversized(&self) -> Result<Option<Oversized>, GitError> {
        oversized(&self.path.join("objects"))
    }

    /// Stores all objects. No ref is at them yet. Blocks.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    pub fn store(&self) -> Result<(), GitError> {
        let (from, to) = (self.path.join("objects/pack"), self.stored.join("pack"));
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| GitError::File { path, source }
        };
        fs::create_dir_all(&to).map_err(file(&to))?;
        let entries: io::Result<Vec<fs::DirEntry>> =
            fs::read_dir(&from).and_then(Iterator::collect);
        let entries = entries.map_err(file(&from))?;
        for ending in ENDINGS {
            for entry in &entries {
                let path = entry.path();
                if path.extension().is_some_and(|own| own == ending) {
                    // A pack is named by what is in it: one that is there already is the same.
                    let target = to.join(entry.file_name());
                    fs::rename(&path, &target).map_err(file(&target))?;
                }
            }
        }
        Ok(())
    }

    fn remove(&self) -> Result<(), GitError> {
        match fs::remove_dir_all(&self.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(GitError::File { path: self.path.clone(), source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What stays is removed by the janitor, a day later.
        if let Err(error) = self.remove() {
            tracing::warn!("Could not remove what was fetched: {error:?}");
        }
    }
}
