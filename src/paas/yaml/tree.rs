//! Tokens as a tree, aliases and merge keys resolved under limits.

use std::collections::{HashMap, HashSet};
use std::mem;

use crate::paas::fault::{Code, Fault};
use crate::paas::node::{Content, Entry, Key, Node, Place, Scalar, Style};
use crate::paas::report::{Path, Poisoned, Reports, shown};
use crate::paas::source::Source;
use crate::paas::yaml::{MOST_VALUES, Token, Tokens};

/// Deepest nesting.
const DEEPEST: usize = 64;

/// How many times the file's own nodes and bytes aliases may add.
const MOST_ADDED_TIMES: usize = 10;

/// The key whose value's entries are taken over.
const MERGE: &str = "<<";

/// Builds the tree of a text's tokens.
///
/// # Errors
///
/// When it becomes larger than a limit allows, or an alias is inside what it names. Keys that stand
/// twice are reported, and the tree goes on without the second.
pub(super) fn build(
    tokens: Tokens,
    source: &Source<'_>,
    reports: &mut Reports,
) -> Result<Node, Poisoned> {
    let Tokens { list, values, anchors, .. } = tokens;
    let times = list.len().saturating_mul(MOST_ADDED_TIMES);
    let nodes = times.min(MOST_VALUES.saturating_sub(values));
    let bytes = source.text().len().saturating_mul(MOST_ADDED_TIMES);
    let open = Vec::new();
    Builder { tokens: list, anchors: &anchors, reports, next: 0, open, nodes, bytes }.node(0)
}

/// What is said of a file that is nested too deeply.
pub(super) fn too_deep() -> String {
    format!("it is nested more than {DEEPEST} levels deep")
}

struct Builder<'a> {
    tokens: Vec<Token>,
    anchors: &'a HashMap<usize, usize>,
    reports: &'a mut Reports,
    /// The token that is read next.
    next: usize,
    /// Anchors whose nodes are being repeated, innermost last.
    open: Vec<usize>,
    /// Nodes that aliases may still add.
    nodes: usize,
    /// Bytes of text that aliases may still add.
    bytes: usize,
}

impl Builder<'_> {
    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get_mut(self.next)?;
        self.next += 1;
        // Without anchors nobody comes back to it.
        Some(if self.anchors.is_empty() { mem::replace(token, Token::End) } else { token.clone() })
    }

    fn at_end(&self) -> bool {
        matches!(self.tokens.get(self.next), None | Some(Token::End))
    }

    fn node(&mut self, depth: usize) -> Result<Node, Poisoned> {
        let token = self.take();
        let (place, bytes) = match &token {
            Some(Token::Scalar(scalar, place)) => (*place, scalar.text.value.len()),
            Some(Token::List(place) | Token::Mapping(place) | Token::Alias(_, place)) => {
                (*place, 0)
            }
            Some(Token::End) | None => (Place::START, 0),
        };
        if depth > DEEPEST {
            return Err(self.fault(Code::OverLimit, place, too_deep()));
        }
        if !self.open.is_empty() {
            self.count(place, bytes)?;
        }
        let content = match token {
            Some(Token::Scalar(scalar, _)) => Content::Scalar(scalar),
            Some(Token::List(_)) => Content::List(self.items(depth)?),
            Some(Token::Mapping(_)) => Content::Mapping(self.entries(depth)?),
            Some(Token::Alias(anchor, place)) => return self.alias(anchor, place, depth),
            // The parser balances its events, so that no node is ever missing.
            Some(Token::End) | None => Content::Poisoned,
        };
        Ok(Node { content, place })
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, Poisoned> {
        let mut items = Vec::new();
        while !self.at_end() {
            items.push(self.node(depth + 1)?);
        }
        self.take();
        // There may be very many small ones.
        items.shrink_to_fit();
        Ok(items)
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Poisoned> {
        let mut entries = Vec::new();
        let mut merged = None;
        let mut known = HashSet::new();
        while !self.at_end() {
            let key = self.node(depth + 1)?;
            let value = self.node(depth + 1)?;
            let Content::Scalar(Scalar { text, style }) = key.content else {
                let what = "a key must be a name, not a list or a mapping";
                self.fault(Code::NotYaml, key.place, what.to_owned());
                continue;
            };
            if !known.insert(text.value.clone()) {
                let message = format!("key \"{}\" is here twice", shown(&text.value));
                self.fault(Code::NotYaml, key.place, message);
            } else if text.value == MERGE && style == Style::Plain {
                merged = Some(value);
            } else {
                entries.push(Entry { key: Key { text, place: key.place }, value });
            }
        }
        self.take();
        if let Some(merged) = merged {
            self.merge(&mut entries, &mut known, merged);
        }
        entries.shrink_to_fit();
        Ok(entries)
    }

    /// Takes over entries whose keys are not there yet.
    fn merge(&mut self, entries: &mut Vec<Entry>, known: &mut HashSet<String>, merged: Node) {
        let place = merged.place;
        let sources = match merged.content {
            Content::List(items) => items,
            Content::Scalar(_) | Content::Mapping(_) | Content::Poisoned => vec![merged],
        };
        for node in sources {
            if let Content::Mapping(inherited) = node.content {
                let new = inherited.into_iter();
                entries.extend(new.filter(|entry| known.insert(entry.key.text.value.clone())));
            } else {
                let message = format!("`{MERGE}` takes a mapping or a list of mappings");
                self.fault(Code::NotYaml, place, message);
            }
        }
    }

    /// Reads the tokens of an anchor once more.
    fn alias(&mut self, anchor: usize, place: Place, depth: usize) -> Result<Node, Poisoned> {
        let begin = self.anchors.get(&anchor).copied();
        let Some(begin) = begin.filter(|_| !self.open.contains(&anchor)) else {
            let message = "an alias cannot be inside what it names".to_owned();
            return Err(self.fault(Code::NotYaml, place, message));
        };
        let after = mem::replace(&mut self.next, begin);
        self.open.push(anchor);
        let node = self.node(depth);
        self.open.pop();
        self.next = after;
        node
    }

    fn count(&mut self, place: Place, bytes: usize) -> Result<(), Poisoned> {
        match (self.nodes.checked_sub(1), self.bytes.checked_sub(bytes)) {
            (Some(nodes), Some(bytes)) => {
                (self.nodes, self.bytes) = (nodes, bytes);
                Ok(())
            }
            _ => {
                let message = format!(
                    "aliases make the file more than {MOST_ADDED_TIMES} times larger, or more than \
                     250,000 keys and values"
                );
                Err(self.fault(Code::OverLimit, place, message))
            }
        }
    }

    fn fault(&mut self, code: Code, place: Place, message: String) -> Poisoned {
        self.reports.add(Fault::new(code, &Path::default(), place, message))
    }
}
