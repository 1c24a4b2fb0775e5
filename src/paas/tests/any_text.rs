//! No text is too strange: it gets an answer, whose places are inside.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// One entry of everything.
const CONTEXT: &str = include_str!("../../../tests/paas/context.toml");

/// What no answer may show.
const SECRET: &str = "s3cret";

fn context() -> Context {
    let context = ContextFile::read(CONTEXT).unwrap().into_context();
    assert_eq!(context.variables.iter().find(|(name, _)| *name == "DB_USER").unwrap().1, SECRET);
    context
}

/// Whole files, each with much of the language.
const FILES: &[&str] = &[
    include_str!("../../../tests/paas/examples/a.paas.yaml"),
    include_str!("../../../tests/paas/examples/b.paas.yaml"),
    include_str!("../../../tests/paas/valid/conditions.yaml"),
    include_str!("../../../tests/paas/valid/extends.yaml"),
    include_str!("../../../tests/paas/valid/hooks.yaml"),
    include_str!("../../../tests/paas/valid/jobs.yaml"),
    include_str!("../../../tests/paas/valid/shared-persistent.yaml"),
    include_str!("../../../tests/paas/valid/shop.yaml"),
    include_str!("../../../tests/paas/valid/volumes.yaml"),
    include_str!("../../../tests/paas/valid/workloads.yaml"),
];

/// Pieces of files, which together are sometimes one.
const WORDS: &[&str] = &[
    "pods:",
    "web:",
    "app:",
    "containers:",
    "containers: {app: {image: x}}",
    "image:",
    "nginx",
    "php-runtime",
    "version: '${DB_USER}'",
    "listen:",
    "[80, x]",
    "paas:",
    "paas: {version: v1}",
    "requires: [block-storage, x]",
    "quotas:",
    "- {category: compute, type: cpu, capacity: 50%}",
    "- {category: memory, type: memory, capacity: 1Gi, requires: 5pc}",
    "defaults:",
    "clusters: {eu west: {storage-size: 1Gi}}",
    "storage-size: ${EMPTY}",
    "maps:",
    "A: ${DB_USER}",
    "${DOMAIN}: R{x}",
    "secrets:",
    "secrets: {certs: {provider: map, options: {key: '${DB_USER}', other: [}}}",
    "  password: ${DB_USER} ${ x }",
    "images:",
    "path: ../..",
    "tag: -",
    "builds: {step: {npm: {action: install, path: ..}, git: {url: 'https://x'}}}",
    "volumes:",
    "data: {persistent: true, mount-path: /d, name: data}",
    "code: {add: [front, ../x], mount-path: /c, writables: ['*']}",
    "conf: {from-map: maps, mount-path: c}",
    "files: {from: files, mount-path: /f}",
    "variables:",
    "variables: {from-secrets: {A: certs.key, B: certs}, import-maps: [x]}",
    "healthcheck:",
    "probe: {tcp: }",
    "resources: [{type: cpu, require: 1, limit: 2%}]",
    "replicas: -1",
    "replicas: 2147483647",
    "upgrade: {strategy: on-delete}",
    "jobs:",
    "dump: {schedule: '* * * * *', pods: {run: {extends: node-base}}}",
    "completions: {success-on: [0], fail-on: [0], limit-on: x}",
    "planning: before-deployment",
    "restart-policy: always",
    "services:",
    "ports:",
    "- {listen: 80, target: 0}",
    "protocol: HTTPS",
    "ingresses:",
    "host: ${DOMAIN}",
    "paths: [{path: /, service: {name: web, port: 80}}]",
    "meta: letsencrypt",
    "tls: {secret: certs}",
    "enhancements:",
    "extends: node-base",
    "extends: nightly",
    "extends: x",
    "if{REGION=eu}:",
    "if{REGION!=eu}: {a: 1}",
    "if{N>9}: [1]",
    "if{A is x}:",
    "'if{REGION=eu}': {image: y}",
    "&a",
    "*a",
    "<<: *a",
    "<<:",
    "|",
    ">",
    "? ",
    "!!str",
    "!x",
    "é世\t",
    "\u{1b}",
    "'",
    "\"",
    "~",
    "{",
    "]",
    "\r",
    "# x",
    "---",
];

/// Lines of such pieces with some indentation.
fn lines_of_words() -> impl Strategy<Value = String> {
    let line = (0_usize..5, prop::collection::vec(select(WORDS), 1..4));
    let line =
        line.prop_map(|(indent, words)| format!("{}{}", "  ".repeat(indent), words.join(" ")));
    prop::collection::vec(line, 0..15).prop_map(|lines| lines.join("\n"))
}

