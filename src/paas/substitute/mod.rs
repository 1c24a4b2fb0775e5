//! `${NAME}` and `R{NAME}` in every key and every text (paas-yaml.md §7).

mod pieces;

use std::collections::{BTreeMap, HashSet};

use crate::paas::fault::{Code, Fault};
use crate::paas::node::{Content, Entry, Node, Place, Style, Text};
use crate::paas::report::{Path, Poisoned, Reports, shown};
use crate::paas::substitute::pieces::{Piece, pieces};

/// Most bytes of all texts that variables are put into.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What references stand for.
#[derive(Debug)]
pub(super) struct Values<'a> {
    pub(super) variables: BTreeMap<&'a str, &'a str>,
    pub(super) prefix: &'a str,
}

/// Puts variables into a whole tree; texts whose variables are not defined are poisoned.
pub(super) fn substitute(root: &mut Node, path: &Path, values: &Values<'_>, reports: &mut Reports) {
    Substitution { values, reports, left: Some(MOST_BYTES) }.node(root, path);
}

struct Substitution<'a> {
    values: &'a Values<'a>,
    reports: &'a mut Reports,
    /// Bytes that texts may still take; nothing once they took more.
    left: Option<usize>,
}

impl Substitution<'_> {
    fn node(&mut self, node: &mut Node, path: &Path) {
        match &mut node.content {
            Content::Poisoned => {}
            Content::Scalar(scalar) => match self.text(&scalar.text, path, node.place) {
                Ok(None) => {}
                // Whatever a variable holds, it is text.
                Ok(Some(text)) => (scalar.text, scalar.style) = (text, Style::Quoted),
                Err(Poisoned) => node.content = Content::Poisoned,
            },
            Content::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.node(item, &path.item(index));
                }
            }
            Content::Mapping(entries) => {
                let mut changed = false;
                for entry in entries.iter_mut() {
                    let own = path.key(entry.key.text.as_written());
                    self.node(&mut entry.value, &own);
                    match self.text(&entry.key.text, &own, entry.key.place) {
                        Ok(None) => {}
                        Ok(Some(text)) => {
                            entry.key.text = text;
                            changed = true;
                        }
                        Err(Poisoned) => entry.value.content = Content::Poisoned,
                    }
                }
                if changed {
                    self.drop_equal_keys(entries, path);
                }
            }
        }
    }

    fn drop_equal_keys(&mut self, entries: &mut Vec<Entry>, path: &Path) {
        let mut known = HashSet::new();
        entries.retain(|entry| {
            let is_new = known.insert(entry.key.text.value.clone());
            if !is_new {
                let key = shown(entry.key.text.as_written());
                let message = format!("\"{key}\" comes to the same key as one above");
                self.reports.add(Fault::new(Code::EqualKeys, path, entry.key.place, message));
            }
            is_new
        });
    }

    /// The text with its references resolved, or nothing when it has none.
    fn text(&mut self, text: &Text, path: &Path, place: Place) -> Result<Option<Text>, Poisoned> {
        let written = &text.value;
        if !written.contains('{') {
            return Ok(None);
        }
        let left = self.left.ok_or(Poisoned)?;
        let mut value = String::with_capacity(written.len());
        let mut result = Ok(());
        let mut column = place.text_start(written);
        for piece in pieces(written) {
            let length = piece.length();
            let own = column.map_or(place, |column| Place { column, length, ..place });
            column = column.map(|column| column + length);
            if let Err(Poisoned) = self.piece(piece, &mut value, path, own) {
                result = Err(Poisoned);
            }
            if value.len() > left {
                self.left = None;
                let message = format!("variables make more than {MOST_BYTES} bytes of text");
                return Err(self.reports.add(Fault::new(Code::OverLimit, path, place, message)));
            }
        }
        result?;
        if value == *written {
            return Ok(None);
        }
        self.left = left.checked_sub(value.len());
        Ok(Some(Text { value, written: Some(written.clone()) }))
    }

    /// Adds what a piece stands for.
    fn piece(
        &mut self,
        piece: Piece<'_>,
        value: &mut String,
        path: &Path,
        place: Place,
    ) -> Result<(), Poisoned> {
        let mut warn = |text: &str, hint: &str| {
            // Around what looks like a reference a secret may have anything.
            let quoted =
                if path.is_secret() { "this".to_owned() } else { format!("\"{}\"", shown(text)) };
            let message = format!("{quoted} is not replaced");
            let length = place.length.max(text.chars().count());
            let fault = Fault::new(Code::NoReference, path, Place { length, ..place }, message);
            self.reports.add(fault.hint(hint.to_owned()));
        };
        match piece {
            Piece::Text(text) => value.push_str(text),
            Piece::Escape => value.push_str("${"),
            Piece::Object(name) if self.values.prefix.is_empty() => value.push_str(name),
            Piece::Object(name) => value.extend([self.values.prefix, "-", name]),
            Piece::Variable(name) => match self.values.variables.get(name) {
                Some(text) => value.push_str(text),
                None => return Err(self.undefined(name, path, place)),
            },
            Piece::NoVariable(text) => {
                warn(text, "write ${NAME} with letters, digits and `_`, or $${ for ${ itself");
                value.push_str("${");
            }
            Piece::NoObject(text) => {
                warn(text, "write R{NAME} with letters, digits, `_` and `-`, a letter first");
                value.push_str("R{");
            }
        }
        Ok(())
    }

    fn undefined(&mut self, name: &str, path: &Path, place: Place) -> Poisoned {
        let name = shown(name);
        let message = format!("variable `{name}` is not defined for this deployment");
        let known = self.values.variables.keys().copied();
        let hint = self.reports.did_you_mean(&name, known);
        self.reports.add(Fault::new(Code::UndefinedVariable, path, place, message).hint(hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paas::source::Source;
    use crate::paas::yaml;

    /// Substitutes in one text; the result, or what is said about it.
    fn substituted(text: &str, prefix: &str) -> Result<String, String> {
        let variables = BTreeMap::from([("foo", "F"), ("bar", "${foo}"), ("none", "")]);
        let mut reports = Reports::default();
        let source = format!("'{text}'");
        let mut node = yaml::parse(&Source::new(&source), &mut reports).unwrap();
        substitute(&mut node, &Path::default(), &Values { variables, prefix }, &mut reports);
        match (node.content, reports.errors.faults.first()) {
            (Content::Scalar(scalar), None) => Ok(scalar.text.value),
            (_, fault) => Err(fault.unwrap().message.clone()),
        }
    }

    #[test]
    fn references_are_replaced_once_from_left_to_right() {
        let replaced = |text, prefix| substituted(text, prefix).unwrap();
        assert_eq!(replaced("${foo} x ${foo}", ""), "F x F");
        assert_eq!(replaced("${bar}", ""), "${foo}");
        assert_eq!(replaced("[${none}]", ""), "[]");
        assert_eq!(replaced("R{db}/x", "pre"), "pre-db/x");
        assert_eq!(replaced("R{db}/x", ""), "db/x");
        assert_eq!(replaced("FOOR{x} ${foo-x} $foo", "pre"), "FOOR{x} ${foo-x} $foo");
        assert_eq!(replaced("$${foo} $$${foo}", ""), "${foo} $${foo}");
    }

    #[test]
    fn an_undefined_variable_is_a_fault() {
        assert_eq!(
            substituted("${FOO}", ""),
            Err("variable `FOO` is not defined for this deployment".to_owned())
        );
    }

    #[test]
    fn what_a_variable_holds_is_never_null_or_a_number() {
        let variables = BTreeMap::from([("none", "")]);
        let mut reports = Reports::default();
        let mut node = yaml::parse(&Source::new("- ${none}\n- ~"), &mut reports).unwrap();
        substitute(&mut node, &Path::default(), &Values { variables, prefix: "" }, &mut reports);
        let Content::List(items) = node.content else { panic!("a list") };
        assert_eq!(items.iter().map(Node::is_null).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn many_large_variables_hit_the_limit() {
        let large = "x".repeat(32 * 1024);
        let variables = BTreeMap::from([("a", large.as_str())]);
        let mut reports = Reports::default();
        let text = format!("[{}]", "'${a}',".repeat(1_000));
        let mut node = yaml::parse(&Source::new(&text), &mut reports).unwrap();
        substitute(&mut node, &Path::default(), &Values { variables, prefix: "" }, &mut reports);
        let codes: Vec<_> = reports.errors.faults.iter().map(|fault| fault.code).collect();
        assert_eq!(codes, [Code::OverLimit]);
    }
}
