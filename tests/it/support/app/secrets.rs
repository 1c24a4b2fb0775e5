//! Keys of tests, made once for all of them: to make one takes seconds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pierhead::config::SealConfig;
use pierhead::seal::{Keyring, load};
use tempfile::TempDir;

fn keys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys")
}

/// The public key of an installation under test.
pub(crate) fn public_key() -> PathBuf {
    keys().join("worker-public.pem")
}

/// Its private key, in a folder of the installation: a checkout leaves it readable to everybody.
pub(crate) fn private_key(folder: &TempDir) -> PathBuf {
    private_copy(folder, "worker")
}

/// The pair that comes after it in a rotation, public and private.
pub(crate) fn next_pair(folder: &TempDir) -> (PathBuf, PathBuf) {
    (keys().join("next-public.pem"), private_copy(folder, "next"))
}

fn private_copy(folder: &TempDir, name: &str) -> PathBuf {
    let copy = folder.path().join(format!("{name}-private.pem"));
    if !copy.exists() {
        fs::copy(keys().join(format!("{name}-private.pem")), &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).unwrap();
    }
    copy
}

/// What a worker of the installation opens with.
pub(crate) fn keyring() -> Keyring {
    let folder = TempDir::new().unwrap();
    let private_keys = vec![private_key(&folder)];
    load(&SealConfig { public_key: public_key(), private_keys }).unwrap()
}
