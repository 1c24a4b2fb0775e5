//! Public keys that say who pushes.

use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, PublicKey};

use crate::domain::label::{LONGEST as LONGEST_LABEL, label};

/// Longest accepted line in bytes.
const LONGEST: usize = 16 * 1024;

/// Fewest bits of an RSA key.
const FEWEST_RSA_BITS: usize = 2_048;

/// A public key that may be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshKey {
    /// The type, such as `ssh-ed25519`.
    pub algorithm: String,
    /// Type and base64 data, without comment.
    pub line: String,
    /// `SHA256:` and unpadded base64; the same for every comment.
    pub fingerprint: String,
    /// The comment, or the type and the begin of the fingerprint.
    pub name: String,
}

/// Why a text is no key that may be registered. The text itself is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSshKey {
    /// Someone pasted the wrong half.
    #[error("this is a private key: give the public one, the file that ends in .pub")]
    Private,
    /// A certificate instead of a key.
    #[error("this is a certificate: give the plain public key")]
    Certificate,
    /// Over 16 KiB.
    #[error("a public key is one line of at most 16 KiB")]
    TooLong,
    /// More than one line.
    #[error("give one public key, on one line")]
    SeveralLines,
    /// A public key as other programs write it.
    #[error(
        "this is a public key in another form: `ssh-keygen -i -f FILE` makes an OpenSSH one of it"
    )]
    OtherForm,
    /// An `authorized_keys` line with options.
    #[error("options before the key are not accepted: the line begins with the key's type")]
    Options,
    /// DSA, or something newer than we know.
    #[error("keys of type {0} are not accepted: use ssh-ed25519")]
    Type(String),
    /// A short RSA key.
    #[error("an RSA key needs at least {FEWEST_RSA_BITS} bits, this one has {0}")]
    Short(usize),
    /// The data is damaged, or is of another type than the line says.
    #[error("this is not an OpenSSH public key")]
    Damaged,
}

impl SshKey {
    /// Reads one line in the form of `~/.ssh/id_ed25519.pub`.
    ///
    /// # Errors
    ///
    /// Everything but one plain public key of an accepted type and size.
    pub fn parse(text: &str) -> Result<Self, BadSshKey> {
        let line = text.trim();
        if line.contains("PRIVATE KEY") || line.starts_with("PuTTY-User-Key-File") {
            return Err(BadSshKey::Private);
        }
        if line.len() > LONGEST {
            return Err(BadSshKey::TooLong);
        }
        if line.starts_with("---- BEGIN SSH2 PUBLIC KEY") || line.starts_with("-----BEGIN ") {
            return Err(BadSshKey::OtherForm);
        }
        if line.contains(['\n', '\r']) {
            return Err(BadSshKey::SeveralLines);
        }
        let first = line.split([' ', '\t']).next().unwrap_or_default();
        if first.contains("-cert-v01@") {
            return Err(BadSshKey::Certificate);
        }
        if first.contains(['=', ',', '"']) {
            return Err(BadSshKey::Options);
        }
        if first == "ssh-dss" {
            return Err(BadSshKey::Type(first.to_owned()));
        }
        let key = PublicKey::from_openssh(line).map_err(|_parse| BadSshKey::Damaged)?;
        check_type(key.key_data(), &key.algorithm())?;
        Self::new(&key)
    }

    fn new(key: &PublicKey) -> Result<Self, BadSshKey> {
        let mut bare = key.clone();
        bare.set_comment("");
        let line = bare.to_openssh().map_err(|_encode| BadSshKey::Damaged)?;
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let algorithm = key.algorithm().as_str().to_owned();
        let comment: String =
            key.comment().as_str_lossy().trim().chars().take(LONGEST_LABEL).collect();
        // One that nobody could read is not shown, nor is it a reason to refuse the key.
        let name = match label(&comment) {
            Ok(name) => name.to_owned(),
            Err(_) => {
                let begin: String = fingerprint.chars().skip("SHA256:".len()).take(8).collect();
                format!("{algorithm} {begin}")
            }
        };
        Ok(Self { algorithm, line: line.trim_end().to_owned(), fingerprint, name })
    }
}

