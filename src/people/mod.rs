//! People and their keys.

mod browser_token;
mod change;
mod create;
mod first_run;
mod keys;
mod password;
mod second_factor;
mod sign_in;
mod tokens;

use chrono::{DateTime, Utc};

use crate::db::models::ssh_key;
use crate::db::models::user::User;
use crate::db::pool::{Db, Transient};
use crate::domain::access::{Bar, KeyScope, Who};
use crate::domain::audit::{Actor, Entrance};
use crate::domain::ids::{KeyId, TokenId};
use crate::domain::label::BadLabel;
use crate::domain::ssh_key::BadSshKey;

pub use browser_token::BrowserToken;
pub use change::{
    UserEdit, delete_user, find_user, purge_user, reset_password, restore_user, set_user, users,
    users_after,
};
pub use create::create_user;
pub use first_run::{FirstAdministrator, first_run_token, is_first_run};
pub use keys::{KeyTerms, create_key, delete_key, keys};
pub use password::BadPassword;
pub use second_factor::{
    NewSecret, Standing as SecondFactorStanding, unset_second_factor, with_second_factor,
};
pub use sign_in::{Session, SignInError, SignIns, SignedIn};
pub use tokens::{
    Bearer, Made, TokenFor, TokenTerms, bearer, bearer_by_key, create_token, delete_token, tokens,
    touch_token,
};

/// Somebody whose key is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The person.
    pub user: User,
    /// The key that signed.
    pub key: KeyId,
    /// Its fingerprint.
    pub fingerprint: String,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    bar: Option<Bar>,
    scope: KeyScope,
}

impl Identity {
    /// Who they are, for the decision what they may.
    pub fn who(&self) -> Who {
        Who {
            user: self.user.id,
            standing: self.user.standing(),
            bar: self.bar,
            scope: self.scope.clone(),
        }
    }

    /// Who they are, for the note of what they change, coming from this address.
    pub fn actor(&self, origin: String) -> Actor {
        Actor {
            entrance: Entrance::Ssh,
            who: self.user.email.clone(),
            user: Some(self.user.id),
            key: Some(self.fingerprint.clone()),
            origin,
        }
    }
}

/// Somebody by their address, for an administrator of the installation.
///
/// # Errors
///
/// When nobody has it, or the database does not answer.
pub async fn user(db: &Db, email: &str) -> Result<User, PeopleError> {
    let asked = email.to_owned();
    let found = db.run(async move |connection| User::by_email(connection, &asked).await);
    let found: Option<User> = found.await?;
    found.ok_or_else(|| PeopleError::NoUser(email.to_owned()))
}

/// Why a person or a key was not added or changed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The address is no address.
    #[error("`{0}` is not an e-mail address")]
    Email(String),
    /// The name cannot be shown.
    #[error(transparent)]
    Name(#[from] BadLabel),
    /// The address is taken.
    #[error("`{0}` exists")]
    UserExists(String),
    /// The address is that of somebody deleted.
    #[error(
        "`{0}` is deleted: `admin restore user` brings them back, `admin purge user` frees the address"
    )]
    UserDeleted(String),
    /// They are not deleted.
    #[error("`{0}` is not deleted: `admin delete user` comes first")]
    NotDeleted(String),
    /// Nobody has this address.
    #[error("nobody has the address `{0}`")]
    NoUser(String),
    /// A password is enough for them already.
    #[error("`{0}` has no second factor")]
    NoSecondFactor(String),
    /// The key is no key.
    #[error(transparent)]
    Key(#[from] BadSshKey),
    /// The key is theirs already.
    #[error("this key is registered already")]
    KeyExists,
    /// The key is somebody else's.
    #[error("this key is already in use")]
    KeyTaken,
    /// They have as many as they may.
    #[error("a user may have {} keys: remove one first", keys::MOST)]
    TooManyKeys,
    /// There is no such key, or it is somebody else's.
    #[error("there is no key {0}")]
    NoKey(String),
    /// The key would have ended before it began.
    #[error("a key cannot have expired already")]
    Past,
    /// The token would have ended before it began, or lasts too long.
    #[error("a token lasts at least a minute, and at most {} days", tokens::LONGEST_DAYS)]
    TokenTime,
    /// They have as many as they may.
    #[error("a user may have {} tokens: end one first", tokens::MOST)]
    TooManyTokens,
    /// There is no such token, or it is somebody else's.
    #[error("there is no token {0}")]
    NoToken(TokenId),
    /// Somebody else has changed it since it was read.
    #[error("somebody else has changed `{0}` meanwhile")]
    Changed(String),
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
            | Self::UserDeleted(_)
            | Self::NotDeleted(_)
            | Self::NoSecondFactor(_)
            | Self::NoUser(_)
            | Self::Key(_)
            | Self::KeyExists
            | Self::KeyTaken
            | Self::TooManyKeys
            | Self::NoKey(_)
            | Self::Past
            | Self::TokenTime
            | Self::TooManyTokens
            | Self::NoToken(_)
            | Self::Changed(_)
            | Self::Hash(_) => false,
        }
    }
}

/// The person whose key this is. That they are known does not say that they may do anything: that is
/// decided by [`authorise`](crate::domain::access::authorise).
///
/// # Errors
///
/// When the database does not answer.
pub async fn identify(db: &Db, fingerprint: &str) -> diesel::QueryResult<Option<Identity>> {
    let asked = fingerprint.to_owned();
    db.run(async move |connection| {
        let found = ssh_key::with_owner(connection, &asked).await?;
        let Some((key, user, is_over)) = found else { return Ok(None) };
        let projects = match key.all_projects {
            true => None,
            false => Some(ssh_key::projects(connection, key.id).await?),
        };
        let bar = user.bar().or(is_over.then_some(Bar::KeyExpired));
        let scope = KeyScope { access: key.access, account: None, projects };
        let (fingerprint, expires_at) = (asked, key.expires_at);
        Ok(Some(Identity { user, key: key.id, fingerprint, expires_at, bar, scope }))
    })
    .await
}

/// Notes that a key was used, and from where.
///
/// # Errors
///
/// When the database does not answer.
pub async fn touch(db: &Db, key: KeyId, origin: String) -> diesel::QueryResult<()> {
    db.run(async move |connection| ssh_key::touch(connection, key, &origin).await).await
}
