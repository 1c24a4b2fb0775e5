//! Images that are another one and a layer of files: nothing runs to build them.

use std::collections::BTreeMap;
use std::str::FromStr;

/// A layer of files on a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerBuild {
    /// How containers or mounts name the image, and its key among the pinned ones.
    pub reference: String,
    /// `account/project/name`, without a registry.
    pub repository: String,
    /// Its tag.
    pub tag: LayerTag,
    /// A second tag that no other job takes over.
    pub own_tag: String,
    /// The reference of the image below, in the words of whoever runs it: a key among the pinned
    /// images when it is one of the deployment's own.
    pub base: String,
    /// What is put where, in order; a later file wins.
    pub placements: Vec<Placement>,
    /// Absolute patterns of what the application may write; what matches nothing becomes a folder.
    pub writables: Vec<String>,
    /// Whom the writables belong to, and who runs the image when there are any.
    pub user: User,
    /// What the image runs; none: what its base does.
    pub command: Option<Vec<String>>,
    /// What is said of it in its manifest, and not in its configuration.
    pub annotations: BTreeMap<String, String>,
    /// Labels on engines, by which the image's project knows it again.
    pub labels: BTreeMap<String, String>,
}

/// The tag of an image that is built without running anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerTag {
    /// This one; later builds take it over.
    Fixed(String),
    /// This one, a dash and twelve digits of the image's digest or id (deployment.md §7.2, I9).
    ByContent(String),
}

impl LayerTag {
    /// The tag of an image with this digest or id, `sha256:…`.
    pub fn of(&self, digest: &str) -> String {
        match self {
            Self::Fixed(tag) => tag.clone(),
            Self::ByContent(tag) => {
                let digits = digest.rsplit_once(':').map_or(digest, |(_, digits)| digits);
                format!("{tag}-{}", digits.get(..12).unwrap_or(digits))
            }
        }
    }
}

/// Files of the workspace in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// A file or a folder, relative to the workspace; a slash at the end (and `.`) means what is
    /// in the folder (paas-yaml.md §10.4).
    pub source: String,
    /// The absolute folder in the image that it is put into.
    pub folder: String,
}

/// A user and a group by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user's.
    pub uid: u32,
    /// The group's.
    pub gid: u32,
}

/// The text is no pair of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a user and a group as two numbers, such as 1000:1000")]
pub struct BadUser;

impl FromStr for User {
    type Err = BadUser;

    fn from_str(text: &str) -> Result<Self, BadUser> {
        let (uid, gid) = text.split_once(':').ok_or(BadUser)?;
        let number = |text: &str| text.parse().map_err(|_not_a_number| BadUser);
        Ok(Self { uid: number(uid)?, gid: number(gid)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_two_numbers() {
        assert_eq!("1000:33".parse(), Ok(User { uid: 1_000, gid: 33 }));
        for text in ["", "1000", "www-data:33", "1000:", "-1:0"] {
            assert_eq!(text.parse::<User>(), Err(BadUser), "{text}");
        }
    }

    #[test]
    fn a_tag_by_content_ends_in_twelve_digits() {
        let digest = format!("sha256:{}", "9d1e".repeat(16));
        assert_eq!(LayerTag::ByContent("prod".to_owned()).of(&digest), "prod-9d1e9d1e9d1e");
        assert_eq!(LayerTag::Fixed("prod".to_owned()).of(&digest), "prod");
    }
}
