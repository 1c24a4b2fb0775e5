//! Names in the documents are those of files, functions and types that exist.

use std::fs;
use std::path::{Path, PathBuf};

use crate::layers::LAYERS;
use crate::layers::source::{Source, Tree};

/// Folders whose documents name files of the sources.
const FOLDERS: [&str; 3] = ["", "docs", "docs/decisions"];

/// A path under `src/`, and the names that stand with it in brackets.
type Mention = (String, Vec<String>);

/// What a text in code marks says of the sources: `` `src/a.rs` (`f`, `g`) `` or, in brackets
/// itself, `` (`src/a.rs`, `f`) ``.
fn mentions(text: &str) -> Vec<Mention> {
    let mut mentions: Vec<Mention> = Vec::new();
    let mut open = false;
    let parts: Vec<&str> = text.split('`').collect();
    for (before, code) in parts.chunks_exact(2).map(|pair| (pair[0], pair[1])) {
        open = match before.trim() {
            "(" | "," => open,
            _ => false,
        };
        if code.starts_with("src/") && !code.contains('*') {
            mentions.push((code.to_owned(), Vec::new()));
            open = true;
        } else if let (true, Some((_, names))) = (open, mentions.last_mut()) {
            names.push(code.to_owned());
        }
    }
    mentions
}

fn defines(file: &Source, name: &str) -> bool {
    file.tokens.windows(2).any(|pair| {
        ["fn", "struct", "enum", "trait", "type", "const"].contains(&pair[0].text.as_str())
            && pair[1].text == name
    })
}

/// What a text names that is not there.
fn stale(text: &str, tree: &Tree) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut stale = Vec::new();
    for (path, names) in mentions(text) {
        if !root.join(&path).exists() {
            stale.push(format!("there is no {path}"));
            continue;
        }
        let Some(file) = tree.file(&path) else { continue };
        let missing = names.iter().filter(|name| !defines(file, name));
        stale.extend(missing.map(|name| format!("{path} has no `{name}`")));
    }
    stale
}

/// Every document, by its path.
fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = FOLDERS.iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let paths = files.map(|file| file.unwrap().path());
    let documents = paths.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    documents.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn documents_name_what_is_there() {
    let tree = Tree::read(&["src"]);
    for (path, text) in documents() {
        assert_eq!(stale(&text, &tree), Vec::<String>::new(), "{}", path.display());
    }
    let text = "In `src/jobs/cancel.rs` (`cancel`, `undo`) and `src/gone.rs`; (`src/queue.rs`, `sing`), `x`.";
    assert_eq!(
        stale(text, &tree),
        [
            "src/jobs/cancel.rs has no `undo`",
            "there is no src/gone.rs",
            "src/queue.rs has no `sing`"
        ]
    );
}

#[test]
fn the_table_of_layers_is_the_one_that_is_tested() {
    let text = include_str!("../../../docs/ARCHITECTURE.md");
    assert!(text.lines().count() <= 150, "a newcomer reads it in one go");
    let mut layer = "";
    let mut told = Vec::new();
    for row in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        layer = if cells[1].is_empty() { layer } else { cells[1] };
        told.extend(cells[2].split(", ").map(|module| (layer, module.trim_matches('`'))));
    }
    let mut layers: Vec<_> = LAYERS
        .iter()
        .rev()
        .flat_map(|(name, modules)| modules.iter().map(|module| (*name, *module)))
        .collect();
    let mut told = told.split_off(2);
    told.sort_unstable();
    layers.sort_unstable();
    assert_eq!(told, layers);
}
