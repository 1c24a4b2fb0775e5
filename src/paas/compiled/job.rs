//! Work that ends.

use serde::{Deserialize, Serialize};

use crate::domain::words::words;
use crate::paas::compiled::Pod;

/// Pods that run to their end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// What runs; never empty.
    pub pods: Vec<Pod>,
    /// How often it must succeed.
    pub completions: Completions,
    /// Whether all runs start at a time.
    pub parallel: bool,
    /// Seconds after which it has failed, all its pods together.
    pub time_limit: Option<u32>,
    /// Seconds for which it is kept when it has ended; none: for ever.
    pub shelf_life: Option<u32>,
    /// How exit codes decide; none: 0 is success.
    pub success_condition: Option<SuccessCondition>,
    /// When it runs.
    pub planning: Planning,
    /// A cron expression of five fields.
    pub schedule: Option<String>,
}

/// How often a job must succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completions {
    /// How many runs.
    pub count: u32,
    /// Whether runs know their number.
    pub mode: Mode,
}

words! {
    /// How runs of one job differ.
    Mode, "mode of completions" {
        /// Not at all.
        Common = "common",
        /// Each knows its number.
        Indexed = "indexed",
    }
}

words! {
    /// When a job runs.
    Planning, "planning of jobs" {
        /// Once the new pods serve.
        DuringDeployment = "during-deployment",
        /// When its schedule says so.
        Scheduled = "scheduled",
        /// To its end before any new pod is rolled out.
        BeforeDeployment = "before-deployment",
    }
}

/// How exit codes decide about a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuccessCondition {
    /// Codes of success.
    pub success_exit_codes: Vec<i32>,
    /// Codes of failure.
    pub failure_exit_codes: Vec<i32>,
    /// The container whose code counts; none: any.
    pub container: Option<String>,
}
