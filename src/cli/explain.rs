//! `pierhead explain`: a page about a code.

use std::process::ExitCode;

use crate::cli::{CANNOT_RUN, note, say};
use crate::domain::nearest::nearest;
use crate::paas::Code;
use crate::paas::explain::{document, list, page};

/// What is to be explained.
#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// The code, such as E-712 or W-05; without one, all are listed.
    code: Option<String>,
    /// Print all pages as one Markdown document.
    #[arg(long, conflicts_with = "code")]
    all: bool,
}

impl Explain {
    /// Prints what was asked for.
    pub(super) fn run(&self) -> ExitCode {
        let Some(code) = &self.code else {
            say(&if self.all { document() } else { list().join("\n") });
            return ExitCode::SUCCESS;
        };
        let code = code.to_uppercase();
        if let Some(page) = code.parse().ok().and_then(page) {
            say(&page.lines().join("\n"));
            return ExitCode::SUCCESS;
        }
        let known = Code::ALL.iter().map(|code| code.as_str());
        let hint = match nearest(&code, known) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => "`pierhead explain` lists them".to_owned(),
        };
        let code: String = code.chars().take(80).collect();
        note(&format!("pierhead: there is no code {code:?}; {hint}"));
        ExitCode::from(CANNOT_RUN)
    }
}
