//! People are added, and get the passwords that they sign in with first.

use std::fmt::Write as _;

use uuid::Uuid;

use crate::db::acting::Acting;
use crate::db::models::user::{NewUser, User};
use crate::domain::access::Standing;
use crate::domain::audit::Deed;
use crate::domain::ids::UserId;
use crate::domain::label::label;
use crate::people::PeopleError;
use crate::people::password::hash;

/// Random bytes of a one-time password.
const PASSWORD_BYTES: usize = 12;

/// Longest address, as mail has it (RFC 5321).
const LONGEST_EMAIL: usize = 254;

/// Adds a person and gives the one-time password that they sign in with first.
///
/// # Errors
///
/// When the address is malformed or taken, the name cannot be shown, or the database does not answer.
pub async fn create_user(
    by: &Acting,
    email: &str,
    name: &str,
    standing: Standing,
) -> Result<String, PeopleError> {
    let email = checked_email(email)?;
    let name = label(name)?.to_owned();
    let (password, hash) = new_password()?;
    // A repeat, after an answer was lost, knows by it whom the first try has added.
    let id = UserId::from(Uuid::now_v7());
    let administrator = standing == Standing::Administrator;
    let entry = by.entry(Deed::CreateUser, &email).with("administrator", administrator);
    by.db
        .transaction(async move |connection| {
            let user = NewUser {
                id,
                email: &email,
                name: &name,
                password_hash: &hash,
                password_once: true,
                administrator,
            };
            if user.insert(connection).await?.is_none() {
                let other = User::any_by_email(connection, &email).await?;
                let is_deleted = other.is_some_and(|other| other.deleted_at.is_some());
                return Err(match is_deleted {
                    true => PeopleError::UserDeleted(email),
                    false => PeopleError::UserExists(email),
                });
            }
            Ok(entry.insert(connection).await?)
        })
        .await?;
    Ok(password)
}

/// An address as it is stored: ASCII, so that no two look alike, and in lower case.
pub(super) fn checked_email(email: &str) -> Result<String, PeopleError> {
    let well_formed = email.split_once('@').is_some_and(|(local, domain)| {
        let is_seen = email.bytes().all(|b| b.is_ascii_graphic());
        !local.is_empty() && !domain.is_empty() && !domain.contains('@') && is_seen
    });
    if well_formed && email.len() <= LONGEST_EMAIL {
        Ok(email.to_ascii_lowercase())
    } else {
        let shown = email.chars().take(LONGEST_EMAIL).filter(|c| !c.is_control());
        Err(PeopleError::Email(shown.collect()))
    }
}

/// A one-time password, and what is stored of it.
pub(super) fn new_password() -> Result<(String, String), PeopleError> {
    let password = one_time_password();
    let hash = hash(&password)?;
    Ok((password, hash))
}

/// Letters and digits in groups of four, easy to type once.
fn one_time_password() -> String {
    let bytes: [u8; PASSWORD_BYTES] = rand::random();
    let mut password = String::new();
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 && place % 2 == 0 {
            password.push('-');
        }
        write!(password, "{byte:02x}").expect("writing to a String does not fail");
    }
    password
}
