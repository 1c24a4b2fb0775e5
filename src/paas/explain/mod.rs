//! A page about every code: what it means, a file that has it, and how to mend it.
//!
//! `pierhead explain` prints the pages, and `docs/faults.md` is made of them.

mod conditions;
mod containers;
mod file;
mod grammar;
mod quotas;
mod references;
mod warnings;

use crate::paas::fault::{Code, Severity, wrapped};

/// Most columns of a line.
const COLUMNS: usize = 90;

/// What there is to know about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The code.
    pub code: Code,
    /// What it is about, in one line.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// A file that has it.
    pub example: Example,
    /// How to mend it.
    pub mend: &'static str,
}

/// A file that has a fault, and when it has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Example {
    /// There is no file.
    Missing,
    /// This one has it everywhere.
    File(&'static str),
    /// This one has it with a context: lines of a context file, behind project and environment.
    With {
        /// The lines.
        context: &'static str,
        /// The file.
        file: &'static str,
    },
    /// This one has it when it is pushed.
    Pushed(&'static str),
}

/// Every page, in the order of the codes.
pub fn pages() -> impl Iterator<Item = &'static Page> {
    let tables: [&[Page]; 7] = [
        &file::PAGES,
        &grammar::PAGES,
        &conditions::PAGES,
        &quotas::PAGES,
        &references::PAGES,
        &containers::PAGES,
        &warnings::PAGES,
    ];
    tables.into_iter().flatten()
}

/// The page about a code.
pub fn page(code: Code) -> Option<&'static Page> {
    pages().find(|page| page.code == code)
}

impl Page {
    /// The page for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}: {}", self.code, self.title), String::new()];
        lines.extend(wrapped(self.meaning, COLUMNS, ""));
        for (caption, text, _) in self.listings() {
            lines.extend([String::new(), caption.to_owned(), String::new()]);
            lines.extend(
                text.trim_end().lines().map(|line| format!("    {line}").trim_end().into()),
            );
        }
        lines.push(String::new());
        lines.extend(wrapped(self.mend, COLUMNS, ""));
        lines
    }

    /// The page as a section of a Markdown document.
    fn markdown(&self) -> Vec<String> {
        let mut lines = vec![format!("## {}: {}", self.code, self.title), String::new()];
        if self.code.severity() == Severity::Warning {
            lines.extend(["*A warning; a fault with `--strict`.*".to_owned(), String::new()]);
        }
        lines.extend(wrapped(self.meaning, COLUMNS, ""));
        for (caption, text, language) in self.listings() {
            lines.extend([String::new(), caption.to_owned(), String::new()]);
            lines.push(format!("```{language}"));
            lines.extend(text.trim_end().lines().map(str::to_owned));
            lines.push("```".to_owned());
        }
        lines.push(String::new());
        lines.extend(wrapped(self.mend, COLUMNS, ""));
        lines
    }

    /// What the example consists of, each part with a caption and its language.
    fn listings(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        match self.example {
            Example::Missing => Vec::new(),
            Example::File(file) => vec![("This file has it:", file, "yaml")],
            Example::Pushed(file) => vec![("This file has it when it is pushed:", file, "yaml")],
            Example::With { context, file } => vec![
                ("This file has it:", file, "yaml"),
                ("when the context (`pierhead check --context`) says:", context, "toml"),
            ],
        }
    }
}

/// Every code with its title.
pub fn list() -> Vec<String> {
    pages().map(|page| format!("{:<6} {}", page.code, page.title)).collect()
}

/// All pages as one Markdown document, without the line break at its end.
pub fn document() -> String {
    let mut lines: Vec<String> = [
        "# Faults and warnings of `.paas.yaml`",
        "",
        "`pierhead explain CODE` prints one of these pages. They are generated:",
        "`pierhead explain --all > docs/faults.md`.",
    ]
    .map(str::to_owned)
    .into();
    for page in pages() {
        lines.push(String::new());
        lines.extend(page.markdown());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
