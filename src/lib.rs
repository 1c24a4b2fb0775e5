//! Pierhead: `git push`, and it is live.
//!
//! `docs/ARCHITECTURE.md` has the picture, the layers and the walk of a push.

pub mod config;
pub mod db;
pub mod domain;
pub mod git;
pub mod history;
pub mod jobs;
pub mod paas;
pub mod queue;
pub mod tasks;
pub mod telemetry;
