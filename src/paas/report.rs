//! Where phases leave the faults they find.

use std::fmt;

use crate::domain::nearest::nearest;
use crate::paas::fault::{Code, Fault, Severity};
use crate::paas::node::Place;

/// Longest text of the file that a fault quotes, in characters.
const LONGEST_QUOTE: usize = 60;

/// Longest word for which a similar one is searched, in bytes.
const LONGEST_SLIP: usize = 128;

/// Most work that goes into the search for similar words, in pairs of characters that are compared:
/// a file may have many faults and many names, and a push waits for the answer.
const MOST_COMPARED: usize = 10_000_000;

/// Most faults, and most warnings, that are kept; of the others only the number is.
const MOST_KEPT: usize = 1_000;

/// A fault was reported where this value was due, so there is nothing more to say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Poisoned;

/// Faults and warnings so far.
#[derive(Debug, Default)]
pub(super) struct Reports {
    pub(super) errors: Kept,
    pub(super) warnings: Kept,
    /// Pairs of characters that were compared.
    compared: usize,
}

/// Faults of one severity.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The first that were found.
    pub(super) faults: Vec<Fault>,
    /// How many were found after them.
    pub(super) left_out: usize,
}

impl Kept {
    fn add(&mut self, fault: Fault) {
        if self.faults.len() < MOST_KEPT {
            self.faults.push(fault);
        } else {
            self.left_out += 1;
        }
    }
}

impl Reports {
    /// Takes a fault; what it stands at is poisoned.
    pub(super) fn add(&mut self, fault: Fault) -> Poisoned {
        match fault.code.severity() {
            Severity::Error => self.errors.add(fault),
            Severity::Warning => self.warnings.add(fault),
        }
        Poisoned
    }

    /// A hint at the word that was probably meant; none once the search took too much work.
    pub(super) fn did_you_mean<'a>(
        &mut self,
        written: &str,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        if self.compared >= MOST_COMPARED {
            return None;
        }
        let is_short = |word: &&str| word.len() <= 2 * LONGEST_SLIP;
        let affordable = words.into_iter().take_while(|word| {
            self.compared += if is_short(word) { 1 + written.len() * word.len() } else { 1 };
            self.compared < MOST_COMPARED
        });
        let meant = slip(written, affordable.filter(is_short))?;
        Some(format!("did you mean \"{}\"?", shown(meant)))
    }

    /// Ends a phase that lets no other follow its faults.
    pub(super) fn stop_on_errors(&self) -> Result<(), Poisoned> {
        if self.errors.faults.is_empty() { Ok(()) } else { Err(Poisoned) }
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
