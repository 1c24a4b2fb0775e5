//! The secrets of a job: what is hidden, and under which names.

use std::fmt;

use crate::domain::history::truncate;
use crate::domain::output::is_unsafe;
use crate::domain::redact::refusal::{MOST, Unhidable, check};

/// Longest name that stands in place of a value, in bytes.
const LONGEST_NAME: usize = 80;

/// Names and values, all of which can be hidden.
#[derive(Clone, Default)]
pub struct Secrets {
    values: Vec<(String, Vec<u8>)>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl Secrets {
    /// Adds one. Of several with the same value the first gives the name.
    ///
    /// # Errors
    ///
    /// When hiding the value would hide ordinary text, or there are too many.
    pub fn add(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), Unhidable> {
        let value = value.as_ref();
        if self.values.len() >= MOST {
            return Err(Unhidable::TooMany);
        }
        check(&String::from_utf8_lossy(value))?;
        let mut name: String = name.chars().filter(|c| !is_unsafe(*c)).collect();
        truncate(&mut name, LONGEST_NAME);
        self.values.push((name, value.to_owned()));
        Ok(())
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}
