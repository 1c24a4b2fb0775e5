//! Keys of the form `if{NAME op value}`, whose values count or do not (paas-yaml.md §5).
//!
//! A mapping comes to its plain keys, with the values of those conditions that hold merged into
//! them in the order of the file. A condition that does not hold hides everything under it, faults
//! too.

mod form;
mod number;

pub(super) use form::{Condition, is_condition};

use std::collections::BTreeMap;

use crate::paas::condition::form::Operand;
use crate::paas::fault::{Branch, Code, Fault};
use crate::paas::merge::{Seat, merge};
use crate::paas::node::{Content, Entry, Key, Node, Place};
use crate::paas::report::{Path, Poisoned, Reports, shown, visible};

/// Most conditions of a file that are told; those after them are evaluated all the same.
const MOST_BRANCHES: usize = 10_000;

/// What conditions depend on.
#[derive(Debug)]
pub(super) struct Conditions<'a> {
    /// Read once: a file may ask for one of them again and again.
    variables: BTreeMap<&'a str, Operand<'a>>,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(variables: &BTreeMap<&'a str, &'a str>) -> Self {
        let read = |(name, text): (&&'a str, &&'a str)| (*name, Operand::new(text));
        Self { variables: variables.iter().map(read).collect() }
    }

    /// What a file comes to, and which of its conditions held.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read, or has under it what none may have.
    pub(super) fn filter(&self, root: Node, reports: &mut Reports) -> Result<Node, Poisoned> {
        let root = self.rest(root, &Path::default(), reports);
        reports.stop_on_errors()?;
        Ok(root)
    }

    /// What a definition from elsewhere comes to at this path; its conditions are not told.
    pub(super) fn filter_definition(&self, node: Node, path: &Path, reports: &mut Reports) -> Node {
        let told = reports.branches.len();
        let node = self.rest(node, path, reports);
        reports.branches.truncate(told);
        node
    }

    fn rest(&self, node: Node, path: &Path, reports: &mut Reports) -> Node {
        let place = node.place;
        let rest = Filter { variables: &self.variables, reports }.node(node, path);
        rest.unwrap_or(Node { content: Content::Mapping(Vec::new()), place })
    }
}

struct Filter<'a> {
    variables: &'a BTreeMap<&'a str, Operand<'a>>,
    reports: &'a mut Reports,
}

/// What the conditions of one mapping come to.
#[derive(Default)]
struct Blocks {
    /// Values of those that hold.
    taken: Vec<Node>,
    /// The first that holds a list.
    list: Option<Key>,
    /// Whether any holds a mapping.
    has_mapping: bool,
}

impl Filter<'_> {
    /// What a value comes to; nothing when it is a mapping of conditions none of which holds.
    ///
    /// What is under a condition has the path of the mapping that it becomes a part of.
    fn node(&mut self, node: Node, path: &Path) -> Option<Node> {
        let Node { content, place } = node;
        let content = match content {
            Content::Scalar(_) | Content::Poisoned => content,
            Content::List(items) => {
                let items = items.into_iter().enumerate();
                Content::List(
                    items
                        .filter_map(|(index, item)| self.child(item, || path.item(index)))
                        .collect(),
                )
            }
            Content::Mapping(entries) => return self.mapping(entries, place, path),
        };
        Some(Node { content, place })
    }

    /// The same of a part, whose path is made only when something can depend on it.
    fn child(&mut self, node: Node, path: impl FnOnce() -> Path) -> Option<Node> {
        match node.content {
            Content::Scalar(_) | Content::Poisoned => Some(node),
            Content::List(_) | Content::Mapping(_) => self.node(node, &path()),
        }
    }

    fn mapping(&mut self, entries: Vec<Entry>, place: Place, path: &Path) -> Option<Node> {
        let all = entries.len();
        let mut conditions = 0;
        let mut plain = Vec::new();
        let mut blocks = Blocks::default();
        for Entry { key, value } in entries {
            if is_condition(&key.text.value) {
                conditions += 1;
                self.condition(key, value, path, &mut blocks);
            } else if let Some(value) = self.child(value, || path.key(key.text.as_written())) {
                plain.push(Entry { key, value });
            }
        }
        let only_conditions = conditions == all;
        if let Some(key) = &blocks.list
            && (blocks.has_mapping || !only_conditions)
        {
            let condition = shown(&key.text.value);
            let message = format!("condition \"{condition}\" holds a list beside other keys");
            let fault = Fault::new(Code::MixedConditions, path, key.place, message);
            let hint = "beside a condition over a list only others over lists may stand";
            self.reports.add(fault.hint(hint.to_owned()));
            return Some(Node::poisoned(place));
        }
        if only_conditions && conditions > 0 && blocks.taken.is_empty() {
            return None;
        }
        if blocks.list.is_some() {
            let items = blocks.taken.into_iter().flat_map(Node::items).collect();
            return Some(Node { content: Content::List(items), place });
        }
        let mut taken = blocks.taken.into_iter();
        // Nothing to merge: blocks in blocks would otherwise be gone through once a level.
        let lowest =
            if plain.is_empty() { taken.next().map_or(plain, Node::entries) } else { plain };
        let lowest = Node { content: Content::Mapping(lowest), place };
        Some(merge(lowest, taken, Seat::Lowest))
    }

    /// Evaluates a condition.
    fn condition(&mut self, key: Key, value: Node, path: &Path, blocks: &mut Blocks) {
        let text = &key.text.value;
        let condition = match Condition::read(text) {
            Ok(condition) => condition,
            Err(unreadable) => {
                self.reports.add(unreadable.fault(text, path, key.place));
                return;
            }
        };
        if matches!(value.content, Content::Scalar(_) | Content::Poisoned) {
            let message = format!("condition \"{}\" must contain a mapping or a list", shown(text));
            self.reports.add(Fault::new(Code::ScalarUnderCondition, path, key.place, message));
            return;
        }
        let taken = condition.holds(self.variables.get(condition.variable));
        if self.reports.branches.len() < MOST_BRANCHES {
            let condition = text.chars().map(visible).collect();
            let (path, Place { line, column, length }) = (path.to_string(), key.place);
            self.reports.branches.push(Branch { condition, path, line, column, length, taken });
        }
        // What does not hold is left unread; its own form is known all the same.
        let form = if taken { self.node(value, path) } else { hidden(value) };
        match form.as_ref().map(|node| &node.content) {
            Some(Content::List(_)) if blocks.list.is_none() => blocks.list = Some(key),
            Some(Content::Mapping(_)) => blocks.has_mapping = true,
            Some(Content::List(_) | Content::Scalar(_) | Content::Poisoned) | None => {}
        }
        if taken {
            blocks.taken.extend(form);
        }
    }
}

/// What is under a condition that does not hold, unless that depends on others under it.
fn hidden(value: Node) -> Option<Node> {
    let is_plain = |entry: &Entry| !is_condition(&entry.key.text.value);
    match &value.content {
        Content::Mapping(entries) => entries.iter().any(is_plain).then_some(value),
        Content::Scalar(_) | Content::List(_) | Content::Poisoned => Some(value),
    }
}

#[cfg(test)]
mod tests;