/// A change to one line of a file.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Delete,
    Repeat,
    /// Where another line stands.
    Move(Index),
    Indent,
    Outdent,
    /// This piece below it, as deep.
    Insert(&'static str),
    /// This piece instead of what is behind the first `: `.
    Value(&'static str),
    /// Nothing behind this part of it.
    Cut(Index),
}

fn edits() -> impl Strategy<Value = Edit> {
    prop_oneof![
        Just(Edit::Delete),
        Just(Edit::Repeat),
        any::<Index>().prop_map(Edit::Move),
        Just(Edit::Indent),
        Just(Edit::Outdent),
        select(WORDS).prop_map(Edit::Insert),
        select(WORDS).prop_map(Edit::Value),
        any::<Index>().prop_map(Edit::Cut),
    ]
}

/// Whole files with a few changes.
fn changed_files() -> impl Strategy<Value = String> {
    let edits = prop::collection::vec((any::<Index>(), edits()), 0..6);
    (select(FILES), edits).prop_map(|(file, edits)| {
        let mut lines: Vec<_> = file.lines().map(str::to_owned).collect();
        for (at, edit) in edits {
            if !lines.is_empty() {
                change(&mut lines, at, edit);
            }
        }
        lines.join("\n")
    })
}

fn change(lines: &mut Vec<String>, at: Index, edit: Edit) {
    let index = at.index(lines.len());
    let line = lines[index].clone();
    let indentation = " ".repeat(line.len() - line.trim_start().len());
    match edit {
        Edit::Delete => drop(lines.remove(index)),
        Edit::Repeat => lines.insert(index, line),
        Edit::Move(other) => {
            let other = other.index(lines.len());
            lines.swap(index, other);
        }
        Edit::Indent => lines[index].insert_str(0, "  "),
        Edit::Outdent => lines[index] = line.strip_prefix("  ").unwrap_or(&line).to_owned(),
        Edit::Insert(word) => lines.insert(index + 1, format!("{indentation}{word}")),
        Edit::Value(word) => {
            let key = line.split_once(": ").map_or(line.as_str(), |(key, _)| key);
            lines[index] = format!("{key}: {word}");
        }
        Edit::Cut(part) => {
            let end = part.index(line.chars().count() + 1);
            lines[index] = line.chars().take(end).collect();
        }
    }
}

/// Checks what must hold for every text.
fn check(text: &[u8], context: &Context) -> Result<(), TestCaseError> {
    let (faults, line, rendered) = match compile(text, context) {
        Ok(compiled) => {
            let mut rendered = render_warnings(&compiled.warnings, text, ".paas.yaml");
            rendered.extend(render_branches(&compiled.branches, ".paas.yaml"));
            (compiled.warnings, String::new(), rendered)
        }
        Err(faults) => {
            let rendered = faults.render(text, ".paas.yaml");
            (faults.as_slice().to_vec(), faults.first_line(".paas.yaml"), rendered)
        }
    };
    prop_assert!(rendered.iter().all(|line| !line.contains(char::is_control)));
    prop_assert!(line.chars().count() <= 150 && !line.contains(char::is_control));
    let text = String::from_utf8_lossy(text);
    let source = Source::new(&text);
    for fault in faults {
        let Fault { line, column, length, .. } = fault;
        // Line 0: not in the file, but in its context.
        if line > 0 {
            let place = source.place(line, column, Some(column + length));
            prop_assert_eq!(place, Place { line, column, length }, "{}", fault.message);
        }
        prop_assert!(!fault.message.contains(SECRET), "{}", fault.message);
        prop_assert!(!fault.hint.unwrap_or_default().contains(SECRET));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(text in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&text, &context())?;
    }

    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}") {
        check(text.as_bytes(), &context())?;
    }

    #[test]
    fn near_files_get_an_answer(text in lines_of_words(), strict: bool, deploys: bool) {
        check(text.as_bytes(), &Context { strict, deploys, ..context() })?;
    }

    #[test]
    fn changed_files_get_an_answer(text in changed_files(), strict: bool, deploys: bool) {
        check(text.as_bytes(), &Context { strict, deploys, ..context() })?;
    }

    /// The prefix goes before names when they are deployed, and is nowhere in the model, but for
    /// what the file itself names with `R{…}`.
    #[test]
    fn the_prefix_is_in_no_name(text in changed_files()) {
        let text = text.replace("R{", "r{");
        let of = |prefix: &str| {
            compile(text.as_bytes(), &Context { prefix: prefix.to_owned(), ..context() })
        };
        // A longer name may be too long.
        if let (Ok(with), Ok(without)) = (of("zq"), of("")) {
            prop_assert_eq!(with.warnings, without.warnings);
            prop_assert_eq!(&with.model.prefix, "zq");
            let unnamed = Deployment { prefix: String::new(), ..with.model };
            prop_assert_eq!(unnamed, without.model);
        }
    }
}

/// The files are worth changing only as long as they are right.
#[test]
fn the_files_that_are_changed_compile() {
    let compiled = FILES.iter().filter(|text| compile(text.as_bytes(), &context()).is_ok());
    // The examples have contexts of their own.
    assert_eq!(compiled.count(), FILES.len() - 2);
}
