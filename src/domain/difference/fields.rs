//! What two versions of a document differ in, field by field.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

/// Most characters of a value that are shown.
const LONGEST_VALUE: usize = 60;

/// Digits of a digest that are shown, as people compare them.
const DIGITS: usize = 12;

/// Digits of a whole digest.
const DIGEST: usize = 64;

/// What the items of a list may be told apart by, first what is asked first.
const KEYS: [&str; 8] = ["name", "mountPath", "containerPort", "port", "key", "host", "path", "ip"];

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Where it is, such as `spec.containers[app].image`.
    pub path: String,
    /// What it is, or what would become of it as a whole, such as `added`.
    pub change: String,
    /// What it would be, where it is something already.
    pub becomes: Option<String>,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.change)?;
        self.becomes.iter().try_for_each(|becomes| write!(f, " → {becomes}"))
    }
}

/// What is looked at of a document, and what is shown of it. A path has the names of fields, and of
/// an item of a list `[name]`.
pub trait Rules {
    /// Whether a field and what is below it are of no interest.
    fn is_left_out(&self, path: &[String]) -> bool;

    /// Whether the values of a field and of what is below it are shown to nobody.
    fn is_hidden(&self, path: &[String]) -> bool;

    /// Whether two values come to the same.
    fn is_same(&self, before: &Value, after: &Value) -> bool {
        before == after
    }

    /// A text as people may read it, before it is cut.
    fn text(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Every field that differs.
///
/// What is new or gone is told as a whole, without what is in it; so are lists whose items are in
/// another order.
pub fn fields(before: &Value, after: &Value, rules: &impl Rules) -> Vec<Field> {
    let mut walk = Walk { rules, path: Vec::new(), fields: Vec::new() };
    walk.compare(Some(before), Some(after));
    walk.fields
}

/// A single value, or a list of single values, as people may read it.
fn text(value: &Value, rules: &impl Rules) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => rules.text(text),
        Value::Array(items) if items.iter().all(is_single) => {
            let items: Vec<String> = items.iter().map(|item| text(item, rules)).collect();
            format!("[{}]", items.join(", "))
        }
        // Something in it may be secret.
        Value::Array(_) => "[…]".to_owned(),
        Value::Object(_) => "{…}".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// What tells an item from others.
fn identity(item: &Value, key: &str) -> String {
    match item.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

struct Walk<'a, R> {
    rules: &'a R,
    path: Vec<String>,
    fields: Vec<Field>,
}

impl<R: Rules> Walk<'_, R> {
    fn compare(&mut self, before: Option<&Value>, after: Option<&Value>) {
        let same = match (before, after) {
            (Some(before), Some(after)) => self.rules.is_same(before, after),
            (before, after) => before == after,
        };
        if same || self.rules.is_left_out(&self.path) {
            return;
        }
        let is_hidden = self.rules.is_hidden(&self.path);
        match (before, after) {
            (None, None) => {}
            (Some(_), Some(_)) if is_hidden => self.add("changed".to_owned()),
            (Some(Value::Object(before)), Some(Value::Object(after))) => {
                self.compare_entries(before, after);
            }
            (Some(Value::Array(before)), Some(Value::Array(after))) => {
                self.compare_items(before, after);
            }
            (Some(before), Some(after)) => {
                self.add_both(before, after);
            }
            (None, Some(Value::Object(after))) if is_flat(after) => {
                self.compare_entries(&Map::new(), after);
            }
            (Some(Value::Object(before)), None) if is_flat(before) => {
                self.compare_entries(before, &Map::new());
            }
            (None, Some(after)) => self.add_one("added", (!is_hidden).then_some(after)),
            (Some(before), None) => self.add_one("removed", (!is_hidden).then_some(before)),
        }
    }

    fn compare_entries(&mut self, before: &Map<String, Value>, after: &Map<String, Value>) {
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            self.below(name.clone(), before.get(name), after.get(name));
        }
    }

    fn compare_items(&mut self, before: &[Value], after: &[Value]) {
        if let Some(key) = key(before, after) {
            let name = |item: &Value| identity(item, key);
            let known = self.fields.len();
            let find = |items: &[Value], meant: &str| {
                items.iter().find(|item| name(item) == meant).cloned()
            };
            let gone = before.iter().filter(|item| find(after, &name(item)).is_none());
            for item in after.iter().chain(gone) {
                let name = name(item);
                let (before, after) = (find(before, &name), find(after, &name));
                self.below(format!("[{name}]"), before.as_ref(), after.as_ref());
            }
            let names = |items: &[Value]| items.iter().map(name).collect::<Vec<_>>();
            if self.fields.len() == known && names(before) != names(after) {
                self.add("in another order".to_owned());
            }
        } else if before.iter().chain(after).all(is_single) {
            self.add_both(&before.to_vec().into(), &after.to_vec().into());
        } else {
            for index in 0..before.len().max(after.len()) {
                self.below(format!("[{index}]"), before.get(index), after.get(index));
            }
        }
    }

    fn below(&mut self, name: String, before: Option<&Value>, after: Option<&Value>) {
        self.path.push(name);
        self.compare(before, after);
        self.path.pop();
    }

    /// What is new or gone, with its value if that may be shown.
    fn add_one(&mut self, what: &str, value: Option<&Value>) {
        let is_short = |value: &&Value| match value {
            Value::Object(_) => false,
            Value::Array(items) => items.iter().all(is_single),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        };
        self.add(match value.filter(is_short) {
            None => what.to_owned(),
            Some(value) => format!("{what}, {}", self.shown(value)),
        });
    }

