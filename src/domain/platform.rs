//! What machines run, in the words of image indexes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An operating system, an architecture and perhaps its variant: `linux/arm64`, `linux/arm/v7`.
///
/// Two names of one thing are one value: `linux/arm64/v8` is `linux/arm64`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Platform(String);

/// The text is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no platform: write os/arch or os/arch/variant, such as linux/arm64")]
pub struct BadPlatform(String);

impl Platform {
    /// A platform as configurations and indexes say it; an empty variant is none.
    pub fn new(os: &str, arch: &str, variant: &str) -> Self {
        // Variants that every machine of an architecture has, or that are meant where none is said.
        let variant = match (arch, variant) {
            ("arm64", "v8") | ("amd64", "v1") => "",
            ("arm", "") => "v7",
            (_, variant) => variant,
        };
        let text = [os, arch, variant].join("/");
        Self(text.trim_end_matches('/').to_owned())
    }

    /// The operating system.
    pub fn os(&self) -> &str {
        self.part(0).unwrap_or_default()
    }

    /// The architecture.
    pub fn arch(&self) -> &str {
        self.part(1).unwrap_or_default()
    }

    /// Its variant, where it has several.
    pub fn variant(&self) -> Option<&str> {
        self.part(2)
    }

    fn part(&self, number: usize) -> Option<&str> {
        self.0.split('/').nth(number)
    }

    /// Its name as part of a tag.
    pub fn in_tags(&self) -> String {
        self.0.replace('/', "-")
    }
}

impl FromStr for Platform {
    type Err = BadPlatform;

    fn from_str(text: &str) -> Result<Self, BadPlatform> {
        let is_word = |word: &&str| {
            (1..=16).contains(&word.len())
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let words: Vec<&str> = text.split('/').collect();
        match words.as_slice() {
            [os, arch] if words.iter().all(is_word) => Ok(Self::new(os, arch, "")),
            [os, arch, variant] if words.iter().all(is_word) => Ok(Self::new(os, arch, variant)),
            _ => Err(BadPlatform(text.chars().filter(|c| !c.is_control()).take(80).collect())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Platform {
    type Error = BadPlatform;

    fn try_from(text: String) -> Result<Self, BadPlatform> {
        text.parse()
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.0
    }
}

/// Platforms in a sentence.
pub fn listed(platforms: &[Platform]) -> String {
    platforms.iter().map(|platform| platform.0.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn two_names_of_one_platform_are_equal() {
        assert_eq!(parsed("linux/arm64/v8"), parsed("linux/arm64"));
        assert_eq!(parsed("linux/arm"), parsed("linux/arm/v7"));
        assert_ne!(parsed("linux/arm/v6"), parsed("linux/arm/v7"));
        assert_eq!(parsed("linux/arm/v6").in_tags(), "linux-arm-v6");
        assert_eq!(parsed("linux/386").to_string(), "linux/386");
    }

    #[test]
    fn what_is_no_platform_is_refused() {
        for text in ["", "linux", "linux/", "/amd64", "Linux/amd64", "linux/amd64/v2/x", "a/b c"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
