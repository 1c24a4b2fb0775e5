//! Files with conditions, and what is left of them.

use proptest::prelude::*;

use super::*;
use crate::paas::shape::{faults, parsed, shape};
use crate::paas::{Context, compile};

/// The variables of paas-yaml.md §15, and a built-in one.
fn conditions() -> Conditions<'static> {
    let variables =
        [("ENV", "prod"), ("N", "10"), ("Z", "0"), ("S", "abc"), ("JOB_ENV_TAG", "staging")];
    Conditions::new(&variables.into())
}

fn filtered(text: &str) -> (Result<Node, Poisoned>, Reports) {
    let mut reports = Reports::default();
    let node = conditions().filter(parsed(text), &mut reports);
    (node, reports)
}

/// What is left of a file.
fn left(text: &str) -> String {
    let (node, reports) = filtered(text);
    shape(&node.unwrap_or_else(|Poisoned| panic!("{}", faults(&reports))))
}

/// What is wrong with a file.
fn refused(text: &str) -> String {
    let (node, reports) = filtered(text);
    assert_eq!(node, Err(Poisoned));
    faults(&reports)
}

#[test]
fn a_block_refines_the_plain_keys_beside_it_wherever_it_stands() {
    assert_eq!(
        left("{m: {a: 1, b: 2}, 'if{ENV=prod}': {m: {b: 3, c: 4}}}"),
        "{m: {a: 1, b: 3, c: 4}}"
    );
    assert_eq!(left("{'if{ENV=prod}': {m: {b: 3}}, m: {a: 1}}"), "{m: {a: 1, b: 3}}");
    assert_eq!(left("{'if{ENV=prod}': {a: 2, b: 2}, a: 1}"), "{a: 2, b: 2}");
    assert_eq!(left("{a: 1, 'if{ENV=dev}': {a: 2}}"), "{a: 1}");
}

#[test]
fn lists_are_replaced_and_so_is_what_has_another_shape() {
    assert_eq!(left("{l: [1, 2], 'if{ENV=prod}': {l: [9]}}"), "{l: [9]}");
    assert_eq!(left("{a: {x: 1}, 'if{ENV=prod}': {a: 1}}"), "{a: 1}");
    assert_eq!(left("{a: 1, 'if{ENV=prod}': {a: {x: 1}}}"), "{a: {x: 1}}");
    assert_eq!(left("{a: {x: 1}, 'if{ENV=prod}': {a: }}"), "{a: ~}");
}

#[test]
fn of_several_that_hold_the_later_win() {
    let text = "{'if{ENV=prod}': {a: 1, b: 1}, 'if{N>9}': {b: 2, c: 2}, 'if{N<9}': {c: 3}}";
    assert_eq!(left(text), "{a: 1, b: 2, c: 2}");
}

#[test]
fn inner_blocks_are_resolved_before_their_block_is_merged() {
    let text = "
        m: {a: 1}
        if{ENV=prod}:
          if{N>9}: {m: {b: 2}}
          m: {b: 1, c: 1}
          if{N<9}: {m: {c: 9}}
    ";
    assert_eq!(left(text), "{m: {a: 1, b: 2, c: 1}}");
    assert_eq!(left("{'if{ENV=prod}': {'if{N>9}': {'if{S>9}': {a: 1}}}}"), "{a: 1}");
}

#[test]
fn what_a_condition_hides_is_not_looked_at() {
    let text = "{a: 1, 'if{ENV=dev}': {'if{broken}': 1, 'if{ENV is foo}': {}}}";
    let (node, reports) = filtered(text);
    assert_eq!(shape(&node.unwrap()), "{a: 1}");
    assert_eq!(reports.branches.len(), 1);
}

#[test]
fn conditions_inside_list_items_count() {
    let text = "ports:\n- listen: 80\n  if{ENV=prod}: {target: 8080}\n  if{ENV=dev}: {target: 1}";
    assert_eq!(left(text), "{ports: [{listen: 80, target: 8080}]}");
    assert_eq!(
        left("[[{'if{ENV=prod}': {a: 1}}], {'if{ENV=dev}': {a: 1}}, 2, {}]"),
        "[[{a: 1}], 2, {}]"
    );
}

