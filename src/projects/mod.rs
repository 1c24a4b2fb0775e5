//! Accounts, their projects, and who may do what with them.

mod accounts;
mod clusters;
mod create;
mod deleted;
mod find;
mod lists;
mod quota_use;
mod registry;
mod releases;
mod removal;
mod rules;
mod source;
mod variables;

use crate::db::models::project::Project;
use crate::db::pool::Transient;
use crate::domain::access::Bar;
use crate::domain::cluster::BadAddress;
use crate::domain::environment::EnvironmentName;
use crate::domain::git_ref::BadRefName;
use crate::domain::ids::{JobNumber, ReleaseNumber};
use crate::domain::label::BadLabel;
use crate::domain::slug::{ProjectName, ProjectSlug};
use crate::domain::variables::BadVariable;
use crate::seal::KeyError;

pub use accounts::{
    AccountEdit, accounts, delete_account, delete_member, members, purge_account, restore_account,
    set_account,
};
pub use clusters::{
    Login, NewTarget, Target, TargetChange, all_clusters, cluster, clusters, create_cluster,
    delete_cluster, set_cluster, targets,
};
pub use create::{
    NewRule, create_account, create_project, delete_rule, rules, set_member, set_rule,
};
pub use deleted::deleted;
pub use find::{
    account, all, check_right, environments, find, find_account, find_environment, find_job,
    job_named, may, named, seen,
};
pub use lists::{
    JobsWanted, Page, SeenAccount, account_seen, accounts_seen, jobs_seen, projects_seen,
};
pub use quota_use::{QuotaUse, quota_use, quotas_of};
pub use registry::{NewRegistry, registry_of, set_registry, unset_registry};
pub use releases::{Serves, Serving, find_releases, live_targets, releases, serving, serving_of};
pub use removal::{ProjectEdit, delete_project, purge_project, restore_project, set_project};
pub use rules::{Rule, replace_rules, rules_of, version_of};
pub use source::{NewSource, set_source, source_of, sources, unset_source};
pub use variables::{
    NewVariable, Secrecy, change_variable, set_variable, unset_variable, variables,
};

