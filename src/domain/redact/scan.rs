//! One look through a text: where secrets stand, and from where on it is not known yet.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::domain::redact::patterns::{BEGINNING, IS_SEEN, IS_SPECIAL, PART, Patterns, Place};
use crate::domain::redact::view::{Tail, View, read};

/// Most bytes that are not seen between two characters of one secret.
const MOST_BETWEEN: usize = 256;

/// Characters of a secret that may be seen where the rest of it stands on the next line: else
/// nearly every line would wait for the next, because its last letter begins something.
const FEW: usize = 3;

/// Where a secret stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) secret: usize,
}

/// The last characters that were seen, and where they stand.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    last: u64,
    places: [usize; 8],
    count: usize,
}

impl Window {
    #[inline]
    fn push(&mut self, byte: u8, at: usize) {
        self.last = self.last << 8 | u64::from(byte);
        if let Some(place) = self.places.get_mut(self.count & 7) {
            *place = at;
        }
        self.count += 1;
    }

    /// Where the last so many characters begin, if they stand close enough to each other.
    fn start(&self, back: usize) -> Option<usize> {
        let place = |back: usize| {
            let number = self.count.checked_sub(back)?;
            self.places.get(number & 7).copied()
        };
        let close = |back: &usize| match (place(*back), place(back - 1)) {
            (Some(before), Some(after)) => after.saturating_sub(before) <= MOST_BETWEEN,
            _ => false,
        };
        (2..=back).all(|back| close(&back)).then(|| place(back)).flatten()
    }
}

/// Why the fast look stopped.
enum Stop {
    /// At an escape of some kind.
    Special(usize),
    /// Behind something that may begin a secret.
    Beginning(usize),
}

/// A look through a text.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    patterns: &'a Patterns,
    text: &'a [u8],
    tail: Tail,
    /// Secrets that stand there, in order.
    pub(super) found: Vec<Found>,
    /// Up to here nothing depends on what follows.
    pub(super) decided: usize,
    /// Escapes: from the middle of them one would read something else.
    escapes: Vec<(usize, usize)>,
    /// Up to here escapes were decoded.
    decoded: usize,
    /// The pattern compared last in each view, and where it would begin: its parts were compared
    /// with it.
    compared: [Option<(usize, usize)>; 2],
    /// What was found last of each pattern in each view: a text that repeats itself is not compared
    /// from each of its characters on.
    last: HashMap<(View, usize), Last>,
}

/// Where a pattern was found.
#[derive(Debug, Clone, Copy)]
struct Last {
    /// The number of its first character among those that were seen.
    count: usize,
    /// Where in the pattern that is.
    offset: usize,
    /// Characters of it.
    length: usize,
    /// Where it ends in the text.
    end: usize,
}

/// What a find says of the pattern from another character on.
enum Overlap {
    /// Nothing: it is not there.
    Apart,
    /// There is another text.
    Differs,
    /// All that is there of it is within what was found.
    Within,
    /// So many characters are there, up to where the find ends.
    Reaches(usize, usize),
}

impl Last {
    /// Goes by what the pattern has of itself.
    fn overlap(&self, pattern: &[u8], (count, offset): (usize, usize)) -> Overlap {
        let Some(ahead) = count.checked_sub(self.count).filter(|ahead| *ahead < self.length) else {
            return Overlap::Apart;
        };
        let there = pattern.get(self.offset + ahead..self.offset + self.length);
        let (there, wanted) = (there.unwrap_or_default(), pattern.get(offset..));
        let wanted = wanted.unwrap_or_default();
        if let Some(behind) = wanted.strip_prefix(there) {
            return Overlap::Reaches(wanted.len() - behind.len(), self.end);
        }
        let same = there.iter().zip(wanted).take_while(|(there, wanted)| there == wanted).count();
        if same >= PART.min(wanted.len()) { Overlap::Within } else { Overlap::Differs }
    }
}

