//! What runs in a cage, and how it ended: what all cages for foreign commands share.
//!
//! A command sees a few folders, a little of the machine, and no network; what it writes is looked
//! at without following a link.

pub mod tree;

use std::path::PathBuf;

use bytes::Bytes;

/// Where a caged command has the checkout.
pub const WORKSPACE: &str = "/workspace";

/// Where it has a home, which is empty when it starts.
pub const HOME: &str = "/home/hook";

/// Where it has what it keeps.
pub const CACHE: &str = "/cache";

/// What to run, and within which bounds.
#[derive(Debug, Clone)]
pub struct Caged {
    /// The name of the cage, unique on the machine.
    pub name: String,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The folder in which it starts, as it sees it.
    pub folder: String,
    /// Its environment.
    pub env: Vec<(String, String)>,
    /// What it sees of the machine besides its programs.
    pub mounts: Vec<Mount>,
    /// Who it is.
    pub user: User,
    /// How much of the machine it takes.
    pub bounds: Bounds,
}

/// Numbers of a user and a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// A file or a folder of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is.
    pub source: PathBuf,
    /// Where it is seen.
    pub target: String,
    /// Whether it may be written to.
    pub writes: bool,
}

/// How much of the machine a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of memory.
    pub memory: u64,
    /// Processors, in thousandths.
    pub milli_cpus: u64,
    /// Processes and threads.
    pub pids: u32,
    /// Bytes of one file.
    pub file: u64,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Of standard output.
    Out(Bytes),
    /// Of standard error.
    Err(Bytes),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with a code.
    Code(i64),
    /// Because it wanted more memory than it may have.
    OutOfMemory,
}
