//! The files of keys: read, and made at the first start.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rsa::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
    LineEnding,
};
use rsa::{RsaPrivateKey, RsaPublicKey};
use secrecy::zeroize::Zeroizing;

use crate::config::SealConfig;
use crate::seal::files::{Written, remove_partials, write_new};
use crate::seal::{LEAST_BITS, Opener, Sealer, Small};

/// Bits of a key that is made.
const BITS: usize = 3072;

/// A private key is its owner's alone, a public one everybody's whom the process lets read.
const PRIVATE_MODE: u32 = 0o600;
const PUBLIC_MODE: u32 = 0o644;

/// Those who are neither owner nor group.
const OTHERS: u32 = 0o007;

/// What a worker needs: it seals releases, and opens everything.
#[derive(Debug, Clone)]
pub struct Keyring {
    /// Seals with the newest key.
    pub sealer: Sealer,
    /// Opens with all of them.
    pub opener: Opener,
}

/// What is there of a pair of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halves {
    /// All of it.
    Both,
    /// The private one alone.
    Private,
    /// The public one alone.
    Public,
    /// Nothing.
    Neither,
}

impl Halves {
    /// Looks for both files.
    pub(super) fn of(private: &Path, public: &Path, exists: impl Fn(&Path) -> bool) -> Self {
        // It is made second: asked for first, it is not found alone while somebody makes both.
        let has_public = exists(public);
        match (exists(private), has_public) {
            (true, true) => Self::Both,
            (true, false) => Self::Private,
            (false, true) => Self::Public,
            (false, false) => Self::Neither,
        }
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("could not read the sealing key {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("could not make the sealing key {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nobody has made the public key yet.
    #[error(
        "there is no public sealing key {} yet: start a worker once, or run `pierhead keygen`",
        .0.display()
    )]
    NotMade(PathBuf),
    /// The public key is there, and the private one is not.
    #[error(
        "the private sealing key {} is gone: without it nothing opens that was stored; bring it \
         back, or, when it is lost for good, move the public key away, run `pierhead keygen`, set \
         secrets and passwords of registries anew, and push again",
        .0.display()
    )]
    Lost(PathBuf),
    /// The file holds something else.
    #[error("{} holds no RSA key in PEM (PKCS#8, or SPKI if it is public)", .0.display())]
    Form(PathBuf),
    /// The key is too weak.
    #[error("the sealing key {} has {bits} bits; at least {LEAST_BITS}", path.display())]
    Small {
        /// The file.
        path: PathBuf,
        /// Its size.
        bits: u32,
    },
    /// Everybody could read the private key.
    #[error("everybody may read the private sealing key {}: chmod 600", .0.display())]
    Open(PathBuf),
    /// What would be sealed could never be read.
    #[error(
        "setting seal.public_key: {} is the half of none of seal.private_keys (its id is {key})",
        path.display()
    )]
    NoHalf {
        /// The public key's file.
        path: PathBuf,
        /// Its id.
        key: String,
    },
    /// A file is in the place of one that is to be made.
    #[error("{} exists", .0.display())]
    Exists(PathBuf),
}

/// Reads the public key.
///
/// # Errors
///
/// When it is not there, or cannot be used.
pub fn load_public(path: &Path) -> Result<Sealer, KeyError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(KeyError::NotMade(path.to_owned()));
        }
        Err(source) => return Err(KeyError::Read { path: path.to_owned(), source }),
    };
    let key = RsaPublicKey::from_public_key_pem(&text);
    let key = key.map_err(|_no_key| KeyError::Form(path.to_owned()))?;
    Sealer::new(key).map_err(|Small(bits)| KeyError::Small { path: path.to_owned(), bits })
}

