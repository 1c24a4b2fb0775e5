//! Images named by their content.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a tag meant when a release was made; it never means anything else later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "reference", rename_all = "kebab-case")]
pub enum Pinned {
    /// Id of an image in the one engine that has it: `sha256:…`.
    ImageId(String),
    /// `repository@sha256:…` in a registry.
    Digest(String),
}

impl Pinned {
    /// The text an engine accepts where an image is asked for.
    pub fn reference(&self) -> &str {
        match self {
            Self::ImageId(reference) | Self::Digest(reference) => reference,
        }
    }

    /// The first 12 hexadecimal digits of the digest or id, as people compare them.
    pub fn short(&self) -> &str {
        let reference = self.reference();
        let digits = reference.rsplit_once("sha256:").map_or(reference, |(_, digits)| digits);
        digits.get(..12).unwrap_or(digits)
    }
}

impl fmt::Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.reference())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_shorten_to_the_same_digits() {
        let id = Pinned::ImageId(format!("sha256:{}", "9d1e".repeat(16)));
        let digest = Pinned::Digest(format!("r.example/shop@sha256:{}", "9d1e".repeat(16)));
        assert_eq!(id.short(), "9d1e9d1e9d1e");
        assert_eq!(digest.short(), id.short());
    }
}
