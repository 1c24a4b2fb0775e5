//! `pierhead hook-enter`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cage::enter::{Entry, enter};
use crate::caging::User;
use crate::cli::note;

/// The exit status of a program that could not be started, as shells have it.
const NOT_STARTED: u8 = 127;

/// What a process takes on before it becomes the next program of a cage.
#[derive(Debug, clap::Args)]
pub(super) struct HookEnter {
    /// The door of a control group.
    #[arg(long, value_name = "FILE")]
    group: Vec<PathBuf>,
    /// Who it becomes, when it is root.
    #[arg(long, value_name = "UID:GID", value_parser = user)]
    user: User,
    /// Most bytes of a file.
    #[arg(long, value_name = "BYTES")]
    file_size: u64,
    /// The program bwrap, whose own arguments are the standard input.
    #[arg(long, value_name = "FILE")]
    bwrap: PathBuf,
    /// The command that it runs.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

fn user(text: &str) -> Result<User, String> {
    let numbers = text.split_once(':');
    let numbers = numbers.and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)));
    numbers.map(|(uid, gid)| User { uid, gid }).ok_or_else(|| "write UID:GID".to_owned())
}

impl HookEnter {
    /// Comes back only when it could not.
    pub(super) fn run(self) -> ExitCode {
        let Self { group, user, file_size, bwrap, command } = self;
        let error = enter(&Entry { groups: group, user, file_size, bwrap, command });
        note(&format!("pierhead: the cage cannot be entered: {error}"));
        ExitCode::from(NOT_STARTED)
    }
}
