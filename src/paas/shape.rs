//! Trees as tests write and read them.

use crate::paas::node::{Content, Entry, Node, Style};
use crate::paas::report::Reports;
use crate::paas::source::Source;
use crate::paas::yaml;

/// The tree of a text that has no faults.
pub(super) fn parsed(text: &str) -> Node {
    yaml::parse(&Source::new(text), &mut Reports::default()).unwrap()
}

/// A tree in one line; quoted scalars in quotes.
pub(super) fn shape(node: &Node) -> String {
    match &node.content {
        Content::Scalar(scalar) => match scalar.style {
            Style::Plain => scalar.text.value.clone(),
            Style::Quoted => format!("{:?}", scalar.text.value),
        },
        Content::List(items) => {
            format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(", "))
        }
        Content::Mapping(entries) => {
            let entry =
                |entry: &Entry| format!("{}: {}", entry.key.text.value, shape(&entry.value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Content::Poisoned => "poisoned".to_owned(),
    }
}

/// Faults so far, a line each.
pub(super) fn faults(reports: &Reports) -> String {
    let line = |fault: &crate::paas::Fault| {
        let crate::paas::Fault { line, column, code, path, message, .. } = fault;
        format!("{line}:{column} {code} {path}: {message}")
    };
    reports.errors.faults.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The tree on one line of YAML; reading it gives the same tree at other places.
pub(super) fn printed(node: &Node) -> String {
    match &node.content {
        Content::Scalar(scalar) if scalar.is_null() => "null".to_owned(),
        Content::Scalar(scalar) if scalar.style == Style::Plain && is_word(&scalar.text.value) => {
            scalar.text.value.clone()
        }
        Content::Scalar(scalar) => quoted(&scalar.text.value),
        Content::List(items) => {
            format!("[{}]", items.iter().map(printed).collect::<Vec<_>>().join(", "))
        }
        Content::Mapping(entries) => {
            // Without the mark a key may have no more than 1024 characters.
            let entry = |entry: &Entry| {
                format!("? {}: {}", quoted(&entry.key.text.value), printed(&entry.value))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Content::Poisoned => "poisoned".to_owned(),
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        c => format!("\\U{:08x}", u32::from(c)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
