//! Names of git refs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::output::is_unsafe;

/// Full name of a branch or a tag, such as `refs/heads/main`.
///
/// Follows git-check-ref-format(1). Other namespaces (notes, remotes, Pierhead's own) are not
/// pushable, so they are no `RefName`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RefName(String);

/// What a ref names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefKind {
    /// `refs/heads/…`
    Branch,
    /// `refs/tags/…`
    Tag,
}

/// Why a text names no branch or tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRefName {
    /// Outside the two namespaces.
    #[error("`{0}` is neither a branch nor a tag: push to refs/heads/… or refs/tags/…")]
    Namespace(String),
    /// Git would refuse it too.
    #[error("`{0}` is not a valid ref name")]
    Format(String),
}

const HEADS: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";

/// Longest accepted name in bytes: git stores a ref as a file, whose name ends at 255.
const LONGEST: usize = 250;

impl RefName {
    /// The branch of this short name.
    ///
    /// # Errors
    ///
    /// When the name is not a valid ref name.
    pub fn branch(short: &str) -> Result<Self, BadRefName> {
        format!("{HEADS}{short}").parse()
    }

    /// The full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its namespace, as git prints it.
    pub fn short(&self) -> &str {
        self.0.strip_prefix(HEADS).or_else(|| self.0.strip_prefix(TAGS)).unwrap_or(&self.0)
    }

    /// Whether it is a branch or a tag.
    pub fn kind(&self) -> RefKind {
        if self.0.starts_with(HEADS) { RefKind::Branch } else { RefKind::Tag }
    }
}

/// The rules of git-check-ref-format(1) for one full name; and it is shown to people, so nothing in
/// it may repaint a terminal, nor stand for bytes that are no text.
fn well_formed(name: &str) -> bool {
    let forbidden = |c: char| is_unsafe(c) || " ~^:?*[\\\u{fffd}".contains(c);
    name.len() <= LONGEST
        && !name.contains(forbidden)
        && !name.contains("..")
        && !name.contains("@{")
        && !name.ends_with('.')
        && name.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.starts_with('-')
                && !part.ends_with(".lock")
        })
}

impl FromStr for RefName {
    type Err = BadRefName;

    fn from_str(text: &str) -> Result<Self, BadRefName> {
        let shown = || text.chars().take(LONGEST).filter(|c| !is_unsafe(*c)).collect();
        if !text.starts_with(HEADS) && !text.starts_with(TAGS) {
            return Err(BadRefName::Namespace(shown()));
        }
        if !well_formed(text) {
            return Err(BadRefName::Format(shown()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for RefName {
    type Error = BadRefName;

    fn try_from(text: String) -> Result<Self, BadRefName> {
        text.parse()
    }
}

impl From<RefName> for String {
    fn from(name: RefName) -> Self {
        name.0
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_and_tags_know_what_they_are() {
        let branch: RefName = "refs/heads/feature/cart".parse().unwrap();
        assert_eq!((branch.kind(), branch.short()), (RefKind::Branch, "feature/cart"));
        let tag: RefName = "refs/tags/v1".parse().unwrap();
        assert_eq!((tag.kind(), tag.short()), (RefKind::Tag, "v1"));
    }

    #[test]
    fn what_git_refuses_or_what_could_be_an_option_is_refused() {
        for text in [
            "refs/heads/",
            "refs/heads/a..b",
            "refs/heads/-x",
            "refs/heads/a/-x",
            "refs/heads/a b",
            "refs/heads/a.lock",
            "refs/heads/.a",
            "refs/heads/a\u{7}",
            "refs/heads/a\u{9b}31m",
            "refs/heads/a\u{202e}b",
            "refs/heads/a\u{fffd}",
            "refs/heads/a@{1}",
            "refs/heads/a.",
            "refs/heads//a",
            "refs/remotes/origin/a",
            "refs/pierhead/jobs/1",
            "HEAD",
            "main",
            "refs/heads/../../etc/passwd",
        ] {
            assert!(text.parse::<RefName>().is_err(), "{text:?}");
        }
    }
}