    fn add_both(&mut self, before: &Value, after: &Value) {
        let (before, after) = (self.shown(before), self.shown(after));
        // What differs in them is hidden, or was cut off.
        let is_shown = before != after;
        match is_shown {
            true => self.add_field(before, Some(after)),
            false => self.add("changed".to_owned()),
        }
    }

    /// A value that is short enough for a line.
    fn shown(&self, value: &Value) -> String {
        shortened(&text(value, self.rules))
    }

    fn add(&mut self, change: String) {
        self.add_field(change, None);
    }

    fn add_field(&mut self, change: String, becomes: Option<String>) {
        let mut path = String::new();
        for name in &self.path {
            if !path.is_empty() && !name.starts_with('[') {
                path.push('.');
            }
            path.push_str(name);
        }
        self.fields.push(Field { path, change, becomes });
    }
}

/// Whether there are only single values in a mapping, such as labels.
fn is_flat(entries: &Map<String, Value>) -> bool {
    !entries.is_empty() && entries.values().all(is_single)
}

fn is_single(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// What tells all items of both lists apart.
fn key(before: &[Value], after: &[Value]) -> Option<&'static str> {
    let tells_apart = |key: &&str, items: &[Value]| {
        let mut known = BTreeSet::new();
        items.iter().all(|item| match item.get(*key) {
            Some(value) => is_single(value) && known.insert(identity(item, key)),
            None => false,
        })
    };
    KEYS.into_iter().find(|key| tells_apart(key, before) && tells_apart(key, after))
}

/// A text on one line, with digests as people write them.
fn shortened(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut parts = text.split("sha256:");
    line.push_str(parts.next().unwrap_or_default());
    for part in parts {
        line.push_str("sha256:");
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (digest, rest) = part.split_at(digits);
        let is_whole = digits == DIGEST;
        line.push_str(digest.get(..DIGITS).filter(|_| is_whole).unwrap_or(digest));
        line.push_str(rest);
    }
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= LONGEST_VALUE {
        return line;
    }
    let mut cut: String = line.chars().take(LONGEST_VALUE - 1).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    struct Plain;

    impl Rules for Plain {
        fn is_left_out(&self, path: &[String]) -> bool {
            path.last().is_some_and(|name| name == "status")
        }

        fn is_hidden(&self, path: &[String]) -> bool {
            path.first().is_some_and(|name| name == "data") && path.len() == 2
        }
    }

    fn told(before: &Value, after: &Value) -> String {
        let fields = fields(before, after, &Plain);
        fields.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn single_values_are_told_with_both_and_what_is_left_out_is_not() {
        let before = json!({"status": 1, "a": {"b": 1, "c": true, "d": ["x"], "e": ""}, "gone": 3});
        let after = json!({"status": 2, "a": {"b": 2, "c": true, "d": ["x", "y"], "e": "z"}, "new": {"k": "v"}});
        assert_snapshot!(told(&before, &after), @r#"
        a.b: 1 → 2
        a.d: [x] → [x, y]
        a.e: "" → z
        gone: removed, 3
        new.k: added, v
        "#);
    }

    #[test]
    fn items_are_told_apart_by_what_names_them() {
        let before =
            json!([{"name": "app", "image": "a"}, {"name": "old", "env": {"A": "s3cret"}}]);
        let after = json!([{"name": "new", "env": {"A": "s3cret"}}, {"name": "app", "image": "b"}]);
        assert_snapshot!(told(&json!({"c": before}), &json!({"c": after})), @r"
        c[new]: added
        c[app].image: a → b
        c[old]: removed
        ");
        let (before, after) =
            (json!([{"name": 1}, {"name": 2}]), json!([{"name": 2}, {"name": 1}]));
        assert_snapshot!(told(&json!({"c": before}), &json!({"c": after})), @"c: in another order");
        let (before, after) = (json!([{"x": 1}]), json!([{"x": 2}, {"x": 3}]));
        assert_snapshot!(told(&json!({"c": before}), &json!({"c": after})), @r"
        c[0].x: 1 → 2
        c[1].x: added, 3
        ");
    }

    #[test]
    fn hidden_values_are_in_no_line() {
        let before = json!({"data": {"a": "s3cret-1", "b": "s3cret-2"}});
        let after = json!({"data": {"a": "s3cret-3", "c": "s3cret-4"}});
        assert_snapshot!(told(&before, &after), @r"
        data.a: changed
        data.b: removed
        data.c: added
        ");
        // Of another form, they are in none either.
        assert_snapshot!(told(&json!({"x": [{"y": "s3cret"}]}), &json!({"x": 1})), @"x: […] → 1");
    }

    #[test]
    fn digests_are_short_and_long_texts_are_cut() {
        let digest = "9d1e".repeat(16);
        let image = format!("registry.example:5000/shop/web@sha256:{digest}");
        assert_eq!(shortened(&image), "registry.example:5000/shop/web@sha256:9d1e9d1e9d1e");
        assert_eq!(shortened("a\nb\u{1b}[2J"), "a b [2J");
        assert_eq!(shortened(&"x".repeat(99)).chars().count(), LONGEST_VALUE);
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<u8>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("name|port|[a-c]", inner, 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn something_is_told_exactly_when_something_differs(a in documents(), b in documents()) {
            struct Everything;

            impl Rules for Everything {
                fn is_left_out(&self, _: &[String]) -> bool {
                    false
                }

                fn is_hidden(&self, _: &[String]) -> bool {
                    false
                }
            }

            prop_assert_eq!(fields(&a, &b, &Everything).is_empty(), a == b);
            prop_assert_eq!(fields(&a, &a, &Everything), []);
        }
    }
}
