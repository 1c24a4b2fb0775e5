//! The rules of the house that no lint knows: who may know whom, and how files are kept.

mod architecture;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use crate::layers::source::{Named, Source, Token, Tree};

/// A layer's name, and its modules.
type Layer = (&'static str, &'static [&'static str]);

/// Lowest first. A module names modules of earlier layers only, and so none beside it.
const LAYERS: [Layer; 11] = [
    ("values", &["domain"]),
    ("base", &["paas", "progress", "tasks"]),
    ("models", &["image", "manifests", "stack"]),
    ("settings", &["config"]),
    ("groundwork", &["building", "caging"]),
    (
        "drivers",
        &[
            "buildah",
            "cage",
            "db",
            "docker",
            "egress",
            "git",
            "kubernetes",
            "layers",
            "oci",
            "queue",
            "router",
            "seal",
            "telemetry",
        ],
    ),
    (
        "first use cases",
        &[
            "builder",
            "history",
            "hooks",
            "paas_file",
            "people",
            "projects",
            "questions",
            "reseal",
            "routing",
            "worker_keys",
        ],
    ),
    ("jobs", &["jobs"]),
    ("use cases", &["deploy", "janitor", "push", "sources"]),
    ("doors", &["git_hook", "ssh", "web", "worker"]),
    ("program", &["cli"]),
];

/// Modules that take values and give values.
const PURE: [&str; 6] = ["domain", "image", "manifests", "paas", "progress", "stack"];

/// Crates that a pure module does not name: with them it would wait, store or throw dice.
const DRIVEN: [&str; 8] =
    ["tokio", "diesel", "diesel_async", "bollard", "git2", "redis", "rand", "russh"];

/// Words that a pure module does not say: with them it would read, start or look at a clock.
const IMPURE: [&str; 7] = ["fs", "env", "process", "thread", "SystemTime", "Instant", "now_v7"];

/// What may be named of diesel outside `src/db`: a connection to pass on, and what its use comes
/// to. Whatever makes a query is not among it.
const DIESEL: [&str; 5] = [
    "diesel::QueryResult",
    "diesel::result::Error",
    "diesel::OptionalExtension",
    "diesel_async::AsyncPgConnection",
    "diesel_async::pooled_connection::deadpool::BuildError",
];

/// Most lines of a file, and most without a reason in its header.
const MOST_LINES: (usize, usize) = (600, 400);

/// Begins the sentence that gives the reason.
const REASON: &str = "//! It is long because ";

/// Where Rust files are, and where tests among them.
const OURS: [&str; 3] = ["benches", "src", "tests"];
const TESTS: [&str; 2] = ["benches", "tests"];

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, modules)| modules.contains(&module))
}

/// Every import that points up or sideways, and what to do about it.
fn wrong_imports(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in tree.files() {
        let module = file.module();
        let Some(own) = module.first() else { continue };
        let Some(layer) = layer_of(own) else {
            let advice = "add it to LAYERS in tests/it/layers, above all that it names";
            wrong.push(format!("{}: `{own}` is in no layer: {advice}", file.path));
            continue;
        };
        for named in file.paths_into_crate() {
            let Some(other) = named.segments.get(1).filter(|other| *other != own) else { continue };
            let advice = match layer_of(other) {
                Some(used) if used < layer => continue,
                Some(used) if used == layer => {
                    format!("both are {}: let what is above bring them together", LAYERS[layer].0)
                }
                Some(used) => format!(
                    "{own} ({}) is below {other} ({}): move it down, or take it as an argument",
                    LAYERS[layer].0, LAYERS[used].0
                ),
                None => "name the module it comes from".to_owned(),
            };
            wrong.push(format!("{}:{} names {}\n  {advice}", file.path, named.line, named.text()));
        }
    }
    wrong
}

/// Every name in a pure module of what is not.
fn impure_names(tree: &Tree) -> Vec<String> {
    // What tests measure is their own affair.
    let is_pure = |file: &&Source| {
        let module = file.module();
        module.first().is_some_and(|own| PURE.contains(own)) && module.last() != Some(&"tests")
    };
    let mut wrong = Vec::new();
    for file in tree.files().filter(is_pure) {
        let driven = DRIVEN.into_iter().flat_map(|name| file.paths_from(name));
        let says =
            |named: &Named| named.segments.iter().any(|word| IMPURE.contains(&word.as_str()));
        let impure = ["std", "uuid", "Uuid"].into_iter().flat_map(|name| file.paths_from(name));
        let named = driven.chain(impure.filter(says));
        wrong.extend(named.map(|named| format!("{}:{} {}", file.path, named.line, named.text())));
        wrong.extend(places(file, &["Utc", "::", "now"]));
    }
    wrong
}

