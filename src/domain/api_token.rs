//! Tokens that programs come with.

use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::domain::access::KeyAccess;
use crate::domain::digest::Digest;
use crate::domain::words::words;

/// What every token begins with, so that people and scanners for secrets know one.
const PREFIX: &str = "pierhead_";

/// Random bytes of a token.
pub const BYTES: usize = 32;

words! {
    /// The most that a token may do, whatever its owner may.
    TokenAccess, "access of a token (read, write)" {
        /// Look.
        Read = "read",
        /// Whatever its owner may do.
        Write = "write",
    }
}

impl From<TokenAccess> for KeyAccess {
    fn from(access: TokenAccess) -> Self {
        match access {
            TokenAccess::Read => Self::Read,
            TokenAccess::Write => Self::Deploy,
        }
    }
}

/// A token made of random bytes, as it is shown once.
pub fn token(random: &[u8; BYTES]) -> String {
    format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(random))
}

/// What is stored of a token; `None` of what cannot be one.
///
/// The bytes are random, so that a plain hash cannot be turned back by trying, and finding it takes
/// one look into an index.
pub fn hash(token: &str) -> Option<String> {
    let mut bytes = [0; BYTES];
    let decoded = Base64UrlUnpadded::decode(token.strip_prefix(PREFIX)?, &mut bytes).ok()?;
    (decoded.len() == BYTES).then(|| Digest::of(token.as_bytes()).hex().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_beginning_and_hashed_whole() {
        let shown = token(&[0xa5; BYTES]);
        assert_eq!(shown, "pierhead_paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU");
        let hash_of_it = hash(&shown).unwrap();
        assert_eq!(hash_of_it.len(), 64);
        assert_ne!(hash(&token(&[0xa6; BYTES])), Some(hash_of_it));
    }

    #[test]
    fn what_cannot_be_a_token_is_not_looked_for() {
        let shown = token(&[7; BYTES]);
        let short = shown.get(..shown.len() - 4).unwrap();
        let texts = ["", "pierhead_", "pierhead_====", short, shown.trim_start_matches('p')];
        for text in texts {
            assert_eq!(hash(text), None, "{text:?}");
        }
        assert_eq!(hash(&format!("{shown}AAAA")), None);
    }
}
