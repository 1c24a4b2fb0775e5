//! What the platform's own definitions must be, whatever file extends them.

use indexmap::IndexMap;

use crate::paas::compiled::Value;
use crate::paas::condition::{Condition, is_condition};
use crate::paas::context::Libraries;
use crate::paas::extends::{EXTENDS, Kind};
use crate::paas::report::{Path, shown};

/// What is wrong with libraries, a line each; none when every file can build on them.
pub fn check_libraries(libraries: &Libraries) -> Vec<String> {
    let mut faults = Vec::new();
    for kind in [Kind::Pod, Kind::Container, Kind::Service, Kind::Ingress, Kind::Job] {
        for (path, entries) in definitions(kind.section(), kind.library(libraries), &mut faults) {
            if extends(entries) {
                faults.push(format!("{path}: it extends another of the {}", kind.section()));
            }
        }
    }
    for (path, entries) in definitions("images", &libraries.images, &mut faults) {
        let is_blank = match entries.get("path") {
            Some(Value::Text(text)) => text.trim().is_empty(),
            Some(Value::Null | Value::Bool(_) | Value::List(_) | Value::Mapping(_)) | None => true,
        };
        if is_blank {
            faults.push(format!("{path}: it needs a `path`"));
        }
    }
    faults
}

/// Those entries of a library that are mappings; of all it notes what is wrong with them.
fn definitions<'a>(
    section: &str,
    library: &'a IndexMap<String, Value>,
    faults: &mut Vec<String>,
) -> Vec<(Path, &'a IndexMap<String, Value>)> {
    let section = Path::default().key(section);
    let mut definitions = Vec::new();
    for (name, value) in library {
        let path = section.key(name);
        conditions(value, &path, faults);
        match value {
            Value::Mapping(entries) => definitions.push((path, entries)),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) => {
                faults.push(format!("{path}: it must be a mapping"));
            }
        }
    }
    definitions
}

/// Whether a definition names another, if only under a condition.
fn extends(entries: &IndexMap<String, Value>) -> bool {
    entries.iter().any(|(key, value)| match value {
        Value::Mapping(entries) if is_condition(key) => extends(entries),
        Value::Null => false,
        Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Mapping(_) => key == EXTENDS,
    })
}

/// Notes every condition that could not be evaluated.
fn conditions(value: &Value, path: &Path, faults: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Text(_) => {}
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                conditions(item, &path.item(index), faults);
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries {
                if !is_condition(key) {
                    conditions(value, &path.key(key), faults);
                    continue;
                }
                if let Err(unreadable) = Condition::read(key) {
                    faults.push(format!("{path}: {}", unreadable.message(key)));
                } else if matches!(value, Value::Null | Value::Bool(_) | Value::Text(_)) {
                    let key = shown(key);
                    let what = "must contain a mapping or a list";
                    faults.push(format!("{path}: condition \"{key}\" {what}"));
                }
                conditions(value, path, faults);
            }
        }
    }
}
