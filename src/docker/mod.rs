//! A Docker Engine, driven through its API.
//!
//! What is built, started or removed, and why, is decided elsewhere: this is the hand. Every call
//! may be dropped at any time; what the engine was told by then stays done.

mod again;
mod build;
mod buildkit;
mod cage;
mod classic;
mod classic_output;
mod containers;
mod disk;
mod gate;
mod host_routes;
mod images;
mod load;
mod logs;
mod networks;
mod probe;
mod registry;
mod volumes;
mod wire;

use std::collections::HashMap;
use std::path::PathBuf;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker};

use crate::domain::platform::Platform;
use crate::domain::redact::Redactor;

pub use cage::CageContainer;
pub use containers::{Owned, Place};
pub use disk::Room;
pub use gate::GateContainer;
pub use images::{ImageFacts, PullError};
pub use logs::{Begin, Reading};
pub use networks::{Network, NetworkCreated};
pub use probe::Prober;
pub use registry::PushError;

/// Seconds the engine has to begin an answer; what must be bounded tighter is bounded by the caller.
const ANSWER_SECONDS: u64 = 120;

/// A Docker Engine.
#[derive(Debug, Clone)]
pub struct Engine {
    docker: Docker,
    /// Where it listens, for what bollard has no words for.
    socket: PathBuf,
    /// Every stream of output that it gives goes through it.
    redactor: Redactor,
}

/// Why the engine did not do something.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The address is of a form that is not driven.
    #[error("`{0}` is not the address of a Docker Engine on this machine")]
    Address(String),
    /// It does not answer, or not in a way that is understood.
    #[error("the Docker Engine does not answer")]
    Away(#[source] Error),
    /// The machine's routes cannot be read.
    #[error("the routes of this machine cannot be read")]
    Routes(#[source] std::io::Error),
    /// It refused, in these words.
    #[error("the Docker Engine refused: {words}")]
    Refused {
        /// The status of its answer.
        status: u16,
        /// Its words.
        words: String,
    },
}

impl From<Error> for EngineError {
    fn from(error: Error) -> Self {
        if let Error::DockerResponseServerError { status_code, message } = error {
            Self::Refused { status: status_code, words: message }
        } else if let Error::DockerStreamError { error } = error {
            // Some calls begin their answer before they know.
            Self::Refused { status: 500, words: error }
        } else {
            Self::Away(error)
        }
    }
}

impl Engine {
    /// Connects to an engine and agrees on the API's version.
    ///
    /// # Errors
    ///
    /// When the address is of another form, or nobody answers there.
    pub async fn connect(address: &str) -> Result<Self, EngineError> {
        let Some(socket) = address.strip_prefix("unix://") else {
            return Err(EngineError::Address(address.to_owned()));
        };
        let docker = Docker::connect_with_unix(socket, ANSWER_SECONDS, API_DEFAULT_VERSION)?;
        let docker = docker.negotiate_version().await?;
        Ok(Self { docker, socket: socket.into(), redactor: Redactor::default() })
    }

    /// What it runs, such as `linux/amd64`.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn platform(&self) -> Result<Platform, EngineError> {
        let version = self.docker.version().await?;
        let (os, arch) = (version.os.unwrap_or_default(), version.arch.unwrap_or_default());
        Ok(Platform::new(&os, &arch, ""))
    }

    /// The same engine, in whose output these secrets are hidden.
    #[must_use]
    pub fn hiding(self, redactor: Redactor) -> Self {
        Self { redactor, ..self }
    }

    /// What hides secrets in everything that is printed.
    pub const fn redactor(&self) -> &Redactor {
        &self.redactor
    }
}

/// Turns "there is no such thing" into `None`.
fn found<T>(result: Result<T, Error>) -> Result<Option<T>, EngineError> {
    match result.map_err(EngineError::from) {
        Ok(value) => Ok(Some(value)),
        Err(EngineError::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The filter for what carries all of these labels.
fn labelled(labels: &[(String, String)]) -> HashMap<String, Vec<String>> {
    let values = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    HashMap::from([("label".to_owned(), values)])
}
