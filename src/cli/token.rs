//! `pierhead admin create token`.

use chrono::Utc;
use clap::Args;

use crate::cli::admin_error::AdminError;
use crate::cli::note;
use crate::db::acting::Acting;
use crate::domain::api_token::TokenAccess;
use crate::domain::lifetime::Lifetime;
use crate::domain::slug::{AccountSlug, ProjectName};
use crate::people::{TokenFor, TokenTerms, create_token};
use crate::projects;

/// A token about to be made.
#[derive(Debug, Args)]
pub(super) struct NewToken {
    /// What to call it, such as the program that it is for.
    #[arg(long)]
    name: String,
    /// It looks, and changes nothing.
    #[arg(long)]
    read_only: bool,
    /// Only for this account.
    #[arg(long, conflicts_with = "project")]
    account: Option<AccountSlug>,
    /// Only for this project, as `account/project`.
    #[arg(long)]
    project: Option<ProjectName>,
    /// How long it lasts, such as 90d or 12w, at most 366d; without this, 90d.
    #[arg(long)]
    expires: Option<Lifetime>,
}

impl NewToken {
    /// Makes it, and gives what is shown once.
    pub(super) async fn run(self, by: &Acting, email: &str) -> Result<String, AdminError> {
        let Self { name, read_only, account, project, expires } = self;
        let of = match (account, project) {
            (Some(slug), _) => TokenFor::Account(projects::account(&by.db, slug).await?.id),
            (None, Some(name)) => TokenFor::Project(projects::named(&by.db, name).await?.id),
            (None, None) => TokenFor::Everything,
        };
        let terms = TokenTerms {
            name,
            access: if read_only { TokenAccess::Read } else { TokenAccess::Write },
            of,
            expires_at: expires.map(|lifetime| Utc::now() + lifetime.duration()),
        };
        let made = create_token(by, email, terms).await?;
        let end = made.expires_at.format("%Y-%m-%d");
        note(&format!("Token {} of {email} ends on {end}. It is shown only now.", made.id));
        Ok(made.token)
    }
}
