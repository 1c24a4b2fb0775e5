//! Where a text has references.

/// Longest name, in bytes; without a bound, text full of open braces would take forever.
const LONGEST_NAME: usize = 256;

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// `$${`, which stands for `${`.
    Escape,
    /// `${NAME}`: the name.
    Variable(&'a str),
    /// `R{NAME}`: the name.
    Object(&'a str),
    /// `${` of a text that looks like a variable: the whole of that text.
    NoVariable(&'a str),
    /// `R{` of a text that looks like the name of an object: the whole of that text.
    NoObject(&'a str),
}

impl Piece<'_> {
    /// How many characters it has in the file.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Text(text) => text.chars().count(),
            Self::NoVariable(_) | Self::NoObject(_) => "${".len(),
            Self::Escape => "$${".len(),
            Self::Variable(name) => "${}".len() + name.len(),
            Self::Object(name) => "R{}".len() + name.len(),
        }
    }
}

/// Cuts a text at its references, from left to right.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut plain, mut rest) = (text, text);
    let mut in_word = false;
    while let Some(c) = rest.chars().next() {
        let after = after_first(rest);
        let reference = match c {
            '$' if after.starts_with("${") => {
                Some((Piece::Escape, after_first(after_first(after))))
            }
            '$' => variable(rest),
            'R' if !in_word => object(rest),
            _ => None,
        };
        in_word = c.is_alphanumeric() || c == '_';
        if let Some((piece, after)) = reference {
            pieces.extend([Piece::Text(until(plain, rest)), piece]);
            (plain, rest, in_word) = (after, after, false);
        } else {
            rest = after;
        }
    }
    pieces.push(Piece::Text(plain));
    pieces
}

/// The reference at the begin of a text, and what follows it.
fn variable(text: &str) -> Option<(Piece<'_>, &str)> {
    let Braced { name, whole, inner, after } = braced(text)?;
    // Inside of what is none there may be one.
    Some(match is_name(name, |b| b == b'_') {
        true => (Piece::Variable(name), after),
        false => (Piece::NoVariable(whole), inner),
    })
}

fn object(text: &str) -> Option<(Piece<'_>, &str)> {
    let Braced { name, whole, inner, after } = braced(text)?;
    Some(match is_name(name, |b| b == b'_' || b == b'-') {
        true => (Piece::Object(name), after),
        false => (Piece::NoObject(whole), inner),
    })
}

/// Text that begins with one character and something in braces.
struct Braced<'a> {
    /// Inside the braces.
    name: &'a str,
    /// Up to the closing one.
    whole: &'a str,
    /// Behind the opening one.
    inner: &'a str,
    after: &'a str,
}

fn braced(text: &str) -> Option<Braced<'_>> {
    let inner = after_first(text).strip_prefix('{')?;
    let end = inner.bytes().take(LONGEST_NAME).position(|b| b == b'}')?;
    let (name, after) = (inner.get(..end)?, inner.get(end + 1..)?);
    Some(Braced { name, whole: until(text, after), inner, after })
}

/// The part of `text` before its end `rest`.
fn until<'a>(text: &'a str, rest: &str) -> &'a str {
    let end = text.len().saturating_sub(rest.len());
    text.get(..end).unwrap_or_default()
}

fn after_first(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

fn is_name(name: &str, also: impl Fn(u8) -> bool) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || also(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pieces that are no text.
    fn references(text: &str) -> Vec<Piece<'_>> {
        pieces(text).into_iter().filter(|piece| !matches!(piece, Piece::Text(_))).collect()
    }

    #[test]
    fn names_of_variables_have_no_dash_and_names_of_objects_may() {
        assert_eq!(references("${a} R{b-c}"), [Piece::Variable("a"), Piece::Object("b-c")]);
        assert_eq!(references("${b-c}"), [Piece::NoVariable("${b-c}")]);
        assert_eq!(
            references("${1a}${ a }${}R{1}"),
            [
                Piece::NoVariable("${1a}"),
                Piece::NoVariable("${ a }"),
                Piece::NoVariable("${}"),
                Piece::NoObject("R{1}"),
            ]
        );
    }

    #[test]
    fn an_object_does_not_begin_inside_a_word() {
        for text in ["FOOR{x}", "_R{x}", "1R{x}", "éR{x}", "r{x}", "R {x}", "$a", "R", "$"] {
            assert_eq!(references(text), [], "{text}");
        }
        assert_eq!(references("${a}R{x}-R{y}").len(), 3);
    }

    #[test]
    fn two_dollars_keep_a_brace() {
        assert_eq!(pieces("$${a}"), [Piece::Text(""), Piece::Escape, Piece::Text("a}")]);
        assert_eq!(references("$$${a}"), [Piece::Escape]);
        assert_eq!(references("$$a"), []);
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole_text(text in "([$R{}a_é-]|\\PC){0,40}") {
            let whole: usize = pieces(&text).into_iter().map(Piece::length).sum();
            prop_assert_eq!(whole, text.chars().count());
        }
    }
}
