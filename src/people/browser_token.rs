//! What a browser holds to be known by.

use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::domain::digest::Digest;

/// Random bytes of it.
const BYTES: usize = 32;

/// What only one browser knows: it is stored as its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserToken(String);

impl std::fmt::Debug for BrowserToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BrowserToken(…)")
    }
}

impl BrowserToken {
    /// A new one.
    pub fn new() -> Self {
        let bytes: [u8; BYTES] = rand::random();
        Self(Base64UrlUnpadded::encode_string(&bytes))
    }

    /// The one that somebody came with, if it has the form of one.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        (bytes.len() == BYTES).then(|| Self(text.to_owned()))
    }

    /// What the browser is told. Not for logs.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn digest(&self) -> String {
        digest("", &self.0)
    }

    /// What forms of this browser carry: by it a form is known to be of a page that was shown here.
    pub fn form_token(&self) -> String {
        digest("form:", &self.0)
    }
}

impl Default for BrowserToken {
    fn default() -> Self {
        Self::new()
    }
}

/// SHA-256 in hex, of a text that is used for this alone.
pub(super) fn digest(purpose: &str, text: &str) -> String {
    Digest::of(format!("{purpose}{text}").as_bytes()).hex().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_told_and_stored_as_something_else() {
        let token = BrowserToken::new();
        assert_eq!(BrowserToken::read(token.secret()), Some(token.clone()));
        assert_ne!(BrowserToken::new(), token);
        assert_ne!(token.digest(), token.secret());
        assert_ne!(token.digest(), token.form_token());
        assert_eq!(format!("{token:?}"), "BrowserToken(…)");
        let secret = token.secret();
        let short = secret.get(1..).unwrap();
        for text in ["", "abc", short, &format!("{secret}A"), &"=".repeat(43)] {
            assert_eq!(BrowserToken::read(text), None, "{text}");
        }
    }
}
