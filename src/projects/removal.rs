//! Projects change, and go.
//!
//! A deleted project keeps its rows: by them what it deployed goes on serving. Its repository goes to
//! the trash, which the janitor empties.

use chrono::Utc;

use crate::db::acting::Acting;
use crate::db::lock::RepositoryLock;
use crate::db::models::account::Account;
use crate::db::models::job::Job;
use crate::db::models::project::{Project, ProjectChange};
use crate::db::models::{route, trash};
use crate::domain::audit::Deed;
use crate::domain::seen::Seen;
use crate::domain::slug::{AccountSlug, ProjectName, ProjectSlug};
use crate::projects::accounts::is_part;
use crate::projects::{ProjectError, only};

/// Longest prefix of names.
const LONGEST_PREFIX: usize = 31;

/// What is changed of a project; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ProjectEdit {
    /// Prefix of every deployed name; empty for none.
    pub prefix: Option<String>,
    /// Whether nothing of it is stored or deployed.
    pub suspended: Option<bool>,
    /// What it must be now.
    pub seen: Seen,
}

/// Changes a project, for jobs from then on.
///
/// # Errors
///
/// When there is no such project, the prefix cannot be one, or the database does not answer.
pub async fn set_project(
    by: &Acting,
    name: ProjectName,
    edit: ProjectEdit,
) -> Result<(), ProjectError> {
    let ProjectEdit { prefix, suspended, seen } = edit;
    if let Some(prefix) = prefix.as_deref().filter(|prefix| !prefix.is_empty())
        && (prefix.len() > LONGEST_PREFIX || !is_part(prefix))
    {
        return Err(ProjectError::Part(prefix.to_owned(), "a prefix"));
    }
    let entry = by
        .entry(Deed::ChangeProject, &name)
        .with_some("prefix", prefix.clone())
        .with_some("suspended", suspended);
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let project = only(Project::by_name(connection, &name).await?, &name)?;
            let project = project.lock(connection).await?;
            if !seen.is_still(Some(project.updated_at)) {
                return Err(ProjectError::Changed(name.to_string()));
            }
            let suspended_at = suspended.map(|is| is.then(Utc::now));
            let change = ProjectChange { prefix, suspended_at, deleted_at: None };
            project.update(connection, &change).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Deletes a project: nothing of it is stored or deployed any more, and its name is free. What it
/// deployed goes on.
///
/// # Errors
///
/// When there is no such project, a deployment is under way, or the database does not answer.
pub async fn delete_project(by: &Acting, name: ProjectName) -> Result<(), ProjectError> {
    let entry = by.entry(Deed::DeleteProject, &name);
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let project = only(Project::by_name(connection, &name).await?, &name)?;
            // No job begins while it is held.
            RepositoryLock::take(connection, project.id).await?;
            if let Some(job) = Job::open_of_project(connection, project.id).await? {
                return Err(ProjectError::Busy(job));
            }
            let deleted_at = Some(Some(Utc::now()));
            let change = ProjectChange { deleted_at, ..ProjectChange::default() };
            project.update(connection, &change).await?;
            trash::put(connection, project.id).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Takes the deletion of a project back, and says whether its repository is still there.
///
/// # Errors
///
/// When no such project is deleted, another one has the name by now, or the database does not answer.
pub async fn restore_project(
    by: &Acting,
    (account, project): (AccountSlug, ProjectSlug),
) -> Result<bool, ProjectError> {
    let name = ProjectName { account: Some(account.clone()), project: project.clone() };
    let entry = by.entry(Deed::RestoreProject, &name);
    by.db
        .transaction(async move |connection| {
            if !Project::by_name(connection, &name).await?.is_empty() {
                return Err(ProjectError::Exists(name.to_string()));
            }
            let owner = Account::any_by_slug(connection, &account).await?;
            if owner.is_some_and(|owner| owner.deleted_at.is_some()) {
                return Err(ProjectError::Deleted(account.to_string()));
            }
            let found = Project::deleted_by_name(connection, (&account, &project)).await?;
            let found = found.into_iter().next();
            let found = found.ok_or_else(|| ProjectError::NotFound(name.to_string()))?;
            RepositoryLock::take(connection, found.id).await?;
            let change = ProjectChange { deleted_at: Some(None), ..ProjectChange::default() };
            found.update(connection, &change).await?;
            let has_repository = trash::forget(connection, found.id).await?;
            entry.insert(connection).await?;
            Ok(has_repository)
        })
        .await
}

/// Removes the deleted projects of a name with their jobs and Histories, and says how many. What they
/// deployed is left where it is, but for their routes.
///
/// # Errors
///
/// When no such project is deleted, a deployment is under way, or the database does not answer.
pub async fn purge_project(
    by: &Acting,
    (account, project): (AccountSlug, ProjectSlug),
) -> Result<usize, ProjectError> {
    let name = ProjectName { account: Some(account.clone()), project: project.clone() };
    let entry = by.entry(Deed::PurgeProject, &name);
    by.db
        .transaction(async move |connection| {
            let found = Project::deleted_by_name(connection, (&account, &project)).await?;
            if found.is_empty() {
                let is_there = !Project::by_name(connection, &name).await?.is_empty();
                let name = name.to_string();
                return Err(match is_there {
                    true => ProjectError::NotDeleted(name),
                    false => ProjectError::NotFound(name),
                });
            }
            for project in &found {
                RepositoryLock::take(connection, project.id).await?;
                if let Some(job) = Job::open_of_project(connection, project.id).await? {
                    return Err(ProjectError::Busy(job));
                }
                trash::put(connection, project.id).await?;
                project.purge(connection).await?;
            }
            route::changed(connection).await?;
            entry.insert(connection).await?;
            Ok(found.len())
        })
        .await
}
