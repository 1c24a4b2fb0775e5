//! Launch variables: values a person gives to one deployment.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::redact::{self, Unhidable};

/// Longest value in bytes.
pub const LONGEST_VALUE: usize = 32 * 1024;

/// Variables by name, valid by construction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Variables(BTreeMap<String, String>);

/// Why a variable is refused. The value is never part of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadVariable {
    /// Not `[A-Za-z][A-Za-z0-9_]*`.
    #[error("`{0}` is not a variable name: use letters, digits and `_`, a letter first")]
    Name(String),
    /// The name belongs to Pierhead.
    #[error("`{0}` is set by Pierhead: names beginning with JOB_ cannot be given")]
    Reserved(String),
    /// Given more than once.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// Over 32 KiB.
    #[error("the value of `{0}` is longer than 32 KiB")]
    TooLong(String),
    /// A secret that would be found in ordinary output.
    #[error("`{name}` is secret: {source}")]
    Unhidable {
        /// The name.
        name: String,
        /// Why.
        source: Unhidable,
    },
    /// Nothing that a program could be given.
    #[error("the value of `{0}` is no text")]
    NotText(String),
}

/// Checks the name and the value of one variable.
///
/// # Errors
///
/// When the name is malformed or reserved, or the value is over 32 KiB or holds a NUL.
pub fn check(name: &str, value: &str) -> Result<(), BadVariable> {
    let shown = || name.chars().take(80).filter(|c| !c.is_control()).collect();
    let well_formed = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !well_formed {
        return Err(BadVariable::Name(shown()));
    }
    if name.starts_with("JOB_") {
        return Err(BadVariable::Reserved(shown()));
    }
    if value.len() > LONGEST_VALUE {
        return Err(BadVariable::TooLong(shown()));
    }
    if value.contains('\0') {
        return Err(BadVariable::NotText(shown()));
    }
    Ok(())
}

/// Checks the value of a secret, on top of [`check`].
///
/// # Errors
///
/// When hiding it in output would hide ordinary words too.
pub fn check_secret(name: &str, value: &str) -> Result<(), BadVariable> {
    redact::check(value).map_err(|source| BadVariable::Unhidable { name: name.to_owned(), source })
}

impl Variables {
    /// Variables that were checked before they were stored.
    pub(in crate::domain) const fn stored(variables: BTreeMap<String, String>) -> Self {
        Self(variables)
    }

    /// Adds one variable.
    ///
    /// # Errors
    ///
    /// When it is none, by [`check`], or one of this name is there.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), BadVariable> {
        check(name, value)?;
        if self.0.contains_key(name) {
            return Err(BadVariable::Twice(name.to_owned()));
        }
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Checks names and values that did not come in one by one; a name of ours does no harm.
    ///
    /// # Errors
    ///
    /// When a name is malformed or a value is over 32 KiB.
    pub fn checked(self) -> Result<Self, BadVariable> {
        let mut checked = Self::default();
        for (name, value) in self.iter() {
            match checked.add(name, value) {
                Ok(()) | Err(BadVariable::Reserved(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self)
    }

    /// Adds others, which win.
    pub fn overlay(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Names and values, in order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// SHA-256 of names and values, in hexadecimal: equal for equal variables.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for (name, value) in &self.0 {
            // Lengths keep ("ab", "c") and ("a", "bc") apart.
            hash.update(format!("{}:{name}{}:{value}", name.len(), value.len()));
        }
        hash.finalize().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String does not fail");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let mut variables = Variables::default();
        for (name, value) in pairs {
            variables.add(name, value).unwrap();
        }
        variables
    }

    #[test]
    fn the_hash_depends_on_every_name_and_value() {
        let base = variables(&[("AB", "C")]);
        assert_eq!(base.hash(), variables(&[("AB", "C")]).hash());
        assert_ne!(base.hash(), variables(&[("A", "BC")]).hash());
        assert_ne!(base.hash(), Variables::default().hash());
    }

    #[test]
    fn reserved_malformed_repeated_and_long_ones_are_refused() {
        let mut variables = variables(&[("A", "1")]);
        assert_eq!(variables.add("A", "2"), Err(BadVariable::Twice("A".into())));
        assert_eq!(variables.add("JOB_ID", "2"), Err(BadVariable::Reserved("JOB_ID".into())));
        assert_eq!(variables.add("1A", "2"), Err(BadVariable::Name("1A".into())));
        assert_eq!(variables.add("", "2"), Err(BadVariable::Name(String::new())));
        let long = "x".repeat(LONGEST_VALUE + 1);
        assert_eq!(variables.add("B", &long), Err(BadVariable::TooLong("B".into())));
    }

    #[test]
    fn others_win_and_names_of_ours_are_passed_over() {
        let mut base = variables(&[("A", "1"), ("B", "2")]);
        base.overlay(variables(&[("B", "3")]));
        assert_eq!(base, variables(&[("A", "1"), ("B", "3")]));
        let read = |name: &str| Variables(BTreeMap::from([(name.to_owned(), String::new())]));
        assert_eq!(read("JOB_ENV_TAG").checked(), Ok(read("JOB_ENV_TAG")));
        assert_eq!(read("1A").checked(), Err(BadVariable::Name("1A".into())));
    }
}