#[test]
fn a_mapping_of_which_nothing_holds_goes_with_its_key() {
    assert_eq!(left("{a: {'if{ENV=dev}': {x: 1}, 'if{N<9}': {y: 1}}, b: 1}"), "{b: 1}");
    // Conditions inside each other are like one of both.
    assert_eq!(left("{a: {'if{ENV=prod}': {'if{N<9}': {x: 1}}}, b: 1}"), "{b: 1}");
    assert_eq!(left("{a: {b: {'if{ENV=dev}': {x: 1}}}}"), "{a: {}}");
    assert_eq!(left("{a: {}, b: {'if{ENV=prod}': {}}}"), "{a: {}, b: {}}");
    assert_eq!(left("'if{ENV=dev}': {a: 1}"), "{}");
    assert_eq!(left("{m: {'if{N<9}': {x: 1}}, 'if{N>9}': {m: {y: 1}}}"), "{m: {y: 1}}");
}

#[test]
fn conditions_over_lists_make_a_list() {
    assert_eq!(
        left("{a: {'if{ENV=prod}': [1, 2], 'if{ENV=dev}': [3], 'if{N>9}': [4]}}"),
        "{a: [1, 2, 4]}"
    );
    assert_eq!(left("{a: {'if{ENV=dev}': [1]}, b: 1}"), "{b: 1}");
    assert_eq!(left("{a: {'if{ENV=prod}': {'if{N>9}': [1]}, 'if{S>9}': [2]}}"), "{a: [1, 2]}");
    assert_eq!(left("{a: {'if{ENV=dev}': {'if{N>9}': {x: 1}}, 'if{S>9}': [2]}}"), "{a: [2]}");
    assert_eq!(left("{a: {'if{ENV=prod}': []}}"), "{a: []}");
    assert_eq!(left("{a: [0], 'if{ENV=prod}': {a: {'if{N>9}': [1]}}}"), "{a: [1]}");
    assert_eq!(left("{a: {'if{ENV=prod}': [{'if{N<9}': {x: 1}}, {y: 1}]}}"), "{a: [{y: 1}]}");
}

