//! Every code has its page, and every example has its code.

use std::collections::BTreeSet;

use super::*;
use crate::paas::{Context, ContextFile, compile};

/// What an example is compiled with.
fn context(lines: &str) -> Context {
    let text = format!("project = \"shop\"\nenvironment = \"production\"\n{lines}");
    ContextFile::read(&text).unwrap().into_context()
}

/// The codes that an example is told.
fn told(example: Example) -> BTreeSet<&'static str> {
    let (file, context) = match example {
        Example::Missing => return BTreeSet::from([Code::NoFile.as_str()]),
        Example::File(file) => (file, context("")),
        Example::With { context: lines, file } => (file, context(lines)),
        Example::Pushed(file) => (file, Context { deploys: true, ..context("") }),
    };
    let faults = match compile(file.as_bytes(), &context) {
        Ok(compiled) => compiled.warnings,
        Err(faults) => faults.as_slice().iter().chain(faults.warnings()).cloned().collect(),
    };
    faults.iter().map(|fault| fault.code.as_str()).collect()
}

#[test]
fn every_code_has_one_page_and_pages_are_in_order() {
    let codes: Vec<_> = pages().map(|page| page.code).collect();
    assert_eq!(codes, Code::ALL);
}

#[test]
fn every_example_has_its_code_and_no_other() {
    let wrong: Vec<_> = pages()
        .map(|page| (page.code.as_str(), told(page.example)))
        .filter(|(code, told)| *told != BTreeSet::from([*code]))
        .collect();
    assert_eq!(wrong, Vec::new());
}

#[test]
fn texts_are_lines_and_sentences() {
    for page in pages() {
        let Page { code, title, meaning, mend, .. } = page;
        assert!(!title.ends_with('.') && title.chars().count() <= 70, "{code}: {title}");
        for text in [meaning, mend] {
            assert!(text.ends_with('.') && !text.contains('\n'), "{code}: {text}");
        }
        assert!(page.lines().iter().all(|line| line.chars().count() <= 100), "{code}");
    }
}

#[test]
fn the_document_is_made_of_the_pages() {
    let stored = include_str!("../../../docs/faults.md");
    assert!(stored == document() + "\n", "run `cargo run -- explain --all > docs/faults.md`");
}
