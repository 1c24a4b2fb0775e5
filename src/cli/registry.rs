//! `pierhead admin set …` and `unset …`: the registry of a project, its targets.

use std::io::{IsTerminal as _, Read as _};

use clap::Subcommand;
use secrecy::SecretString;

use crate::cli::admin_error::AdminError;
use crate::cli::cluster::{self, Access};
use crate::cli::edits::{SetAccount, SetProject, SetUser};
use crate::cli::project_source::SetSource;
use crate::cli::variables::{SetVariable, Which};
use crate::cli::{note, say};
use crate::config::Config;
use crate::db::acting::Acting;
use crate::domain::registry::{RegistryAddress, RegistryLogin};
use crate::domain::slug::ProjectName;
use crate::people;
use crate::projects;
use crate::seal::load_public;

/// Most bytes of a password or token, with the end of its line.
pub(super) const LONGEST: u64 = 16 * 1024;

/// What can be set.
#[derive(Debug, Subcommand)]
pub(super) enum Set {
    /// The registry that a project's images are pushed to, instead of the one before.
    Registry {
        /// The project, as `account/project`.
        project: ProjectName,
        /// The address: `host[:port][/path]`
        address: RegistryAddress,
        /// Who signs in; the password or token is read from standard input.
        #[arg(long)]
        username: Option<String>,
        /// Whether it is spoken to without TLS; without this, on this machine only.
        #[arg(long, value_name = "true|false")]
        plain_http: Option<bool>,
    },
    /// A variable, to what is read from standard input.
    Variable(Box<SetVariable>),
    /// What is known of a person, and whether they may come in; what is not said stays.
    User(Box<SetUser>),
    /// A new one-time password for a person, printed once.
    Password {
        /// Their e-mail address.
        email: String,
    },
    /// What an account may use, and whether it may; what is not said stays.
    Account(Box<SetAccount>),
    /// A project's names, and whether it may deploy; what is not said stays.
    Project(SetProject),
    /// Where the commits of a project come from, instead of pushes.
    Source(Box<SetSource>),
    /// Where a target is, who signs in there, how it is used; what is not said stays.
    Cluster {
        #[command(flatten)]
        which: Box<cluster::Which>,
        #[command(flatten)]
        access: Box<Access>,
    },
}

/// What can be taken away.
#[derive(Debug, Subcommand)]
pub(super) enum Unset {
    /// The registry of a project.
    Registry {
        /// The project, as `account/project`.
        project: ProjectName,
    },
    /// A variable.
    Variable(Which),
    /// What somebody signs in with besides a password, who has lost it.
    SecondFactor {
        /// Their e-mail address.
        email: String,
    },
    /// Where the commits of a project come from: it is pushed to again.
    Source {
        /// The project, as `account/project`.
        project: ProjectName,
    },
}

impl Set {
    /// Does it, and says what was done.
    pub(super) async fn run(self, config: &Config, by: &Acting) -> Result<String, AdminError> {
        let (project, address, username, plain_http) = match self {
            Self::Registry { project, address, username, plain_http } => {
                (project, address, username, plain_http)
            }
            Self::Cluster { which, access } => {
                return cluster::set((*which, *access), config, by).await;
            }
            Self::User(edit) => return edit.run(by).await,
            Self::Account(edit) => return edit.run(by).await,
            Self::Project(edit) => return edit.run(by).await,
            Self::Variable(variable) => return variable.run(config, by).await,
            Self::Source(source) => return source.run(config, by).await,
            Self::Password { email } => {
                say(&people::reset_password(by, &email).await?);
                return Ok(format!("{email} has this password for the first sign-in, once."));
            }
        };
        let text = format!(
            "{project} has the registry {address} now. Its images are pushed there, from the next \
             deployment on."
        );
        let login = match username {
            Some(username) => Some(RegistryLogin { username, password: password()? }),
            None => None,
        };
        let sealer = login.as_ref().map(|_| load_public(&config.seal.public_key)).transpose()?;
        let new = projects::NewRegistry { project, address, plain_http };
        projects::set_registry(by, new, login.zip(sealer)).await?;
        Ok(text)
    }
}

impl Unset {
    /// Does it, and says what was done.
    pub(super) async fn run(self, by: &Acting) -> Result<String, AdminError> {
        match self {
            Self::Registry { project } => {
                let text = format!("{project} has no registry any more.");
                projects::unset_registry(by, project).await?;
                Ok(text)
            }
            Self::Variable(which) => which.unset(by).await,
            Self::SecondFactor { email } => {
                people::unset_second_factor(by, &email).await?;
                Ok(format!("A password is enough for {email} again, who is signed out."))
            }
            Self::Source { project } => {
                let text = format!("{project} has no source any more: push to it.");
                projects::unset_source(by, project).await?;
                Ok(text)
            }
        }
    }
}

/// The password, without the end of its line.
fn password() -> Result<SecretString, AdminError> {
    let input = std::io::stdin();
    if input.is_terminal() {
        note("Type the password, Enter and Ctrl-D; it will be seen. Better: … < file");
    }
    let mut bytes = Vec::new();
    // One more, so that nothing is cut without a word.
    input.take(LONGEST + 1).read_to_end(&mut bytes).map_err(AdminError::Password)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err(AdminError::LongPassword);
    }
    let text = str::from_utf8(&bytes).map_err(|_not_text| AdminError::NoPassword)?;
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n'])))
}
