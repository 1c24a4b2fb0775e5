//! `pierhead check`: what a `.paas.yaml` comes to, without a server.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use serde::Serialize;

use crate::cli::{CANNOT_RUN, note, say};
use crate::domain::variables::{BadVariable, Variables};
use crate::paas::compiled::Deployment;
use crate::paas::{
    self, Branch, Code, Compiled, Context, ContextFile, ContextFileError, Fault, HardQuota,
    render_branches, render_warnings,
};

/// The environment that is checked for when nobody says.
const ENVIRONMENT: &str = "production";

/// Most bytes that are read; far more than a file may have, so that it can be told how many it has.
const MOST_READ: u64 = 16 * 1024 * 1024;

/// Which file is checked, and with what.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The file; `-` reads standard input.
    #[arg(default_value = ".paas.yaml")]
    file: PathBuf,
    /// What it is compiled with; without one, only what the file itself says.
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    /// The environment, whatever the context says.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// A variable, whatever the context says.
    #[arg(long, value_name = "NAME=VALUE")]
    var: Vec<String>,
    /// A quota of the account, whatever the context says.
    #[arg(long, value_name = "TYPE:CATEGORY:CAPACITY[:REQUIRES]")]
    account_quota: Vec<AccountQuota>,
    /// Take warnings for faults.
    #[arg(long)]
    strict: bool,
    /// Print the model and everything found as JSON.
    #[arg(long)]
    json: bool,
}

/// A quota as it is written on the command line.
#[derive(Debug, Clone)]
struct AccountQuota(HardQuota);

/// Why a quota is refused.
#[derive(Debug, thiserror::Error)]
#[error("write TYPE:CATEGORY:CAPACITY[:REQUIRES], such as cpu:compute:8 or memory:memory:16Gi:8Gi")]
struct BadAccountQuota;

/// Why nothing was checked.
#[derive(Debug, thiserror::Error)]
enum CannotCheck {
    /// The file.
    #[error("could not read it: {0}")]
    File(io::Error),
    /// The context cannot be read.
    #[error("could not read {}: {source}", path.display())]
    ReadContext {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The context has a mistake.
    #[error("{}: {source}", path.display())]
    Context {
        /// Its file.
        path: PathBuf,
        /// What.
        source: ContextFileError,
    },
    /// A variable.
    #[error("--var: {0}")]
    Variable(#[from] BadVariable),
    /// Something without a value.
    #[error("--var: write NAME=VALUE")]
    NoValue,
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

impl FromStr for AccountQuota {
    type Err = BadAccountQuota;

    fn from_str(text: &str) -> Result<Self, BadAccountQuota> {
        let mut parts = text.split(':').map(str::to_owned);
        let mut part = || parts.next().filter(|part| !part.trim().is_empty());
        let (kind, category, capacity) = (part(), part(), part());
        let requires = part();
        match (kind, category, capacity, text.matches(':').count()) {
            (Some(kind), Some(category), Some(capacity), 2 | 3) => {
                Ok(Self(HardQuota { category, kind, capacity, requires }))
            }
            _ => Err(BadAccountQuota),
        }
    }
}

impl Check {
    /// Checks the file and prints what was found.
    pub(super) fn run(self) -> ExitCode {
        let name =
            if self.reads_stdin() { "<stdin>".into() } else { self.file.display().to_string() };
        let format = if self.json { Format::Json } else { Format::Text };
        let strict = self.strict;
        let (text, context) = match self.inputs() {
            Ok(inputs) => inputs,
            Err(error) => return cannot_check(&name, &error, format),
        };
        let (report, last, code) = match paas::compile(&text, &Context { strict, ..context }) {
            Ok(Compiled { model, warnings, branches }) => {
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

    fn reads_stdin(&self) -> bool {
        self.file == Path::new("-")
    }

    /// The text, and what it is compiled with.
    fn inputs(self) -> Result<(Vec<u8>, Context), CannotCheck> {
        let text = self.text().map_err(CannotCheck::File)?;
        let mut file = match &self.context {
            Some(path) => read_context(path)?,
            None => ContextFile {
                project: self.folder_name(),
                environment: ENVIRONMENT.to_owned(),
                ..ContextFile::default()
            },
        };
        if let Some(environment) = self.env {
            file.environment = environment;
        }
        let mut variables = Variables::default();
        for variable in &self.var {
            let (name, value) = variable.split_once('=').ok_or(CannotCheck::NoValue)?;
            variables.add(name, value)?;
        }
        file.variables.overlay(variables);
        // Two for one type are a mistake that the account's own could have too.
        let given = self.account_quota.into_iter().map(|quota| quota.0).collect::<Vec<_>>();
        file.quotas.retain(|quota| given.iter().all(|given| given.kind != quota.kind));
        file.quotas.extend(given);
        Ok((text, file.into_context()))
    }

    fn text(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        if self.reads_stdin() {
            io::stdin().take(MOST_READ).read_to_end(&mut text)?;
        } else {
            File::open(&self.file)?.take(MOST_READ).read_to_end(&mut text)?;
        }
        Ok(text)
    }

    /// The name of the folder that the file is in.
    fn folder_name(&self) -> String {
        let parent = self.file.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = fs::canonicalize(parent.unwrap_or(Path::new("."))).unwrap_or_default();
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| "project".to_owned())
    }
}

fn read_context(path: &Path) -> Result<ContextFile, CannotCheck> {
    let text = fs::read_to_string(path)
        .map_err(|source| CannotCheck::ReadContext { path: path.to_owned(), source })?;
    ContextFile::read(&text)
        .map_err(|source| CannotCheck::Context { path: path.to_owned(), source })
}

/// Says why nothing was checked; a file that cannot be read is a fault with a code.
fn cannot_check(name: &str, error: &CannotCheck, format: Format) -> ExitCode {
    match error {
        CannotCheck::File(_) => {
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
        CannotCheck::ReadContext { .. }
        | CannotCheck::Context { .. }
        | CannotCheck::Variable(_)
        | CannotCheck::NoValue => note(&format!("pierhead: {error}")),
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
