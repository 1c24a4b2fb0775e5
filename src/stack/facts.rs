//! What an engine says about a container.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// What an engine says about a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerFacts {
    /// Its id.
    pub id: String,
    /// The id of its image.
    pub image: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Where it stands.
    pub phase: Phase,
    /// What it exited with the last time.
    pub exit_code: i64,
    /// Whether it was ended the last time because it used too much memory.
    pub out_of_memory: bool,
    /// How often the engine started it again.
    pub restarts: i64,
    /// When it was last started; `None` for never.
    pub started_at: Option<DateTime<Utc>>,
}

/// Where a container stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It was never started.
    Created,
    /// It runs.
    Running,
    /// It exited, and the engine will start it again.
    Restarting,
    /// It is stopped, and stays so.
    Stopped,
    /// The engine is removing it, or could not.
    Broken,
}

impl ContainerFacts {
    /// Whether it uses the network namespace that a running `anchor` has now.
    ///
    /// An anchor that starts again gets a new one; who was in the old one is alone in it.
    pub fn shares_network_of(&self, anchor: &Self) -> bool {
        self.started_at >= anchor.started_at
    }
}