fn check_type(data: &KeyData, algorithm: &Algorithm) -> Result<(), BadSshKey> {
    match data {
        KeyData::Rsa(rsa) => match rsa.n().as_positive_bytes().map(significant_bits) {
            Some(bits) if bits >= FEWEST_RSA_BITS => Ok(()),
            bits => Err(BadSshKey::Short(bits.unwrap_or(0))),
        },
        KeyData::Ed25519(_)
        | KeyData::Ecdsa(_)
        | KeyData::SkEd25519(_)
        | KeyData::SkEcdsaSha2NistP256(_) => Ok(()),
        KeyData::Dsa(_) | KeyData::Certificate(_) | KeyData::Other(_) | _ => {
            Err(BadSshKey::Type(algorithm.as_str().to_owned()))
        }
    }
}

/// Bits of a big-endian number without its leading zeros.
fn significant_bits(bytes: &[u8]) -> usize {
    let mut bytes = bytes.iter().skip_while(|byte| **byte == 0);
    let Some(first) = bytes.next() else { return 0 };
    let leading = usize::try_from(first.leading_zeros()).unwrap_or(8);
    8 - leading + 8 * bytes.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIFifbGaj8GcjInSckiHALB/ugaUUXK+lYTYKyd17wEP9 ana@laptop";

    #[test]
    fn the_fingerprint_does_not_depend_on_the_comment() {
        let key = SshKey::parse(ED25519).unwrap();
        let other = SshKey::parse(&ED25519.replace("ana@laptop", "elsewhere")).unwrap();
        assert_eq!(key.fingerprint, other.fingerprint);
        assert_eq!(key.line, other.line);
        assert_eq!((key.name.as_str(), other.name.as_str()), ("ana@laptop", "elsewhere"));
        assert!(key.fingerprint.starts_with("SHA256:"));
    }

    #[test]
    fn a_key_without_comment_is_named_by_type_and_fingerprint() {
        let key = SshKey::parse(ED25519.rsplit_once(' ').unwrap().0).unwrap();
        assert!(key.name.starts_with("ssh-ed25519 "), "{}", key.name);
        for comment in ["ana\u{1b}[2J", "an\u{202e}a", "\u{200b}"] {
            let unseen = SshKey::parse(&ED25519.replace("ana@laptop", comment)).unwrap();
            assert_eq!(unseen.name, key.name, "{comment:?}");
        }
    }

    #[test]
    fn what_is_no_plain_public_key_is_refused_by_its_reason() {
        let refusal = |text: &str| SshKey::parse(text).unwrap_err();
        assert_eq!(refusal("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl"), BadSshKey::Private);
        assert_eq!(refusal(&format!("{ED25519}\n{ED25519}")), BadSshKey::SeveralLines);
        assert_eq!(refusal(&format!("no-pty,command=\"x\" {ED25519}")), BadSshKey::Options);
        assert_eq!(refusal("ssh-dss AAAAB3NzaC1kc3MAAACB x"), BadSshKey::Type("ssh-dss".into()));
        assert_eq!(refusal("ssh-ed25519-cert-v01@openssh.com AAAA"), BadSshKey::Certificate);
        assert_eq!(refusal(&ED25519.replace("ssh-ed25519 ", "ssh-rsa ")), BadSshKey::Damaged);
        let rfc4716 = "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----";
        assert_eq!(refusal(rfc4716), BadSshKey::OtherForm);
        assert_eq!(refusal("-----BEGIN PUBLIC KEY-----\nMIIB"), BadSshKey::OtherForm);
        assert_eq!(refusal("hello"), BadSshKey::Damaged);
        assert_eq!(refusal(""), BadSshKey::Damaged);
        assert_eq!(refusal(&"a".repeat(20_000)), BadSshKey::TooLong);
    }
}
