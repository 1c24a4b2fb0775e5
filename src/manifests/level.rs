//! Which version of Kubernetes objects are made for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version without its patch, such as 1.33.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Level {
    major: u32,
    minor: u32,
}

/// The text is no version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version of Kubernetes: write 1.33 and the like")]
pub struct BadLevel(String);

impl Level {
    /// The oldest one that is supported, and the one where nobody says.
    pub const OLDEST: Self = Self::new(1, 30);

    /// Volumes that are images, on by default.
    pub(super) const IMAGE_VOLUMES: Self = Self::new(1, 35);
    /// Volumes that are images with a path in them, where somebody switched them on.
    pub(super) const EARLY_IMAGE_VOLUMES: Self = Self::new(1, 33);
    /// Pods with a user namespace of their own.
    pub(super) const HOST_USERS: Self = Self::new(1, 36);
    /// The same, where nodes are known to be able to.
    pub(super) const EARLY_HOST_USERS: Self = Self::new(1, 33);
    /// `maxUnavailable` of a `StatefulSet`.
    pub(super) const UNAVAILABLE_SETS: Self = Self::new(1, 35);
    /// Names of variables with any printable character.
    pub(super) const ANY_VARIABLE: Self = Self::new(1, 32);

    /// The version of these two numbers.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// This level, or the cluster's where that is older. `git_version` is what the cluster says it
    /// is; when nothing can be read out of that, this level stays.
    #[must_use]
    pub fn of_cluster(self, git_version: &str) -> Self {
        git_version.parse().map_or(self, |cluster| self.min(cluster))
    }
}

impl FromStr for Level {
    type Err = BadLevel;

    /// Reads `1.33` and what clusters say, such as `v1.34.2+k3s1`.
    fn from_str(text: &str) -> Result<Self, BadLevel> {
        let bad = || BadLevel(text.chars().filter(|c| !c.is_control()).take(40).collect());
        let (major, rest) = text.trim_start_matches('v').split_once('.').ok_or_else(bad)?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (minor, rest) = rest.split_at_checked(end).ok_or_else(bad)?;
        let number = |digits: &str| digits.parse().ok();
        let level = number(major).zip(number(minor)).map(|(major, minor)| Self { major, minor });
        level.filter(|_| rest.is_empty() || rest.starts_with(['.', '+', '-'])).ok_or_else(bad)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl TryFrom<String> for Level {
    type Error = BadLevel;

    fn try_from(text: String) -> Result<Self, BadLevel> {
        text.parse()
    }
}

impl From<Level> for String {
    fn from(level: Level) -> Self {
        level.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_of_the_configured_and_the_clusters_level_counts() {
        let of = |level: &str, cluster: &str| {
            level.parse::<Level>().unwrap().of_cluster(cluster).to_string()
        };
        assert_eq!(of("1.36", "v1.30.5"), "1.30");
        assert_eq!(of("1.30", "v1.36.0"), "1.30");
        assert_eq!(of("1.36", "v1.34.2+k3s1"), "1.34");
        assert_eq!(of("1.36", "v1.9.0-eks-1"), "1.9");
        assert_eq!((of("1.33", ""), of("1.33", "unknown")), ("1.33".into(), "1.33".into()));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "1", "1.", ".1", "1.x", "1.3x", "one.two", "-1.2"] {
            assert!(text.parse::<Level>().is_err(), "{text}");
        }
    }
}