fn words(path: &str) -> Vec<&str> {
    path.split("::").collect()
}

/// Every query outside `src/db`.
fn queries(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in tree.files().filter(|file| !file.path.starts_with("src/db/")) {
        let named =
            ["diesel", "diesel_async", "diesel_migrations"].map(|name| file.paths_from(name));
        for named in named.into_iter().flatten() {
            let segments: Vec<_> = named.segments.iter().map(String::as_str).collect();
            if !DIESEL.iter().any(|allowed| segments.starts_with(&words(allowed))) {
                let path = named.text();
                wrong.push(format!(
                    "{}:{} names {path}: queries are in src/db",
                    file.path, named.line
                ));
            }
        }
    }
    wrong
}

/// Places of words one after the other.
fn places(file: &Source, words: &[&str]) -> Vec<String> {
    let is_there = |tokens: &&[Token]| tokens.iter().map(|token| &token.text).eq(words);
    let found = file.tokens.windows(words.len()).filter(is_there);
    found.map(|tokens| format!("{}:{}", file.path, tokens[0].line)).collect()
}

/// Every sleep that is not the pause of a loop, in a function that gives up in time.
fn blind_sleeps(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in tree.files() {
        let starts = |token: &Token| token.text == "fn";
        for function in file.tokens.chunk_by(|_, next| !starts(next)) {
            let place = |words: &[&str]| {
                function.iter().position(|token| words.contains(&token.text.as_str()))
            };
            let Some(pause) = place(&["sleep", "sleep_until"]).filter(|_| starts(&function[0]))
            else {
                continue;
            };
            let is_pause = place(&["while", "loop"]).is_some_and(|looks| looks < pause);
            if !is_pause || place(&["deadline", "timeout"]).is_none() {
                wrong.push(format!("{}:{}", file.path, function[pause].line));
            }
        }
    }
    wrong
}

#[test]
fn imports_point_down() {
    assert_eq!(wrong_imports(&Tree::read(&["src"])), Vec::<String>::new());
}

