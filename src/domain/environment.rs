//! Names of environments.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Name of one place a project is deployed to, such as `production`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvironmentName(String);

/// Why a text is no name of an environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an environment: use 1 to 63 letters, digits and `-`, a letter first")]
pub struct BadEnvironmentName(String);

impl EnvironmentName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnvironmentName {
    type Err = BadEnvironmentName;

    fn from_str(text: &str) -> Result<Self, BadEnvironmentName> {
        let fits = (1..=63).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        fits.then(|| Self(text.to_owned())).ok_or_else(|| {
            BadEnvironmentName(text.chars().take(80).filter(|c| !c.is_control()).collect())
        })
    }
}

impl TryFrom<String> for EnvironmentName {
    type Error = BadEnvironmentName;

    fn try_from(text: String) -> Result<Self, BadEnvironmentName> {
        text.parse()
    }
}

impl From<EnvironmentName> for String {
    fn from(name: EnvironmentName) -> Self {
        name.0
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_with_a_letter_and_has_no_blanks() {
        assert!("Production-EU2".parse::<EnvironmentName>().is_ok());
        for text in ["", "2eu", "-eu", "a_b", "a b", "é"] {
            assert!(text.parse::<EnvironmentName>().is_err(), "{text:?}");
        }
    }
}
