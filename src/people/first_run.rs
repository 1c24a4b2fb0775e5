//! The first administrator, who comes with what the server's terminal has told.

use std::time::Duration;

use chrono::Utc;
use uuid::Uuid;

use crate::db::acting::Acting;
use crate::db::models::first_run;
use crate::db::models::user::NewUser;
use crate::db::pool::Db;
use crate::domain::audit::Deed;
use crate::domain::ids::UserId;
use crate::domain::label::label;
use crate::people::create::checked_email;
use crate::people::password::check;
use crate::people::sign_in::actor;
use crate::people::{BrowserToken, PeopleError, SignInError, SignIns};

/// How long a token may be used.
const DAY: Duration = Duration::from_secs(86_400);

/// Makes the token with which the first administrator comes, in the place of any other.
///
/// # Errors
///
/// When there is an administrator, or the database does not answer.
pub async fn first_run_token(db: &Db) -> Result<BrowserToken, SignInError> {
    let token = BrowserToken::new();
    let (stored, expires_at) = (token.digest(), Utc::now() + DAY);
    db.transaction(async move |connection| {
        if first_run::is_over(connection).await? {
            return Err(SignInError::FirstRunIsOver);
        }
        Ok(first_run::set(connection, &stored, expires_at).await?)
    })
    .await?;
    Ok(token)
}

/// Whether nobody administrates the installation yet.
///
/// # Errors
///
/// When the database does not answer.
pub async fn is_first_run(db: &Db) -> Result<bool, PeopleError> {
    let over: Result<bool, PeopleError> =
        db.run(async move |connection| Ok(first_run::is_over(connection).await?)).await;
    Ok(!over?)
}

/// What the first administrator says of themselves.
#[derive(Clone)]
pub struct FirstAdministrator {
    /// How they are called.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: String,
}

impl SignIns {
    /// Makes the first administrator and signs them in.
    ///
    /// # Errors
    ///
    /// When it is not the token, there is an administrator already, something that they say cannot
    /// be stored, or the database does not answer.
    pub async fn first_administrator(
        &self,
        token: &BrowserToken,
        first: FirstAdministrator,
        origin: &str,
    ) -> Result<BrowserToken, SignInError> {
        // Before anything is worked out for somebody who only guesses.
        if !self.is_first_run(token).await? {
            return Err(SignInError::Token);
        }
        let email = checked_email(first.email.trim())?;
        let name = label(&first.name).map_err(PeopleError::from)?.to_owned();
        check(&first.password, [&email, &name])?;
        let hash = self.passwords.hash(first.password).await?;
        let id = UserId::from(Uuid::now_v7());
        let own = BrowserToken::new();
        let session = self.new_session(&own, id, origin);
        let actor = actor(&email, Some(id), origin.to_owned());
        let by = Acting { db: self.db.clone(), actor };
        let entry = by.entry(Deed::CreateUser, &email).with("administrator", true);
        let token = token.digest();
        self.db
            .transaction(async move |connection| {
                if entry.is_noted(connection).await? {
                    return Ok(());
                }
                // Two at once wait for each other here, and the second finds none.
                if !first_run::take(connection, &token).await? {
                    return Err(SignInError::Token);
                }
                if first_run::is_over(connection).await? {
                    return Err(SignInError::FirstRunIsOver);
                }
                let user = NewUser {
                    id,
                    email: &email,
                    name: &name,
                    password_hash: &hash,
                    password_once: false,
                    administrator: true,
                };
                if user.insert(connection).await?.is_none() {
                    return Err(PeopleError::UserExists(email).into());
                }
                session.insert(connection).await?;
                Ok(entry.insert(connection).await?)
            })
            .await?;
        Ok(own)
    }
}
