//! What output goes through.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::domain::redact::patterns::Patterns;
use crate::domain::redact::scan::Scan;
use crate::domain::redact::secrets::Secrets;
use crate::domain::redact::view::Tail;

/// What ends a text of which the rest was cut off.
const CUT: &str = "…";

/// What may follow it.
const COLOURS_END: &str = "\u{1b}[0m";

/// Hides the secrets of a job; clones share what was prepared.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    patterns: Arc<Patterns>,
}

impl Redactor {
    /// Prepares to hide secrets.
    pub fn new(secrets: &Secrets) -> Self {
        Self { patterns: Arc::new(Patterns::new(secrets)) }
    }

    /// A filter for one stream.
    pub fn filter(&self) -> Filter {
        Filter { patterns: self.patterns.clone(), held: Vec::new(), shown: Shown::default() }
    }

    /// Hides what is in a whole text. Of one that ends with `…`, the beginning of a secret at the
    /// cut is hidden too.
    pub fn text(&self, text: &str) -> String {
        if self.patterns.is_empty() {
            return text.to_owned();
        }
        let body = text.strip_suffix(COLOURS_END).unwrap_or(text);
        let (body, tail) = match body.strip_suffix(CUT) {
            Some(body) => (body, Tail::Cut),
            None => (text, Tail::Closed),
        };
        let rest = text.get(body.len()..).unwrap_or_default();
        let mut out = Vec::new();
        pass(&self.patterns, (body.as_bytes(), Shown::default()), tail, &mut out);
        out.extend_from_slice(rest.as_bytes());
        // Where a secret was told by a part of it, that may have ended within a character.
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// One stream on its way to people.
///
/// It holds back what may be the beginning of a secret, until more has come, and nothing else.
pub struct Filter {
    patterns: Arc<Patterns>,
    /// What is not decided yet.
    pub(super) held: Vec<u8>,
    /// How much of it was shown all the same.
    shown: Shown,
}

/// What was shown of a text that is not decided yet.
#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    /// Bytes from its beginning.
    bytes: usize,
    /// The secret whose name stands for the last of them.
    secret: Option<usize>,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("patterns", &self.patterns).finish_non_exhaustive()
    }
}

impl Filter {
    /// Takes a chunk, and gives what may be shown by now.
    pub fn push<'a>(&mut self, chunk: &'a [u8]) -> Cow<'a, [u8]> {
        if self.patterns.is_empty() {
            return Cow::Borrowed(chunk);
        }
        let mut out = Vec::new();
        if self.held.is_empty() {
            let text = (chunk, Shown::default());
            let (decided, shown) = pass(&self.patterns, text, Tail::Open, &mut out);
            self.held.extend_from_slice(chunk.get(decided..).unwrap_or_default());
            self.shown = shown;
        } else {
            self.held.extend_from_slice(chunk);
            let text = (self.held.as_slice(), self.shown);
            let (decided, shown) = pass(&self.patterns, text, Tail::Open, &mut out);
            self.held.drain(..decided);
            self.shown = shown;
        }
        Cow::Owned(out)
    }

    /// Gives what was held back, once nothing more comes.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        pass(&self.patterns, (&self.held, self.shown), Tail::Closed, &mut out);
        self.held.clear();
        self.shown = Shown::default();
        out
    }
}

/// Writes what may be shown of a text whose first bytes were shown before. Says up to where it is
/// decided, and how much behind that was shown.
fn pass(
    patterns: &Patterns,
    (text, shown): (&[u8], Shown),
    tail: Tail,
    out: &mut Vec<u8>,
) -> (usize, Shown) {
    let scan = Scan::of(patterns, text, tail);
    let Shown { bytes: mut at, secret: mut last } = shown;
    for found in &scan.found {
        // What stands before the break of a line may have been shown already: it always is.
        let start = scan.behind_few(found.start);
        if found.end <= at {
            continue;
        }
        out.extend_from_slice(text.get(at..start).unwrap_or_default());
        // Parts of one secret that overlap are one.
        if start >= at || last != Some(found.secret) {
            out.extend_from_slice(patterns.mark(found.secret).as_bytes());
        }
        (at, last) = (found.end, Some(found.secret));
    }
    let behind = scan.behind_few(scan.decided).max(scan.decided).max(at);
    out.extend_from_slice(text.get(at..behind).unwrap_or_default());
    let secret = last.filter(|_| behind == at);
    (scan.decided, Shown { bytes: behind - scan.decided, secret })
}
