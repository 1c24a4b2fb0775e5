//! Repositories of deleted projects, out of the way until they are removed.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::domain::ids::ProjectId;
use crate::git::bare_repository::{GitError, Repositories};
use crate::git::quarantine::remove_all;

/// The folder among the repositories.
const FOLDER: &str = "trash";

impl Repositories {
    fn in_trash(&self, project: ProjectId) -> PathBuf {
        self.root().join(FOLDER).join(format!("{project}.git"))
    }

    /// Takes a repository out of the way, if it is there, and drops what was just coming in. Blocks.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    pub fn put_away(&self, project: ProjectId) -> Result<(), GitError> {
        let folder = self.root().join(FOLDER);
        if self.path(project).exists() {
            fs::create_dir_all(&folder)
                .map_err(|source| GitError::File { path: folder, source })?;
            rename(&self.path(project), &self.in_trash(project))?;
        }
        // Whoever was bringing it finds it nowhere, and cannot take it away any more.
        remove_all(&self.in_trash(project))
    }

    /// Brings back what was put away; whether there was anything. Blocks.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    pub fn bring_back(&self, project: ProjectId) -> Result<bool, GitError> {
        rename(&self.in_trash(project), &self.path(project))
    }

    /// Removes what was put away, if there is anything. Blocks.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    pub fn remove_put_away(&self, project: ProjectId) -> Result<(), GitError> {
        let path = self.in_trash(project);
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(GitError::File { path, source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Moves a folder; whether it was there.
fn rename(from: &Path, to: &Path) -> Result<bool, GitError> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(GitError::File { path: from.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_put_away_comes_back_when_it_is_asked_for_and_is_gone_when_it_was_removed() {
        let root = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(root.path().to_owned());
        let project = ProjectId::from(Uuid::from_u128(1));
        repositories.ensure(project, "main").unwrap();
        let mark = repositories.path(project).join("mark");
        fs::write(&mark, "").unwrap();
        let incoming = repositories.path(project).join("objects/tmp_objdir-incoming-1");
        fs::create_dir_all(incoming.join("pack")).unwrap();
        repositories.put_away(project).unwrap();
        repositories.put_away(project).unwrap();
        assert!(!mark.exists());
        repositories.open(project).map(drop).unwrap();
        assert!(mark.exists() && !incoming.exists());
        repositories.put_away(project).unwrap();
        repositories.ensure(project, "main").unwrap();
        assert!(mark.exists());
        repositories.put_away(project).unwrap();
        repositories.remove_put_away(project).unwrap();
        repositories.remove_put_away(project).unwrap();
        assert!(repositories.open(project).is_err());
    }
}