impl<'a> Scan<'a> {
    /// Looks through a text.
    pub(super) fn of(patterns: &'a Patterns, text: &'a [u8], tail: Tail) -> Self {
        let (found, escapes) = (Vec::new(), Vec::new());
        let (decided, decoded, compared) = (text.len(), 0, [None; 2]);
        let last = HashMap::new();
        let mut scan =
            Self { patterns, text, tail, found, decided, escapes, decoded, compared, last };
        scan.look();
        scan.settle();
        scan
    }

    fn look(&mut self) {
        let mut window = Window::default();
        let mut at = 0;
        while let Some(stop) = self.advance(&mut window, at) {
            match stop {
                Stop::Beginning(next) => {
                    self.compare_all(View::Plain, &window);
                    if next > self.decoded {
                        self.compare_all(View::Decoded, &window);
                    }
                    at = next;
                }
                Stop::Special(place) if self.text.get(place) == Some(&0x1b) => {
                    let Ok(unit) = read(View::Plain, self.text, place, self.tail) else {
                        self.hold(place);
                        break;
                    };
                    self.escapes.push((place, unit.end));
                    at = unit.end;
                }
                Stop::Special(place) => {
                    if place >= self.decoded {
                        self.decode(place, window);
                    }
                    let byte = self.text.get(place).copied().unwrap_or_default();
                    window.push(byte, place);
                    if self.patterns.may_begin(window.last) {
                        self.compare_all(View::Plain, &window);
                    }
                    at = place + 1;
                }
            }
        }
        self.hold_prefix(&window);
    }

    /// Goes on to the next place where there is something to do. What is not seen costs no branch.
    #[inline]
    fn advance(&self, window: &mut Window, from: usize) -> Option<Stop> {
        let Window { mut last, mut places, mut count } = *window;
        let mut stop = None;
        for (at, byte) in self.text.iter().enumerate().skip(from) {
            let class = self.patterns.bytes.get(usize::from(*byte)).copied().unwrap_or_default();
            if class & IS_SPECIAL != 0 {
                stop = Some(Stop::Special(at));
                break;
            }
            let is_seen = class & IS_SEEN;
            last = last << (is_seen >> 5) | u64::from(class & 0xff);
            if let Some(place) = places.get_mut(count & 7) {
                *place = at;
            }
            count += usize::from(is_seen >> 8);
            if self.patterns.may_begin(last) && is_seen != 0 {
                stop = Some(Stop::Beginning(at + 1));
                break;
            }
        }
        *window = Window { last, places, count };
        stop
    }

    /// Reads on from an escape until the last characters are none.
    fn decode(&mut self, from: usize, mut window: Window) {
        // Characters are counted anew in here, and behind it.
        self.last.retain(|(view, _), _| *view == View::Plain);
        let (mut at, mut plain) = (from, 0);
        while at < self.text.len() && plain < BEGINNING {
            let Ok(unit) = read(View::Decoded, self.text, at, self.tail) else {
                self.hold(at);
                at = self.text.len();
                break;
            };
            match self.text.get(at) {
                Some(b'%' | b'\\') => plain = 0,
                _ => plain += unit.bytes().len(),
            }
            if unit.end > at + 1 {
                self.escapes.push((at, unit.end));
            }
            for byte in unit.bytes() {
                window.push(*byte, at);
                if self.patterns.may_begin(window.last) {
                    self.compare_all(View::Decoded, &window);
                }
            }
            at = unit.end;
        }
        if at >= self.text.len() {
            self.hold_prefix(&window);
        }
        self.decoded = at;
        self.last.retain(|(view, _), _| *view == View::Plain);
    }

    /// Compares everything that begins with the last characters.
    fn compare_all(&mut self, view: View, window: &Window) {
        let patterns = self.patterns;
        let places = patterns.begun(window.last);
        let Some(start) = window.start(BEGINNING).filter(|_| !places.is_empty()) else { return };
        for place in places {
            let count = window.count - BEGINNING;
            let origin = count.wrapping_sub(place.offset);
            let this = Some((place.pattern, origin));
            let [plain, decoded] = self.compared;
            let last = match view {
                View::Plain => plain,
                View::Decoded => decoded,
            };
            if last != this && self.compare(view, (start, count), *place) {
                self.compared = match view {
                    View::Plain => [this, decoded],
                    View::Decoded => [plain, this],
                };
            }
        }
    }

