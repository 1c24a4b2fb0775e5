//! People and their keys.

use std::fmt::Write as _;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use uuid::Uuid;

use crate::db::models::ssh_key::{self, Registered};
use crate::db::models::user::{NewUser, User};
use crate::db::pool::{Db, Transient};
use crate::domain::access::Standing;
use crate::domain::ids::{KeyId, UserId};
use crate::domain::ssh_key::{BadSshKey, SshKey};

/// Random bytes of a one-time password.
const PASSWORD_BYTES: usize = 12;

/// Somebody whose key is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The person.
    pub user: User,
    /// The key that signed.
    pub key: KeyId,
    /// Its fingerprint.
    pub fingerprint: String,
}

/// Why a person or a key was not added.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The address is no address.
    #[error("`{0}` is not an e-mail address")]
    Email(String),
    /// The name cannot be shown.
    #[error("{0:?} is not a name: give letters, digits and spaces")]
    Name(String),
    /// The address is taken.
    #[error("`{0}` exists")]
    UserExists(String),
    /// Nobody has this address.
    #[error("nobody has the address `{0}`")]
    NoUser(String),
    /// The key is no key.
    #[error(transparent)]
    Key(#[from] BadSshKey),
    /// The key is theirs already.
    #[error("this key is registered already")]
    KeyExists,
    /// The key is somebody else's.
    #[error("this key is already in use")]
    KeyTaken,
    /// The password could not be hashed.
    #[error("could not hash a password: {0}")]
    Hash(String),
    /// The database does not answer.
    #[error("PostgreSQL: {0}")]
    Db(#[from] diesel::result::Error),
}

impl Transient for PeopleError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Db(error) => error.is_transient(),
            Self::Email(_)
            | Self::Name(_)
            | Self::UserExists(_)
            | Self::NoUser(_)
            | Self::Key(_)
            | Self::KeyExists
            | Self::KeyTaken
            | Self::Hash(_) => false,
        }
    }
}

/// The person whose key this is, if they may come in.
///
/// # Errors
///
/// When the database does not answer.
pub async fn identify(db: &Db, fingerprint: &str) -> diesel::QueryResult<Option<Identity>> {
    let fingerprint = fingerprint.to_owned();
    let asked = fingerprint.clone();
    let found =
        db.run(async move |connection| User::by_fingerprint(connection, &asked).await).await?;
    Ok(found.map(|(key, user)| Identity { user, key, fingerprint }))
}

/// Notes that a key was used.
///
/// # Errors
///
/// When the database does not answer.
pub async fn touch(db: &Db, key: KeyId) -> diesel::QueryResult<()> {
    db.run(async move |connection| ssh_key::touch(connection, key).await).await
}

/// Adds a person and gives the one-time password that they sign in with first.
///
/// # Errors
///
/// When the address is malformed or taken, the name cannot be shown, or the database does not answer.
pub async fn create_user(
    db: &Db,
    email: &str,
    name: &str,
    standing: Standing,
) -> Result<String, PeopleError> {
    let well_formed = email.split_once('@').is_some_and(|(local, domain)| {
        let blank = |c: char| c.is_whitespace() || c.is_control();
        !local.is_empty() && !domain.is_empty() && !email.contains(blank)
    });
    if !well_formed {
        return Err(PeopleError::Email(email.to_owned()));
    }
    if name.trim().is_empty() || name.contains(char::is_control) {
        return Err(PeopleError::Name(name.to_owned()));
    }
    let password = one_time_password();
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| PeopleError::Hash(error.to_string()))?
        .to_string();
    let (email, name) = (email.to_owned(), name.to_owned());
    // A repeat, after an answer was lost, knows by it whom the first try has added.
    let id = UserId::from(Uuid::now_v7());
    db.transaction(async move |connection| {
        let user = NewUser {
            id,
            email: &email,
            name: &name,
            password_hash: &hash,
            password_once: true,
            administrator: standing == Standing::Administrator,
        };
        let added = user.insert(connection).await?;
        added.map(drop).ok_or(PeopleError::UserExists(email))
    })
    .await?;
    Ok(password)
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

/// Registers a public key for a person, and gives its fingerprint.
///
/// # Errors
///
/// When the key is refused or registered, nobody has the address, or the database does not answer.
pub async fn create_key(db: &Db, email: &str, line: &str) -> Result<String, PeopleError> {
    let key = SshKey::parse(line)?;
    let (email, fingerprint) = (email.to_owned(), key.fingerprint.clone());
    let id = KeyId::from(Uuid::now_v7());
    db.transaction(async move |connection| {
        let Some(user) = User::by_email(connection, &email).await? else {
            return Err(PeopleError::NoUser(email));
        };
        match ssh_key::register(connection, id, (user.id, &key)).await? {
            Registered::Added => Ok(()),
            Registered::AlreadyYours => Err(PeopleError::KeyExists),
            Registered::Taken => Err(PeopleError::KeyTaken),
        }
    })
    .await?;
    Ok(fingerprint)
}
