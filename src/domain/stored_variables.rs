//! Variables as rows hold them: what is secret is sealed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::sealed::Sealed;
use crate::domain::variables::Variables;
use crate::domain::words::words;

words! {
    /// Whose a variable is.
    Origin, "origin (project, environment, launch)" {
        /// Every environment of a project has it.
        Project = "project",
        /// One environment has it.
        Environment = "environment",
        /// It was given to one deployment.
        Launch = "launch",
    }
}

/// A value as a row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StoredValue {
    /// Anybody who reads the row may read it.
    Plain(String),
    /// It opens to workers only.
    Secret(Box<SecretValue>),
}

impl StoredValue {
    /// The value on one line, without anything that a terminal would obey; of a secret, that it is one.
    pub fn shown(&self) -> String {
        let Self::Plain(text) = self else { return "(secret)".to_owned() };
        let mut line = String::new();
        for c in text.chars() {
            if c.is_control() {
                line.extend(c.escape_default());
            } else {
                line.push(c);
            }
        }
        line
    }

    /// The value that people may read; `None` of a secret.
    pub fn readable(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Secret(_) => None,
        }
    }

    /// About how many bytes the value has.
    pub fn size(&self) -> usize {
        match self {
            Self::Plain(text) => text.len(),
            // Four characters of base64 are three bytes.
            Self::Secret(secret) => secret.sealed.body.len() / 4 * 3,
        }
    }
}

/// A sealed value, and whose it was when it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretValue {
    /// Fixes the place at which it opens.
    pub origin: Origin,
    /// The value.
    pub sealed: Sealed,
}

/// Variables by name, valid when they were stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredVariables(BTreeMap<String, StoredValue>);

impl StoredVariables {
    /// Adds a variable, or replaces the one of this name.
    pub fn set(&mut self, name: String, value: StoredValue) {
        self.0.insert(name, value);
    }

    /// Adds others, which win.
    pub fn overlay(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values, in order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &StoredValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Names and sealed values, in order of names.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &SecretValue)> {
        self.iter().filter_map(|(name, value)| match value {
            StoredValue::Plain(_) => None,
            StoredValue::Secret(secret) => Some((name, secret.as_ref())),
        })
    }

    /// Whether the variable of this name is there, and secret.
    pub fn is_secret(&self, name: &str) -> bool {
        self.secrets().any(|(secret, _)| secret == name)
    }

    /// What is no secret.
    pub fn plain(&self) -> Variables {
        let plain = self.iter().filter_map(|(name, value)| match value {
            StoredValue::Plain(text) => Some((name.to_owned(), text.clone())),
            StoredValue::Secret(_) => None,
        });
        Variables::stored(plain.collect())
    }

    /// All of them; each secret is `[secret NAME]`.
    pub fn with_placeholders(&self) -> Variables {
        let named = self.0.iter().map(|(name, value)| {
            let text = match value {
                StoredValue::Plain(text) => text.clone(),
                StoredValue::Secret(_) => format!("[secret {name}]"),
            };
            (name.clone(), text)
        });
        Variables::stored(named.collect())
    }

    /// All of them, by somebody who opens secrets.
    ///
    /// # Errors
    ///
    /// When one does not open.
    pub fn opened<E>(
        &self,
        mut open: impl FnMut(&str, &SecretValue) -> Result<String, E>,
    ) -> Result<Variables, E> {
        let value = |(name, value): (&String, &StoredValue)| {
            let text = match value {
                StoredValue::Plain(text) => text.clone(),
                StoredValue::Secret(secret) => open(name, secret)?,
            };
            Ok((name.clone(), text))
        };
        let opened: Result<BTreeMap<_, _>, E> = self.0.iter().map(value).collect();
        Ok(Variables::stored(opened?))
    }

    /// The same variables with secrets that were sealed anew.
    #[must_use]
    pub fn resealed(&self, mut reseal: impl FnMut(&str, &SecretValue) -> Sealed) -> Self {
        let mut resealed = self.clone();
        for (name, secret) in self.secrets() {
            let secret = SecretValue { origin: secret.origin, sealed: reseal(name, secret) };
            resealed.set(name.to_owned(), StoredValue::Secret(Box::new(secret)));
        }
        resealed
    }

    /// Equal for equal variables, as long as none is secret: nothing can be told of a secret, and
    /// so not that it is the same as another.
    pub fn hash(&self) -> String {
        let text = |value: &StoredValue| match value {
            StoredValue::Plain(text) => text.clone(),
            StoredValue::Secret(secret) => secret.sealed.body.clone(),
        };
        let all = self.0.iter().map(|(name, value)| (name.clone(), text(value)));
        Variables::stored(all.collect()).hash()
    }
}

impl From<&Variables> for StoredVariables {
    fn from(variables: &Variables) -> Self {
        let plain =
            |(name, text): (&str, &str)| (name.to_owned(), StoredValue::Plain(text.to_owned()));
        Self(variables.iter().map(plain).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(body: &str) -> StoredValue {
        let text = |text: &str| text.to_owned();
        let (alg, kid, key, iv) = (text("alg"), text("kid"), text("key"), text("iv"));
        let sealed = Sealed { v: 1, alg, kid, key, iv, body: body.to_owned() };
        StoredValue::Secret(Box::new(SecretValue { origin: Origin::Project, sealed }))
    }

    fn variables() -> StoredVariables {
        let mut variables = StoredVariables::default();
        variables.set("A".to_owned(), StoredValue::Plain("1".to_owned()));
        variables.set("PW".to_owned(), sealed("x"));
        variables
    }

    fn pairs(variables: &Variables) -> Vec<(&str, &str)> {
        variables.iter().collect()
    }

    #[test]
    fn a_secret_is_shown_by_its_name_or_not_at_all() {
        let variables = variables();
        let placeholders = variables.with_placeholders();
        assert_eq!(pairs(&placeholders), [("A", "1"), ("PW", "[secret PW]")]);
        assert_eq!(pairs(&variables.plain()), [("A", "1")]);
        assert!(variables.is_secret("PW") && !variables.is_secret("A"));
    }

    #[test]
    fn others_win_whether_they_are_secret_or_not() {
        let mut launch = StoredVariables::default();
        launch.set("A".to_owned(), sealed("y"));
        launch.set("PW".to_owned(), StoredValue::Plain("open".to_owned()));
        let mut all = variables();
        all.overlay(launch);
        assert!(all.is_secret("A") && !all.is_secret("PW"));
    }

    #[test]
    fn rows_hold_plain_values_as_text_and_come_back_the_same() {
        let stored = serde_json::to_value(variables()).unwrap();
        assert_eq!(stored["A"], "1");
        assert_eq!(stored["PW"]["origin"], "project");
        assert_eq!(serde_json::from_value::<StoredVariables>(stored).unwrap(), variables());
    }

    #[test]
    fn the_hash_of_plain_variables_is_theirs() {
        let plain = variables().plain();
        assert_eq!(StoredVariables::from(&plain).hash(), plain.hash());
        let mut other = variables();
        other.set("PW".to_owned(), sealed("y"));
        assert_ne!(variables().hash(), other.hash());
    }
}