/// Why something about a project was not found or not made.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is none, or they may not know of it: one and the same answer.
    #[error("`{0}` not found")]
    NotFound(String),
    /// They may look, but not do this.
    #[error("you may look at `{0}`, but not do this")]
    Forbidden(String),
    /// They may, but not with this key.
    #[error("the key that you came with may only read `{0}`")]
    Key(String),
    /// They may do nothing at all.
    #[error(transparent)]
    Barred(#[from] Bar),
    /// Several accounts have a project of this name.
    #[error("several accounts have a project `{project}`: write {}", .accounts.join(", "))]
    Ambiguous {
        /// The name.
        project: ProjectSlug,
        /// What it may mean.
        accounts: Vec<String>,
    },
    /// The name is taken.
    #[error("`{0}` exists")]
    Exists(String),
    /// Somebody else has changed it since it was read.
    #[error("somebody else has changed `{0}` meanwhile")]
    Changed(String),
    /// Two rules say what becomes of the same refs.
    #[error("two rules have the pattern `{0}`: leave one")]
    RuleTwice(String),
    /// It is deleted.
    #[error("`{0}` is deleted: `admin restore` brings it back, `admin purge` frees the name")]
    Deleted(String),
    /// It is not deleted.
    #[error("`{0}` is not deleted: `admin delete` comes first")]
    NotDeleted(String),
    /// A deployment is under way.
    #[error("job {0} is under way: wait for its end, or cancel it")]
    Busy(JobNumber),
    /// The name cannot be shown.
    #[error(transparent)]
    Label(#[from] BadLabel),
    /// A name that clusters do not take.
    #[error("`{0}` cannot be {1}: use a-z, 0-9 and `-` between them")]
    Part(String, &'static str),
    /// A quota that cannot be one.
    #[error("quota `{kind}`: {message}")]
    Quota {
        /// The resource.
        kind: String,
        /// What is wrong.
        message: String,
    },
    /// Nobody has this address.
    #[error("nobody has the address `{0}`")]
    NoUser(String),
    /// The project has no such environment.
    #[error("`{project}` has no environment `{environment}`{}", list(.known))]
    NoEnvironment {
        /// The project.
        project: String,
        /// What was asked for.
        environment: EnvironmentName,
        /// What there is.
        known: Vec<EnvironmentName>,
    },
    /// The environment has no such release.
    #[error("`{environment}` has no release {number}: `releases` lists the newest")]
    NoRelease {
        /// Where.
        environment: EnvironmentName,
        /// What was asked for.
        number: ReleaseNumber,
    },
    /// Nothing serves.
    #[error("nothing is live in `{0}`: push")]
    NothingLive(EnvironmentName),
    /// The branch cannot be one.
    #[error(transparent)]
    Branch(#[from] BadRefName),
    /// The cluster's address is of another form.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// The variable cannot be one.
    #[error(transparent)]
    Variable(#[from] BadVariable),
    /// There is no such variable.
    #[error("there is no variable `{name}`{}", hint(nearest.as_deref()))]
    NoVariable {
        /// What was asked for.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// The project has as many as it may.
    #[error("a project and its environments may have 500 variables, of 256 KiB in all")]
    TooManyVariables,
    /// The name that signs in at a registry.
    #[error("this cannot be the name of a user: give up to 255 characters, without `:`")]
    Login,
    /// What is said of a source does not fit.
    #[error("{0}")]
    Source(&'static str),
    /// Who signs in at a cluster was sealed for another address.
    #[error("who signs in stays with the address: say who signs in at the new one")]
    LoginElsewhere,
    /// Another target is the same namespace of the same cluster.
    #[error(
        "cluster `{0}` is that namespace of that cluster already: change it by `admin set cluster`"
    )]
    SamePlace(String),
    /// What serves would go on where nobody looks for it.
    #[error(
        "a release serves in namespace `{0}`, and would go on there: deploy to another namespace \
         from another environment"
    )]
    NamespaceInUse(String),
    /// There is no key to seal a secret with.
    #[error("there is no key to seal a secret with")]
    NoKey,
    /// The key for sealing secrets cannot be used.
    #[error(transparent)]
    Seal(#[from] KeyError),
    /// The database does not answer, or refuses.
    #[error("PostgreSQL: {0}")]
    Db(#[from] diesel::result::Error),
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

fn list(environments: &[EnvironmentName]) -> String {
    if environments.is_empty() {
        return "; it has none yet".to_owned();
    }
    let names: Vec<&str> = environments.iter().map(EnvironmentName::as_str).collect();
    format!("; it has {}", names.join(", "))
}

impl Transient for ProjectError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Db(error) => error.is_transient(),
            Self::NotFound(_)
            | Self::Forbidden(_)
            | Self::Ambiguous { .. }
            | Self::Exists(_)
            | Self::Changed(_)
            | Self::RuleTwice(_)
            | Self::NoUser(_)
            | Self::NoEnvironment { .. }
            | Self::NoRelease { .. }
            | Self::NothingLive(_)
            | Self::Branch(_)
            | Self::Address(_)
            | Self::Variable(_)
            | Self::NoVariable { .. }
            | Self::TooManyVariables
            | Self::Login
            | Self::Source(_)
            | Self::LoginElsewhere
            | Self::SamePlace(_)
            | Self::NamespaceInUse(_)
            | Self::Key(_)
            | Self::Barred(_)
            | Self::Deleted(_)
            | Self::NotDeleted(_)
            | Self::Busy(_)
            | Self::Label(_)
            | Self::Part(..)
            | Self::Quota { .. }
            | Self::NoKey
            | Self::Seal(_) => false,
        }
    }
}

fn only(mut projects: Vec<Project>, name: &ProjectName) -> Result<Project, ProjectError> {
    match (projects.len(), projects.pop()) {
        (1, Some(project)) => Ok(project),
        (_, None) => Err(ProjectError::NotFound(name.to_string())),
        (_, Some(last)) => {
            projects.push(last);
            let accounts = projects.iter().map(|project| project.name().to_string()).collect();
            Err(ProjectError::Ambiguous { project: name.project.clone(), accounts })
        }
    }
}
