//! How text is read when secrets are looked for: what is seen of it, character by character.

/// Most bytes of an escape sequence; what is longer is none.
const LONGEST_SEQUENCE: usize = 200;

/// Most backslashes before one character, as texts quoted inside each other have them.
const MOST_BACKSLASHES: usize = 32;

/// Most percent signs that are escaped inside each other.
const MOST_NESTED: usize = 8;

/// What is known of what follows a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// More may come.
    Open,
    /// This was all.
    Closed,
    /// There was more, and it was cut off.
    Cut,
}

/// In which way a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum View {
    /// As it stands.
    Plain,
    /// Percent and backslash escapes are what they stand for.
    Decoded,
}

/// It depends on what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecided;

/// A piece of text that is read at once: up to four bytes, or none where nothing is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    bytes: [u8; 4],
    len: usize,
    /// Where the next one begins.
    pub(super) end: usize,
}

impl Unit {
    const fn unseen(end: usize) -> Self {
        Self { bytes: [0; 4], len: 0, end }
    }

    fn byte(byte: u8, end: usize) -> Self {
        match seen(byte) {
            Some(byte) => Self { bytes: [byte, 0, 0, 0], len: 1, end },
            None => Self::unseen(end),
        }
    }

    /// A byte or a character that was written as an escape.
    fn escaped(value: u32, end: usize) -> Self {
        match char::from_u32(value) {
            // As if it stood there itself: in this view backslashes are not seen.
            None | Some('\\') => Self::unseen(end),
            Some(c) if c.is_ascii() => Self::byte(u8::try_from(c).unwrap_or_default(), end),
            Some(c) => {
                let mut bytes = [0; 4];
                let len = c.encode_utf8(&mut bytes).len();
                Self { bytes, len, end }
            }
        }
    }

    /// What is seen.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// What is seen of a byte; the two alphabets of base64 look the same.
pub(super) const fn seen(byte: u8) -> Option<u8> {
    match byte {
        0..=b' ' | 0x7f => None,
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        byte => Some(byte),
    }
}

/// Reads what stands at a place.
pub(super) fn read(view: View, text: &[u8], at: usize, tail: Tail) -> Result<Unit, Undecided> {
    match (view, text.get(at)) {
        (_, None) => Err(Undecided),
        (_, Some(0x1b)) => Ok(Unit::unseen(sequence(text, at, tail)?)),
        (View::Decoded, Some(b'%' | b'\\')) => match character(text, at, tail)? {
            Some((b'\\', end)) => backslashes(text, end, tail),
            Some((byte, end)) => Ok(Unit::byte(byte, end)),
            None => Ok(Unit::unseen(at + 1)),
        },
        (_, Some(byte)) => Ok(Unit::byte(*byte, at + 1)),
    }
}

/// All that is seen of a whole text.
pub(super) fn all(view: View, text: &[u8]) -> Vec<u8> {
    let (mut all, mut at) = (Vec::new(), 0);
    while let Ok(unit) = read(view, text, at, Tail::Closed) {
        all.extend_from_slice(unit.bytes());
        at = unit.end;
    }
    all
}

fn byte_at(text: &[u8], at: usize, tail: Tail) -> Result<Option<u8>, Undecided> {
    match text.get(at) {
        Some(byte) => Ok(Some(*byte)),
        None if tail == Tail::Open => Err(Undecided),
        None => Ok(None),
    }
}

fn number(
    text: &[u8],
    places: std::ops::Range<usize>,
    radix: u32,
    tail: Tail,
) -> Result<Option<u32>, Undecided> {
    let mut number = 0;
    for at in places {
        let byte = byte_at(text, at, tail)?;
        let Some(digit) = byte.and_then(|byte| char::from(byte).to_digit(radix)) else {
            return Ok(None);
        };
        number = number * radix + digit;
    }
    Ok(Some(number))
}

/// A byte, perhaps percent-encoded, perhaps more than once.
fn character(text: &[u8], at: usize, tail: Tail) -> Result<Option<(u8, usize)>, Undecided> {
    let Some(first) = byte_at(text, at, tail)? else { return Ok(None) };
    let mut end = at + 1;
    if first != b'%' {
        return Ok(Some((first, end)));
    }
    for _ in 0..MOST_NESTED {
        let Some(value) = number(text, end..end + 2, 16, tail)? else { break };
        end += 2;
        if value != u32::from(b'%') {
            return Ok(Some((u8::try_from(value).unwrap_or_default(), end)));
        }
    }
    Ok(Some((b'%', end)))
}

/// What a backslash, which ended here, makes of what follows. Any number of them counts as one.
fn backslashes(text: &[u8], mut at: usize, tail: Tail) -> Result<Unit, Undecided> {
    for _ in 0..MOST_BACKSLASHES {
        let Some((byte, end)) = character(text, at, tail)? else { break };
        return match byte {
            b'\\' => {
                at = end;
                continue;
            }
            b'n' | b'r' | b't' | b'b' | b'f' | b'v' => Ok(Unit::unseen(end)),
            b'u' => unicode(text, (at, end), tail),
            b'x' => Ok(match number(text, end..end + 2, 16, tail)? {
                Some(value) => raw(value, end + 2),
                None => Unit::unseen(at),
            }),
            b'0'..=b'3' if end == at + 1 => Ok(match number(text, at..at + 3, 8, tail)? {
                Some(value) => raw(value, at + 3),
                None => Unit::unseen(at),
            }),
            _ => Ok(Unit::unseen(at)),
        };
    }
    Ok(Unit::unseen(at))
}

/// A byte by its number, which may be a part of a character.
fn raw(value: u32, end: usize) -> Unit {
    match u8::try_from(value) {
        Ok(b'\\') | Err(_) => Unit::unseen(end),
        Ok(byte) => Unit::byte(byte, end),
    }
}

/// The digits behind a `u`, and those of the second half where two make one character.
fn unicode(text: &[u8], (at, end): (usize, usize), tail: Tail) -> Result<Unit, Undecided> {
    let Some(value) = number(text, end..end + 4, 16, tail)? else { return Ok(Unit::unseen(at)) };
    let end = end + 4;
    if !(0xd800..0xdc00).contains(&value) {
        return Ok(Unit::escaped(value, end));
    }
    let mut next = end;
    while next < end + MOST_BACKSLASHES && byte_at(text, next, tail)? == Some(b'\\') {
        next += 1;
    }
    if next == end || byte_at(text, next, tail)? != Some(b'u') {
        return Ok(Unit::unseen(end));
    }
    let low = number(text, next + 1..next + 5, 16, tail)?;
    Ok(match low.filter(|low| (0xdc00..0xe000).contains(low)) {
        Some(low) => Unit::escaped(0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00), next + 5),
        None => Unit::unseen(end),
    })
}

