//! What signs in at a source.

use secrecy::SecretString;
use ssh_key::{LineEnding, PrivateKey};

use crate::domain::ssh_key::{BadSshKey, SshKey};

/// What signs in at a source.
#[derive(Debug, Clone)]
pub enum SourceLogin {
    /// An SSH key.
    Key {
        /// The private half, in OpenSSH's form.
        private: SecretString,
        /// The public half, on one line.
        public: String,
    },
    /// A token or password, by HTTPS.
    Token(SecretString),
}

/// Why a text is no key that can sign in. The text itself is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSourceKey {
    /// Nobody is there to type it.
    #[error("this key has a passphrase: nobody is there to type it; `ssh-keygen -p` takes it away")]
    Encrypted,
    /// As other programs write keys.
    #[error("this key is in another form: `ssh-keygen -p -f FILE` writes it anew as OpenSSH does")]
    OtherForm,
    /// The wrong half.
    #[error("this is a public key: give the private one, the file without .pub")]
    Public,
    /// Something else.
    #[error("this is no private key of OpenSSH")]
    Damaged,
    /// A type that is not accepted.
    #[error(transparent)]
    Type(#[from] BadSshKey),
}

impl SourceLogin {
    /// Reads a private key as it stands in its file.
    ///
    /// # Errors
    ///
    /// When it is none, or none that is used without asking.
    pub fn key(text: &str) -> Result<Self, BadSourceKey> {
        if SshKey::parse(text).is_ok() {
            return Err(BadSourceKey::Public);
        }
        let key = PrivateKey::from_openssh(text.trim()).map_err(|_other_form| {
            let is_key = text.contains("PRIVATE KEY-----") || text.contains("PuTTY-User-Key");
            let is_ours = text.contains("BEGIN OPENSSH");
            if is_key && !is_ours { BadSourceKey::OtherForm } else { BadSourceKey::Damaged }
        })?;
        if key.is_encrypted() {
            return Err(BadSourceKey::Encrypted);
        }
        let damaged = |_encode| BadSourceKey::Damaged;
        let public = key.public_key().to_openssh().map_err(damaged)?;
        let public = SshKey::parse(&public)?.line;
        let private = key.to_openssh(LineEnding::LF).map_err(damaged)?;
        Ok(Self::Key { private: SecretString::from(private.as_str()), public })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use ssh_key::private::Ed25519Keypair;

    use super::*;

    fn made() -> String {
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
        key.to_openssh(LineEnding::LF).unwrap().to_string()
    }

    #[test]
    fn a_private_key_is_read_with_its_public_half() {
        let SourceLogin::Key { private, public } = SourceLogin::key(&made()).unwrap() else {
            panic!("it is a key");
        };
        assert_eq!(private.expose_secret(), made());
        assert!(public.starts_with("ssh-ed25519 AAAA"), "{public}");
        assert_eq!(SourceLogin::key(&public).unwrap_err(), BadSourceKey::Public);
    }

    #[test]
    fn what_cannot_sign_in_by_itself_is_refused_and_not_repeated() {
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(SourceLogin::key(pem).unwrap_err(), BadSourceKey::OtherForm);
        for text in ["", "hello", &made().replace("b3BlbnNza", "AAAAAAAAA")] {
            assert_eq!(SourceLogin::key(text).unwrap_err(), BadSourceKey::Damaged, "{text}");
        }
    }
}
