//! What people ask about what runs, and what a worker says, who alone can look.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ClusterId, ReleaseNumber};

/// Lines of each container that are told unless somebody says how many, and at most.
pub const LINES: u32 = 100;
pub const MOST_LINES: u32 = 10_000;

/// What is asked about an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Question {
    /// What differs between two of its releases.
    Diff {
        /// The first.
        from: ReleaseNumber,
        /// The other.
        to: ReleaseNumber,
    },
    /// What runs.
    Ps,
    /// What containers print.
    Tail {
        /// Only those of this pod.
        pod: Option<String>,
        /// How many lines of before, of each.
        last: u32,
        /// Whether what they print from then on is told too.
        follow: bool,
    },
    /// Whether one of its targets can be deployed to.
    Test {
        /// Which.
        cluster: ClusterId,
    },
}

impl Question {
    /// Whether its answer goes on for as long as somebody looks on.
    pub const fn is_followed(&self) -> bool {
        match self {
            Self::Tail { follow, .. } => *follow,
            Self::Diff { .. } | Self::Ps | Self::Test { .. } => false,
        }
    }
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Told {
    /// What differs on a target.
    Difference {
        /// The target, by its name.
        cluster: String,
        /// All of it in a few words.
        summary: String,
        /// Each of it.
        lines: Vec<String>,
    },
    /// A container.
    Container {
        /// Which.
        of: Speaker,
        /// What it does, such as `running`.
        state: String,
        /// Whether it serves.
        ready: bool,
        /// How often it was started again.
        restarts: i64,
        /// When it was last started.
        since: Option<DateTime<Utc>>,
    },
    /// A line that a container printed.
    Line {
        /// Which.
        of: Speaker,
        /// The line.
        text: String,
    },
    /// What a target said when it was tried.
    Tried {
        /// Who answers there, in words.
        summary: String,
        /// What deployments would lack.
        missing: Vec<String>,
    },
    /// There is no more.
    End {
        /// Why there is no answer, if there is none.
        fault: Option<String>,
    },
}

/// A container, as people tell it from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Speaker {
    /// The target it is on.
    pub cluster: String,
    /// The pod, as the file calls it.
    pub pod: String,
    /// Which replica of it.
    pub replica: String,
    /// The container, as the file calls it.
    pub container: String,
}
