//! Why a hook did not do its work.

use std::io;

use crate::docker::{EngineError, PullError};
use crate::egress::{GateError, ListenError};

/// Why a hook did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum HookFault {
    /// It ended with another code than 0.
    #[error("exited {code}{}", last.last().map(|line| format!(": {line}")).unwrap_or_default())]
    Exited {
        /// The code.
        code: i64,
        /// Its last lines.
        last: Vec<String>,
        /// How many there were in all.
        said: usize,
    },
    /// It took too long.
    #[error("was ended after {0}, the longest it may take")]
    TooLong(String),
    /// It wanted more memory than it may have.
    #[error("was ended for wanting more than {0} MiB of memory")]
    Memory(u64),
    /// It wrote more than it may.
    #[error("was ended for writing more than {0} MiB")]
    Disk(u64),
    /// It keeps more than it may.
    #[error("was ended for keeping more than {0} MiB in its cache")]
    Cache(u64),
    /// It made more files than it may.
    #[error("was ended for making more than {0} files")]
    Files(u64),
    /// It made folders in folders in folders.
    #[error("was ended for making more than {0} folders in each other")]
    Depth(usize),
    /// It made a folder that hides what is in it.
    #[error("was ended for making a folder that cannot be looked into")]
    Closed,
    /// The disk that it writes to is nearly full.
    #[error("needs room: the worker's disk has less than {0} MiB left (setting hooks.keep_free)")]
    NoRoom(u64),
    /// It printed more than it may.
    #[error("was ended for printing more than {0} MiB")]
    Output(u64),
    /// The folder that it is to run in is none, or leaves the repository.
    #[error("has no folder `{0}` to run in")]
    Path(String),
    /// It could not be started, in somebody's words.
    #[error("could not be started: {0}")]
    NotStarted(String),
    /// It is not defined any more.
    #[error("is not defined on this worker")]
    Unknown,
    /// It was ended because nobody wants it any more.
    #[error("was ended")]
    Ended,
    /// The engine is another machine's.
    #[error(
        "could not be started: the engine {0} does not see this machine's files, and hooks in containers need that"
    )]
    Elsewhere(String),
    /// Its way out cannot be opened.
    #[error(transparent)]
    Outlet(#[from] ListenError),
    /// What forwards in its cage cannot be packed.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Its image wants a volume where it cannot have one.
    #[error("cannot run in {image}: no hook can have its VOLUME {path}")]
    Volume {
        /// The image.
        image: String,
        /// The path of the volume.
        path: String,
    },
    /// It may still run.
    #[error("could not be ended: {0}")]
    Unended(Box<Self>),
    /// Its image cannot be had.
    #[error(transparent)]
    Image(#[from] PullError),
    /// The engine does not answer, or refuses.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A folder or a process cannot be made.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

impl HookFault {
    /// Whether an operator can mend it, rather than whoever pushed.
    pub const fn is_ours(&self) -> bool {
        match self {
            Self::Unknown
            | Self::Elsewhere(_)
            | Self::Outlet(_)
            | Self::Gate(_)
            | Self::Image(_)
            | Self::Engine(_)
            | Self::NoRoom(_)
            | Self::Volume { .. }
            | Self::Unended(_)
            | Self::System(_) => true,
            Self::Exited { .. }
            | Self::TooLong(_)
            | Self::Memory(_)
            | Self::Disk(_)
            | Self::Cache(_)
            | Self::Files(_)
            | Self::Depth(_)
            | Self::Closed
            | Self::Output(_)
            | Self::Path(_)
            | Self::NotStarted(_)
            | Self::Ended => false,
        }
    }

    /// Whether it takes so much of the machine that it is given no time to end.
    pub const fn is_over_bounds(&self) -> bool {
        match self {
            Self::Disk(_)
            | Self::Cache(_)
            | Self::Files(_)
            | Self::Depth(_)
            | Self::Closed
            | Self::NoRoom(_)
            | Self::Output(_) => true,
            Self::Exited { .. }
            | Self::TooLong(_)
            | Self::Memory(_)
            | Self::Path(_)
            | Self::NotStarted(_)
            | Self::Unknown
            | Self::Ended
            | Self::Elsewhere(_)
            | Self::Outlet(_)
            | Self::Gate(_)
            | Self::Image(_)
            | Self::Engine(_)
            | Self::Volume { .. }
            | Self::Unended(_)
            | Self::System(_) => false,
        }
    }
}
