//! Versions of Kubernetes.

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

    /// The version of these two numbers.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// The first version in what a cluster says it is, such as `v1.30.5+k3s1`.
    pub fn find(text: &str) -> Option<Self> {
        let starts = text.char_indices().filter(|(_, first)| first.is_ascii_digit());
        starts.filter_map(|(start, _)| Self::at_start(text.get(start..)?)).next()
    }

    fn at_start(text: &str) -> Option<Self> {
        let (major, rest) = text.split_once('.')?;
        let minor = rest.split(|digit: char| !digit.is_ascii_digit()).next()?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let both = is_number(major) && is_number(minor);
        both.then(|| Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? }))?
    }

    /// This level, or the cluster's where that is known and older.
    #[must_use]
    pub fn of_cluster(self, cluster: Option<Self>) -> Self {
        cluster.map_or(self, |cluster| self.min(cluster))
    }
}

impl FromStr for Level {
    type Err = BadLevel;

    /// Reads `1.33`, and one with its patch, such as `v1.34.2+k3s1`.
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
        let of = |level: &str, cluster| {
            level.parse::<Level>().unwrap().of_cluster(Level::find(cluster)).to_string()
        };
        assert_eq!(of("1.36", "v1.30.5"), "1.30");
        assert_eq!(of("1.30", "v1.36.0"), "1.30");
        assert_eq!(of("1.36", "v1.9.0-eks-1"), "1.9");
        assert_eq!((of("1.33", ""), of("1.33", "unknown")), ("1.33".into(), "1.33".into()));
    }

    #[test]
    fn the_level_of_a_cluster_is_the_first_version_in_its_words() {
        let level = |text| Level::find(text).map(|level| level.to_string());
        for (text, expected) in [
            ("v1.30.5+k3s1", Some("1.30")),
            ("1.36", Some("1.36")),
            ("v1.33.4-gke.1350000", Some("1.33")),
            ("openshift 1.28.9", Some("1.28")),
            ("2 of 1.31", Some("1.31")),
            ("", None),
            ("v1", None),
            ("latest.", None),
        ] {
            assert_eq!(level(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "1", "1.", ".1", "1.x", "1.3x", "one.two", "-1.2"] {
            assert!(text.parse::<Level>().is_err(), "{text}");
        }
    }
}
