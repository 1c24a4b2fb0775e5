//! The SSH server: who comes in, and what they may say.
//!
//! Only public keys, only git's two services and a few commands of ours, never a shell. What a
//! command means is decided elsewhere.

mod command;
mod commands;
mod connection;
mod git_session;
mod git_words;
mod host_key;
mod limits;
mod output;
mod own;
mod rights;
mod server;

use std::path::PathBuf;

use crate::config::SshConfig;
use crate::db::pool::Db;
use crate::git::wire::Wire;
use crate::jobs::Jobs;
use crate::push::{Pushes, Sessions};
use crate::questions::Questions;

pub use host_key::{HostKeyError, load_or_make};
pub use rights::{RIGHTS, Right};
pub use server::serve;

/// Everything a connection works with.
#[derive(Debug, Clone)]
pub struct Door {
    /// The database.
    pub db: Db,
    /// Jobs.
    pub jobs: Jobs,
    /// Pushes.
    pub pushes: Pushes,
    /// Pushes under way.
    pub sessions: Sessions,
    /// What workers are asked.
    pub questions: Questions,
    /// git.
    pub wire: Wire,
    /// File of the key with which secrets are sealed.
    pub public_key: PathBuf,
    /// Settings of the server.
    pub settings: SshConfig,
}

impl Door {
    /// What people type behind `ssh`.
    fn address(&self) -> String {
        self.settings.address()
    }
}
