//! A run's own folder, which vanishes with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tracing::warn;

use crate::caging::tree;
use crate::domain::ids::{Attempt, JobId};

/// Folder of one run.
#[derive(Debug)]
pub(super) struct Workspace {
    folder: PathBuf,
}

impl Workspace {
    /// Makes the folder of a run. Blocks.
    pub(super) fn make(root: &Path, job: JobId, attempt: Attempt) -> io::Result<Self> {
        let folder = root.join(format!("{job}.{}", attempt.0));
        fs::create_dir_all(root)?;
        // Left by a worker that was killed in this very run's place.
        tree::remove(&folder)?;
        fs::create_dir(&folder)?;
        Ok(Self { folder })
    }

    /// Where the commit's files are written.
    pub(super) fn checkout(&self) -> PathBuf {
        self.folder.join("checkout")
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // A run ends here however it ends; a thread of its own is not worth the wait.
        if let Err(error) = tree::remove(&self.folder) {
            warn!("Could not remove the workspace {}: {error}", self.folder.display());
        }
    }
}

/// Every run's folder, whoever it belongs to. Blocks.
pub(super) fn list(root: &Path) -> io::Result<Vec<(JobId, PathBuf)>> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let job = name.to_str().and_then(|name| name.split_once('.'));
        if let Some(Ok(job)) = job.map(|(job, _)| job.parse()) {
            folders.push((job, entry.path()));
        }
    }
    Ok(folders)
}

/// Removes folders; one that stays keeps none of the others. Blocks.
pub(super) fn remove(folders: &[PathBuf]) -> io::Result<()> {
    folders.iter().map(|folder| tree::remove(folder)).fold(Ok(()), Result::and)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_workspace_vanishes_with_its_run_and_others_are_found() {
        let root = tempfile::tempdir().unwrap();
        let job = |n| JobId::from(Uuid::from_u128(n));
        let workspace = Workspace::make(root.path(), job(1), Attempt(1)).unwrap();
        drop(Workspace::make(root.path(), job(1), Attempt(2)).unwrap());
        let left = root.path().join(format!("{}.1", job(2)));
        fs::create_dir(&left).unwrap();
        fs::create_dir(root.path().join("not-ours")).unwrap();
        let mut found: Vec<JobId> =
            list(root.path()).unwrap().into_iter().map(|(job, _)| job).collect();
        found.sort_unstable();
        assert_eq!(found, [job(1), job(2)]);
        drop(workspace);
        let stuck = root.path().join("no-folder");
        fs::write(&stuck, "").unwrap();
        remove(&[stuck, left]).unwrap_err();
        assert_eq!(list(root.path()).unwrap(), []);
    }
}
