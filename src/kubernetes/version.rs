//! What a cluster is able to do.

use std::fmt;

/// The version of Kubernetes that a cluster is at least compatible with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level {
    /// The first number.
    pub major: u32,
    /// The second one.
    pub minor: u32,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Level {
    /// Reads the first version in a text such as `v1.30.5+k3s1`.
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
}

/// A group of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiGroup {
    /// Its name, such as `apps`.
    pub name: String,
    /// Its versions, the preferred one first.
    pub versions: Vec<String>,
}

/// A class of Ingresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressClass {
    /// Its name.
    pub name: String,
    /// Who serves it, such as `traefik.io/ingress-controller`.
    pub controller: String,
    /// Whether it takes what names no class.
    pub is_default: bool,
}

/// A class of volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageClass {
    /// Its name.
    pub name: String,
    /// Who makes its volumes.
    pub provisioner: String,
    /// Whether they can grow.
    pub grows: bool,
    /// Whether it makes what names no class.
    pub is_default: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_the_first_version_in_the_text() {
        let level = |text| Level::find(text).map(|level| level.to_string());
        for (text, expected) in [
            ("v1.30.5+k3s1", Some("1.30")),
            ("1.36", Some("1.36")),
            ("v1.33.4-gke.1350000", Some("1.33")),
            ("v1.34.2+k3s1", Some("1.34")),
            ("openshift 1.28.9", Some("1.28")),
            ("2 of 1.31", Some("1.31")),
            ("", None),
            ("v1", None),
            ("latest.", None),
        ] {
            assert_eq!(level(text).as_deref(), expected, "{text}");
        }
        assert!(Level { major: 1, minor: 30 } < Level { major: 1, minor: 36 });
    }
}
