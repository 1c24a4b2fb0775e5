//! Accounts, their projects, and who may do what with them.

mod clusters;
mod create;
mod registry;
mod variables;

use crate::db::models::account;
use crate::db::models::environment::Environment;
use crate::db::models::job::Job;
use crate::db::models::project::Project;
use crate::db::models::user::User;
use crate::db::pool::{Db, Transient};
use crate::domain::access::{Action, Denied, authorise};
use crate::domain::cluster::BadAddress;
use crate::domain::environment::EnvironmentName;
use crate::domain::git_ref::BadRefName;
use crate::domain::ids::{JobName, JobNumber, ProjectId};
use crate::domain::slug::{ProjectName, ProjectSlug};
use crate::domain::variables::BadVariable;
use crate::seal::KeyError;

pub use clusters::{Login, NewTarget, TargetChange, cluster, create_cluster, set_cluster};
pub use create::{NewRule, create_account, create_project, set_member, set_rule};
pub use registry::{NewRegistry, set_registry, unset_registry};
pub use variables::{Secrecy, set_variable, unset_variable, variables};

/// Why something about a project was not found or not made.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is none, or they may not know of it: one and the same answer.
    #[error("`{0}` not found")]
    NotFound(String),
    /// They may look, but not do this.
    #[error("you may look at `{0}`, but not do this")]
    Forbidden(String),
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
    Key(#[from] KeyError),
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
            | Self::NoUser(_)
            | Self::NoEnvironment { .. }
            | Self::Branch(_)
            | Self::Address(_)
            | Self::Variable(_)
            | Self::NoVariable { .. }
            | Self::TooManyVariables
            | Self::Login
            | Self::LoginElsewhere
            | Self::SamePlace(_)
            | Self::NamespaceInUse(_)
            | Self::NoKey
            | Self::Key(_) => false,
        }
    }
}

/// Finds a project for somebody who wants to do something with it.
///
/// # Errors
///
/// [`ProjectError::NotFound`] also when they may not know that it exists.
pub async fn find(
    db: &Db,
    user: &User,
    name: &ProjectName,
    action: Action,
) -> Result<Project, ProjectError> {
    let (user, name) = (user.clone(), name.clone());
    db.run(async move |connection| {
        let mut seen = Vec::new();
        let mut forbidden = false;
        for project in Project::by_name(connection, &name).await? {
            let role = account::role(connection, project.account_id, user.id).await?;
            match authorise(user.standing(), role, action) {
                Ok(()) => seen.push(project),
                Err(Denied::Forbidden) => forbidden = true,
                Err(Denied::Unseen) => {}
            }
        }
        match (seen.len(), seen.pop()) {
            (1, Some(project)) => Ok(project),
            (_, Some(last)) => {
                seen.push(last);
                let accounts = seen.iter().map(|project| project.name().to_string()).collect();
                Err(ProjectError::Ambiguous { project: name.project, accounts })
            }
            (_, None) if forbidden => Err(ProjectError::Forbidden(name.to_string())),
            (_, None) => Err(ProjectError::NotFound(name.to_string())),
        }
    })
    .await
}

/// Finds a job by its number, for somebody who wants to do something with it.
///
/// # Errors
///
/// [`ProjectError::NotFound`] also when they may not know that it exists.
pub async fn find_job(
    db: &Db,
    user: &User,
    number: JobNumber,
    action: Action,
) -> Result<Job, ProjectError> {
    let user = user.clone();
    db.run(async move |connection| {
        let named = || format!("job {number}");
        let Some((job, project)) = Job::by_number(connection, number).await? else {
            return Err(ProjectError::NotFound(named()));
        };
        let project = Project::find(connection, project).await?;
        let role = account::role(connection, project.account_id, user.id).await?;
        match authorise(user.standing(), role, action) {
            Ok(()) => Ok(job),
            Err(Denied::Forbidden) => Err(ProjectError::Forbidden(named())),
            Err(Denied::Unseen) => Err(ProjectError::NotFound(named())),
        }
    })
    .await
}

/// Finds a job, for an administrator of the installation, with the project it deploys.
///
/// # Errors
///
/// When there is none, or the database does not answer.
pub async fn job_named(db: &Db, name: JobName) -> Result<(Job, ProjectId), ProjectError> {
    let found = db.run(async move |connection| Job::by_name(connection, name).await).await?;
    found.ok_or_else(|| ProjectError::NotFound(format!("job {name}")))
}

/// Finds an environment of a project by its name.
///
/// # Errors
///
/// When there is none, with those there are, or the database does not answer.
pub async fn find_environment(
    db: &Db,
    project: &Project,
    name: EnvironmentName,
) -> Result<Environment, ProjectError> {
    let (id, project) = (project.id, project.name().to_string());
    db.run(async move |connection| {
        let all = Environment::of_project(connection, id).await?;
        let known = all.iter().map(|environment| environment.name.clone()).collect();
        let found = all.into_iter().find(|environment| environment.name == name);
        found.ok_or(ProjectError::NoEnvironment { project, environment: name, known })
    })
    .await
}

/// The environments of a project, by name.
///
/// # Errors
///
/// When the database does not answer.
pub async fn environments(db: &Db, project: &Project) -> Result<Vec<Environment>, ProjectError> {
    let id = project.id;
    Ok(db.run(async move |connection| Environment::of_project(connection, id).await).await?)
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
