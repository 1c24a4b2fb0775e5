//! Projects, jobs and environments are found for those who may know of them.

use crate::db::models::account::{self, Account};
use crate::db::models::environment::Environment;
use crate::db::models::job::Job;
use crate::db::models::project::Project;
use crate::db::pool::Db;
use crate::domain::access::{Denied, Role, Verb, What, Who, authorise};
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::{JobName, ProjectId};
use crate::domain::slug::{AccountSlug, ProjectName};
use crate::projects::{ProjectError, only};

/// What is told to somebody who may not.
fn refusal(denied: Denied, name: String) -> ProjectError {
    match denied {
        Denied::Unseen => ProjectError::NotFound(name),
        Denied::Forbidden => ProjectError::Forbidden(name),
        Denied::Key => ProjectError::Key(name),
        Denied::Barred(bar) => ProjectError::Barred(bar),
    }
}

/// A project, as something that is wanted of it is decided.
pub(super) const fn what(project: &Project, role: Option<Role>) -> What {
    What::Project { id: project.id, account: project.account_id, role }
}

/// Finds an account for somebody who wants to do something with it, with what they are there for.
///
/// # Errors
///
/// [`ProjectError::NotFound`] also when they may not know that it exists.
pub async fn find_account(
    db: &Db,
    who: &Who,
    slug: &AccountSlug,
    verb: Verb,
) -> Result<(Account, Option<Role>), ProjectError> {
    let (who, slug) = (who.clone(), slug.clone());
    db.run(async move |connection| {
        let found = Account::find(connection, &slug).await?;
        let found = found.filter(|account| account.deleted_at.is_none());
        let account = found.ok_or_else(|| ProjectError::NotFound(slug.to_string()))?;
        let role = account::role(connection, account.id, who.user).await?;
        let what = What::Account { id: account.id, role };
        authorise(&who, verb, what).map_err(|denied| refusal(denied, slug.to_string()))?;
        Ok((account, role))
    })
    .await
}

/// An account, for an administrator of the installation.
///
/// # Errors
///
/// When there is none, or the database does not answer.
pub async fn account(db: &Db, slug: AccountSlug) -> Result<Account, ProjectError> {
    db.run(async move |connection| {
        let found = Account::find(connection, &slug).await?;
        found.ok_or_else(|| ProjectError::NotFound(slug.to_string()))
    })
    .await
}

/// Finds a project for somebody who wants to do something with it.
///
/// # Errors
///
/// [`ProjectError::NotFound`] also when they may not know that it exists.
pub async fn find(
    db: &Db,
    who: &Who,
    name: &ProjectName,
    verb: Verb,
) -> Result<Project, ProjectError> {
    let (who, name) = (who.clone(), name.clone());
    db.run(async move |connection| {
        let mut seen = Vec::new();
        // What was denied of what they may see; one that they may not see is as if it was not there.
        let mut denied = Denied::Unseen;
        let roles = account::roles(connection, who.user).await?;
        for project in Project::by_name(connection, &name).await? {
            let role = roles.get(&project.account_id).copied();
            match authorise(&who, verb, what(&project, role)) {
                Ok(()) => seen.push(project),
                Err(Denied::Unseen) => {}
                Err(other) => denied = other,
            }
        }
        match (seen.len(), seen.pop()) {
            (1, Some(project)) => Ok(project),
            (_, Some(last)) => {
                seen.push(last);
                let accounts = seen.iter().map(|project| project.name().to_string()).collect();
                Err(ProjectError::Ambiguous { project: name.project, accounts })
            }
            (_, None) => Err(refusal(denied, name.to_string())),
        }
    })
    .await
}

/// Goes on if somebody may still do something with a project that was found for them.
///
/// # Errors
///
/// Why not, or when the database does not answer.
pub async fn check_right(
    db: &Db,
    who: &Who,
    project: &Project,
    verb: Verb,
) -> Result<(), ProjectError> {
    let (account, user) = (project.account_id, who.user);
    let role =
        db.run(async move |connection| account::role(connection, account, user).await).await?;
    authorise(who, verb, what(project, role))
        .map_err(|denied| refusal(denied, project.name().to_string()))
}

/// Finds a job, with the project it deploys, for somebody who wants to do something with it.
///
/// # Errors
///
/// [`ProjectError::NotFound`] also when they may not know that it exists.
pub async fn find_job(
    db: &Db,
    who: &Who,
    name: impl Into<JobName>,
    verb: Verb,
) -> Result<(Job, Project), ProjectError> {
    let (who, name) = (who.clone(), name.into());
    db.run(async move |connection| {
        let named = || format!("job {name}");
        let Some((job, project)) = Job::by_name(connection, name).await? else {
            return Err(ProjectError::NotFound(named()));
        };
        let project = Project::find(connection, project).await?;
        if project.is_deleted() {
            return Err(ProjectError::NotFound(named()));
        }
        let role = account::role(connection, project.account_id, who.user).await?;
        match authorise(&who, verb, what(&project, role)) {
            Ok(()) => Ok((job, project)),
            Err(denied) => Err(refusal(denied, named())),
        }
    })
    .await
}

/// Whether somebody who may look at a project may do something else with it, so that they are only
/// offered what they may. It is decided once more when they do it.
///
/// # Errors
///
/// When the database does not answer.
pub async fn may(db: &Db, who: &Who, project: &Project, verb: Verb) -> Result<bool, ProjectError> {
    match check_right(db, who, project, verb).await {
        Ok(()) => Ok(true),
        Err(ProjectError::Db(error)) => Err(error.into()),
        Err(_denied) => Ok(false),
    }
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

/// A project, for an administrator of the installation.
///
/// # Errors
///
/// When there is none, or the database does not answer.
pub async fn named(db: &Db, name: ProjectName) -> Result<Project, ProjectError> {
    db.run(async move |connection| only(Project::by_name(connection, &name).await?, &name)).await
}

/// Every project, deleted ones too, for an administrator of the installation.
///
/// # Errors
///
/// When the database does not answer.
pub async fn all(db: &Db) -> Result<Vec<Project>, ProjectError> {
    Ok(db.run(async move |connection| Project::all(connection).await).await?)
}

/// The projects that somebody may see, with what they are there for in their accounts.
///
/// # Errors
///
/// When the database does not answer.
pub async fn seen(db: &Db, who: &Who) -> Result<Vec<(Project, Option<Role>)>, ProjectError> {
    let who = who.clone();
    db.run(async move |connection| {
        let roles = account::roles(connection, who.user).await?;
        let role = |project: &Project| roles.get(&project.account_id).copied();
        let may = |project: &Project| {
            let what = what(project, role(project));
            !project.is_deleted() && authorise(&who, Verb::Look, what).is_ok()
        };
        let all = Project::all(connection).await?;
        Ok(all
            .into_iter()
            .filter(may)
            .map(|project| {
                let role = role(&project);
                (project, role)
            })
            .collect())
    })
    .await
}
