//! Patterns of paths as Docker writes them.
//!
//! A pattern begins at the root, `*` stays within one name, `**` goes over any number of them.

use std::collections::BTreeSet;

/// A pattern of paths.
#[derive(Debug, Clone)]
pub struct Pattern {
    tokens: Vec<Token>,
    /// The names before the first wildcard.
    literal: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// This character.
    Char(char),
    /// `?`: any character of a name.
    One,
    /// `*`: any characters of a name.
    Some,
    /// `**` at the end: any characters.
    Rest,
    /// `**` elsewhere: nothing, or folders with the slash behind them.
    Folders,
    /// `[a-z]`: a character in, or outside of, some ranges.
    Class(Ranges),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ranges {
    Within(Vec<(char, char)>),
    Outside(Vec<(char, char)>),
}

/// A place in a pattern while a path is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Before the token with this index.
    Before(usize),
    /// Within the folders that this token stands for.
    Within(usize),
}

impl Pattern {
    /// Reads a pattern; none when the text is no pattern.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let path = clean(text);
        let is_literal = |name: &&str| !name.contains(['*', '?', '[', '\\']);
        let literal = path.split('/').take_while(is_literal).map(str::to_owned).collect();
        Some(Self { tokens: tokens(&path)?, literal })
    }

    /// The names before the first with a wildcard.
    pub fn literal(&self) -> &[String] {
        &self.literal
    }

    /// Whether a path, from the root and without a slash before it, is meant.
    pub fn matches(&self, path: &str) -> bool {
        let mut places = BTreeSet::new();
        self.enter(0, &mut places);
        for c in path.chars() {
            let mut next = BTreeSet::new();
            for place in places {
                self.step(place, c, &mut next);
            }
            if next.is_empty() {
                return false;
            }
            places = next;
        }
        places.contains(&Place::Before(self.tokens.len()))
    }

    /// Adds a place, and those that are reached from it without a character.
    ///
    /// There are two of those in a row at most, see [`tokens`].
    fn enter(&self, index: usize, places: &mut BTreeSet<Place>) {
        if !places.insert(Place::Before(index)) {
            return;
        }
        match self.tokens.get(index) {
            Some(Token::Some | Token::Rest) => self.enter(index + 1, places),
            Some(Token::Folders) => {
                places.insert(Place::Within(index));
                self.enter(index + 1, places);
            }
            Some(Token::Char(_) | Token::One | Token::Class(_)) | None => {}
        }
    }

    /// Adds the places that a character leads to.
    fn step(&self, place: Place, c: char, places: &mut BTreeSet<Place>) {
        match place {
            Place::Within(index) => {
                places.insert(place);
                if c == '/' {
                    self.enter(index + 1, places);
                }
            }
            Place::Before(index) => match self.tokens.get(index) {
                Some(Token::Char(own)) if *own == c => self.enter(index + 1, places),
                Some(Token::One) if c != '/' => self.enter(index + 1, places),
                Some(Token::Class(ranges)) if c != '/' && ranges.contain(c) => {
                    self.enter(index + 1, places);
                }
                Some(Token::Some) if c != '/' => self.enter(index, places),
                Some(Token::Rest) => self.enter(index, places),
                Some(
                    Token::Char(_) | Token::One | Token::Class(_) | Token::Some | Token::Folders,
                )
                | None => {}
            },
        }
    }
}

impl Ranges {
    fn contain(&self, c: char) -> bool {
        let among = |ranges: &[(char, char)]| ranges.iter().any(|(a, z)| (*a..=*z).contains(&c));
        match self {
            Self::Within(ranges) => among(ranges),
            Self::Outside(ranges) => !among(ranges),
        }
    }
}

/// The shortest path that means the same, from the context's root.
fn clean(text: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            // At a root, nothing is above.
            ".." if text.starts_with('/') => {}
            name => names.push(name),
        }
    }
    names.join("/")
}

/// The tokens of a pattern; one [`Token::Folders`] means the same as many.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let token = match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                if chars.peek().is_some() { Token::Folders } else { Token::Rest }
            }
            '*' => Token::Some,
            '?' => Token::One,
            '[' => Token::Class(class(&mut chars)?),
            '\\' => Token::Char(chars.next()?),
            c => Token::Char(c),
        };
        if token != Token::Folders || tokens.last() != Some(&Token::Folders) {
            tokens.push(token);
        }
    }
    Some(tokens)
}

/// The rest of a class, its opening bracket taken.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Ranges> {
    let is_outside = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while ranges.is_empty() || chars.peek() != Some(&']') {
        let first = class_character(chars)?;
        let last = match chars.next_if_eq(&'-') {
            Some(_) => class_character(chars)?,
            None => first,
        };
        ranges.push((first, last));
    }
    chars.next();
    Some(if is_outside { Ranges::Outside(ranges) } else { Ranges::Within(ranges) })
}

fn class_character(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}
