//! Foreign commands without a container: bubblewrap's namespaces in a control group.
//!
//! ```text
//!  worker ──▶ pierhead hook-enter ──▶ bwrap ──▶ command
//!             into the group, bounds,  namespaces,
//!             then another user        few folders
//! ```
//!
//! Whoever starts the chain has the pid of its first program, which stays the same up to bwrap;
//! when that dies the namespace dies, and everything in it.

pub mod enter;
mod groups;
mod process;
mod view;

use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::cage::groups::Groups;
use crate::caging::{Bounds, Caged, Ended, User};

pub use groups::NoGroups;
pub use process::CageProcess;

/// Bounds of a command that only shows that cages work.
const SMALL: Bounds =
    Bounds { memory: 64 * 1024 * 1024, milli_cpus: 1_000, pids: 16, file: 1024 * 1024 };

/// Makes cages.
#[derive(Debug, Clone)]
pub struct Cages {
    bwrap: PathBuf,
    /// This very program, which enters a group before it becomes bwrap.
    program: PathBuf,
    groups: Groups,
}

/// Why commands are not caged on this machine.
#[derive(Debug, thiserror::Error)]
pub enum NoCage {
    /// The program is missing.
    #[error("{} cannot be started (setting hooks.bwrap): install bubblewrap", path.display())]
    NoBwrap {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no control group for memory and processes.
    #[error(transparent)]
    Groups(#[from] NoGroups),
    /// A cage does not come up.
    #[error("bwrap makes no cage here: {0}")]
    Refused(String),
    /// The system refuses.
    #[error("a cage cannot be made: {0}")]
    System(#[from] io::Error),
}

impl Cages {
    /// Cages made by a program, for whose control groups `program hook-enter` is called.
    ///
    /// # Errors
    ///
    /// When the machine has no control groups that may be used.
    pub fn find(bwrap: &Path, program: &Path) -> Result<Self, NoCage> {
        let groups = Groups::find()?;
        Ok(Self { bwrap: bwrap.to_owned(), program: program.to_owned(), groups })
    }

    /// Shows that a cage comes up, in which `folder` is seen.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn check(&self, folder: &Path, user: User) -> Result<(), NoCage> {
        let source = self.bwrap.metadata().err();
        if let Some(source) = source {
            return Err(NoCage::NoBwrap { path: self.bwrap.clone(), source });
        }
        let mount = crate::caging::Mount {
            source: folder.to_owned(),
            target: "/mnt".into(),
            writes: false,
        };
        let caged = Caged {
            name: format!("check-{}", Uuid::now_v7().simple()),
            command: vec!["/usr/bin/true".to_owned()],
            folder: "/mnt".to_owned(),
            env: Vec::new(),
            mounts: vec![mount],
            user,
            bounds: SMALL,
        };
        let mut process = self.start(&caged, Path::new(""))?;
        let mut said = Vec::new();
        while let Some(heard) = process.hear().await {
            said.extend(heard?);
        }
        match process.ended().await? {
            Ended::Code(0) => Ok(()),
            Ended::Code(_) | Ended::OutOfMemory => {
                let said = String::from_utf8_lossy(&said);
                Err(NoCage::Refused(said.lines().next().unwrap_or_default().to_owned()))
            }
        }
    }
}
