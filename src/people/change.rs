//! What is known of people changes, and people leave.

use chrono::Utc;
use diesel_async::AsyncPgConnection;

use crate::db::acting::Acting;
use crate::db::models::user::{User, UserChange};
use crate::db::models::web_session;
use crate::db::pool::Db;
use crate::domain::access::Standing;
use crate::domain::audit::Deed;
use crate::domain::label::label;
use crate::domain::seen::Seen;
use crate::people::PeopleError;
use crate::people::create::{checked_email, new_password};

/// What is changed of a person; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct UserEdit {
    /// Another address.
    pub email: Option<String>,
    /// How they are called.
    pub name: Option<String>,
    /// Whether they administrate the installation.
    pub standing: Option<Standing>,
    /// Whether they are shut out for a while.
    pub disabled: Option<bool>,
    /// What they must be now.
    pub seen: Seen,
}

/// Everybody, by address; deleted people too.
///
/// # Errors
///
/// When the database does not answer.
pub async fn users(db: &Db) -> Result<Vec<User>, PeopleError> {
    Ok(db.run(async move |connection| User::all(connection).await).await?)
}

/// Some of them, after an address.
///
/// # Errors
///
/// When the database does not answer.
pub async fn users_after(
    db: &Db,
    after: Option<String>,
    most: i64,
) -> Result<Vec<User>, PeopleError> {
    Ok(db.run(async move |connection| User::page(connection, after.as_deref(), most).await).await?)
}

/// The person with this address, deleted or not.
///
/// # Errors
///
/// When nobody has it, or the database does not answer.
pub async fn find_user(db: &Db, email: String) -> Result<User, PeopleError> {
    db.run(async move |connection| {
        let found = User::find_by_email(connection, &email).await?;
        found.ok_or_else(|| PeopleError::NoUser(email))
    })
    .await
}

/// Changes what is known of a person, or whether they may come in.
///
/// # Errors
///
/// When nobody has the address, the new one is malformed or taken, or the database does not answer.
pub async fn set_user(by: &Acting, email: &str, edit: UserEdit) -> Result<(), PeopleError> {
    let UserEdit { email: other, name, standing, disabled, seen } = edit;
    let change = UserChange {
        email: other.as_deref().map(checked_email).transpose()?,
        name: name.as_deref().map(label).transpose()?.map(str::to_owned),
        administrator: standing.map(|standing| standing == Standing::Administrator),
        ..UserChange::default()
    };
    let entry = by
        .entry(Deed::ChangeUser, &email.to_lowercase())
        .with_some("email", change.email.clone())
        .with_some("name", change.name.clone())
        .with_some("administrator", change.administrator)
        .with_some("disabled", disabled);
    let email = email.to_owned();
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let user = known(connection, &email).await?;
            if !seen.is_still(Some(user.updated_at)) {
                return Err(PeopleError::Changed(email));
            }
            if let Some(wanted) = &change.email
                && let Some(other) = User::any_by_email(connection, wanted).await?
                && other.id != user.id
            {
                return Err(PeopleError::UserExists(wanted.clone()));
            }
            user.update(connection, &change).await?;
            if let Some(disabled) = disabled {
                let since = disabled.then(|| user.disabled_at.unwrap_or_else(Utc::now));
                user.set_out(connection, (since, None)).await?;
            }
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Gives a person a new one-time password.
///
/// # Errors
///
/// When nobody has the address, or the database does not answer.
pub async fn reset_password(by: &Acting, email: &str) -> Result<String, PeopleError> {
    let (password, hash) = new_password()?;
    let change = UserChange {
        password_hash: Some(hash),
        password_once: Some(true),
        ..UserChange::default()
    };
    let entry = by.entry(Deed::ResetPassword, &email.to_lowercase());
    let email = email.to_owned();
    by.db
        .transaction(async move |connection| {
            let user = known(connection, &email).await?;
            user.update(connection, &change).await?;
            // Whoever knew the old one is out.
            web_session::delete_all(connection, user.id, None).await?;
            Ok::<_, PeopleError>(entry.insert(connection).await?)
        })
        .await?;
    Ok(password)
}

/// Shuts a person out until they are restored. Their keys still say who it was.
///
/// # Errors
///
/// When nobody has the address, or the database does not answer.
pub async fn delete_user(by: &Acting, email: &str) -> Result<(), PeopleError> {
    let entry = by.entry(Deed::DeleteUser, &email.to_lowercase());
    let email = email.to_owned();
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let user = known(connection, &email).await?;
            user.set_out(connection, (user.disabled_at, Some(Utc::now()))).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Takes the deletion of a person back: keys and memberships are what they were.
///
/// # Errors
///
/// When nobody deleted has the address, or the database does not answer.
pub async fn restore_user(by: &Acting, email: &str) -> Result<(), PeopleError> {
    let entry = by.entry(Deed::RestoreUser, &email.to_lowercase());
    let email = email.to_owned();
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let user = deleted(connection, email).await?;
            user.set_out(connection, (user.disabled_at, None)).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Removes a deleted person with their keys and memberships. What they pushed stays, with their
/// name.
///
/// # Errors
///
/// When nobody deleted has the address, or the database does not answer.
pub async fn purge_user(by: &Acting, email: &str) -> Result<(), PeopleError> {
    let entry = by.entry(Deed::PurgeUser, &email.to_lowercase());
    let email = email.to_owned();
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            deleted(connection, email).await?.purge(connection).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

async fn known(connection: &mut AsyncPgConnection, email: &str) -> Result<User, PeopleError> {
    let user = User::by_email(connection, email).await?;
    user.ok_or_else(|| PeopleError::NoUser(email.to_owned()))
}

async fn deleted(connection: &mut AsyncPgConnection, email: String) -> Result<User, PeopleError> {
    match User::any_by_email(connection, &email).await? {
        None => Err(PeopleError::NoUser(email)),
        Some(user) if user.deleted_at.is_none() => Err(PeopleError::NotDeleted(email)),
        Some(user) => Ok(user),
    }
}
