//! Files compiled whole, and what no file may do.

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
    let replicas =
        "pods: {web: {replicas: 2147483647, containers: {a1: {image: x}, a2: {image: x}}}}";
    assert_eq!(
        first(replicas),
        "f:1:1 the file asks for 4294967294 containers at a time; at most 10000"
    );
    let images: String = (0..1_001).map(|n| format!("i{n}: {{path: .}}, ")).collect();
    assert_eq!(
        first(&format!(
            "pods: {{web: {{containers: {{app: {{image: x}}}}}}}}\nimages: {{{images}}}"
        )),
        "f:2:1 the file has 1001 images; at most 1000"
    );
}

#[test]
fn of_very_many_faults_a_thousand_are_kept_and_the_others_counted() {
    let text = app(&format!(", version: '{}'", "${x}".repeat(9_000)));
    let faults = compile(text.as_bytes(), &context()).unwrap_err();
    assert_eq!((faults.as_slice().len(), faults.count()), (1_000, 9_000));
    assert!(faults.first_line("f").ends_with("(9000 faults)"));
    let lines = faults.render(text.as_bytes(), "f");
    assert_eq!(lines.last().map(String::as_str), Some("… and 8950 more"));
}

/// A file with one container, which has more than an image.
fn app(more: &str) -> String {
    format!("pods: {{web: {{containers: {{app: {{image: nginx{more}}}}}}}}}\n")
}

fn many(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect()
}

/// Files of up to a megabyte that ask for much more work than others of their size.
fn heavy_files() -> [(&'static str, String); 11] {
    let undefined = many(60_000, |n| format!("{n:x}: '${{B}}', "));
    let listen = format!(", listen: &l [{}]}}, b1: {{image: x, listen: *l", "1,".repeat(400_000));
    let ports = many(30_000, |n| format!("{{listen: {}, target: 1}}, ", n + 1));
    let rows = many(30_000, |n| format!("{{type: t{n}, require: 1}}, "));
    let quotas = many(100, |n| format!("{{category: memory, type: q{n}, capacity: 1Gi}}, "));
    let containers = many(5_000, |n| format!("c{n}: {{image: x}}, "));
    let folders = many(1_000, |n| format!("  i{n}: {{path: dir/sub/x{n:06}}}\n"));
    let wrong_pods = many(100, |n| {
        format!("  s{n}: {{pod: {}{n}, ports: [{{listen: 1, target: 1}}]}}\n", "b".repeat(60))
    });
    let long_name =
        format!("  ? {}\n  : {{containers: {{app: {{image: x}}}}}}", "a".repeat(500_000));
    let keys = many(50_000, |n| format!("k{n}: 1, "));
    let merged = "*x, ".repeat(8);
    [
        ("one text", app(&format!(", version: '{}'", "${Ab}".repeat(200_000)))),
        ("many texts", app(&format!(", variables: {{{undefined}}}"))),
        ("long name", format!("pods:\n{long_name}\nservices:\n{wrong_pods}")),
        ("unknown keys", app("") + &many(100_000, |n| format!("k{n}:\n"))),
        ("one line", format!("pods: {{{}}}", many(90_000, |n| format!("p{n}: 1, ")))),
        ("shared ports", app(&listen)),
        ("ports", format!("{}services: {{web: {{ports: [{ports}]}}}}", app(""))),
        ("resources", app(&format!(", resources: [{rows}]"))),
        ("folders", format!("{}images:\n{folders}", app(""))),
        (
            "shares",
            format!(
                "paas: {{quotas: [{quotas}]}}\npods: {{web: {{containers: {{{containers}}}}}}}"
            ),
        ),
        ("merged keys", format!("x: &x {{{keys}}}\ny: {{<<: [{merged}]}}\n")),
    ]
}

#[test]
fn every_heavy_file_comes_to_an_end() {
    let tree = (0..100_000).map(|n| format!("dir/sub{n:06}/file"));
    let mut context = Context { tree: Some(tree.collect()), ..context() };
    for n in 0..60 {
        context.variables.add(&format!("NAME_{n}"), "x").unwrap();
    }
    for (name, text) in heavy_files() {
        assert!(text.len() <= MOST_BYTES, "{name}");
        // What grows with the square of a file takes minutes or hours here, not seconds.
        match compile(text.as_bytes(), &context) {
            Ok(compiled) => drop(render_warnings(&compiled.warnings, text.as_bytes(), "f")),
            Err(faults) => drop(faults.render(text.as_bytes(), "f")),
        }
    }
}
