//! Secrets, sealed for workers: whoever has the public key can store one, and only whoever has the
//! private key can read it (platform.md §3.4).
//!
//! Each value has a data key of its own (AES-256-GCM), which is wrapped with RSA-OAEP-SHA-256. The
//! place at which a value stands is authenticated with it.

mod files;
mod keys;
mod own;
mod variables;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use base64ct::{Base64, Encoding as _};
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use sha2::{Digest as _, Sha256};

use crate::domain::sealed::{Place, Sealed};

pub use keys::{KeyError, Keyring, are_to_be_made, load, load_or_make, load_public, make_pair};
pub use own::OwnKey;

/// The form of what is sealed.
const VERSION: u32 = 1;

/// How it is sealed.
const ALGORITHM: &str = "rsa-oaep-256+a256gcm";

/// Bytes of a data key, and of a nonce.
const DATA_KEY: usize = 32;
const NONCE: usize = 12;

/// Characters of a key's id.
const KEY_ID: usize = 16;

/// Least bits of a key.
const LEAST_BITS: u32 = 2048;

/// Seals; cannot open.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<RsaPublicKey>,
    id: String,
}

/// Opens what was sealed for one of its keys.
#[derive(Clone, Default)]
pub struct Opener {
    keys: Arc<BTreeMap<String, RsaPrivateKey>>,
}

/// A value did not open. Why is not told: it would help whoever tries values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sealed {place} could not be opened; it was sealed for key {key}")]
pub struct NotOpened {
    place: String,
    key: String,
}

/// The key has too few bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Small(u32);

impl Sealer {
    fn new(key: RsaPublicKey) -> Result<Self, Small> {
        if key.n().bit_width() < LEAST_BITS {
            return Err(Small(key.n().bit_width()));
        }
        let der = key.to_public_key_der().expect("a public key has this form");
        let id = hexadecimal(&Sha256::digest(der.as_bytes()));
        Ok(Self { key: Arc::new(key), id: id.chars().take(KEY_ID).collect() })
    }

    /// The id of its key.
    pub fn key_id(&self) -> &str {
        &self.id
    }

    /// Seals a value for the place at which it will stand.
    pub fn seal(&self, value: &[u8], place: &Place) -> Sealed {
        let data_key = Zeroizing::new(rand::random::<[u8; DATA_KEY]>());
        let iv = rand::random::<[u8; NONCE]>();
        let additional = additional(&self.id, place);
        let body = cipher(&data_key)
            .encrypt(&Nonce::from(iv), Payload { msg: value, aad: &additional })
            .expect("a value is shorter than this cipher's 64 GB");
        let key = self
            .key
            .encrypt(&mut rand::rng(), Oaep::<Sha256>::new(), data_key.as_slice())
            .expect("a data key is shorter than what wraps it");
        Sealed {
            v: VERSION,
            alg: ALGORITHM.to_owned(),
            kid: self.id.clone(),
            key: Base64::encode_string(&key),
            iv: Base64::encode_string(&iv),
            body: Base64::encode_string(&body),
        }
    }
}

impl NotOpened {
    /// What stands at a place does not open, or is not what should be there.
    pub fn new(place: &Place, sealed: &Sealed) -> Self {
        let key = sealed.kid.chars().filter(char::is_ascii_hexdigit).take(KEY_ID).collect();
        Self { place: place.to_string(), key }
    }
}

impl Opener {
    fn new(keys: Vec<RsaPrivateKey>) -> Result<Self, Small> {
        let named = |key: RsaPrivateKey| Ok((Sealer::new(key.to_public_key())?.id, key));
        let keys: Result<_, Small> = keys.into_iter().map(named).collect();
        Ok(Self { keys: Arc::new(keys?) })
    }

    /// A key for hashes that only holders of the private keys can make; another one for each purpose.
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(purpose);
        for key in self.keys.values() {
            let der = key.to_pkcs8_der().expect("a private key has this form");
            hash.update(der.as_bytes());
        }
        hash.finalize().into()
    }

    /// Whether it has the private half of this key.
    pub fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// Opens a value that was sealed for this place. Takes some milliseconds.
    ///
    /// # Errors
    ///
    /// When it does not open, whatever the reason.
    pub fn open(&self, sealed: &Sealed, place: &Place) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        self.try_open(sealed, place).ok_or_else(|| NotOpened::new(place, sealed))
    }

    /// Opens a text that was sealed for this place.
    ///
    /// # Errors
    ///
    /// When it does not open, whatever the reason.
    pub fn open_text(&self, sealed: &Sealed, place: &Place) -> Result<SecretString, NotOpened> {
        let opened = self.open(sealed, place)?;
        let text = str::from_utf8(&opened).map(SecretString::from);
        text.map_err(|_not_text| NotOpened::new(place, sealed))
    }

    fn try_open(&self, sealed: &Sealed, place: &Place) -> Option<Zeroizing<Vec<u8>>> {
        if sealed.v != VERSION || sealed.alg != ALGORITHM {
            return None;
        }
        let decode = |text: &str| Base64::decode_vec(text).ok();
        let (wrapped, iv, body) =
            (decode(&sealed.key)?, decode(&sealed.iv)?, decode(&sealed.body)?);
        let iv: [u8; NONCE] = iv.try_into().ok()?;
        let padding = Oaep::<Sha256>::new();
        // Blinded: how long it takes tells nothing of the key.
        let data_key = self
            .keys
            .get(&sealed.kid)?
            .decrypt_blinded(&mut rand::rng(), padding, &wrapped)
            .ok()?;
        let data_key = Zeroizing::new(data_key);
        let data_key = Zeroizing::new(<[u8; DATA_KEY]>::try_from(data_key.as_slice()).ok()?);
        let additional = additional(&sealed.kid, place);
        let opened =
            cipher(&data_key).decrypt(&Nonce::from(iv), Payload { msg: &body, aad: &additional });
        opened.ok().map(Zeroizing::new)
    }
}

fn cipher(data_key: &[u8; DATA_KEY]) -> Aes256Gcm {
    Aes256Gcm::new(data_key.into())
}

/// What is authenticated beside the value. Lengths keep ("ab", "c") and ("a", "bc") apart.
fn additional(key: &str, place: &Place) -> Vec<u8> {
    let mut bytes = VERSION.to_be_bytes().to_vec();
    for part in [ALGORITHM, key].into_iter().chain(place.parts()) {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sealer").field(&self.id).finish()
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Opener").field(&self.keys.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
