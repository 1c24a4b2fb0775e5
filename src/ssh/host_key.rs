//! The key by which clients know this server.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};

/// Why there is no host key.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// The file cannot be read or written.
    #[error("could not use the host key {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds no key.
    #[error("{} holds no OpenSSH private key; move it away and a new one is made", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ssh_key::Error,
    },
}

/// Reads the host key, or makes an Ed25519 one at the first start, readable to its owner only.
///
/// # Errors
///
/// When the file cannot be read or written, or holds something else.
pub fn load_or_make(path: &Path) -> Result<PrivateKey, HostKeyError> {
    let file = |source| HostKeyError::File { path: path.to_owned(), source };
    let damaged = |source| HostKeyError::Damaged { path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(text) => return PrivateKey::from_openssh(text).map_err(damaged),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(file(error)),
    }
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&rand::random()));
    let text = key.to_openssh(LineEnding::LF).map_err(damaged)?;
    // Under another name first: a start that is interrupted leaves no half a key.
    let partial = path.with_extension("partial");
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut output = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        output.write_all(text.as_bytes())?;
        output.sync_all()?;
        fs::rename(&partial, path)
    };
    write().map_err(file)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/key");
        let made = load_or_make(&path).unwrap();
        let again = load_or_make(&path).unwrap();
        assert_eq!(made.public_key(), again.public_key());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "x").unwrap();
        assert!(matches!(load_or_make(&path), Err(HostKeyError::Damaged { .. })));
    }
}
