//! What became of each ref of a push.

use crate::domain::words::words;

words! {
    /// What became of one ref of a push.
    Decision, "decision about a ref" {
        /// A job was created for it.
        Deployed = "deployed",
        /// The job of an earlier push of the same commit was joined.
        Attached = "attached",
        /// What deploying it would change was said; it was not changed.
        Planned = "planned",
        /// Stored, not deployed.
        Stored = "stored",
        /// Deleted.
        Deleted = "deleted",
        /// Not changed.
        Refused = "refused",
    }
}
