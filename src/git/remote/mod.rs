//! Repositories elsewhere, read by git's own program.
//!
//! It runs in an environment of its own, without anybody's configuration or hooks, and reaches
//! nothing but what it is led to: a proxy for HTTPS, an address of this machine for SSH. What signs in
//! is in no argument. Dropped, it is killed with all that it started.

mod folder;
mod listing;
mod process;
mod ssh;

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::process::Command;

use crate::domain::git_ref::RefName;
use crate::domain::oid::Oid;
use crate::git::incoming::Incoming;

pub use folder::RemoteFolder;
pub use ssh::HostKeyCheck;

/// Where authorities of the machine are, for whoever adds one.
const AUTHORITIES: &str = "/etc/ssl/certs";

/// A repository elsewhere.
#[derive(Debug)]
pub struct Remote<'a> {
    /// The program.
    pub git: &'a Path,
    /// A folder of its own, which is its home.
    pub folder: &'a RemoteFolder,
    /// The address, as git reads it.
    pub address: &'a str,
    /// How it is reached.
    pub way: Way<'a>,
}

/// How a repository is reached.
#[derive(Debug)]
pub enum Way<'a> {
    /// By HTTPS.
    Https {
        /// The proxy that leads there.
        proxy: SocketAddr,
        /// The header that signs in.
        authorization: Option<&'a SecretString>,
        /// Authorities that are trusted besides those of the machine.
        ca_file: Option<&'a Path>,
    },
    /// By SSH.
    Ssh {
        /// What leads there.
        passage: SocketAddr,
        /// The name under which the host's keys are known.
        name: &'a str,
        /// What is done about a key that is not.
        unknown: HostKeyCheck,
    },
}

/// Why a repository elsewhere was not read.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The program cannot be run, or read.
    #[error("git cannot be run here: {0}")]
    Run(#[from] io::Error),
    /// It has more than anybody has.
    #[error("it has more refs than can be read")]
    TooMany,
    /// It is of another kind, or said something else.
    #[error("its list of refs is not understood; repositories with SHA-256 are not supported")]
    Listing,
    /// git gave up, with these words.
    #[error("{0}")]
    Failed(String),
}

/// Settings that go with every command; on the command line they win over all files.
const SETTINGS: [&str; 19] = [
    "protocol.allow=never",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "credential.helper=",
    "http.followRedirects=false",
    "http.sslVerify=true",
    "http.proxyAuthMethod=anyauth",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=120",
    "http.saveCookies=false",
    // What a server tells to fetch elsewhere is not fetched.
    "transfer.bundleURI=false",
    "fetch.uriProtocols=",
    "fetch.recurseSubmodules=false",
    "fetch.fsckObjects=true",
    // One pack, whatever comes: it is moved whole.
    "fetch.unpackLimit=1",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=false",
];

impl Remote<'_> {
    /// The branches and tags there are; other refs are left out.
    ///
    /// # Errors
    ///
    /// Why they cannot be read.
    pub async fn list(&self) -> Result<Vec<(RefName, Oid)>, RemoteError> {
        let mut command = self.command();
        command.args(["ls-remote", "--quiet", "--heads", "--tags", "--refs", "--"]);
        command.arg(self.address);
        listing::read(&process::run(command).await?)
    }

    /// Fetches refs to where they are looked at before anything of them is stored.
    ///
    /// # Errors
    ///
    /// Why they cannot be fetched.
    pub async fn fetch(&self, into: &Incoming, names: &[RefName]) -> Result<(), RemoteError> {
        let mut command = self.command();
        command.env("GIT_DIR", into.path());
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", into.stored());
        command.args(["fetch", "--quiet", "--no-tags", "--no-recurse-submodules"]);
        command.args(["--no-write-fetch-head", "--no-auto-maintenance", "--"]);
        command.arg(self.address);
        for (index, name) in names.iter().enumerate() {
            command.arg(format!("+{name}:{}", Incoming::reference(index)));
        }
        process::run(command).await.map(drop)
    }

    fn command(&self) -> Command {
        let home = self.folder.path();
        let mut command = Command::new(self.git);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home)
            .env("TMPDIR", home)
            .env("LC_ALL", "C.UTF-8")
            .env("LANGUAGE", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CEILING_DIRECTORIES", "/")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        match &self.way {
            Way::Https { proxy, authorization, ca_file } => {
                command.env("GIT_ALLOW_PROTOCOL", "https");
                command.args(["-c", &format!("http.proxy=http://{proxy}")]);
                if let Some(file) = ca_file {
                    let mut setting = OsString::from("http.sslCAInfo=");
                    setting.push(file);
                    command.arg("-c").arg(setting);
                    command.args(["-c", &format!("http.sslCAPath={AUTHORITIES}")]);
                }
                if let Some(authorization) = authorization {
                    // Nobody but this user reads the environment of a process.
                    command
                        .env("GIT_CONFIG_COUNT", "1")
                        .env("GIT_CONFIG_KEY_0", "http.extraHeader")
                        .env("GIT_CONFIG_VALUE_0", authorization.expose_secret());
                }
            }
            Way::Ssh { passage, name, unknown } => {
                command
                    .env("GIT_ALLOW_PROTOCOL", "ssh")
                    .env("GIT_SSH_VARIANT", "ssh")
                    .env("GIT_SSH_COMMAND", ssh::command(self.folder, *passage, (*name, *unknown)));
            }
        }
        command
    }
}
