//! The registry that a project's images are pushed to.

use secrecy::ExposeSecret as _;

use crate::db::acting::Acting;
use crate::db::models::project::Project;
use crate::db::models::registry;
use crate::db::pool::Db;
use crate::domain::audit::Deed;
use crate::domain::registry::{RegistryAddress, RegistryLogin, StoredLogin, StoredRegistry};
use crate::domain::sealed::Place;
use crate::domain::slug::ProjectName;
use crate::domain::variables::check_secret;
use crate::projects::{ProjectError, only};
use crate::seal::Sealer;

/// Longest name of somebody who signs in.
const LONGEST_NAME: usize = 255;

/// A registry about to be set.
#[derive(Debug, Clone)]
pub struct NewRegistry {
    /// The project.
    pub project: ProjectName,
    /// Where it is.
    pub address: RegistryAddress,
    /// Whether it is spoken to without TLS; on this machine only, if nobody says.
    pub plain_http: Option<bool>,
}

/// Sets the registry of a project; the password of whoever signs in is sealed.
///
/// # Errors
///
/// When the project is missing, the login cannot be one, or the database does not answer.
pub async fn set_registry(
    by: &Acting,
    new: NewRegistry,
    login: Option<(RegistryLogin, Sealer)>,
) -> Result<(), ProjectError> {
    if let Some((RegistryLogin { username, password }, _)) = &login {
        // A colon ends the name where it is sent.
        let is_name = !username.is_empty()
            && username.len() <= LONGEST_NAME
            && !username.contains(|c: char| c == ':' || c.is_control());
        if !is_name {
            return Err(ProjectError::Login);
        }
        check_secret("password", password.expose_secret())?;
    }
    let entry = by
        .entry(Deed::SetRegistry, &new.project)
        .with("address", new.address.to_string())
        .with_some("username", login.as_ref().map(|(login, _)| login.username.clone()));
    by.db
        .transaction(async move |connection| {
            let NewRegistry { project, address, plain_http } = new;
            let project = only(Project::by_name(connection, &project).await?, &project)?.id;
            let login = login.map(|(RegistryLogin { username, password }, sealer)| {
                let place = Place::registry(project, &address, &username);
                let password = sealer.seal(password.expose_secret().as_bytes(), &place);
                StoredLogin { username, password }
            });
            let stored = StoredRegistry { address, plain_http, login };
            registry::set(connection, project, &stored).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// The registry of a project.
///
/// # Errors
///
/// When the database does not answer.
pub async fn registry_of(
    db: &Db,
    project: &Project,
) -> Result<Option<StoredRegistry>, ProjectError> {
    let id = project.id;
    Ok(db.run(async move |connection| registry::of_project(connection, id).await).await?)
}

/// Takes the registry of a project away.
///
/// # Errors
///
/// When the project is missing or has none, or the database does not answer.
pub async fn unset_registry(by: &Acting, name: ProjectName) -> Result<(), ProjectError> {
    let entry = by.entry(Deed::UnsetRegistry, &name);
    by.db
        .transaction(async move |connection| {
            let project = only(Project::by_name(connection, &name).await?, &name)?.id;
            if registry::unset(connection, project).await? {
                Ok(entry.insert(connection).await?)
            } else {
                Err(ProjectError::NotFound(format!("registry of {name}")))
            }
        })
        .await
}
