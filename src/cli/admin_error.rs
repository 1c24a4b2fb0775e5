//! Why an administrator's command did nothing.

use std::path::PathBuf;

use crate::cli::registry;
use crate::db::models::project::Inactive;
use crate::deploy::trial::NotTried;
use crate::domain::cluster::BadAddress;
use crate::domain::ids::{JobNumber, ReleaseNumber};
use crate::domain::job::Outcome;
use crate::domain::source::{BadHostKeys, BadSourceKey, BadSourceUrl};
use crate::git::commit_files::TooMuch;
use crate::jobs::{JobsError, NoRollback};
use crate::kubernetes::AccessError;
use crate::people::{PeopleError, SignInError};
use crate::projects::ProjectError;
use crate::questions::NoAnswer;
use crate::sources::NotChecked;

/// Why something was not added.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// A person or a key.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// The first administrator.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// An account, a project, a target or a rule.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// A project without its account.
    #[error("write the project as `account/project`")]
    Account,
    /// The key's file.
    #[error("could not read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A password.
    #[error("could not read the password: {0}")]
    Password(std::io::Error),
    /// A password that is longer than any.
    #[error("standard input has more than {} KiB: that is no password", registry::LONGEST / 1024)]
    LongPassword,
    /// A password of other bytes.
    #[error("the password is no text")]
    NoPassword,
    /// A Kubernetes cluster somewhere.
    #[error("a Kubernetes cluster needs --address https://host:port")]
    NoAddress,
    /// Somebody signs in at a cluster, and would not any more.
    #[error(
        "who signs in and its CA are sealed as one: give --token or a client certificate with --ca"
    )]
    NobodySignsIn,
    /// Its address is of another form.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// Who signs in at a cluster.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A target does not answer as it has to.
    #[error(transparent)]
    NotTried(#[from] NotTried),
    /// Who signs in at a cluster does not open.
    #[error(transparent)]
    NotOpened(#[from] crate::seal::NotOpened),
    /// Rights that deployments need.
    #[error(
        "{cluster} answers, and deployments would fail; missing (docs/kubernetes-role.yaml has all):\n{}",
        missing.join("\n")
    )]
    Missing {
        /// The cluster.
        cluster: String,
        /// What is missing.
        missing: Vec<String>,
    },
    /// What Docker Engines do not have.
    #[error("an engine has no credentials, TLS or namespaces: these are for --kind kubernetes")]
    NotOfEngines,
    /// Nothing of a project is deployed.
    #[error(transparent)]
    Inactive(#[from] Inactive),
    /// There is nothing to go back to.
    #[error(transparent)]
    NoRollback(#[from] NoRollback),
    /// A job that is live is not cancelled.
    #[error("too late, {0} is live: `admin rollback` makes another release serve")]
    TooLate(ReleaseNumber),
    /// A job that has ended is not cancelled.
    #[error("job {0} has ended: {1}")]
    Over(JobNumber, Outcome),
    /// Jobs cannot be made.
    #[error(transparent)]
    Jobs(#[from] JobsError),
    /// No worker has an answer.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The address of a source.
    #[error(transparent)]
    SourceUrl(#[from] BadSourceUrl),
    /// The keys of its host.
    #[error(transparent)]
    HostKeys(#[from] BadHostKeys),
    /// What signs in there.
    #[error(transparent)]
    SourceKey(#[from] BadSourceKey),
    /// A source was not looked at.
    #[error(transparent)]
    NotChecked(#[from] NotChecked),
    /// Keys.
    #[error(transparent)]
    Key(#[from] crate::seal::KeyError),
    /// Rows that were to be sealed anew.
    #[error("PostgreSQL: {0}")]
    Rows(#[from] diesel::result::Error),
    /// Values whose key is not among the private keys.
    #[error(
        "{anew} values were sealed anew; these do not open with seal.private_keys:\n{}",
        left.join("\n")
    )]
    Unopened {
        /// How many were.
        anew: usize,
        /// What the others are.
        left: Vec<String>,
    },
    /// The files of a job's commit.
    #[error(transparent)]
    Commit(#[from] TooMuch),
    /// A library has something that TOML cannot say.
    #[error("could not write the context: {0}")]
    Context(#[from] toml::ser::Error),
    /// The database's address.
    #[error("setting database.url: {0}")]
    Pool(#[from] diesel_async::pooled_connection::deadpool::BuildError),
}

impl AdminError {
    pub(super) fn is_about_existing(&self) -> bool {
        matches!(
            self,
            Self::People(PeopleError::UserExists(_) | PeopleError::KeyExists)
                | Self::Project(ProjectError::Exists(_))
        )
    }
}
