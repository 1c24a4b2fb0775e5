//! Words in which variables are put in.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// Values by the names of variables; none for a value that could be read in several ways.
pub(super) type Values = BTreeMap<String, Option<String>>;

/// Most variables in each other.
const DEEPEST: usize = 8;

/// Puts values in for `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`.
///
/// `None` for a word with quotes, escapes or other forms: builders differ in what they come to.
pub(super) fn expand(word: &str, values: &Values) -> Option<String> {
    Expansion { rest: word.chars().peekable(), values, depth: 0 }.until(None)
}

/// The same for a word that may as a whole stand in quotes.
pub(super) fn expand_quoted(word: &str, values: &Values) -> Option<String> {
    let within = |quote| word.strip_prefix(quote)?.strip_suffix(quote);
    match (within('"'), within('\'')) {
        (Some(inside), _) => expand(inside, values),
        (None, Some(inside)) if inside.contains('$') => None,
        (None, inside) => expand(inside.unwrap_or(word), values),
    }
}

/// Splits at blanks that stand in no quotes.
///
/// `None` where builders may split otherwise: where a quote stays open, anything is escaped, or a
/// name is more than a name.
pub(super) fn split_quoted(text: &str) -> Option<Vec<&str>> {
    if text.contains(['\\', '`']) || text.contains(|c: char| c.is_whitespace() && !c.is_ascii()) {
        return None;
    }
    let mut quote = None;
    let is_end = |c: char| {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None | Some(_), _) => {}
        }
        quote.is_none() && c.is_whitespace()
    };
    let words: Vec<&str> = text.split(is_end).filter(|word| !word.is_empty()).collect();
    let is_name = |word: &&str| {
        let name = word.split_once('=').map_or(*word, |(name, _)| name);
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    (quote.is_none() && words.iter().all(is_name)).then_some(words)
}

struct Expansion<'a> {
    rest: Peekable<Chars<'a>>,
    values: &'a Values,
    depth: usize,
}

impl Expansion<'_> {
    /// What comes before `end`, or before the end of the word.
    fn until(&mut self, end: Option<char>) -> Option<String> {
        let mut expanded = String::new();
        loop {
            match self.rest.next() {
                None => return end.is_none().then_some(expanded),
                c if c == end => return Some(expanded),
                Some('$') => expanded.push_str(&self.variable()?),
                Some(c) if c.is_ascii_alphanumeric() || "._/:@-+=,~%".contains(c) => {
                    expanded.push(c);
                }
                Some(_) => return None,
            }
        }
    }

    fn variable(&mut self) -> Option<String> {
        if self.rest.next_if_eq(&'{').is_none() {
            let name = self.name()?;
            return self.value(&name);
        }
        let name = self.name()?;
        if self.rest.next_if_eq(&'}').is_some() {
            return self.value(&name);
        }
        self.rest.next_if_eq(&':')?;
        let form = self.rest.next()?;
        self.depth += 1;
        let word = if self.depth > DEEPEST { None } else { self.until(Some('}')) }?;
        self.depth -= 1;
        let value = self.value(&name)?;
        match (form, value.is_empty()) {
            ('-', true) | ('+', false) => Some(word),
            ('-', false) => Some(value),
            ('+', true) => Some(String::new()),
            _ => None,
        }
    }

    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
        }
        name.starts_with(|c: char| !c.is_ascii_digit()).then_some(name)
    }

    /// One that was never declared is empty.
    fn value(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned().unwrap_or(Some(String::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(word: &str) -> Option<String> {
        let values = [("A", Some("a")), ("EMPTY", Some("")), ("UNCLEAR", None)];
        let own = |(name, value): (&str, Option<&str>)| (name.to_owned(), value.map(str::to_owned));
        expand_quoted(word, &values.map(own).into())
    }

    #[test]
    fn variables_are_put_in() {
        for (word, expected) in [
            ("node:22", "node:22"),
            ("$A-${A}/x", "a-a/x"),
            ("${A:+new}${EMPTY:-old:$A}${NONE}", "newold:a"),
            ("\"x${NONE:-${A:-y}}\"", "xa"),
            ("'x'", "x"),
        ] {
            assert_eq!(expanded(word).as_deref(), Some(expected), "{word}");
        }
    }

    #[test]
    fn declarations_are_split_where_every_builder_does() {
        assert_eq!(
            split_quoted("A=1  B=\"x C=2\" D='a \"b'\tE"),
            Some(vec!["A=1", "B=\"x C=2\"", "D='a \"b'", "E"])
        );
        for text in ["A=\"x B=2", "A=x\\ B", "\"A\"=x", "A$B=x", "A=x\u{a0}B", "A='b\" c"] {
            assert_eq!(split_quoted(text), None, "{text}");
        }
    }

    #[test]
    fn what_can_be_read_in_several_ways_is_not_read() {
        let deep = format!("{}x{}", "${A:+".repeat(100_000), "}".repeat(100_000));
        for word in [
            "a\\b",
            "a\"b\"",
            "'$A'",
            "\"a",
            "${A#x}",
            "${A-x}",
            "${A:?x}",
            "$1",
            "$",
            "${A:-{}}",
            "${A",
            "$UNCLEAR",
            "é",
            "a`b",
            "\"a\"\"b\"",
            "a b",
            &deep,
        ] {
            assert_eq!(expanded(word), None, "{word:.40}");
        }
    }
}
