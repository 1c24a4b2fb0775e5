//! Names of content that are made of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use sha2::Sha256;

/// `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// The text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not sha256: and 64 hexadecimal digits")]
pub struct BadDigest(String);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::end(Sha256::new_with_prefix(bytes))
    }

    /// The digest of what a hash was fed with.
    pub fn end(hash: Sha256) -> Self {
        let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("sha256:{digits}"))
    }

    /// The digest as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its digits alone.
    pub fn hex(&self) -> &str {
        self.0.strip_prefix("sha256:").unwrap_or(&self.0)
    }
}

impl FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let digits = text.strip_prefix("sha256:");
        let fits = digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(is_digit));
        let shown = || text.chars().filter(|c| !c.is_control()).take(80).collect();
        fits.then(|| Self(text.to_owned())).ok_or_else(|| BadDigest(shown()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = BadDigest;

    fn try_from(text: String) -> Result<Self, BadDigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written_and_nothing_else_is_one() {
        let digest = Digest::of(b"");
        assert_eq!(digest.to_string().parse(), Ok(digest.clone()));
        assert!(digest.hex().starts_with("e3b0c442"));
        for text in ["", "sha256:", "sha512:ab", &digest.to_string().to_uppercase(), digest.hex()] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
