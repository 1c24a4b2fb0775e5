//! Objects read by the paths of their fields.

use serde_json::Value;

/// The text at a path such as `/metadata/name`, empty if there is none.
pub(super) fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// The text at a path if there is one.
pub(super) fn some_text(value: &Value, path: &str) -> Option<String> {
    Some(text(value, path)).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The number at a path, if there is one.
pub(super) fn number(value: &Value, path: &str) -> Option<i64> {
    value.pointer(path).and_then(Value::as_i64)
}

/// The number at a path; servers leave zeros out.
pub(super) fn count(value: &Value, path: &str) -> i64 {
    number(value, path).unwrap_or_default()
}

/// The list at a path, empty if there is none.
pub(super) fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    value.pointer(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The keys and texts of a map at a path, such as labels.
pub(super) fn pairs<'v>(
    value: &'v Value,
    path: &str,
) -> impl Iterator<Item = (&'v str, &'v str)> + use<'v> {
    let map = value.pointer(path).and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

/// The label of this name, empty if there is none.
pub(super) fn label<'v>(value: &'v Value, name: &str) -> &'v str {
    let labels = value.pointer("/metadata/labels").and_then(Value::as_object);
    labels.and_then(|labels| labels.get(name)).and_then(Value::as_str).unwrap_or_default()
}

/// The annotation of this name, empty if there is none.
pub(super) fn annotation<'v>(value: &'v Value, name: &str) -> &'v str {
    let annotations = value.pointer("/metadata/annotations").and_then(Value::as_object);
    annotations.and_then(|known| known.get(name)).and_then(Value::as_str).unwrap_or_default()
}

/// The condition of this type in an object's status, if it has one.
pub(super) fn condition<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    list(value, "/status/conditions").iter().find(|condition| text(condition, "/type") == name)
}

/// Whether a condition of this type is true.
pub(super) fn holds(value: &Value, name: &str) -> bool {
    condition(value, name).is_some_and(|condition| text(condition, "/status") == "True")
}

/// The uid of whoever manages the object, if somebody does.
pub(super) fn controller(value: &Value) -> Option<&str> {
    let owners = list(value, "/metadata/ownerReferences").iter();
    let mut controllers = owners.filter(|owner| owner["controller"] == Value::Bool(true));
    controllers.next().map(|owner| text(owner, "/uid"))
}