#[test]
fn lists_do_not_mix_with_other_keys() {
    insta::assert_snapshot!(refused(
        "a:\n  x: 1\n  if{ENV=prod}: [1]\n\
         b:\n  if{N>9}: {y: 1}\n  if{N>8}: [1]\n\
         c:\n  if{N<9}: [1]\n  z: 1\n\
         d:\n  if{N<9}: {z: 1}\n  if{N>9}: [1]\n\
         e:\n  if{N<9}: {z: 1}\n  if{N<8}: [1]\n\
         if{ENV=prod}: [1]\n"
    ), @r#"
    3:3 E-304 a: condition "if{ENV=prod}" holds a list beside other keys
    6:3 E-304 b: condition "if{N>8}" holds a list beside other keys
    8:3 E-304 c: condition "if{N<9}" holds a list beside other keys
    12:3 E-304 d: condition "if{N>9}" holds a list beside other keys
    15:3 E-304 e: condition "if{N<8}" holds a list beside other keys
    16:1 E-304 : condition "if{ENV=prod}" holds a list beside other keys
    "#);
}

#[test]
fn all_faults_of_conditions_are_found_at_once() {
    insta::assert_snapshot!(refused(
        "if{ENV is foo}: {a: 1}\n\
         if{ENV}: {a: 1}\n\
         if{ENV=prod}: text\n\
         if{ENV=dev}:\n\
         pods:\n  web:\n    - if{ENV == prod}: {a: 1}\n    - if{ENV=prod}:\n        b:\n          IF{A ~ x}: [1]\n"
    ), @r#"
    1:1 E-303 : condition "if{ENV is foo}": `is` accepts only `null` or `empty`
    2:1 E-301 : cannot read condition "if{ENV}"
    3:1 E-302 : condition "if{ENV=prod}" must contain a mapping or a list
    4:1 E-302 : condition "if{ENV=dev}" must contain a mapping or a list
    7:7 E-301 pods.web[0]: cannot read condition "if{ENV == prod}"
    10:11 E-301 pods.web[1].b: cannot read condition "IF{A ~ x}"
    "#);
    let hints = |text| {
        let (_, reports) = filtered(text);
        reports.errors.faults.into_iter().map(|fault| fault.hint.unwrap()).collect::<Vec<_>>()
    };
    insta::assert_snapshot!(hints("{'if{A}': {}, 'if{A==1}': {}, 'if{A is 1}': {}}").join("\n"), @r"
    write `if{NAME op value}` with =, !=, <, <=, >, >=, is or isnot
    compare with one `=`
    compare with a value by `=` or `!=`
    ");
}

#[test]
fn every_condition_is_told_with_its_place() {
    let text =
        "pods:\n  if{ENV=prod}:\n    web:\n      \"if{ N < 9 }\": {a: 1}\n  if{N<9}: {x: 1}\n";
    let (_, reports) = filtered(text);
    let told = reports.branches.iter().map(|branch| {
        let Branch { condition, path, line, column, length, taken } = branch;
        format!("{line}:{column}+{length} {path} {condition} {taken}")
    });
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r"
    2:3+12 pods if{ENV=prod} true
    4:7+13 pods.web if{ N < 9 } false
    5:3+7 pods if{N<9} false
    ");
}

#[test]
fn what_is_merged_keeps_its_own_place() {
    let (node, _) = filtered("web: {a: 1}\nif{ENV=prod}:\n  web:\n    b: 2\n");
    let node = node.unwrap();
    let web = node.entry("web").unwrap();
    let line = |key| web.value.entry(key).unwrap().key.place.line;
    assert_eq!((web.key.place.line, line("a"), line("b")), (1, 1, 4));
}

#[test]
fn built_in_variables_are_known() {
    let compiled = |environment: &str| {
        let context = Context {
            environment: environment.to_owned(),
            project_name: "Shop!".to_owned(),
            ..Context::default()
        };
        let text = "pods: {web: {containers: {app: {image: x}}}}\n\
                    if{JOB_ENV_TAG=production-eu}:\n  if{JOB_PROJECT_NAME=shop}:\n    pods: {web: {replicas: 3}}\n";
        let compiled = compile(text.as_bytes(), &context).unwrap();
        let held = compiled.branches.iter().filter(|branch| branch.taken).count();
        (compiled.model.pods.first().unwrap().replicas, held)
    };
    assert_eq!(compiled("Production EU"), (3, 2));
    assert_eq!(compiled("staging"), (1, 0));
}

/// What a compilation says first, and of how many faults.
fn first_lines(text: &str) -> Vec<String> {
    let faults = compile(text.as_bytes(), &Context::default()).unwrap_err();
    let line =
        |fault: &Fault| format!("{}:{} {} {}", fault.line, fault.column, fault.code, fault.path);
    faults.as_slice().iter().map(line).collect()
}

#[test]
fn the_older_version_has_no_conditions() {
    assert_eq!(
        first_lines("paas: {version: v1}\nif{A=1}: x\nmaps:\n  m: [{'IF{': x}, {'If{A=1}': {}}]\n"),
        ["2:1 E-104 ", "4:8 E-104 maps.m[0]", "4:20 E-104 maps.m[1]"]
    );
}

#[test]
fn no_condition_changes_the_version() {
    let text = "
if{A=1}: {paas: {version: v1}}
paas:
  if{A=2}:
    version: v1
  if{A=3}:
    if{A=4}: {version: }
if{A is null}:
  if{A=5}:
    paas:
      if{A=6}: {version: v1.1}
  pods: {paas: {version: v1}}
  version: v1
";
    let expected = ["2:18", "5:5", "7:15", "11:17"].map(|at| format!("{at} E-305 paas.version"));
    assert_eq!(first_lines(text), expected);
    assert_eq!(
        first_lines("if{A}: {}\nif{A=1}: {paas: {version: v1}}"),
        ["1:1 E-301 ", "2:18 E-305 paas.version"]
    );
}

#[test]
fn many_keys_and_conditions_take_no_longer_than_their_text() {
    let keys: String = (0..22_000).map(|n| format!("k{n}: 1\n")).collect();
    let blocks: String = (0..22_000).map(|n| format!("if{{N!={n}x}}: {{k{n}: 2}}\n")).collect();
    let deeper = blocks.replace(": {", ": {m: {").replace('}', "}}").replace("x}}", "x}");
    let m: String = keys.lines().map(|line| format!("  {line}\n")).collect();
    let open: String = (0..30).map(|n| format!("k{n}: 0, 'if{{N=10}}': {{")).collect();
    let inner: String = (0..50_000).map(|n| format!("k{n}: 1, ")).collect();
    for text in [
        format!("{keys}{blocks}"),
        format!("m:\n{m}{deeper}"),
        format!("{{{open}{inner}{}}}", "}".repeat(30)),
    ] {
        assert!(text.len() <= crate::paas::MOST_BYTES);
        // What grows with the square of a file takes minutes here, not seconds.
        let (node, _) = filtered(&text);
        let node = node.unwrap();
        let size = node.size();
        assert!((22_000..60_000).contains(&size), "{size}");
    }
}

/// Values of some depth, whose keys are sometimes conditions.
fn values(keys: &'static [&'static str]) -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(&["1", "x", "''", "null"][..]).prop_map(str::to_owned);
    scalar.prop_recursive(4, 24, 4, move |inner| {
        let entries = prop::collection::btree_map(prop::sample::select(keys), inner.clone(), 0..4);
        let mapping = entries.prop_map(|entries| {
            let entries = entries.iter().map(|(key, value)| format!("'{key}': {value}"));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        });
        let list =
            prop::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(", ")));
        prop_oneof![3 => mapping, 1 => list]
    })
}

