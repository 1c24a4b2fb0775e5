//! Names as they stand in URLs and commands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is no slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name: use 1 to 63 of a-z, 0-9 and `-`, beginning with a letter or a digit")]
pub struct BadSlug(String);

/// Checks `[a-z0-9][a-z0-9-]{0,62}`.
fn checked(text: &str) -> Result<String, BadSlug> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let fits =
        (1..=63).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-');
    fits.then(|| text.to_owned())
        .ok_or_else(|| BadSlug(text.chars().take(80).filter(|c| !c.is_control()).collect()))
}

macro_rules! slugs {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadSlug;

            fn from_str(text: &str) -> Result<Self, BadSlug> {
                checked(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadSlug;

            fn try_from(text: String) -> Result<Self, BadSlug> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

slugs! {
    /// Name of an account as it stands in a push URL.
    AccountSlug
    /// Name of a project as it stands in a push URL, unique within its account.
    ProjectSlug
}

/// How people name a project: `account/project`, or `project` alone.
///
/// The short form is accepted where only one account that the user sees has such a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectName {
    /// The account, when it was given.
    pub account: Option<AccountSlug>,
    /// The project.
    pub project: ProjectSlug,
}

impl FromStr for ProjectName {
    type Err = BadSlug;

    fn from_str(text: &str) -> Result<Self, BadSlug> {
        Ok(match text.split_once('/') {
            Some((account, project)) => {
                Self { account: Some(account.parse()?), project: project.parse()? }
            }
            None => Self { account: None, project: text.parse()? },
        })
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.account {
            Some(account) => write!(f, "{account}/{}", self.project),
            None => self.project.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_projects_parse_with_and_without_account() {
        let name: ProjectName = "acme/shop-2".parse().unwrap();
        assert_eq!(name.to_string(), "acme/shop-2");
        assert_eq!("shop".parse::<ProjectName>().unwrap().account, None);
    }

    #[test]
    fn what_could_leave_a_folder_or_become_an_option_is_no_name() {
        let long = "a".repeat(64);
        for text in ["", "-shop", "..", "a/../b", "Shop", "shop\0", "a/b/c", "a b", "é", &long] {
            assert!(text.parse::<ProjectName>().is_err(), "{text:?}");
        }
    }
}
