//! What was deleted, and can be brought back or removed for good.

use crate::domain::words::words;

words! {
    /// What it is.
    DeletedKind, "kind of what is deleted (user, account, project)" {
        /// A person, by their address.
        User = "user",
        /// An account, by its name.
        Account = "account",
        /// A project, as `account/project`.
        Project = "project",
    }
}