const PLAIN: &[&str] = &["a", "b", "c", "if", "iff{A=1}", "i"];
const MIXED: &[&str] = &["a", "b", "c", "if{ENV=prod}", "if{N>9}", "if{ENV=dev}", "if{N}"];

proptest! {
    #[test]
    fn a_file_without_conditions_is_unchanged(text in values(PLAIN)) {
        let node = parsed(&text);
        let mut reports = Reports::default();
        prop_assert_eq!(conditions().filter(node.clone(), &mut reports), Ok(node));
        prop_assert!(reports.branches.is_empty());
    }

    #[test]
    fn no_condition_is_left(text in values(MIXED)) {
        let (node, reports) = filtered(&text);
        match node {
            Ok(node) => prop_assert!(!shape(&node).contains("if{"), "{}", shape(&node)),
            Err(Poisoned) => prop_assert!(!reports.errors.faults.is_empty()),
        }
    }

    #[test]
    fn any_key_gets_an_answer(key in "(if\\{)?\\PC{0,20}\\}?", value in values(MIXED)) {
        let mut node = parsed(&format!("{{key: {value}}}"));
        node.entry_mut("key").unwrap().key.text.value = key;
        let mut reports = Reports::default();
        let result = conditions().filter(node, &mut reports);
        prop_assert_eq!(result.is_err(), !reports.errors.faults.is_empty());
    }

    /// Scalars only: each key has the value of the last block that holds and has it, and that of
    /// the plain keys otherwise.
    #[test]
    fn plain_keys_come_first_and_later_blocks_win(
        entries in prop::collection::vec((0..3_usize, 0..9_u32, any::<bool>()), 0..8),
        plain_at in 0..8_usize,
    ) {
        let mut lines: Vec<String> = entries.iter().enumerate().map(|(n, (key, value, holds))| {
            let operator = if *holds { "!=" } else { "=" };
            format!("if{{N{operator}x{n}}}: {{k{key}: {value}}}")
        }).collect();
        lines.insert(plain_at.min(lines.len()), "k0: plain\nk1: plain".to_owned());
        let (node, _) = filtered(&lines.join("\n"));
        let node = node.unwrap();
        for key in 0..3 {
            let last = entries.iter().rfind(|(own, _, holds)| *own == key && *holds);
            let expected = match last {
                Some((_, value, _)) => Some(value.to_string()),
                None => (key < 2).then(|| "plain".to_owned()),
            };
            let actual = node.entry(&format!("k{key}")).map(|entry| shape(&entry.value));
            prop_assert_eq!(actual, expected);
        }
    }
}
