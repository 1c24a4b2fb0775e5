//! Secrets made ready to be found fast.
//!
//! Every pattern has a beginning of six characters. A stream is looked through with the last six
//! characters that were seen of it in a register: a table of bits says of nearly all of them that
//! they begin nothing, a map knows the rest.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::domain::redact::forms::{Form, forms};
use crate::domain::redact::refusal::FEWEST;
use crate::domain::redact::secrets::Secrets;
use crate::domain::redact::view::seen;

/// Length of beginnings.
pub(super) const BEGINNING: usize = FEWEST;

/// Fewest characters by which a part of a longer pattern is told: the beginning of a secret that
/// was cut off, or what one line has of its base64.
pub(super) const PART: usize = 32;

/// Most places of one pattern at which a part of it may begin.
const MOST_PARTS: usize = 128;

/// Most places of one pattern that begin with the same characters.
const MOST_ALIKE: usize = 4;

/// Table entries: the byte as it is seen, and these.
pub(super) const IS_SEEN: u16 = 1 << 8;
pub(super) const IS_SPECIAL: u16 = 1 << 9;

/// Bits of the table for each beginning, and its size as powers of two.
const BITS_EACH: usize = 64;
const SIZES: (u32, u32) = (16, 24);

/// What is seen of one form of a secret.
pub(super) struct Pattern {
    pub(super) bytes: Vec<u8>,
    /// Which secret it is a form of.
    pub(super) secret: usize,
}

/// A place in a pattern.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) pattern: usize,
    pub(super) offset: usize,
}

/// All patterns of a job's secrets.
#[derive(Default)]
pub(super) struct Patterns {
    names: Vec<String>,
    patterns: Vec<Pattern>,
    beginnings: HashMap<u64, Vec<Place>>,
    /// What one to five characters begin a beginning.
    prefixes: HashSet<u64>,
    bits: Vec<u64>,
    shift: u32,
    /// How each byte is seen, plainly.
    pub(super) bytes: Vec<u16>,
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patterns").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Patterns {
    pub(super) fn new(secrets: &Secrets) -> Self {
        let mut known = HashSet::new();
        let mut built = Self { bytes: (0..=u8::MAX).map(as_seen).collect(), ..Self::default() };
        for (secret, (name, value)) in secrets.iter().enumerate() {
            built.names.push(name.to_owned());
            for form in forms(value) {
                if known.insert(form.bytes().to_owned()) {
                    built.add(form, secret);
                }
            }
        }
        built.make_table();
        built
    }

    fn add(&mut self, form: Form, secret: usize) {
        let index = self.patterns.len();
        let length = form.bytes().len();
        let last = match form {
            Form::Text(_) => 0,
            Form::Base64(_) => length.saturating_sub(PART),
        };
        let bytes = form.into_bytes();
        for offset in (0..=last).step_by(PART.max(length.div_ceil(MOST_PARTS))) {
            let Some(beginning) = bytes.get(offset..offset + BEGINNING) else { break };
            let mut window = 0;
            for (count, byte) in (1..).zip(beginning) {
                window = window << 8 | u64::from(*byte);
                if count < BEGINNING {
                    self.prefixes.insert(prefix(window, count));
                }
            }
            let places = self.beginnings.entry(window).or_default();
            // Parts that begin like others, such as a key's zeros, are told by those behind them.
            if places.iter().filter(|place| place.pattern == index).count() < MOST_ALIKE {
                places.push(Place { pattern: index, offset });
            }
        }
        self.patterns.push(Pattern { bytes, secret });
    }

    fn make_table(&mut self) {
        let wanted = (self.beginnings.len() * BITS_EACH).max(1).ilog2() + 1;
        let size = wanted.clamp(SIZES.0, SIZES.1);
        self.shift = u64::BITS - size;
        self.bits = vec![0; 1 << (size - u64::BITS.ilog2())];
        for window in self.beginnings.keys() {
            let (word, bit) = place_of(*window, self.shift);
            if let Some(word) = self.bits.get_mut(word) {
                *word |= 1 << bit;
            }
        }
    }

    /// Whether there is nothing to find.
    pub(super) const fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the last six characters may be the beginning of something; seldom wrong.
    #[inline]
    pub(super) fn may_begin(&self, window: u64) -> bool {
        let (word, bit) = place_of(window, self.shift);
        self.bits.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    /// What begins with these six characters.
    pub(super) fn begun(&self, window: u64) -> &[Place] {
        self.beginnings.get(&six(window)).map_or(&[], Vec::as_slice)
    }

    /// Whether the last characters, fewer than six, are the beginning of a beginning.
    pub(super) fn is_prefix(&self, window: u64, count: usize) -> bool {
        self.prefixes.contains(&prefix(window, count))
    }

    pub(super) fn pattern(&self, index: usize) -> Option<&Pattern> {
        self.patterns.get(index)
    }

    /// What stands in the place of a secret.
    pub(super) fn mark(&self, secret: usize) -> String {
        format!("[secret {}]", self.names.get(secret).map_or("", String::as_str))
    }
}

fn as_seen(byte: u8) -> u16 {
    let special = if matches!(byte, 0x1b | b'%' | b'\\') { IS_SPECIAL } else { 0 };
    special | seen(byte).map_or(0, |byte| IS_SEEN | u16::from(byte))
}

/// The last six characters of a window.
const fn six(window: u64) -> u64 {
    window & (u64::MAX >> 16)
}

/// A few characters and how many they are, which keeps "a" and a zero before it apart.
fn prefix(window: u64, count: usize) -> u64 {
    let count = u64::try_from(count).unwrap_or_default();
    window & !(u64::MAX << (8 * count)) | count << 56
}

/// The word and the bit of a window in the table. Multiplied, the window's bits are mixed.
#[inline]
fn place_of(window: u64, shift: u32) -> (usize, u64) {
    let hash = (window << 16).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> shift;
    (usize::try_from(hash >> 6).unwrap_or_default(), hash & 63)
}
