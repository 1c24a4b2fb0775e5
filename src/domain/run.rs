//! How one try of a job ended.

use crate::domain::words::words;

words! {
    /// How one try of a job ended.
    RunOutcome, "outcome of a run" {
        /// The job's release is live.
        Live = "live",
        /// What a deployment would change was said.
        Planned = "planned",
        /// The job failed.
        Failed = "failed",
        /// The job was cancelled.
        Cancelled = "cancelled",
        /// The worker died or could not renew its lease.
        Lost = "lost",
        /// The worker was stopped; does not count as a try.
        Interrupted = "interrupted",
    }
}
