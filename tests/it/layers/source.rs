//! Rust files as tokens, and the paths that they name.

use std::path::Path;
use std::{fs, iter};

/// The Rust files of some folders.
#[derive(Debug, Clone)]
pub(super) struct Tree(Vec<Source>);

/// One Rust file.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Its path from the repository's root.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
}

/// A word or a mark of a program; what comments and texts say is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) text: String,
}

/// A path as it is named somewhere, such as `crate::db::pool::Db`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
}

impl Named {
    pub(super) fn text(&self) -> String {
        self.segments.join("::")
    }
}

impl Tree {
    /// Reads these folders of the repository.
    pub(super) fn read(folders: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for folder in folders {
            collect(root, &root.join(folder), &mut files);
        }
        files.sort_by(|a: &Source, b| a.path.cmp(&b.path));
        Self(files)
    }

    /// The same with something written at the end of one file.
    pub(super) fn planted(&self, path: &str, text: &str) -> Self {
        let mut tree = self.clone();
        let file = tree.0.iter_mut().find(|file| file.path == path).expect("there is this file");
        *file = Source::new(path, &format!("{}{text}\n", file.text));
        tree
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// The file of a path.
    pub(super) fn file(&self, path: &str) -> Option<&Source> {
        self.files().find(|file| file.path == path)
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.push(Source::new(name, &fs::read_to_string(&path).unwrap()));
        }
    }
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), tokens: tokens(text) }
    }

    pub(super) fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// Where it stands among the modules of its crate: `["deploy", "steps"]`.
    pub(super) fn module(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.split('/').filter(|part| !["mod", "lib", "main"].contains(part)).collect()
    }

    fn is(&self, index: usize, text: &str) -> bool {
        self.tokens.get(index).is_some_and(|token| token.text == text)
    }

    /// Every path whose first word is this one, groups taken apart.
    pub(super) fn paths_from(&self, first: &str) -> Vec<Named> {
        let begins = |index: &usize| {
            self.is(*index, first)
                && self.is(*index + 1, "::")
                && !index.checked_sub(1).is_some_and(|before| self.is(before, "::"))
        };
        let mut found = Vec::new();
        for index in (0..self.tokens.len()).filter(begins) {
            self.path(index, &[], &mut found);
        }
        found
    }

    /// Every path into the own crate, whether it begins at its root or climbs to it.
    pub(super) fn paths_into_crate(&self) -> Vec<Named> {
        let mut found = self.paths_from("crate");
        let own = self.module();
        let nested = self.inline_depths();
        for (index, depth) in iter::zip(0.., nested) {
            let begins = self.is(index, "super") && !self.is(index.wrapping_sub(1), "::");
            let climbs_on = |at: &usize| self.is(*at, "super") && self.is(*at + 1, "::");
            if !begins || !climbs_on(&index) {
                continue;
            }
            let climbs = (index..).step_by(2).take_while(climbs_on).count();
            if climbs == own.len() + depth {
                self.path(index + 2 * climbs, &["crate".to_owned()], &mut found);
            }
        }
        found.sort_by_key(|named| named.line);
        found
    }

    /// Reads a path, and gives the place behind it.
    fn path(&self, mut index: usize, before: &[String], found: &mut Vec<Named>) -> usize {
        let mut segments = before.to_vec();
        let line = self.tokens.get(index).map_or(0, |token| token.line);
        while let Some(token) = self.tokens.get(index) {
            if token.text == "{" {
                return self.group(index + 1, &segments, found);
            }
            if token.text != "<" && token.text != "self" {
                segments.push(token.text.clone());
            }
            if !self.is(index + 1, "::") {
                break;
            }
            index += 2;
        }
        found.push(Named { line, segments });
        index + 1
    }

    fn group(&self, mut index: usize, before: &[String], found: &mut Vec<Named>) -> usize {
        while index < self.tokens.len() && !self.is(index, "}") {
            index = self.path(index, before, found);
            while index < self.tokens.len() && !self.is(index, ",") && !self.is(index, "}") {
                index += 1;
            }
            if self.is(index, ",") {
                index += 1;
            }
        }
        index + 1
    }

    /// For every token, how many modules of this very file it stands in.
    fn inline_depths(&self) -> Vec<usize> {
        let mut open = Vec::new();
        let depth = |index: usize| {
            if self.is(index, "{") {
                open.push(index.checked_sub(2).is_some_and(|name| self.is(name, "mod")));
            } else if self.is(index, "}") {
                open.pop();
            }
            open.iter().filter(|is_module| **is_module).count()
        };
        (0..self.tokens.len()).map(depth).collect()
    }
}

