//! Values as YAML that people can read: what names a thing stands first.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Keys that stand first, in this order.
const FIRST: [&str; 5] = ["apiVersion", "kind", "metadata", "name", "namespace"];

/// Words that would not be texts without quotes, in whatever case; those of YAML 1.1 too.
const WORDS: [&str; 11] =
    ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "inf", "nan"];

/// How a value is written.
enum Form<'a> {
    /// Below its key.
    Mapping(&'a Map<String, Value>),
    /// The same.
    Sequence(&'a [Value]),
    /// Behind its key.
    Line,
}

impl<'a> Form<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Object(entries) if !entries.is_empty() => Self::Mapping(entries),
            Value::Array(items) if !items.is_empty() => Self::Sequence(items),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => Self::Line,
        }
    }
}

/// One document, with a line end.
pub(super) fn document(value: &Value) -> String {
    let mut text = String::new();
    match Form::of(value) {
        Form::Mapping(entries) => mapping(entries, 0, "", &mut text),
        Form::Sequence(items) => sequence(items, 0, &mut text),
        Form::Line => {
            text = scalar(value, 0);
            text.push('\n');
        }
    }
    text
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

/// The first key stands behind `start`, the others on lines of their own.
fn mapping(entries: &Map<String, Value>, depth: usize, start: &str, text: &mut String) {
    let mut entries: Vec<_> = entries.iter().collect();
    let rank = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    entries.sort_by(|(a, _), (b, _)| (rank(a), a).cmp(&(rank(b), b)));
    for (index, (key, value)) in entries.into_iter().enumerate() {
        let before = if index == 0 { start.to_owned() } else { indent(depth) };
        text.push_str(&before);
        text.push_str(&string(key, None));
        text.push(':');
        match Form::of(value) {
            Form::Mapping(entries) => {
                text.push('\n');
                let depth = depth.saturating_add(1);
                mapping(entries, depth, &indent(depth), text);
            }
            Form::Sequence(items) => {
                text.push('\n');
                sequence(items, depth, text);
            }
            Form::Line => line(value, depth, text),
        }
    }
}

fn sequence(items: &[Value], depth: usize, text: &mut String) {
    for item in items {
        let start = format!("{}-", indent(depth));
        let inner = depth.saturating_add(1);
        match Form::of(item) {
            Form::Mapping(entries) => {
                mapping(entries, inner, &format!("{start} "), text);
            }
            Form::Sequence(items) => {
                text.push_str(&start);
                text.push('\n');
                sequence(items, inner, text);
            }
            Form::Line => {
                text.push_str(&start);
                line(item, depth, text);
            }
        }
    }
}

/// The rest of a line.
fn line(value: &Value, depth: usize, text: &mut String) {
    // What cannot be written to a text does not exist.
    writeln!(text, " {}", scalar(value, depth)).unwrap_or_default();
}

fn scalar(value: &Value, depth: usize) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(value) => string(value, Some(depth)),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// A text, plain where that is clear, as a block where one may stand and it has lines.
fn string(text: &str, depth: Option<usize>) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    match depth {
        Some(depth) if is_block(text) => block(text, depth),
        _ => quoted(text),
    }
}

/// Units of amounts that no reader takes for numbers.
const UNITS: [&str; 11] = ["m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi"];

fn is_plain(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if unit.len() < text.len() && UNITS.contains(&unit) {
        return true;
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_./@:-".contains(&b);
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.bytes().all(allowed)
        && !text.ends_with(':')
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn is_block(text: &str) -> bool {
    let Some((first, rest)) = text.split_once('\n') else { return false };
    let is_clear = |c: char| c == '\n' || c == '\t' || !needs_escape(c);
    !rest.is_empty()
        && !first.trim().is_empty()
        && !first.starts_with([' ', '\t'])
        && !text.ends_with("\n\n")
        && text.chars().all(is_clear)
}

fn block(text: &str, depth: usize) -> String {
    let mut lines = if text.ends_with('\n') { "|" } else { "|-" }.to_owned();
    let before = indent(depth.saturating_add(1));
    for line in text.trim_end_matches('\n').split('\n') {
        let before = if line.is_empty() { "" } else { before.as_str() };
        lines.push('\n');
        lines.push_str(before);
        lines.push_str(line);
    }
    lines
}

/// Whether a character is a line end to somebody, or is not shown.
fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if needs_escape(c) => {
                // As in `line`.
                write!(quoted, "\\u{:04x}", u32::from(c)).unwrap_or_default();
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_names_a_thing_stands_first() {
        let value = json!({
            "spec": {"list": [{"image": "a:1", "name": "x"}, [], {}, [1, "2"]], "none": null},
            "data": {"a": "true", "b": "", "c": "one\ntwo\n", "d": " one\ntwo", "e": "x: y"},
            "metadata": {"labels": {"z": "-1", "x": "8.10", "y": "250m"}, "name": "a"},
            "kind": "K", "apiVersion": "v1",
        });
        insta::assert_snapshot!(document(&value), @r#"
        apiVersion: v1
        kind: K
        metadata:
          name: a
          labels:
            x: "8.10"
            "y": 250m
            z: "-1"
        data:
          a: "true"
          b: ""
          c: |
            one
            two
          d: " one\ntwo"
          e: "x: y"
        spec:
          list:
          - name: x
            image: a:1
          - []
          - {}
          -
            - 1
            - "2"
          none: null
        "#);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[ -~]{0,8}",
            "([a-z ]{0,3}\n){1,3}[a-z]?",
            "[0-9eE+.:_-]{1,6}",
            "[0-9]{1,3}[a-zA-Z]{1,2}",
            Just("NO".to_owned()),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(text.clone(), inner, 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reading_gives_what_was_written(value in any_value()) {
            let text = document(&value);
            let read: Value = serde_saphyr::from_str(&text).map_err(|error| {
                TestCaseError::fail(format!("{error}\n{text}"))
            })?;
            prop_assert_eq!(read, value);
        }
    }
}
