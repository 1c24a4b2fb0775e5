//! The first program of a cage: it enters the control groups, and becomes the next one.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

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
    /// The program and its arguments.
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
    let (program, arguments) = entry.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    if rustix::process::geteuid().is_root() {
        // Groups besides this one are given up with it.
        command.uid(entry.user.uid).gid(entry.user.gid);
    }
    Err(command.exec())
}
