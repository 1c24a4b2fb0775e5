//! The home of git while it reads a repository elsewhere: it holds the key that signs in.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use tracing::warn;

use crate::domain::ids::CheckId;

/// Begins the names of these folders, among those of workspaces.
const NAME: &str = "source-";

/// A folder for one look, which vanishes with it.
#[derive(Debug)]
pub struct RemoteFolder {
    path: PathBuf,
}

impl RemoteFolder {
    /// Makes the folder of a look, empty, whatever a killed one left there. Blocks.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn make(root: &Path, check: CheckId) -> io::Result<Self> {
        let path = root.join(format!("{NAME}{check}"));
        fs::create_dir_all(root)?;
        remove(&path)?;
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the key that signs in, if there is one.
    pub(super) fn key(&self) -> PathBuf {
        self.path.join("key")
    }

    /// The file of the host's keys.
    pub(super) fn known_hosts(&self) -> PathBuf {
        self.path.join("known_hosts")
    }

    /// Puts a key there that signs in. Blocks.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write_key(&self, key: &SecretString) -> io::Result<()> {
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.key())?;
        file.write_all(key.expose_secret().as_bytes())?;
        // Without the end of its last line no program reads it.
        if key.expose_secret().ends_with('\n') { Ok(()) } else { file.write_all(b"\n") }
    }

    /// Says which keys the host may show. Blocks.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write_known_hosts(&self, lines: &str) -> io::Result<()> {
        fs::write(self.known_hosts(), lines)
    }

    /// The keys that the host may show, with those it has shown. Blocks.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read_known_hosts(&self) -> io::Result<String> {
        fs::read_to_string(self.known_hosts())
    }

    /// The looks that have a folder here, also those of killed workers. Blocks.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn all(root: &Path) -> io::Result<Vec<CheckId>> {
        let entries = match fs::read_dir(root) {
            Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let id =
            |entry: &fs::DirEntry| entry.file_name().to_str()?.strip_prefix(NAME)?.parse().ok();
        Ok(entries.iter().filter_map(id).collect())
    }

    /// Removes what a killed look has left. Blocks.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub fn remove(root: &Path, check: CheckId) -> io::Result<()> {
        remove(&root.join(format!("{NAME}{check}")))
    }
}

impl Drop for RemoteFolder {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            warn!("Could not remove the folder {}: {error}", self.path.display());
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_key_is_readable_to_its_owner_only_and_vanishes_with_its_folder() {
        let root = tempfile::tempdir().unwrap();
        let check = CheckId::from(Uuid::from_u128(7));
        let folder = RemoteFolder::make(root.path(), check).unwrap();
        folder.write_key(&"secret".into()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&folder.key())), (0o700, 0o600));
        assert_eq!(fs::read_to_string(folder.key()).unwrap(), "secret\n");
        assert_eq!(RemoteFolder::all(root.path()).unwrap(), [check]);
        // What a killed look left is no obstacle.
        let again = RemoteFolder::make(root.path(), check).unwrap();
        assert!(!again.key().exists());
        drop(again);
        assert_eq!(RemoteFolder::all(root.path()).unwrap(), []);
        RemoteFolder::remove(root.path(), check).unwrap();
        drop(folder);
    }
}
