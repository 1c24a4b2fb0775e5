//! Bytes of foreign programs made into lines that are safe to show.
//!
//! A build's output is written by whoever pushed: it may hold escape sequences that repaint a
//! terminal, lines without end, no lines at all, or secrets of the job. [`Lines`] hides these and
//! cuts the stream, [`clean`] takes away everything but text and colours, and [`Excerpt`] bounds
//! what is kept.

use std::collections::VecDeque;

use crate::domain::history::{LONGEST_TEXT, truncate};
use crate::domain::redact::{Filter, Redactor};

/// Longest line kept whole while it arrives, in bytes; the rest of it is dropped.
const LONGEST_LINE: usize = 4 * LONGEST_TEXT;

/// Cuts a stream of chunks into lines, without the secrets in it.
#[derive(Debug)]
pub struct Lines {
    filter: Filter,
    pending: Vec<u8>,
}

impl Lines {
    /// For one stream of a program that may know these secrets.
    pub fn new(redactor: &Redactor) -> Self {
        Self { filter: redactor.filter(), pending: Vec::new() }
    }

    /// Takes a chunk and gives the lines that it completes, cleaned.
    ///
    /// A line that may end within a secret comes with the next chunk.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<String> {
        let chunk = self.filter.push(chunk);
        cut(&mut self.pending, &chunk)
    }

    /// What was held back, and the line that was never completed, if there is one.
    pub fn finish(&mut self) -> Vec<String> {
        let rest = self.filter.finish();
        let mut lines = cut(&mut self.pending, &rest);
        if !self.pending.is_empty() {
            lines.push(clean(&self.pending));
        }
        self.pending.clear();
        lines
    }
}

fn cut(pending: &mut Vec<u8>, chunk: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
        let (piece, complete) = match piece.split_last() {
            Some((b'\n', piece)) => (piece, true),
            _ => (piece, false),
        };
        let room = LONGEST_LINE.saturating_sub(pending.len());
        pending.extend(piece.iter().take(room));
        if complete {
            lines.push(clean(pending));
            pending.clear();
        }
    }
    lines
}

/// Makes one line of foreign bytes safe to show: text and SGR colours stay, all else goes.
///
/// Bytes that are no UTF-8 become `U+FFFD`. Of a line that a carriage return overwrites, as
/// progress bars do, the last state stays. The result has at most [`LONGEST_TEXT`] bytes.
pub fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let last_state = text.rsplit('\r').find(|state| !state.is_empty()).unwrap_or_default();
    let mut clean = String::with_capacity(last_state.len());
    let mut rest = last_state;
    while let Some(c) = rest.chars().next() {
        let (kept, after) = match c {
            '\u{1b}' => escape_sequence(rest),
            '\t' => ("    ", skip_one(rest)),
            c if is_unsafe(c) => ("", skip_one(rest)),
            _ => split_at(rest, c.len_utf8()),
        };
        clean.push_str(kept);
        rest = after;
    }
    truncate(&mut clean, LONGEST_TEXT);
    if clean.contains('\u{1b}') && !clean.ends_with("\u{1b}[0m") {
        // The cut may have taken the colour's end; it must not run into the next line.
        clean.push_str("\u{1b}[0m");
    }
    clean
}