    /// Compares a pattern from a place on with the text, and says whether it is there or may be.
    fn compare(&mut self, view: View, (start, count): (usize, usize), place: Place) -> bool {
        if start >= self.decided {
            // All of it is looked at again.
            return true;
        }
        let patterns = self.patterns;
        let Some(pattern) = patterns.pattern(place.pattern) else { return false };
        let Some(mut rest) = pattern.bytes.get(place.offset..) else { return false };
        let fewest = rest.len().saturating_sub(PART);
        let (mut at, mut end) = (start, start);
        let last = self.last.get(&(view, place.pattern));
        match last.map(|last| last.overlap(&pattern.bytes, (count, place.offset))) {
            None | Some(Overlap::Apart) => {}
            Some(Overlap::Differs) => return false,
            Some(Overlap::Within) => return true,
            Some(Overlap::Reaches(length, behind)) => {
                rest = rest.get(length..).unwrap_or_default();
                (at, end) = (behind, behind);
            }
        }
        let mut is_decided = true;
        while !rest.is_empty() && at - end <= MOST_BETWEEN {
            let Ok(unit) = read(view, self.text, at, self.tail) else {
                is_decided = self.tail == Tail::Closed;
                break;
            };
            at = unit.end;
            if !unit.bytes().is_empty() {
                let Some(behind) = rest.strip_prefix(unit.bytes()) else { break };
                (rest, end) = (behind, at);
            }
        }
        if !is_decided && self.tail == Tail::Open {
            self.hold(start);
            return true;
        }
        // Of a text that was cut off, the beginning of a secret has to be taken for the secret.
        let is_there = rest.len() <= fewest || !is_decided;
        if is_there {
            let length = pattern.bytes.len() - place.offset - rest.len();
            let last = Last { count, offset: place.offset, length, end };
            self.last.insert((view, place.pattern), last);
            self.found.push(Found { start, end, secret: pattern.secret });
        }
        is_there
    }

    fn hold(&mut self, at: usize) {
        self.decided = self.decided.min(at);
    }

    /// Holds what may become a beginning.
    fn hold_prefix(&mut self, window: &Window) {
        if self.tail != Tail::Open {
            return;
        }
        for count in 1..BEGINNING {
            let start = window.start(count).filter(|_| self.patterns.is_prefix(window.last, count));
            let is_close =
                window.start(1).is_some_and(|last| self.text.len() - last <= MOST_BETWEEN);
            if let Some(start) = start.filter(|_| is_close) {
                self.hold(start);
            }
        }
    }

    /// Sorts what was found, and decides nothing inside of an escape.
    ///
    /// What begins before that place is decided, wherever it ends.
    fn settle(&mut self) {
        // Of two that begin together the longer one names both.
        self.found.sort_unstable_by_key(|found| (found.start, Reverse(found.end), found.secret));
        self.escapes.sort_unstable();
        for (start, end) in self.escapes.iter().rev() {
            if *start < self.decided && self.decided < *end {
                self.decided = *start;
            }
        }
        let decided = self.decided;
        self.found.retain(|found| found.start < decided);
    }

    /// Where the first lines from here on end that hold no more than a few characters together.
    pub(super) fn behind_few(&self, from: usize) -> usize {
        let (mut at, mut behind, mut count) = (from, from, 0);
        while let Ok(unit) = read(View::Plain, self.text, at, Tail::Closed) {
            if self.text.get(at) == Some(&b'\n') {
                behind = unit.end;
            }
            count += unit.bytes().len();
            if count > FEW {
                break;
            }
            at = unit.end;
        }
        behind
    }
}
