//! Which grammar a file is written in, and what of it cannot be read yet (paas-yaml.md §1, §5).

use crate::paas::compiled::Version;
use crate::paas::fault::{Code, Fault};
use crate::paas::node::{Content, Node};
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

/// Refuses every condition: nobody can tell what a file means without evaluating them.
///
/// # Errors
///
/// When there are any.
pub(super) fn refuse_conditions(
    root: &Node,
    version: Version,
    reports: &mut Reports,
) -> Result<(), Poisoned> {
    refuse_in(root, version, &Path::default(), reports);
    reports.stop_on_errors()
}

fn refuse_in(node: &Node, version: Version, path: &Path, reports: &mut Reports) {
    match &node.content {
        Content::Scalar(_) | Content::Poisoned => {}
        Content::List(items) => {
            for (index, item) in items.iter().enumerate() {
                refuse_in(item, version, &path.item(index), reports);
            }
        }
        Content::Mapping(entries) => {
            for entry in entries {
                let key = &entry.key.text.value;
                let is_condition =
                    key.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("if{"));
                if is_condition {
                    let (code, what) = match version {
                        Version::V1 => (Code::NeedsNewerVersion, "needs `paas.version: v1.1`"),
                        Version::V1_1 => (Code::NotSupportedYet, "is not supported yet"),
                    };
                    let message = format!("condition \"{}\" {what}", shown(key));
                    reports.add(Fault::new(code, path, entry.key.place, message));
                } else {
                    refuse_in(&entry.value, version, &path.key(key), reports);
                }
            }
        }
    }
}
