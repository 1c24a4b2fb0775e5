use proptest::prelude::*;

use super::*;

fn context() -> Context {
    let mut variables = Variables::default();
    variables.add("DOMAIN", "example.org").unwrap();
    variables.add("TOKEN", "s3cret-value").unwrap();
    Context {
        project_name: "Shop".to_owned(),
        environment: "production".to_owned(),
        variables,
        ..Context::default()
    }
}

/// Pieces of files, which together are sometimes one.
const WORDS: &[&str] = &[
    "pods:",
    "web:",
    "app:",
    "containers:",
    "image:",
    "nginx",
    "listen:",
    "[80, x]",
    "paas:",
    "version:",
    "v1",
    "quotas:",
    "- {category: compute, type: cpu, capacity: 50%}",
    "variables:",
    "A: ${TOKEN}",
    "${DOMAIN}: R{x}",
    "healthcheck:",
    "probe: {tcp: }",
    "services:",
    "ports:",
    "- {listen: 80, target: 0}",
    "ingresses:",
    "host: ${DOMAIN}",
    "paths:",
    "extends: x",
    "if{A=1}:",
    "resources: [{type: cpu, require: 1, limit: 2%}]",
    "&a",
    "*a",
    "<<:",
    "|",
    ">",
    "? ",
    "é世\t",
    "\u{1b}",
    "'",
    "\"",
    "images:",
    "path: ../..",
    "tag: -",
    "replicas: -1",
    "\r",
    "# x",
    "---",
];

/// Lines of such pieces with some indentation.
fn files() -> impl Strategy<Value = String> {
    let line = (0_usize..5, prop::collection::vec(prop::sample::select(WORDS), 1..4));
    let line =
        line.prop_map(|(indent, words)| format!("{}{}", "  ".repeat(indent), words.join(" ")));
    prop::collection::vec(line, 0..15).prop_map(|lines| lines.join("\n"))
}

/// Checks what must hold for every text.
fn check(text: &[u8]) -> Result<(), TestCaseError> {
    let (faults, line) = match compile(text, &context()) {
        Ok(compiled) => (compiled.warnings, String::new()),
        Err(faults) => {
            let rendered = faults.render(text, ".paas.yaml");
            prop_assert!(rendered.iter().all(|line| !line.contains(char::is_control)));
            (faults.as_slice().to_vec(), faults.first_line(".paas.yaml"))
        }
    };
    prop_assert!(line.chars().count() <= 150 && !line.contains(char::is_control));
    let text = String::from_utf8_lossy(text);
    let source = Source::new(&text);
    for fault in faults {
        let place = source.place(fault.line, fault.column, Some(fault.column + fault.length));
        let Fault { line, column, length, .. } = fault;
        prop_assert_eq!(place, Place { line, column, length }, "{}", fault.message);
        prop_assert!(!fault.message.contains("s3cret"), "{}", fault.message);
        prop_assert!(!fault.hint.unwrap_or_default().contains("s3cret"));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer_whose_places_are_inside(
        text in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        check(&text)?;
    }

    #[test]
    fn any_text_gets_an_answer_whose_places_are_inside(text in "\\PC{0,200}") {
        check(text.as_bytes())?;
    }

    #[test]
    fn near_files_get_an_answer_whose_places_are_inside(text in files()) {
        check(text.as_bytes())?;
    }
}

#[test]
fn a_file_that_is_too_long_or_no_text_is_refused() {
    let first = |text: &[u8]| compile(text, &context()).unwrap_err().first_line("f");
    assert_eq!(
        first(&vec![b' '; MOST_BYTES + 1]),
        "f:1:1 the file has 1048577 bytes; at most 1048576"
    );
    assert_eq!(first(b"a: 1\nb: \xff"), "f:2:4 this is not UTF-8");
}

#[test]
fn a_file_asks_for_no_more_than_a_target_can_render() {
    let first = |text: &str| compile(text.as_bytes(), &context()).unwrap_err().first_line("f");
    let pod = |n: usize| format!("  p{n}: {{containers: {{aa: {{image: x}}}}}}\n");
    let pods: String = (0..1_001).map(pod).collect();
    assert_eq!(first(&format!("pods:\n{pods}")), "f:1:1 the file has 1001 pods; at most 1000");
    let containers: String = (0..5_001).map(|n| format!("c{n}: {{image: x}}, ")).collect();
    assert_eq!(
        first(&format!("pods: {{web: {{containers: {{{containers}}}}}}}")),
        "f:1:1 the file has 5001 containers; at most 5000"
    );
    let replicas = "pods: {web: {replicas: 2147483647, containers: {app: {image: x}}}}";
    assert_eq!(
        first(replicas),
        "f:1:1 the file asks for 2147483647 replicas in all; at most 10000"
    );
}
