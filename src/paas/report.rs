//! Where phases leave the faults they find.

use std::fmt;

use crate::domain::nearest::nearest;
use crate::paas::context::Context;
use crate::paas::fault::{Branch, Code, Fault, Severity};
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
    /// Whether warnings are faults.
    strict: bool,
    /// Conditions so far.
    pub(super) branches: Vec<Branch>,
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
    /// None yet; a strict context makes faults of warnings.
    pub(super) fn new(context: &Context) -> Self {
        Self { strict: context.strict, ..Self::default() }
    }

    /// Takes a fault; what it stands at is poisoned.
    pub(super) fn add(&mut self, fault: Fault) -> Poisoned {
        match fault.code.severity() {
            Severity::Error => self.errors.add(fault),
            Severity::Warning if !self.strict => self.warnings.add(fault),
            Severity::Warning => self.errors.add(fault),
        }
        Poisoned
    }

    /// Whether the next fault is only counted, so that nobody will see its hint.
    pub(super) fn only_counts(&self) -> bool {
        self.errors.faults.len() >= MOST_KEPT
    }

    /// A hint at the word that was probably meant; none once the search took too much work.
    pub(super) fn did_you_mean<'a>(
        &mut self,
        written: &str,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        let meant = self.meant(written, words)?;
        Some(format!("did you mean \"{}\"?", shown(meant)))
    }

    /// The word that was probably meant; none once the search took too much work.
    pub(super) fn meant<'a>(
        &mut self,
        written: &str,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        if self.only_counts() || self.compared >= MOST_COMPARED {
            return None;
        }
        let is_short = |word: &&str| word.len() <= 2 * LONGEST_SLIP;
        let affordable = words.into_iter().take_while(|word| {
            self.compared += if is_short(word) { 1 + written.len() * word.len() } else { 1 };
            self.compared < MOST_COMPARED
        });
        slip(written, affordable.filter(is_short))
    }

    /// Ends a phase that lets no other follow its faults.
    pub(super) fn stop_on_errors(&self) -> Result<(), Poisoned> {
        if self.errors.faults.is_empty() { Ok(()) } else { Err(Poisoned) }
    }
}

/// The word that was probably meant.
fn slip<'a>(written: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
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
        if is_plain(key) {
            // Every value of a file has its path, so that this is worth a shorter way.
            return Self([&self.0, dot, key].concat());
        }
        Self([&self.0, dot, &shown(key)].concat())
    }

    /// Whether it leads to the values of secrets.
    pub(super) fn is_secret(&self) -> bool {
        self.0 == "secrets" || self.0.starts_with("secrets.")
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
    if is_plain(text) {
        return text.to_owned();
    }
    let mut chars = text.chars().map(visible);
    let mut shown: String = chars.by_ref().take(LONGEST_QUOTE).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a text is quoted as it stands.
fn is_plain(text: &str) -> bool {
    text.len() <= LONGEST_QUOTE && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
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
