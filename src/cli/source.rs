//! A `.paas.yaml` on somebody's own machine, and what it is compiled with.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::domain::quota::HardQuota;
use crate::domain::variables::{BadVariable, Variables};
use crate::paas::{ContextFile, ContextFileError};

/// The environment that is compiled for when nobody says.
const ENVIRONMENT: &str = "production";

/// Most bytes that are read; far more than a file may have, so that it can be told how many it has.
const MOST_READ: u64 = 16 * 1024 * 1024;

/// Which file is compiled, and with what.
#[derive(Debug, clap::Args)]
pub(super) struct Source {
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
    account_quota: Vec<HardQuota>,
}

/// Why nothing was compiled.
#[derive(Debug, thiserror::Error)]
pub(super) enum CannotRead {
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

impl Source {
    /// What the file is called where something is said about it.
    pub(super) fn name(&self) -> String {
        if self.reads_stdin() { "<stdin>".into() } else { self.file.display().to_string() }
    }

    fn reads_stdin(&self) -> bool {
        self.file == Path::new("-")
    }

    /// The text, and what it is compiled with.
    pub(super) fn read(self) -> Result<(Vec<u8>, ContextFile), CannotRead> {
        let text = self.text().map_err(CannotRead::File)?;
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
            let (name, value) = variable.split_once('=').ok_or(CannotRead::NoValue)?;
            variables.add(name, value)?;
        }
        file.variables.overlay(variables);
        // Two for one type are a mistake that the account's own could have too.
        let given = self.account_quota;
        file.quotas.retain(|quota| given.iter().all(|given| given.kind != quota.kind));
        file.quotas.extend(given);
        Ok((text, file))
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

fn read_context(path: &Path) -> Result<ContextFile, CannotRead> {
    let text = fs::read_to_string(path)
        .map_err(|source| CannotRead::ReadContext { path: path.to_owned(), source })?;
    ContextFile::read(&text).map_err(|source| CannotRead::Context { path: path.to_owned(), source })
}
