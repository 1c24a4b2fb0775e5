//! `pierhead check`: what a `.paas.yaml` comes to, without a server.

use std::process::ExitCode;

use serde::Serialize;

use crate::cli::source::{CannotRead, Source};
use crate::cli::{CANNOT_RUN, note, say};
use crate::paas::compiled::Deployment;
use crate::paas::{self, Branch, Code, Compiled, Context, Fault, render_branches, render_warnings};

/// Which file is checked, and with what.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    source: Source,
    /// Take warnings for faults.
    #[arg(long)]
    strict: bool,
    /// Print the model and everything found as JSON.
    #[arg(long)]
    json: bool,
}

/// How it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

/// What `--json` prints.
#[derive(Debug, Default, Serialize)]
struct Report {
    model: Option<Deployment>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
    branches: Vec<Branch>,
}

impl Check {
    /// Checks the file and prints what was found.
    pub(super) fn run(self) -> ExitCode {
        let name = self.source.name();
        let format = if self.json { Format::Json } else { Format::Text };
        let strict = self.strict;
        let (text, context) = match self.source.read() {
            Ok((text, file)) => (text, file.into_context()),
            Err(error) => return cannot_check(&name, &error, format),
        };
        let (report, last, code) = match paas::compile(&text, &Context { strict, ..context }) {
            Ok(Compiled { model, warnings, branches, .. }) => {
                let last = format!("{name} is fine: {}{}", model.summary(), counted(&warnings));
                let report = Report { model: Some(model), faults: Vec::new(), warnings, branches };
                (report, last, ExitCode::SUCCESS)
            }
            Err(faults) => {
                if format == Format::Text {
                    print(&faults.render(&text, &name));
                }
                let count = faults.count();
                let (warnings, branches) = (faults.warnings().to_vec(), faults.branches().to_vec());
                let s = if count == 1 { "" } else { "s" };
                let last = format!("{name} has {count} fault{s}{}", counted(&warnings));
                let faults = faults.as_slice().to_vec();
                let report = Report { model: None, faults, warnings, branches };
                (report, last, ExitCode::from(1))
            }
        };
        match format {
            Format::Json => print_json(&report),
            Format::Text => {
                print(&render_warnings(&report.warnings, &text, &name));
                print(&render_branches(&report.branches, &name));
                say(&last);
            }
        }
        code
    }
}

/// Says why nothing was checked; a file that cannot be read is a fault with a code.
fn cannot_check(name: &str, error: &CannotRead, format: Format) -> ExitCode {
    match error {
        CannotRead::File(_) => {
            let fault = Fault {
                code: Code::NoFile,
                path: String::new(),
                message: error.to_string(),
                hint: None,
                line: 0,
                column: 0,
                length: 0,
            };
            note(&format!("{name}: error[{}]: {}", fault.code, fault.message));
            if format == Format::Json {
                print_json(&Report { faults: vec![fault], ..Report::default() });
            }
        }
        CannotRead::ReadContext { .. }
        | CannotRead::Context { .. }
        | CannotRead::Variable(_)
        | CannotRead::NoValue => note(&format!("pierhead: {error}")),
    }
    ExitCode::from(CANNOT_RUN)
}

/// ` (2 warnings)`, or nothing.
fn counted(warnings: &[Fault]) -> String {
    match warnings.len() {
        0 => String::new(),
        1 => " (1 warning)".to_owned(),
        count => format!(" ({count} warnings)"),
    }
}

fn print(lines: &[String]) {
    if !lines.is_empty() {
        say(&lines.join("\n"));
    }
}

fn print_json(report: &Report) {
    let text = serde_json::to_string_pretty(report);
    say(&text.expect("maps of a report have texts for keys"));
}