#[test]
fn a_planted_import_is_found_and_told_what_to_do() {
    let tree = Tree::read(&["src"]);
    let told = |path: &str, planted: &str| {
        let end = format!(":{} ", tree.file(path).unwrap().lines() + 1);
        wrong_imports(&tree.planted(path, planted)).join("\n").replace(&end, ":[end] ")
    };
    let oid = "src/domain/oid.rs";
    assert_snapshot!(told(oid, "use crate::jobs::Jobs;"), @"
    src/domain/oid.rs:[end] names crate::jobs::Jobs
      domain (values) is below jobs (jobs): move it down, or take it as an argument
    ");
    assert_snapshot!(told(oid, "fn f() { crate::history::append(); }"), @"
    src/domain/oid.rs:[end] names crate::history::append
      domain (values) is below history (first use cases): move it down, or take it as an argument
    ");
    assert_snapshot!(told(oid, "use crate::{ids, web::{self, live::Live}};"), @"
    src/domain/oid.rs:[end] names crate::ids
      name the module it comes from
    src/domain/oid.rs:[end] names crate::web
      domain (values) is below web (doors): move it down, or take it as an argument
    src/domain/oid.rs:[end] names crate::web::live::Live
      domain (values) is below web (doors): move it down, or take it as an argument
    ");
    assert_snapshot!(told("src/docker/build.rs", "use crate::git::wire::Wire;"), @"
    src/docker/build.rs:[end] names crate::git::wire::Wire
      both are drivers: let what is above bring them together
    ");
    assert_snapshot!(told("src/web/live.rs", "mod a { use super::super::super::ssh::Door; }"), @"
    src/web/live.rs:[end] names crate::ssh::Door
      both are doors: let what is above bring them together
    ");
    assert_eq!(told(oid, "// See crate::jobs.\nconst A: &str = \"crate::web\";"), "");
    assert_eq!(told("src/cli/serve.rs", "use crate::domain::oid::Oid;"), "");
}

#[test]
fn every_module_is_in_one_layer() {
    let library = Tree::read(&["src"]);
    let library = library.file("src/lib.rs").unwrap();
    let declared = library.tokens.windows(2).filter(|tokens| tokens[0].text == "mod");
    let declared: BTreeSet<_> = declared.map(|tokens| tokens[1].text.as_str()).collect();
    let placed: Vec<_> = LAYERS.iter().flat_map(|(_, modules)| *modules).copied().collect();
    assert_eq!(placed.len(), placed.iter().collect::<BTreeSet<_>>().len(), "twice in LAYERS");
    assert_eq!(declared, placed.into_iter().collect());
}

#[test]
fn the_program_is_an_argument_and_an_exit_code() {
    let tree = Tree::read(&["src"]);
    let main = tree.file("src/main.rs").unwrap();
    let used: Vec<_> = main.paths_from("pierhead").iter().map(Named::text).collect();
    assert_eq!(
        used,
        [
            "pierhead::cli::Cli",
            "pierhead::config::environment",
            "pierhead::domain::causes::with_causes"
        ]
    );
}

#[test]
fn each_use_names_one_module() {
    let mut wrong = Vec::new();
    for file in Tree::read(&OURS).files() {
        let words: Vec<_> = file.tokens.iter().map(|token| token.text.as_str()).collect();
        for statement in words.split(|word| *word == ";") {
            let begins = statement.windows(3).position(|words| words == ["use", "crate", "::"]);
            let Some(path) = begins.map(|index| &statement[index + 3..]) else { continue };
            let group = path.iter().position(|word| *word == "{");
            if group.is_some_and(|group| group == 0 || path[group..].contains(&"::")) {
                wrong.push(format!("{}: use crate::{}", file.path, path.concat()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "write one `use` a module");
}

#[test]
fn pure_modules_take_values_and_give_values() {
    let tree = Tree::read(&["src"]);
    assert_eq!(impure_names(&tree), Vec::<String>::new());
    let impure = "use std::{fs, time::Instant};\nfn f() { Utc::now(); Uuid::now_v7(); }";
    assert_eq!(impure_names(&tree.planted("src/stack/naming.rs", impure)).len(), 4);
}

#[test]
fn queries_are_made_in_db_only() {
    let tree = Tree::read(&["src"]);
    assert_eq!(queries(&tree), Vec::<String>::new());
    let planted =
        tree.planted("src/janitor.rs", "use diesel::prelude::*;\nuse diesel_async::RunQueryDsl;");
    assert_eq!(queries(&planted).len(), 2);
}

#[test]
fn programs_are_started_by_their_drivers_only() {
    let tree = Tree::read(&["src"]);
    let drivers = ["src/buildah/", "src/cage/", "src/egress/inside.rs", "src/git/"];
    let is_driver = |path: &str| drivers.iter().any(|driver| path.starts_with(driver));
    let outside = tree.files().filter(|file| !is_driver(&file.path));
    let started: Vec<_> =
        outside.flat_map(|file| places(file, &["Command", "::", "new"])).collect();
    assert_eq!(started, Vec::<String>::new());
}

#[test]
fn every_dependency_is_used_and_errors_are_enums() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table =
        fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let names = |table: &str| -> BTreeSet<String> {
        let dependencies = manifest[table].as_table().unwrap().keys();
        dependencies.map(|name| name.replace('-', "_")).collect()
    };
    let unused = |names: BTreeSet<String>, folders: &[&str]| -> Vec<String> {
        let tree = Tree::read(folders);
        let used = |name: &String| tree.files().any(|file| !file.paths_from(name).is_empty());
        names.into_iter().filter(|name| !used(name)).collect()
    };
    assert_eq!(unused(names("dependencies"), &["src"]), Vec::<String>::new());
    assert_eq!(unused(names("dev-dependencies"), &OURS), Vec::<String>::new());
    let boxes = ["anyhow", "eyre"].map(|name| names("dependencies").contains(name));
    assert_eq!(boxes, [false, false], "an error is an enum of its module");
}

#[test]
fn tests_wait_for_what_is_seen_and_not_for_time() {
    let tree = Tree::read(&TESTS);
    assert_eq!(blind_sleeps(&tree), Vec::<String>::new(), "look again and again until a deadline");
    let blind = "fn wait() { sleep(SHORT); }\nfn other(deadline: Instant) { while f() {} }";
    assert_eq!(blind_sleeps(&tree.planted("tests/it/main.rs", blind)).len(), 1);
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let mut wrong = Vec::new();
    for file in Tree::read(&OURS).files() {
        let (path, lines, (most, most_without_reason)) = (&file.path, file.lines(), MOST_LINES);
        if !file.text.starts_with("//! ") {
            wrong.push(format!("{path}: open it with one `//!` sentence that says what it is for"));
        }
        if lines > most {
            wrong.push(format!("{path}: {lines} lines; split it by a word of its subject"));
        } else if lines > most_without_reason && !file.text.contains(REASON) {
            wrong.push(format!("{path}: {lines} lines; split it, or say `{REASON}…`"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_module_with_files_of_its_own_is_their_mod_rs() {
    let tree = Tree::read(&OURS);
    let has_folder = |file: &&Source| {
        let folder = format!("{}/", file.path.trim_end_matches(".rs"));
        tree.files().any(|other| other.path.starts_with(&folder))
    };
    let wrong: Vec<_> = tree.files().filter(has_folder).map(|f| &f.path).collect();
    assert_eq!(wrong, Vec::<&String>::new(), "name it mod.rs, in its folder");
}
