//! A key that reads a source, made here.

use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};

use crate::domain::source::{BadSourceKey, SourceLogin};

/// Makes an Ed25519 key; its public half is for whoever keeps the repository.
///
/// # Errors
///
/// When it cannot be written as OpenSSH does.
pub fn make_key() -> Result<SourceLogin, BadSourceKey> {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&rand::random()));
    let text = key.to_openssh(LineEnding::LF).map_err(|_encode| BadSourceKey::Damaged)?;
    SourceLogin::key(&text)
}
