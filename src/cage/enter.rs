//! The first program of a cage: it enters the control groups, and becomes bwrap.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::caging::User;

/// What a process takes on before it becomes another program.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The doors of its control groups.
    pub groups: Vec<PathBuf>,
    /// Who it becomes, when it is root.
    pub user: User,
    /// Most bytes of a file.
    pub file_size: u64,
    /// The program bwrap. Its own arguments, each ended by a zero byte, are the standard input.
    pub bwrap: PathBuf,
    /// The command that it runs.
    pub command: Vec<OsString>,
}

/// Enters, and becomes the program; comes back only when that does not work.
pub fn enter(entry: &Entry) -> io::Error {
    let Err(error) = become_it(entry);
    error
}

fn become_it(entry: &Entry) -> io::Result<std::convert::Infallible> {
    for door in &entry.groups {
        // 0 is whoever writes.
        fs::write(door, "0")?;
    }
    let most = |most| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::Fsize, most(entry.file_size))?;
    setrlimit(Resource::Core, most(0))?;
    // A copy stays open in the next program, which closes it when it has read it.
    let arguments = rustix::io::dup(io::stdin())?;
    let mut command = Command::new(&entry.bwrap);
    command.arg("--args").arg(arguments.as_raw_fd().to_string()).arg("--").args(&entry.command);
    command.env_clear().stdin(Stdio::null());
    if rustix::process::geteuid().is_root() {
        // Groups besides this one are given up with it.
        command.uid(entry.user.uid).gid(entry.user.gid);
    }
    Err(command.exec())
}
