//! Texts as trees, and texts that are none.

use std::fmt::Write as _;

use super::*;
use crate::paas::node::Content;
use crate::paas::shape::shape;

fn parsed(text: &str) -> Result<Node, Vec<String>> {
    let mut reports = Reports::default();
    parse(&Source::new(text), &mut reports).map_err(|Poisoned| {
        let fault = |fault: &Fault| {
            let Fault { line, column, code, message, .. } = fault;
            format!("{line}:{column} {code} {message}")
        };
        reports.errors.faults.iter().map(fault).collect()
    })
}

fn faults(text: &str) -> String {
    parsed(text).unwrap_err().join("\n")
}

/// Places of all scalars, keys included, as the text has them.
fn scalars(node: &Node, found: &mut String) {
    let mut note = |place: Place| {
        write!(found, "{}:{}+{} ", place.line, place.column, place.length).unwrap();
    };
    match &node.content {
        Content::Scalar(_) => note(node.place),
        Content::List(items) => items.iter().for_each(|item| scalars(item, found)),
        Content::Mapping(entries) => {
            for entry in entries {
                write!(found, "[{}:{}] ", entry.key.place.line, entry.key.place.column).unwrap();
                scalars(&entry.value, found);
            }
        }
        Content::Poisoned => {}
    }
}

#[test]
fn plain_scalars_keep_their_source_text_and_quoted_ones_are_text() {
    let text =
        "{a: 8.10, b: 0x1F, c: 2024-01-01, d: yes, e: '7', f: \"\\u00e9\", g: !!str 8, h: ! 9}";
    assert_eq!(
        shape(&parsed(text).unwrap()),
        r#"{a: 8.10, b: 0x1F, c: 2024-01-01, d: yes, e: "7", f: "é", g: "8", h: "9"}"#
    );
    assert_eq!(
        shape(&parsed("a: |\n  x\n  y\nb: >-\n  x\n  y").unwrap()),
        r#"{a: "x\ny\n", b: "x y"}"#
    );
}

#[test]
fn places_count_characters_and_lines_of_all_kinds() {
    let mut found = String::new();
    scalars(&parsed("\u{feff}é: ü\r\nb:\rc:\n  - 'x y'\n  - 世界\n").unwrap(), &mut found);
    assert_eq!(found.trim(), "[1:1] 1:4+1 [2:1] 2:2+0 [3:1] 4:5+5 5:5+2");
}

#[test]
fn anchors_aliases_and_merge_keys_are_resolved() {
    let text = "base: &b {x: 1, y: 2}\nown: {<<: *b, y: 3}\nlist: {<<: [{x: 9}, *b]}\n'<<': 1\nk: &k v\n*k : w\n";
    assert_eq!(
        shape(&parsed(text).unwrap()),
        "{base: {x: 1, y: 2}, own: {y: 3, x: 1}, list: {x: 9, y: 2}, <<: 1, k: v, v: w}"
    );
}

#[test]
fn what_is_no_single_document_of_names_is_refused_with_its_place() {
    insta::assert_snapshot!(faults(""), @"1:1 E-102 it is empty");
    insta::assert_snapshot!(faults("# nothing\n"), @"1:1 E-102 it is empty");
    insta::assert_snapshot!(faults("a: 1\n---\nb: 2\n"), @"2:1 E-102 a second document begins here");
    insta::assert_snapshot!(faults("a: 1\nb: {c: 1, c: 2}\na: 3\n? [x]\n: 4\n"), @r#"
    2:11 E-102 key "c" is here twice
    3:1 E-102 key "a" is here twice
    4:3 E-102 a key must be a name, not a list or a mapping
    "#);
    insta::assert_snapshot!(faults("a: !ruby/object:Gem x\nb: !!python/tuple [1]\n"), @"
    1:4 E-102 a tag is not allowed
    2:4 E-102 a tag is not allowed
    ");
    insta::assert_snapshot!(faults("a: *nobody\n"), @"1:4 E-102 there is no anchor of this name above");
    insta::assert_snapshot!(faults("a: &a [*a]\n"), @"1:8 E-102 an alias cannot be inside what it names");
    insta::assert_snapshot!(faults("a: {<<: 1}\n"), @"1:9 E-102 `<<` takes a mapping or a list of mappings");
    insta::assert_snapshot!(faults("a: {<<: {}, <<: {}}\n"), @r#"1:13 E-102 key "<<" is here twice"#);
    insta::assert_snapshot!(faults("a:\n\tb: 1\n"), @"2:2 E-102 a tab cannot indent");
    insta::assert_snapshot!(faults("a: 'x\nb: 1\n"), @"1:4 E-102 this quote is not closed");
    insta::assert_snapshot!(faults("a: b: c\n"), @"1:5 E-102 `:` cannot stand here: indentation, or missing quotes");
    insta::assert_snapshot!(faults("a: 1\nb\n"), @"2:1 E-102 expected a `:` behind this key");
    insta::assert_snapshot!(faults("a: 1\n b: 2\n"), @"2:3 E-102 `:` cannot stand here: indentation, or missing quotes");
    insta::assert_snapshot!(faults("a: [1, 2\nb: 3\n"), @"2:2 E-102 `:` cannot stand here: is a bracket above not closed?");
    insta::assert_snapshot!(faults("a: @x\n"), @"1:4 E-102 unexpected character: `@'");
    insta::assert_snapshot!(faults("a: \u{0}\n"), @r"1:4 E-102 unexpected character: `\u{0}'");
}

#[test]
fn deep_nesting_is_bounded_in_every_notation() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parsed(&deep(64)).is_ok());
    let expected = "E-105 it is nested more than 64 levels deep";
    assert_eq!(faults(&deep(65)), format!("1:66 {expected}"));
    for open in ["[", "{a: ", "- ", "? "] {
        let text = open.repeat(100_000);
        let fault = faults(&text);
        assert!(fault.ends_with(expected), "{open}: {fault}");
    }
    // Each anchor repeats the one before: no single one is deep.
    let mut chain = format!("- &a0 {}\n", deep(30));
    for n in 1..10 {
        let (open, close) = ("[".repeat(30), "]".repeat(30));
        writeln!(chain, "- &a{n} {open}*a{}{close}", n - 1).unwrap();
    }
    assert!(faults(&chain).ends_with(expected));
}

#[test]
fn aliases_cannot_make_a_small_file_large() {
    let mut laughs = "a0: &a0 [lol, lol]\n".to_owned();
    for n in 1..30 {
        writeln!(laughs, "a{n}: &a{n} [*a{0}, *a{0}, *a{0}]", n - 1).unwrap();
    }
    let expected = "E-105 aliases make the file more than 10 times larger, or more than 250,000 keys and values";
    assert!(faults(&laughs).ends_with(expected));

    let large = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(1_000));
    assert!(faults(&large).ends_with(expected));

    let many = format!("[{}]", "1,".repeat(250_000));
    assert!(faults(&many).ends_with("E-105 the file has more than 250,000 keys and values"));

    let modest = format!("a: &a [1, 2, 3]\nb: [{}]\n", "*a, ".repeat(100));
    assert!(parsed(&modest).is_ok());
}
