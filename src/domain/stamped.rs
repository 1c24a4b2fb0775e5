//! A log that is read in several turns, as if it had been read in one.
//!
//! A connection may end anywhere, and the next one begins with the second of the last line. Each
//! line carries the time at which it was printed: by it lines that were read are known again, down
//! to the byte.

use chrono::{DateTime, FixedOffset, Utc};

/// Longest stamp in bytes.
const LONGEST_STAMP: usize = 64;

type Stamp = DateTime<FixedOffset>;

/// Takes the stamps off the lines of a log, and leaves out what was read before.
#[derive(Debug, Default)]
pub struct Stamped {
    newest: Option<Newest>,
    /// Lines with the newest stamp that began in this turn.
    begun: usize,
    /// Whether lines may come that were read in an earlier turn.
    repeats: bool,
    place: Place,
}

/// What was read of the lines with the newest stamp.
#[derive(Debug)]
struct Newest {
    stamp: Stamp,
    /// Lines that ended.
    ended: usize,
    /// Bytes of the one that did not.
    bytes: usize,
}

/// Where a turn is.
#[derive(Debug)]
enum Place {
    /// In a stamp.
    Stamp(Vec<u8>),
    /// In a line that is read for the first time, but for so many bytes.
    New { known: usize, is_newest: bool },
    /// In a line that was read before.
    Known,
}

impl Default for Place {
    fn default() -> Self {
        Self::Stamp(Vec::new())
    }
}

impl Stamped {
    /// Begins another turn.
    pub fn turn(&mut self) {
        (self.begun, self.repeats, self.place) = (0, true, Place::default());
    }

    /// From which second on the next turn has to be read; none: from where the first one was.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        let newest = self.newest.as_ref()?;
        DateTime::from_timestamp(newest.stamp.timestamp(), 0)
    }

    /// Takes a chunk and gives what is new in it, without stamps.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        let mut fresh = Vec::new();
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let text = self.text(piece);
            let is_over = text.ends_with(b"\n");
            match &mut self.place {
                Place::New { known, is_newest } => {
                    let skipped = text.len().min(*known);
                    *known -= skipped;
                    let new = text.get(skipped..).unwrap_or_default();
                    fresh.extend_from_slice(new);
                    if let Some(newest) = self.newest.as_mut().filter(|_| *is_newest) {
                        newest.bytes += new.len();
                        if is_over {
                            (newest.ended, newest.bytes) = (newest.ended + 1, 0);
                        }
                    }
                }
                Place::Stamp(_) | Place::Known => {}
            }
            if is_over {
                self.place = Place::default();
            }
        }
        fresh
    }

    /// What of a piece stands behind the stamp.
    fn text<'p>(&mut self, piece: &'p [u8]) -> &'p [u8] {
        let Place::Stamp(stamp) = &mut self.place else { return piece };
        let end = piece.iter().position(|byte| b" \n".contains(byte)).unwrap_or(piece.len());
        let (head, text) = piece.split_at_checked(end).unwrap_or_default();
        let room = LONGEST_STAMP.saturating_sub(stamp.len());
        stamp.extend(head.iter().take(room));
        if text.is_empty() {
            return text;
        }
        let stamp = std::str::from_utf8(stamp).ok();
        let stamp = stamp.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        self.place = self.line(stamp);
        text.strip_prefix(b" ").unwrap_or(text)
    }

    /// What a line is that has this stamp.
    fn line(&mut self, stamp: Option<Stamp>) -> Place {
        // Nothing that a container printed: words of the node, such as that a log is gone.
        let Some(stamp) = stamp else { return Place::Known };
        let newest = match &mut self.newest {
            Some(newest) if stamp <= newest.stamp => newest,
            newest => {
                *newest = Some(Newest { stamp, ended: 0, bytes: 0 });
                (self.begun, self.repeats) = (1, false);
                return Place::New { known: 0, is_newest: true };
            }
        };
        if stamp < newest.stamp {
            // What is printed to two streams at once is not always in order.
            return if self.repeats {
                Place::Known
            } else {
                Place::New { known: 0, is_newest: false }
            };
        }
        self.begun += 1;
        if self.begun <= newest.ended {
            return Place::Known;
        }
        Place::New { known: newest.bytes, is_newest: true }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOG: &str = "2026-11-30T20:00:01.100000000Z one\n\
        2026-11-30T20:00:01.250000000Z two\n\
        2026-11-30T20:00:01.250000000Z two again\n\
        2026-11-30T20:00:01.250000000Z \n\
        2026-11-30T20:00:03.5+00:00 three\n\
        2026-11-30T22:00:03.75+02:00 é\n\
        2026-11-30T20:00:04.000000000Z the end";

    const TEXT: &str = "one\ntwo\ntwo again\n\nthree\né\nthe end";

    /// What a server sends from a second on.
    fn since(from: Option<DateTime<Utc>>) -> Vec<u8> {
        let is_later = |line: &&str| {
            let stamp = line.split(' ').next().unwrap();
            from.is_none_or(|from| DateTime::parse_from_rfc3339(stamp).unwrap() >= from)
        };
        LOG.split_inclusive('\n').filter(is_later).collect::<String>().into_bytes()
    }

    proptest! {
        #[test]
        fn a_log_is_read_once_wherever_connections_end(
            ends in proptest::collection::vec(0..LOG.len(), 0..6), chunk in 1_usize..40,
        ) {
            let (mut stamped, mut read) = (Stamped::default(), Vec::new());
            for end in ends.into_iter().map(Some).chain([None]) {
                stamped.turn();
                let sent = since(stamped.since());
                let sent = &sent[..end.unwrap_or(sent.len()).min(sent.len())];
                for chunk in sent.chunks(chunk) {
                    read.extend(stamped.push(chunk));
                }
            }
            prop_assert_eq!(String::from_utf8(read).unwrap(), TEXT);
        }
    }

    #[test]
    fn lines_that_are_not_in_order_are_read_and_words_of_the_node_are_not() {
        let mut stamped = Stamped::default();
        let log = b"2026-11-30T20:00:02Z b\n2026-11-30T20:00:01Z a\nunable to retrieve container logs\n\n";
        assert_eq!(stamped.push(log), b"b\na\n");
        assert_eq!(stamped.since(), "2026-11-30T20:00:02Z".parse().ok());
        stamped.turn();
        assert_eq!(stamped.push(log), b"");
    }
}
