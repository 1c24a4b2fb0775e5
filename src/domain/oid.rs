//! Git object ids.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The full SHA-1 id of a git object.
///
/// The all-zero id, git's way to say "no object" on the wire, is never an `Oid`: it reads as
/// `None` through [`Oid::from_wire`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Oid([u8; 20]);

/// The text is not a full object id of 40 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a full object id")]
pub struct BadOid(pub String);

impl Oid {
    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The id's bytes.
    pub const fn bytes(self) -> [u8; 20] {
        self.0
    }

    /// Reads an id as git writes it on the wire; all zeros is `None`.
    ///
    /// # Errors
    ///
    /// When the text is not 40 hexadecimal digits.
    pub fn from_wire(text: &str) -> Result<Option<Self>, BadOid> {
        let oid: Self = text.parse()?;
        Ok((oid.0 != [0; 20]).then_some(oid))
    }

    /// The first seven digits, as people read them.
    pub fn short(self) -> String {
        self.to_string().chars().take(7).collect()
    }
}

impl FromStr for Oid {
    type Err = BadOid;

    fn from_str(text: &str) -> Result<Self, BadOid> {
        let bad = || BadOid(text.chars().take(64).collect());
        if text.len() != 40 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_not_ascii| bad())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_not_hex| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Oid {
    type Error = BadOid;

    fn try_from(text: String) -> Result<Self, BadOid> {
        text.parse()
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> Self {
        oid.to_string()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_written() {
        let text = "3f9c1ab0000000000000000000000000000000ff";
        assert_eq!(text.parse::<Oid>().unwrap().to_string(), text);
        assert_eq!(text.parse::<Oid>().unwrap().short(), "3f9c1ab");
    }

    #[test]
    fn the_zero_id_is_no_id() {
        assert_eq!(Oid::from_wire(&"0".repeat(40)), Ok(None));
    }

    #[test]
    fn an_abbreviated_signed_or_wide_id_is_refused() {
        for text in ["3f9c1ab", "", &"+1".repeat(20), &"é".repeat(20), &"g".repeat(40)] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
    }
}
