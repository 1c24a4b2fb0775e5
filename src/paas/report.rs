//! Where phases leave the faults they find.

use std::fmt;

use crate::domain::nearest::nearest;
use crate::paas::fault::{Code, Fault, Severity};
use crate::paas::node::Place;

/// Longest text of the file that a fault quotes, in characters.
const LONGEST_QUOTE: usize = 60;

/// Longest word for which a similar one is searched, in bytes.
const LONGEST_SLIP: usize = 64;

/// Faults after which no similar words are searched: nobody reads that far.
const MOST_SEARCHES: usize = 100;

/// A fault was reported where this value was due, so there is nothing more to say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Poisoned;

/// Faults and warnings so far.
#[derive(Debug, Default)]
pub(super) struct Reports {
    pub(super) errors: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
}

impl Reports {
    /// Takes a fault; what it stands at is poisoned.
    pub(super) fn add(&mut self, fault: Fault) -> Poisoned {
        match fault.code.severity() {
            Severity::Error => self.errors.push(fault),
            Severity::Warning => self.warnings.push(fault),
        }
        Poisoned
    }

    /// A hint at the word that was probably meant.
    pub(super) fn did_you_mean<'a>(
        &self,
        written: &str,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        let is_worth_it = self.errors.len() + self.warnings.len() < MOST_SEARCHES;
        let meant = if is_worth_it { slip(written, words) } else { None };
        meant.map(|word| format!("did you mean \"{}\"?", shown(word)))
    }

    /// Ends a phase that lets no other follow its faults.
    pub(super) fn stop_on_errors(&self) -> Result<(), Poisoned> {
        if self.errors.is_empty() { Ok(()) } else { Err(Poisoned) }
    }
}

/// The word that was probably meant.
pub(super) fn slip<'a>(written: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > LONGEST_SLIP { None } else { nearest(written, words) }
}

impl Fault {
    pub(super) fn new(code: Code, path: &Path, place: Place, message: impl Into<String>) -> Self {
        let Place { line, column, length } = place;
        let (path, message) = (path.0.clone(), message.into());
        Self { code, path, message, hint: None, line, column, length }
    }

    pub(super) fn hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

/// Where something is in the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Path(String);

impl Path {
    /// The value of a key.
    pub(super) fn key(&self, key: &str) -> Self {
        let dot = if self.0.is_empty() { "" } else { "." };
        Self(format!("{}{dot}{}", self.0, shown(key)))
    }

    /// An item of a list, counted from 0.
    pub(super) fn item(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Text of the file as a message quotes it: short, on one line, without anything invisible.
pub(super) fn shown(text: &str) -> String {
    let mut chars = text.chars().map(visible);
    let mut shown: String = chars.by_ref().take(LONGEST_QUOTE).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// The character, or a stand-in for one that would be invisible or turn the line around.
pub(super) fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}