/// Takes a program apart.
fn tokens(text: &str) -> Vec<Token> {
    let (mut found, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let (length, is_token) = match first {
            _ if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
            _ if rest.starts_with("/*") => (block_comment(rest), false),
            _ if raw_text(rest).is_some() => (raw_text(rest).unwrap(), false),
            '"' => (quoted(rest, '"'), false),
            '\'' => (character(rest), false),
            _ if first.is_alphanumeric() || first == '_' => (word(rest), true),
            _ if rest.starts_with("::") => (2, true),
            _ => (first.len_utf8(), !first.is_whitespace()),
        };
        let (token, behind) = rest.split_at(length);
        if is_token {
            found.push(Token { line, text: token.to_owned() });
        }
        line += token.matches('\n').count();
        rest = behind;
    }
    found
}

fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Up to the closing mark, which no backslash precedes.
fn quoted(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == mark => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character; of a lifetime only the mark.
fn character(text: &str) -> usize {
    let mut characters = text.chars().skip(1);
    match (characters.next(), characters.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(text, '\''),
        _ => 1,
    }
}

/// `r"…"`, `br#"…"#` and the like, if the text begins with one.
fn raw_text(text: &str) -> Option<usize> {
    let behind = ["r", "br", "cr"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let marked = behind.trim_start_matches('#');
    let (marks, inner) = (behind.len() - marked.len(), marked.strip_prefix('"')?);
    let end = format!("\"{}", "#".repeat(marks));
    let length = inner.find(&end).map_or(inner.len(), |at| at + end.len());
    Some(text.len() - inner.len() + length)
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut index) = (0_usize, 0);
    while index < text.len() {
        let here = &text.as_bytes()[index..];
        match here {
            [b'/', b'*', ..] => depth += 1,
            [b'*', b'/', ..] => depth -= 1,
            _ => {
                index += 1;
                continue;
            }
        }
        index += 2;
        if depth == 0 {
            return index;
        }
    }
    text.len()
}

#[test]
fn comments_texts_and_characters_name_nothing() {
    let source = Source::new(
        "src/a.rs",
        "// crate::one\n/* crate::two /* crate::three */ crate::four */\n\
         const A: &str = \"crate::five \\\" crate::six\";\n\
         const B: &str = r#\"\" crate::seven\"#; const C: char = '\"'; const D: char = '\\'';\n\
         fn f<'a>(a: &'a str) { crate::eight::f::<u8>(a, '{') }",
    );
    let paths: Vec<_> = source.paths_from("crate").iter().map(Named::text).collect();
    assert_eq!(paths, ["crate::eight::f"]);
    assert_eq!(source.paths_from("crate")[0].line, 5);
}

#[test]
fn groups_are_taken_apart_and_climbing_paths_followed() {
    let source = Source::new(
        "src/a/b.rs",
        "use crate::{c::{self, d::E as F}, g::*, h};\nuse super::i;\nuse super::super::{j, k::L};\n\
         mod tests { use super::super::m; use super::super::super::n; }",
    );
    let paths: Vec<_> = source.paths_into_crate().iter().map(Named::text).collect();
    let expected = ["c", "c::d::E", "g::*", "h", "j", "k::L", "n"];
    assert_eq!(paths, expected.map(|path| format!("crate::{path}")));
}
