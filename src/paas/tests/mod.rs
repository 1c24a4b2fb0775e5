//! Files compiled whole, and what no file may do.

mod any_text;
mod deploys;
mod printing;
mod rules;

use super::*;
use crate::domain::variables::Variables;

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