/// Reads all keys of a worker.
///
/// # Errors
///
/// When one is not there, cannot be used, or the public one is the half of no private one.
pub fn load(settings: &SealConfig) -> Result<Keyring, KeyError> {
    let keys: Vec<RsaPrivateKey> =
        settings.private_keys.iter().map(|path| read_private(path)).collect::<Result<_, _>>()?;
    let path = settings.private_keys.first().cloned().unwrap_or_default();
    // Each was found large enough.
    let opener = Opener::new(keys).map_err(|Small(bits)| KeyError::Small { path, bits })?;
    let sealer = load_public(&settings.public_key)?;
    if !opener.has(sealer.key_id()) {
        let (path, key) = (settings.public_key.clone(), sealer.key_id().to_owned());
        return Err(KeyError::NoHalf { path, key });
    }
    Ok(Keyring { sealer, opener })
}

/// Whether [`load_or_make`] makes keys.
pub fn are_to_be_made(SealConfig { public_key, private_keys }: &SealConfig) -> bool {
    match private_keys.as_slice() {
        [private] => Halves::of(private, public_key, Path::exists) == Halves::Neither,
        _ => false,
    }
}

/// Reads all keys of a worker; at the first start of all they are made.
///
/// # Errors
///
/// As [`load`], or when they cannot be made.
pub fn load_or_make(settings: &SealConfig) -> Result<Keyring, KeyError> {
    let SealConfig { public_key, private_keys } = settings;
    if let [private] = private_keys.as_slice() {
        match Halves::of(private, public_key, Path::exists) {
            Halves::Both => {}
            Halves::Public => return Err(KeyError::Lost(private.clone())),
            Halves::Neither => match make_pair(private, public_key) {
                // Another worker was faster.
                Ok(_) | Err(KeyError::Exists(_)) => write_public(private, public_key)?,
                Err(error) => return Err(error),
            },
            // Whoever made the private key did not come so far.
            Halves::Private => write_public(private, public_key)?,
        }
    }
    let keyring = load(settings)?;
    // A kill may have left a private key under another name.
    for path in private_keys.iter().chain([public_key]) {
        remove_partials(path);
    }
    Ok(keyring)
}

/// Makes a pair of keys, and gives its id.
///
/// # Errors
///
/// When one of the files exists, or cannot be written.
pub fn make_pair(private: &Path, public: &Path) -> Result<String, KeyError> {
    for path in [private, public] {
        if path.exists() {
            return Err(KeyError::Exists(path.to_owned()));
        }
    }
    let failed = |error: &dyn std::error::Error| KeyError::Write {
        path: private.to_owned(),
        source: io::Error::other(error.to_string()),
    };
    let key = RsaPrivateKey::new(&mut rand::rng(), BITS).map_err(|error| failed(&error))?;
    let text = key.to_pkcs8_pem(LineEnding::LF).map_err(|error| failed(&error))?;
    match write_key(private, &text, PRIVATE_MODE)? {
        Written::New => write_public(private, public)?,
        Written::Exists => return Err(KeyError::Exists(private.to_owned())),
    }
    Ok(load_public(public)?.key_id().to_owned())
}

fn read_private(path: &Path) -> Result<RsaPrivateKey, KeyError> {
    let failed = |source| KeyError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.permissions().mode() & OTHERS != 0 {
        return Err(KeyError::Open(path.to_owned()));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
    let key = RsaPrivateKey::from_pkcs8_pem(&text);
    let key = key.map_err(|_no_key| KeyError::Form(path.to_owned()))?;
    let small = |Small(bits)| KeyError::Small { path: path.to_owned(), bits };
    Sealer::new(key.to_public_key()).map_err(small)?;
    Ok(key)
}

/// Writes the public half of a private key, unless it is there.
fn write_public(private: &Path, public: &Path) -> Result<(), KeyError> {
    let key = read_private(private)?.to_public_key();
    let text = key.to_public_key_pem(LineEnding::LF);
    let text = text.map_err(|_no_form| KeyError::Form(private.to_owned()))?;
    match write_key(public, &text, PUBLIC_MODE)? {
        Written::New | Written::Exists => Ok(()),
    }
}

/// Writes a key that is not there yet.
fn write_key(path: &Path, text: &str, mode: u32) -> Result<Written, KeyError> {
    let written = write_new(path, text.as_bytes(), mode);
    written.map_err(|source| KeyError::Write { path: path.to_owned(), source })
}
