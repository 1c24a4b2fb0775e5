//! `pierhead admin set user|password|account|project`.

use clap::Args;

use crate::cli::admin_error::AdminError;
use crate::db::acting::Acting;
use crate::domain::access::Standing;
use crate::domain::quota::HardQuota;
use crate::domain::slug::{AccountSlug, ProjectName};
use crate::people::{self, UserEdit};
use crate::projects::{self, AccountEdit, ProjectEdit};

/// What is changed of a person; what is not said stays.
#[derive(Debug, Args)]
pub(super) struct SetUser {
    /// Their e-mail address.
    email: String,
    /// Another address.
    #[arg(long = "email", value_name = "EMAIL")]
    other: Option<String>,
    /// How they are called in Histories.
    #[arg(long)]
    name: Option<String>,
    /// Whether they may do everything.
    #[arg(long, value_name = "true|false")]
    administrator: Option<bool>,
    /// Whether they are shut out; what they deployed goes on.
    #[arg(long, value_name = "true|false")]
    disabled: Option<bool>,
}

/// What is changed of an account; what is not said stays.
#[derive(Debug, Args)]
pub(super) struct SetAccount {
    /// The account.
    account: AccountSlug,
    /// How people call it.
    #[arg(long)]
    name: Option<String>,
    /// Where new targets deploy to; empty for the account's name.
    #[arg(long)]
    namespace: Option<String>,
    /// What stands before that, where accounts share a cluster; empty for nothing.
    #[arg(long, value_name = "PREFIX")]
    namespace_prefix: Option<String>,
    /// Whether nothing of it is stored or deployed; what it deployed goes on.
    #[arg(long, value_name = "true|false")]
    suspended: Option<bool>,
    /// What one deployment may use of a resource; may be given several times.
    #[arg(long, value_name = "TYPE:CATEGORY:CAPACITY[:REQUIRES]")]
    quota: Vec<HardQuota>,
    /// A resource without a quota from now on.
    #[arg(long, value_name = "TYPE")]
    no_quota: Vec<String>,
}

/// What is changed of a project; what is not said stays.
#[derive(Debug, Args)]
pub(super) struct SetProject {
    /// The project, as `account/project`.
    project: ProjectName,
    /// What stands before every deployed name; empty for nothing.
    #[arg(long)]
    prefix: Option<String>,
    /// Whether nothing of it is stored or deployed; what it deployed goes on.
    #[arg(long, value_name = "true|false")]
    suspended: Option<bool>,
}

impl SetUser {
    pub(super) async fn run(self, by: &Acting) -> Result<String, AdminError> {
        let Self { email, other, name, administrator, disabled } = self;
        let standing = |is: bool| if is { Standing::Administrator } else { Standing::Person };
        let text = match disabled {
            Some(true) => {
                format!("{email} is disabled: no key of theirs does anything from now on.")
            }
            Some(false) => format!("{email} is not disabled."),
            None => format!("{email} is changed."),
        };
        let standing = administrator.map(standing);
        let edit = UserEdit { email: other, name, standing, disabled, ..UserEdit::default() };
        people::set_user(by, &email, edit).await?;
        Ok(text)
    }
}

impl SetAccount {
    pub(super) async fn run(self, by: &Acting) -> Result<String, AdminError> {
        let Self { account, name, namespace, namespace_prefix, suspended, quota, no_quota } = self;
        let text = format!("Account {account} is changed, for pushes and jobs from now on.");
        let edit = AccountEdit {
            name,
            namespace,
            namespace_prefix,
            suspended,
            quotas: quota,
            unset_quotas: no_quota,
            ..AccountEdit::default()
        };
        projects::set_account(by, account, edit).await?;
        Ok(text)
    }
}

impl SetProject {
    pub(super) async fn run(self, by: &Acting) -> Result<String, AdminError> {
        let Self { project, prefix, suspended } = self;
        let text = format!("Project {project} is changed, for pushes and jobs from now on.");
        let edit = ProjectEdit { prefix, suspended, ..ProjectEdit::default() };
        projects::set_project(by, project, edit).await?;
        Ok(text)
    }
}
