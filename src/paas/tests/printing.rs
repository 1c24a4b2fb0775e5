//! A tree that is printed and read again is the same.

use proptest::prelude::*;

use crate::paas::node::Node;
use crate::paas::report::Reports;
use crate::paas::shape::{parsed, printed, shape};
use crate::paas::source::Source;
use crate::paas::yaml;

/// Values of some depth as YAML, in many notations.
fn values() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        "[a-z0-9][a-z0-9.-]{0,6}",
        "'[a-zA-Z0-9 :#,{}*&!|>@%-]{0,8}'",
        Just("null".to_owned()),
        Just("''".to_owned()),
        Just("\"\\u00e9\\U0001F600\\0\\e\\n\"".to_owned()),
    ];
    scalar.prop_recursive(6, 40, 5, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..5)
            .prop_map(|items| format!("[{}]", items.join(", ")));
        let entries = prop::collection::btree_map("[a-z]{1,3}|'[ <:?é-]{1,3}'", inner, 0..5);
        let mapping = entries.prop_map(|entries| {
            let entries = entries.iter().map(|(key, value)| format!("{key}: {value}"));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        });
        prop_oneof![list, mapping]
    })
}

fn read(text: &str) -> Option<Node> {
    yaml::parse(&Source::new(text), &mut Reports::default()).ok()
}

proptest! {
    #[test]
    fn printing_and_reading_changes_nothing(text in values()) {
        let node = parsed(&text);
        let again = parsed(&printed(&node));
        prop_assert_eq!(shape(&again), shape(&node));
        prop_assert_eq!(printed(&again), printed(&node));
    }

    #[test]
    fn nor_does_it_for_any_text_that_can_be_read(text in "([a-c:\\-\\[\\]{},'\"#\n ]|\\PC){0,60}") {
        if let Some(node) = read(&text) {
            prop_assert_eq!(printed(&parsed(&printed(&node))), printed(&node));
        }
    }
}

#[test]
fn printed_trees_are_readable() {
    let text = "a: [1, 'x y', ~, {}]\n'<<': \"\\t\"\n";
    assert_eq!(printed(&parsed(text)), r#"{? "a": [1, "x y", null, {}], ? "<<": "\U00000009"}"#);
}
