//! Keys are registered and removed.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::acting::Acting;
use crate::db::models::ssh_key::{self, Key, NewKey, Registered};
use crate::db::models::user::User;
use crate::db::pool::Db;
use crate::domain::access::{KeyAccess, KeyScope};
use crate::domain::audit::Deed;
use crate::domain::ids::{KeyId, ProjectId, UserId};
use crate::domain::label::label;
use crate::domain::ssh_key::SshKey;
use crate::people::PeopleError;

/// Most keys of one person.
pub(super) const MOST: i64 = 50;

/// What a key is to be for.
#[derive(Debug, Clone)]
pub struct KeyTerms {
    /// How its owner calls it; without one, its comment.
    pub name: Option<String>,
    /// The most that it may do.
    pub access: KeyAccess,
    /// The projects it is for; `None` for all that its owner sees.
    pub projects: Option<Vec<ProjectId>>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Default for KeyTerms {
    fn default() -> Self {
        let KeyScope { access, projects, .. } = KeyScope::FREE;
        Self { name: None, access, projects, expires_at: None }
    }
}

/// Registers a public key for a person, and gives its fingerprint.
///
/// # Errors
///
/// When the key is refused or registered, nobody has the address, they have too many, or the database
/// does not answer.
pub async fn create_key(
    by: &Acting,
    email: &str,
    line: &str,
    terms: KeyTerms,
) -> Result<String, PeopleError> {
    let mut key = SshKey::parse(line)?;
    let KeyTerms { name, access, projects, expires_at } = terms;
    if let Some(name) = &name {
        label(name)?.clone_into(&mut key.name);
    }
    if expires_at.is_some_and(|end| end <= Utc::now()) {
        return Err(PeopleError::Past);
    }
    let (email, fingerprint) = (email.to_owned(), key.fingerprint.clone());
    let entry = by
        .entry(Deed::CreateKey, &fingerprint)
        .with("user", email.to_lowercase())
        .with("access", access.as_str())
        .with_some("expires_at", expires_at.map(|end| end.to_rfc3339()))
        .with_some("projects", projects.as_ref().map(|only| ids(only)));
    let id = KeyId::from(Uuid::now_v7());
    by.db
        .transaction(async move |connection| {
            let Some(user) = User::by_email(connection, &email).await? else {
                return Err(PeopleError::NoUser(email));
            };
            let new = NewKey { id, user: user.id, key, access, projects, expires_at };
            match new.register(connection).await? {
                Registered::Added if ssh_key::count(connection, user.id).await? > MOST => {
                    Err(PeopleError::TooManyKeys)
                }
                Registered::Added => Ok(entry.insert(connection).await?),
                Registered::AlreadyYours => Err(PeopleError::KeyExists),
                Registered::Taken => Err(PeopleError::KeyTaken),
            }
        })
        .await?;
    Ok(fingerprint)
}

fn ids(projects: &[ProjectId]) -> Vec<String> {
    projects.iter().map(ToString::to_string).collect()
}

/// The keys of a person, or of everybody, with their owners' addresses and the projects that they are
/// for.
///
/// # Errors
///
/// When nobody has the address, or the database does not answer.
pub async fn keys(
    db: &Db,
    of: Option<String>,
) -> Result<Vec<(Key, String, Vec<String>)>, PeopleError> {
    db.run(async move |connection| {
        let user = match of {
            None => None,
            Some(email) => {
                let user = User::any_by_email(connection, &email).await?;
                Some(user.ok_or(PeopleError::NoUser(email))?.id)
            }
        };
        Ok(ssh_key::all(connection, user).await?)
    })
    .await
}

/// Removes a key for good; its fingerprint is free. `of` is whose it must be.
///
/// # Errors
///
/// When there is none, or it is somebody else's, or the database does not answer.
pub async fn delete_key(
    by: &Acting,
    fingerprint: &str,
    of: Option<UserId>,
) -> Result<(), PeopleError> {
    let entry = by.entry(Deed::DeleteKey, fingerprint);
    let fingerprint = fingerprint.to_owned();
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            match ssh_key::delete(connection, &fingerprint, of).await? {
                Some(_) => Ok(entry.insert(connection).await?),
                None => {
                    let shown = fingerprint.chars().filter(char::is_ascii_graphic).take(80);
                    Err(PeopleError::NoKey(shown.collect()))
                }
            }
        })
        .await
}
