//! What was deleted is brought back or removed for good, for pages and the API.

use crate::db::acting::Acting;
use crate::domain::deleted::DeletedKind;
use crate::domain::slug::{AccountSlug, ProjectName, ProjectSlug};
use crate::people::{purge_user, restore_user};
use crate::projects::{purge_account, purge_project, restore_account, restore_project};
use crate::web::refusal::Refusal;

/// Something that was deleted.
#[derive(Debug, Clone)]
pub(super) enum Gone {
    User(String),
    Account(AccountSlug),
    Project((AccountSlug, ProjectSlug)),
}

impl Gone {
    /// What is named so.
    pub(super) fn read(kind: DeletedKind, name: &str) -> Result<Self, Refusal> {
        let invalid = |text: String| Refusal::Invalid(Some("name"), text);
        Ok(match kind {
            DeletedKind::User => Self::User(name.to_owned()),
            DeletedKind::Account => {
                Self::Account(name.parse().map_err(|error| invalid(format!("{error}")))?)
            }
            DeletedKind::Project => {
                let name: ProjectName =
                    name.parse().map_err(|error| invalid(format!("{error}")))?;
                let whole = name.account.zip(Some(name.project));
                let text = "write it as account/project".to_owned();
                Self::Project(whole.ok_or_else(|| invalid(text))?)
            }
        })
    }

    /// Brings it back, and says in words what does not come back with it.
    pub(super) async fn restore(self, by: &Acting) -> Result<Option<&'static str>, Refusal> {
        match self {
            Self::User(email) => restore_user(by, &email).await?,
            Self::Account(slug) => restore_account(by, slug).await?,
            Self::Project(name) => {
                let has_repository = restore_project(by, name).await?;
                let lost = "Its repository is gone by now: push again.";
                return Ok((!has_repository).then_some(lost));
            }
        }
        Ok(None)
    }

    /// Removes it for good.
    pub(super) async fn purge(self, by: &Acting) -> Result<(), Refusal> {
        match self {
            Self::User(email) => purge_user(by, &email).await?,
            Self::Account(slug) => purge_account(by, slug).await?,
            Self::Project(name) => drop(purge_project(by, name).await?),
        }
        Ok(())
    }
}
