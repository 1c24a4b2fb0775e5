//! `${NAME}` and `R{NAME}` in every key and every text (paas-yaml.md §7).

use std::collections::{BTreeMap, HashSet};

use crate::domain::nearest::nearest;
use crate::paas::fault::{Code, Fault};
use crate::paas::node::{Content, Node, Place, Style, Text};
use crate::paas::report::{Path, Poisoned, Reports, shown};

/// Most bytes that variables may put into one file.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Longest name, in bytes; without a bound, text full of open braces would take forever.
const LONGEST_NAME: usize = 256;

/// What references stand for.
#[derive(Debug)]
pub(super) struct Values<'a> {
    pub(super) variables: BTreeMap<&'a str, &'a str>,
    pub(super) prefix: &'a str,
}

/// Puts variables into a whole tree.
///
/// # Errors
///
/// When the text becomes larger than the limit allows.
pub(super) fn substitute(
    root: &mut Node,
    values: &Values<'_>,
    reports: &mut Reports,
) -> Result<(), Poisoned> {
    let mut substitution = Substitution { values, reports, left: MOST_BYTES };
    substitution.node(root, &Path::default())
}

struct Substitution<'a> {
    values: &'a Values<'a>,
    reports: &'a mut Reports,
    /// Bytes that may still be put in.
    left: usize,
}

impl Substitution<'_> {
    fn node(&mut self, node: &mut Node, path: &Path) -> Result<(), Poisoned> {
        match &mut node.content {
            Content::Poisoned => {}
            Content::Scalar(scalar) => match self.text(&scalar.text, path, node.place)? {
                Ok(None) => {}
                Ok(Some(text)) => (scalar.text, scalar.style) = (text, Style::Quoted),
                Err(Poisoned) => node.content = Content::Poisoned,
            },
            Content::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.node(item, &path.item(index))?;
                }
            }
            Content::Mapping(entries) => {
                for entry in entries.iter_mut() {
                    let own = path.key(entry.key.text.as_written());
                    match self.text(&entry.key.text, &own, entry.key.place)? {
                        Ok(None) => {}
                        Ok(Some(text)) => entry.key.text = text,
                        Err(Poisoned) => entry.value.content = Content::Poisoned,
                    }
                    self.node(&mut entry.value, &own)?;
                }
                let mut known = HashSet::new();
                entries.retain(|entry| {
                    let is_new = known.insert(entry.key.text.value.clone());
                    if !is_new {
                        let key = shown(entry.key.text.as_written());
                        let message = format!("\"{key}\" is the same key as one above");
                        let fault = Fault::new(Code::EqualKeys, path, entry.key.place, message);
                        self.reports.add(fault);
                    }
                    is_new
                });
            }
        }
        Ok(())
    }

    /// The text with its references resolved, or nothing when it has none.
    fn text(
        &mut self,
        text: &Text,
        path: &Path,
        place: Place,
    ) -> Result<Result<Option<Text>, Poisoned>, Poisoned> {
        let written = &text.value;
        if !written.contains('{') {
            return Ok(Ok(None));
        }
        let mut value = String::with_capacity(written.len());
        let mut is_poisoned = false;
        for piece in pieces(written) {
            match piece {
                Piece::Text(text) => value.push_str(text),
                Piece::Variable(name) => match self.values.variables.get(name) {
                    Some(text) => value.push_str(text),
                    None => {
                        is_poisoned = true;
                        self.undefined(name, path, place);
                    }
                },
                Piece::Object(name) => {
                    if !self.values.prefix.is_empty() {
                        value.push_str(self.values.prefix);
                        value.push('-');
                    }
                    value.push_str(name);
                }
                Piece::NoReference(text) => {
                    let message = format!("\"{}\" is not replaced", shown(text));
                    let fault = Fault::new(Code::NoReference, path, place, message);
                    let hint = "a variable is ${NAME}: letters, digits and `_`, a letter first";
                    self.reports.add(fault.hint(hint.to_owned()));
                    value.push_str(text);
                }
            }
            if value.len() > self.left {
                let message = format!("variables add more than {} MiB", MOST_BYTES / 1024 / 1024);
                return Err(self.reports.add(Fault::new(Code::OverLimit, path, place, message)));
            }
        }
        if is_poisoned {
            return Ok(Err(Poisoned));
        }
        if value == *written {
            return Ok(Ok(None));
        }
        self.left -= value.len();
        Ok(Ok(Some(Text { value, written: Some(written.clone()) })))
    }

    fn undefined(&mut self, name: &str, path: &Path, place: Place) {
        let name = shown(name);
        let message = format!("variable `{name}` is not defined for this deployment");
        let known = self.values.variables.keys().copied();
        let hint = nearest(&name, known).map(|known| format!("did you mean \"{known}\"?"));
        self.reports.add(Fault::new(Code::UndefinedVariable, path, place, message).hint(hint));
    }
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    /// `${NAME}`.
    Variable(&'a str),
    /// `R{NAME}`.
    Object(&'a str),
    /// Text that looks like one of them.
    NoReference(&'a str),
}

/// Cuts a text at its references, from left to right.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut plain = text;
    let mut before = None;
    while let Some(c) = rest.chars().next() {
        let after = after_first(rest);
        let reference = match c {
            '$' if after.starts_with("${") => Some((Piece::Text("${"), skip(rest, 3))),
            '$' => braced(rest).map(|(name, whole, after)| {
                let is_name = is_name(name, |b| b == b'_');
                (if is_name { Piece::Variable(name) } else { Piece::NoReference(whole) }, after)
            }),
            'R' if !before.is_some_and(|c: char| c.is_alphanumeric() || c == '_') => braced(rest)
                .map(|(name, whole, after)| {
                    let is_name = is_name(name, |b| b == b'_' || b == b'-');
                    (if is_name { Piece::Object(name) } else { Piece::NoReference(whole) }, after)
                }),
            _ => None,
        };
        match reference {
            Some((piece, after)) => {
                pieces.push(Piece::Text(until(plain, rest)));
                pieces.push(piece);
                (rest, plain, before) = (after, after, Some('}'));
            }
            None => (rest, before) = (after, Some(c)),
        }
    }
    pieces.push(Piece::Text(plain));
    pieces
}

/// Behind a first character, the text in braces: it, the whole, and what follows.
fn braced(text: &str) -> Option<(&str, &str, &str)> {
    let inner = after_first(text).strip_prefix('{')?;
    let end = inner.bytes().take(LONGEST_NAME).position(|b| b == b'}')?;
    let (name, after) = (inner.get(..end)?, inner.get(end + 1..)?);
    Some((name, until(text, after), after))
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

fn skip(text: &str, bytes: usize) -> &str {
    text.get(bytes..).unwrap_or_default()
}

fn is_name(name: &str, also: impl Fn(u8) -> bool) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || also(b))
}
