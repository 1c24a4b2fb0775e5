//! Variables that a project keeps, for all of its environments or for one.

use std::path::Path;

use diesel_async::AsyncPgConnection;

use crate::db::acting::Acting;
use crate::db::models::audit::NewEntry;
use crate::db::models::project::Project;
use crate::db::models::variable::{self, Owner, Variable};
use crate::db::pool::Db;
use crate::domain::audit::Deed;
use crate::domain::nearest::nearest;
use crate::domain::sealed::Place;
use crate::domain::seen::Seen;
use crate::domain::stored_variables::{Origin, SecretValue, StoredValue};
use crate::domain::variables::{check, check_secret};
use crate::projects::ProjectError;
use crate::seal::{Sealer, load_public};
use crate::tasks::blocking;

/// Most variables of a project and its environments, and most bytes of all values: each job keeps a
/// copy.
const MOST: usize = 500;
const MOST_BYTES: usize = 256 * 1024;

/// Whether a variable is readable by people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// By everybody who may look at the project.
    Plain,
    /// By nobody: only deployments get it.
    Secret,
}

/// Every variable of a project and of its environments, by name.
///
/// # Errors
///
/// When the database does not answer.
pub async fn variables(db: &Db, project: &Project) -> Result<Vec<Variable>, ProjectError> {
    let id = project.id;
    Ok(db.run(async move |connection| variable::of_project(connection, id).await).await?)
}

/// Sets a variable, and says whether it is secret now: what was secret stays so.
///
/// A name that is secret in the whole project is secret in each environment too. `public_key` is
/// the file of the key with which secrets are sealed.
///
/// # Errors
///
/// When the variable cannot be one, or cannot be sealed, or the database does not answer.
pub async fn set_variable(
    by: &Acting,
    public_key: &Path,
    owner: Owner,
    (name, value): (String, String),
    asked: Secrecy,
) -> Result<Secrecy, ProjectError> {
    let new = NewVariable { name, value, secrecy: asked, seen: Seen::Whatever };
    change_variable(by, public_key, owner, new).await
}

/// A variable about to be set.
#[derive(Debug, Clone)]
pub struct NewVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it is to be a secret.
    pub secrecy: Secrecy,
    /// What it must be now.
    pub seen: Seen,
}

/// The same, unless it is not what whoever sets it has seen.
///
/// # Errors
///
/// [`ProjectError::Changed`] then, and those of [`set_variable`].
pub async fn change_variable(
    by: &Acting,
    public_key: &Path,
    owner: Owner,
    new: NewVariable,
) -> Result<Secrecy, ProjectError> {
    let NewVariable { name, value, secrecy: asked, seen } = new;
    check(&name, &value)?;
    let path = public_key.to_owned();
    let (sealer, no_key) = match blocking(move || load_public(&path)).await {
        Ok(sealer) => (Some(sealer), None),
        // Only of interest when there is something to seal.
        Err(error) => (None, Some(error)),
    };
    let entry = entry(by, Deed::SetVariable, owner, &name);
    let set = by
        .db
        .transaction(async move |connection| {
            // A repeat, after an answer was lost, would find its own change.
            if entry.is_noted(connection).await? {
                return secrecy_of(connection, owner, &name).await;
            }
            variable::lock(connection, owner.0).await?;
            let all = variable::of_project(connection, owner.0).await?;
            let named: Vec<_> = all.iter().filter(|known| known.name == name).collect();
            let own = named.iter().find(|known| known.environment == owner.1);
            if !seen.is_still(own.map(|known| known.updated_at)) {
                return Err(ProjectError::Changed(name));
            }
            let others =
                || all.iter().filter(|known| !(known.name == name && known.environment == owner.1));
            let bytes: usize = others().map(|known| known.value.size()).sum();
            if others().count() >= MOST || bytes + value.len() > MOST_BYTES {
                return Err(ProjectError::TooManyVariables);
            }
            let was_secret = |known: &&Variable| {
                matches!(known.value, StoredValue::Secret(_))
                    && (known.environment.is_none() || known.environment == owner.1)
            };
            let is_secret = asked == Secrecy::Secret || named.iter().any(was_secret);
            let (value, secrecy) = if is_secret {
                check_secret(&name, &value)?;
                let sealer = sealer.ok_or(ProjectError::NoKey)?;
                (secret(&sealer, owner, &name, &value), Secrecy::Secret)
            } else {
                (StoredValue::Plain(value), Secrecy::Plain)
            };
            variable::set(connection, owner, &name, &value).await?;
            note(connection, owner, entry.with("secret", secrecy == Secrecy::Secret)).await?;
            Ok(secrecy)
        })
        .await;
    match (set, no_key) {
        (Err(ProjectError::NoKey), Some(error)) => Err(error.into()),
        (set, _) => set,
    }
}

async fn secrecy_of(
    connection: &mut AsyncPgConnection,
    owner: Owner,
    name: &str,
) -> Result<Secrecy, ProjectError> {
    let all = variable::of_project(connection, owner.0).await?;
    let own = all.iter().find(|known| known.name == name && known.environment == owner.1);
    Ok(match own.map(|known| &known.value) {
        Some(StoredValue::Secret(_)) => Secrecy::Secret,
        Some(StoredValue::Plain(_)) | None => Secrecy::Plain,
    })
}

/// What is noted of a change: of a value nothing.
fn entry(by: &Acting, deed: Deed, (_, environment): Owner, name: &str) -> NewEntry {
    let environment = environment.map(|environment| environment.to_string());
    by.entry(deed, "").with("variable", name).with_some("environment", environment)
}

/// Notes it of the project, by its name.
async fn note(
    connection: &mut AsyncPgConnection,
    (project, _): Owner,
    entry: NewEntry,
) -> diesel::QueryResult<()> {
    let subject = Project::find(connection, project).await?.name().to_string();
    NewEntry { subject, ..entry }.insert(connection).await
}

fn secret(sealer: &Sealer, owner: Owner, name: &str, value: &str) -> StoredValue {
    let origin = if owner.1.is_some() { Origin::Environment } else { Origin::Project };
    let sealed = sealer.seal(value.as_bytes(), &Place::variable(origin, owner, name));
    StoredValue::Secret(Box::new(SecretValue { origin, sealed }))
}

/// Removes a variable.
///
/// # Errors
///
/// When there is none, with the name that was probably meant, or the database does not answer.
pub async fn unset_variable(by: &Acting, owner: Owner, name: String) -> Result<(), ProjectError> {
    let entry = entry(by, Deed::UnsetVariable, owner, &name);
    by.db
        .transaction(async move |connection| {
            if variable::unset(connection, owner, &name).await? {
                return Ok(note(connection, owner, entry).await?);
            }
            let all = variable::of_project(connection, owner.0).await?;
            let own = all.iter().filter(|known| known.environment == owner.1);
            let nearest = nearest(&name, own.map(|known| known.name.as_str())).map(str::to_owned);
            let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
            Err(ProjectError::NoVariable { name, nearest })
        })
        .await
}
