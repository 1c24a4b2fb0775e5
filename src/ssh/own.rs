//! What people change about their own keys and tokens, as they type it.

use clap::{Args, Subcommand};

use crate::domain::ids::TokenId;
use crate::domain::lifetime::Lifetime;
use crate::domain::slug::{AccountSlug, ProjectName};

/// What is changed about one's keys.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub(super) enum KeyChange {
    /// Add one; it is read from standard input, as it stands in the file that ends in .pub.
    Add(NewKey),
    /// Remove one.
    Remove {
        /// Its fingerprint, `SHA256:…`.
        fingerprint: String,
    },
}

/// A key about to be added.
#[derive(Debug, Clone, PartialEq, Args)]
pub(super) struct NewKey {
    /// What to call it; without one, its comment.
    #[arg(long)]
    pub(super) name: Option<String>,
    /// It clones and looks, and changes nothing.
    #[arg(long)]
    pub(super) read_only: bool,
    /// Only for this project; may be given several times.
    #[arg(long)]
    pub(super) project: Vec<ProjectName>,
    /// How long it lasts, such as 90d or 12w; without this, for ever.
    #[arg(long)]
    pub(super) expires: Option<Lifetime>,
}

/// What is changed about one's tokens.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub(super) enum TokenChange {
    /// Make one; it is printed once, and known to nobody afterwards.
    Add(NewToken),
    /// End one.
    Remove {
        /// Its id.
        id: TokenId,
    },
}

/// A token about to be made.
#[derive(Debug, Clone, PartialEq, Args)]
pub(super) struct NewToken {
    /// What to call it, such as the program that it is for.
    pub(super) name: String,
    /// It looks, and changes nothing.
    #[arg(long)]
    pub(super) read_only: bool,
    /// Only for this account.
    #[arg(long, conflicts_with = "project")]
    pub(super) account: Option<AccountSlug>,
    /// Only for this project.
    #[arg(long)]
    pub(super) project: Option<ProjectName>,
    /// How long it lasts, such as 90d or 12w, at most 366d; without this, 90d.
    #[arg(long)]
    pub(super) expires: Option<Lifetime>,
}