/// Where an escape sequence ends that begins here; the forms are those of `domain::output`.
fn sequence(text: &[u8], at: usize, tail: Tail) -> Result<usize, Undecided> {
    let only_escape = at + 1;
    let Some(second) = byte_at(text, only_escape, tail)? else { return Ok(only_escape) };
    let is_string = match second {
        b'[' => false,
        b']' | b'P' | b'X' | b'^' | b'_' => true,
        b'\n' => return Ok(only_escape),
        b' '..=b'/' => {
            let is_whole = !matches!(byte_at(text, at + 2, tail)?, None | Some(b'\n'));
            return Ok(if is_whole { at + 3 } else { at + 2 });
        }
        _ => return Ok(at + 2),
    };
    for place in at + 2..at + LONGEST_SEQUENCE {
        match byte_at(text, place, tail)? {
            None | Some(b'\n') => return Ok(place),
            Some(0x40..=0x7e) if !is_string => return Ok(place + 1),
            Some(0x07) if is_string => return Ok(place + 1),
            Some(0x1b) if is_string => {
                let ends = byte_at(text, place + 1, tail)? == Some(b'\\');
                return Ok(place + if ends { 2 } else { 1 });
            }
            Some(_) => {}
        }
    }
    Ok(only_escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> String {
        String::from_utf8(all(View::Decoded, text.as_bytes())).unwrap()
    }

    #[test]
    fn escapes_are_what_they_stand_for_however_often_they_were_escaped() {
        for text in [
            "a\"b\\c/d\n\té😀",
            r#"a\"b\\c\/d\n\t\u00e9\ud83d\uDE00"#,
            r#"a\\\"b\\\\c/d\\n\\t\\u00E9\\ud83d\\ude00"#,
            "a%22b%5Cc%2fd%0A%09%c3%A9%f0%9f%98%80",
            "a%2522b%255cc%252Fd%250A%25C3%25A9%25F0%259F%2598%2580",
            r#"a\x22b\134c\x2fd\n\303\251\xf0\x9f\x98\x80"#,
        ] {
            assert_eq!(decoded(text), "a\"bc/dé😀", "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(decoded(r"100% %4g \u12 \q \"), "100%%4gu12q");
        assert_eq!(decoded(r"\ud83d+x \ud83d\u0041"), "+xA");
        assert_eq!(decoded("%25"), "%");
    }

    #[test]
    fn what_is_not_seen_is_left_out() {
        let plain = |text: &str| String::from_utf8(all(View::Plain, text.as_bytes())).unwrap();
        assert_eq!(plain("a \x1b[1;31mb\x1b[0m\r\n\tc\x1b]0;title\x07d\x1b(Be\x1bMf"), "abcdef");
        assert_eq!(plain("-_+/ \\n %41"), "+/+/\\n%41");
        // Sequences end with their line.
        assert_eq!(plain("a\x1b[31\nb\x1b"), "ab");
    }

    #[test]
    fn what_depends_on_more_is_undecided() {
        for text in ["\x1b", "\x1b[3", "\x1b]0;t", "%", "%4", "\\", "\\\\", "\\u00", "\\x4", "\\1"]
        {
            assert_eq!(
                read(View::Decoded, text.as_bytes(), 0, Tail::Open),
                Err(Undecided),
                "{text}"
            );
            assert!(read(View::Decoded, text.as_bytes(), 0, Tail::Closed).is_ok(), "{text}");
        }
    }
}