/// Control characters, and those that change the direction of what follows them.
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn split_at(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn skip_one(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

/// Splits off an escape sequence: what is kept of it (colours, or nothing), and what follows.
///
/// The forms are those of ECMA-48: CSI, the string sequences (OSC, DCS, SOS, PM, APC) up to their
/// terminator, and the two- and three-character rest.
fn escape_sequence(text: &str) -> (&str, &str) {
    let after_escape = skip_one(text);
    match after_escape.chars().next() {
        Some('[') => {
            let body = skip_one(after_escape);
            let end = body.find(|c: char| ('\u{40}'..='\u{7e}').contains(&c));
            let Some(end) = end else { return ("", "") };
            let (sequence, rest) = split_at(text, 2 + end + 1);
            let parameters = body.get(..end).unwrap_or_default();
            let is_colour = sequence.ends_with('m')
                && parameters.bytes().all(|b| b.is_ascii_digit() || b == b';' || b == b':');
            (if is_colour { sequence } else { "" }, rest)
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let end = after_escape.find(['\u{7}', '\u{1b}', '\u{9c}']);
            let Some(end) = end else { return ("", "") };
            let (_, rest) = split_at(after_escape, end);
            ("", rest.strip_prefix("\u{1b}\\").unwrap_or_else(|| skip_one(rest)))
        }
        Some('\u{20}'..='\u{2f}') => ("", skip_one(skip_one(after_escape))),
        Some(_) => ("", skip_one(after_escape)),
        None => ("", ""),
    }
}

/// Bytes of output kept at each end of a step.
pub const KEPT_AT_EACH_END: usize = 128 * 1024;

/// Bytes that a line takes besides its text: an empty one is a row as well.
const EACH: usize = 64;

/// The first and the last lines of a step's output, and how many are left out between.
#[derive(Debug, Default)]
pub struct Excerpt {
    head_bytes: usize,
    tail: VecDeque<String>,
    tail_bytes: usize,
    left_out: usize,
}

impl Excerpt {
    /// Takes a line and gives it back when it belongs to the first ones.
    pub fn push(&mut self, line: String) -> Option<String> {
        if self.tail.is_empty() && self.head_bytes + line.len() <= KEPT_AT_EACH_END {
            self.head_bytes += line.len() + EACH;
            return Some(line);
        }
        self.tail_bytes += line.len() + EACH;
        self.tail.push_back(line);
        while self.tail_bytes > KEPT_AT_EACH_END {
            let Some(dropped) = self.tail.pop_front() else {
                break;
            };
            self.tail_bytes -= dropped.len() + EACH;
            self.left_out += 1;
        }
        None
    }

    /// The last lines, led by the number of those left out before them.
    pub fn finish(self) -> impl Iterator<Item = String> {
        let note = (self.left_out > 0).then(|| format!("… {} lines left out …", self.left_out));
        note.into_iter().chain(self.tail)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn colours_stay_and_everything_else_goes() {
        assert_eq!(clean(b"\x1b[31mred\x1b[0m"), "\u{1b}[31mred\u{1b}[0m");
        assert_eq!(clean(b"\x1b[31mred"), "\u{1b}[31mred\u{1b}[0m");
        assert_eq!(clean(b"a\x1b[2J\x1b[1;1Hb\x1b]0;title\x07c\x1b(Bd\x1bMe"), "abcde");
        assert_eq!(clean(b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"), "link");
        assert_eq!(clean("a\u{9b}31mb\u{202e}c\u{7}".as_bytes()), "a31mbc");
        assert_eq!(clean(b"\x1b[31"), "");
        assert_eq!(clean(b"\x1b"), "");
    }

    #[test]
    fn of_a_progress_bar_the_last_state_stays() {
        assert_eq!(clean(b"10 %\r 50 %\r100 %\r"), "100 %");
        assert_eq!(clean(b"dos line\r"), "dos line");
    }

    #[test]
    fn an_excerpt_keeps_both_ends_and_counts_the_rest() {
        let mut excerpt = Excerpt::default();
        let line = |n: usize| format!("{n:0>960}");
        let head = (0..1_000).filter_map(|n| excerpt.push(line(n))).count();
        let tail: Vec<_> = excerpt.finish().collect();
        assert_eq!(head, 128);
        assert_eq!(tail.first().unwrap(), "… 744 lines left out …");
        assert_eq!(tail.last().unwrap(), &line(999));
        assert_eq!(head + 744 + tail.len() - 1, 1_000);
    }

    #[test]
    fn empty_lines_are_not_for_nothing() {
        let mut excerpt = Excerpt::default();
        let head = (0..1_000_000).filter_map(|_| excerpt.push(String::new())).count();
        assert!(head + excerpt.finish().count() < 5_000);
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_where_chunks_end(bytes: Vec<u8>, cuts: Vec<prop::sample::Index>) {
            let mut whole = Lines::new(&Redactor::default());
            let mut expected = whole.push(&bytes);
            expected.extend(whole.finish());

            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            ends.sort_unstable();
            let mut lines = Lines::new(&Redactor::default());
            let (mut got, mut start) = (Vec::new(), 0);
            for end in ends {
                got.extend(lines.push(&bytes[start..end]));
                start = end;
            }
            got.extend(lines.push(&bytes[start..]));
            got.extend(lines.finish());
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn nothing_but_colours_comes_through(line in "(\u{1b}|\\[|[0-9;]{0,3}|[a-zA-Z\\]\u{7}\u{9b}])*") {
            let cleaned = clean(line.as_bytes());
            for after in cleaned.split('\u{1b}').skip(1) {
                let body = after.strip_prefix('[').unwrap();
                let end = body.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap();
                prop_assert!(body.split_at(end).1.starts_with('m'));
            }
            let has_other_controls = cleaned.chars().any(|c| c.is_control() && c != '\u{1b}');
            prop_assert!(!has_other_controls);
        }
    }
}
