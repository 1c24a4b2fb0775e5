//! Which grammar a file is written in, and what that says of its conditions (paas-yaml.md §1).

use crate::paas::compiled::Version;
use crate::paas::condition::is_condition;
use crate::paas::fault::{Code, Fault};
use crate::paas::node::{Content, Node, Place};
use crate::paas::report::{Path, Poisoned, Reports, shown};

/// The version that a file asks for; v1.1 when it does not.
///
/// # Errors
///
/// When there is no such version.
pub(super) fn version(root: &Node, reports: &mut Reports) -> Result<Version, Poisoned> {
    let Some(entry) = root.entry("paas").and_then(|paas| paas.value.entry("version")) else {
        return Ok(Version::V1_1);
    };
    let path = Path::default().key("paas").key("version");
    let unknown = |place, what: &str| {
        let message = format!("version {what} is not supported");
        Fault::new(Code::UnknownVersion, &path, place, message).hint("use v1 or v1.1".to_owned())
    };
    match &entry.value.content {
        Content::Scalar(scalar) if scalar.is_null() => Ok(Version::V1_1),
        Content::Scalar(scalar) => match scalar.text.value.as_str() {
            "v1" | "v1.0" | "1" | "1.0" => Ok(Version::V1),
            "v1.1" | "1.1" => Ok(Version::V1_1),
            other => {
                let what = format!("\"{}\"", shown(other));
                Err(reports.add(unknown(entry.value.place, &what)))
            }
        },
        Content::List(_) | Content::Mapping(_) | Content::Poisoned => {
            Err(reports.add(unknown(entry.key.place, entry.value.kind())))
        }
    }
}

/// Refuses every condition of a file whose version has none: nobody can tell what it means.
///
/// # Errors
///
/// When there are any.
pub(super) fn refuse_conditions(root: &Node, reports: &mut Reports) -> Result<(), Poisoned> {
    refuse_conditions_in(root, &Path::default(), reports);
    reports.stop_on_errors()
}

/// Refuses every condition of a part of such a file.
pub(super) fn refuse_conditions_in(node: &Node, path: &Path, reports: &mut Reports) {
    match &node.content {
        Content::Scalar(_) | Content::Poisoned => {}
        Content::List(items) => {
            for (index, item) in items.iter().enumerate() {
                refuse_conditions_in(item, &path.item(index), reports);
            }
        }
        Content::Mapping(entries) => {
            for entry in entries {
                let key = &entry.key.text.value;
                if is_condition(key) {
                    let message =
                        format!("condition \"{}\" needs `paas.version: v1.1`", shown(key));
                    let place = entry.key.place;
                    reports.add(Fault::new(Code::NeedsNewerVersion, path, place, message));
                } else {
                    refuse_conditions_in(&entry.value, &path.key(key), reports);
                }
            }
        }
    }
}

/// Refuses a version under a condition, whether that holds or not: it is read before all of them.
///
/// The phase that evaluates them ends the compilation.
pub(super) fn refuse_conditional(root: &Node, reports: &mut Reports) {
    let mut places = Vec::new();
    conditional(root, &["paas", "version"], Under::Nothing, &mut places);
    let path = Path::default().key("paas").key("version");
    for place in places {
        let message = "the version cannot depend on a condition";
        reports.add(Fault::new(Code::ConditionalVersion, &path, place, message));
    }
}

/// Whether any key above is a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Under {
    Nothing,
    Condition,
}

/// Finds the keys that these lead to by way of a condition.
fn conditional(node: &Node, keys: &[&str], under: Under, found: &mut Vec<Place>) {
    let (Content::Mapping(entries), [next, rest @ ..]) = (&node.content, keys) else { return };
    for entry in entries {
        let key = &entry.key.text.value;
        if is_condition(key) {
            conditional(&entry.value, keys, Under::Condition, found);
        } else if key == next && !rest.is_empty() {
            conditional(&entry.value, rest, under, found);
        } else if key == next && under == Under::Condition {
            found.push(entry.key.place);
        }
    }
}
