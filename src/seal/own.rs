//! The key of a role for what it has to read itself.

use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use base64ct::{Base64, Encoding as _};
use secrecy::zeroize::Zeroizing;

use crate::seal::files::write_new;
use crate::seal::{DATA_KEY, KeyError, NONCE};

/// Who may read it: its owner.
const MODE: u32 = 0o600;

/// Those who are not its owner.
const OTHERS: u32 = 0o077;

/// Seals and opens, for the role that has it.
#[derive(Clone)]
pub struct OwnKey(Aes256Gcm);

impl fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnKey")
    }
}

impl OwnKey {
    /// Reads the key of this file, or makes it.
    ///
    /// # Errors
    ///
    /// When it cannot be read or made, is no key, or others may read it.
    pub fn load_or_make(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Read { path: path.to_owned(), source };
        if !path.exists() {
            let key = Zeroizing::new(rand::random::<[u8; DATA_KEY]>());
            let text = Zeroizing::new(format!("{}\n", Base64::encode_string(key.as_slice())));
            let write = |source: io::Error| KeyError::Write { path: path.to_owned(), source };
            // Another process may be faster: what is there then is the key.
            write_new(path, text.as_bytes(), MODE).map_err(write)?;
        }
        if fs::metadata(path).map_err(failed)?.permissions().mode() & OTHERS != 0 {
            return Err(KeyError::Open(path.to_owned()));
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        let no_key = || KeyError::Form(PathBuf::from(path));
        let key = Zeroizing::new(Base64::decode_vec(text.trim()).map_err(|_bad| no_key())?);
        Ok(Self(Aes256Gcm::new_from_slice(&key).map_err(|_length| no_key())?))
    }

    /// Seals a value for what it is about.
    ///
    /// # Panics
    ///
    /// Never: a value is shorter than this cipher's 64 GB.
    pub fn seal(&self, value: &[u8], about: &[u8]) -> String {
        let iv = rand::random::<[u8; NONCE]>();
        let payload = Payload { msg: value, aad: about };
        let body = self.0.encrypt(&Nonce::from(iv), payload).expect("a value is short");
        Base64::encode_string(&[iv.as_slice(), &body].concat())
    }

    /// Opens what was sealed with this key for the same; nothing else opens.
    pub fn open(&self, sealed: &str, about: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = Base64::decode_vec(sealed).ok()?;
        let (iv, body) = bytes.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: body, aad: about };
        self.0.decrypt(&Nonce::from(*iv), payload).ok().map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_the_same_with_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/key");
        let key = OwnKey::load_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let sealed = key.seal(b"secret", b"ana");
        assert!(!sealed.contains("secret"));
        let again = OwnKey::load_or_make(&path).unwrap();
        assert_eq!(again.open(&sealed, b"ana").unwrap().as_slice(), b"secret");
        assert!(again.open(&sealed, b"bea").is_none());
        let other = OwnKey::load_or_make(&folder.path().join("other")).unwrap();
        assert!(other.open(&sealed, b"ana").is_none());
        for broken in ["", "AAAA", "no base64"] {
            assert!(key.open(broken, b"ana").is_none(), "{broken}");
        }
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_and_what_is_none_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "short\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(OwnKey::load_or_make(&path), Err(KeyError::Open(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(OwnKey::load_or_make(&path), Err(KeyError::Form(_))));
    }
}
