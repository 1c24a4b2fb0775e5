//! git: bare repositories through libgit2, the wire through the `git` program.
//!
//! libgit2 has no server side of the pack protocol, so pushes and fetches are served by
//! `git receive-pack` and `git upload-pack`; everything else is read and changed in-process.
//! Functions here block: callers run them with [`crate::tasks::blocking`].

pub mod bare_repository;
pub mod checkout;
pub mod commit_files;
pub mod incoming;
pub mod pkt_line;
pub mod quarantine;
pub mod remote;
mod trash;
pub mod wire;
