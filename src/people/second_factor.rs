//! Codes of a phone that people sign in with besides a password, if they want to (RFC 6238).

use std::time::Duration;

use chrono::Utc;
use data_encoding::BASE32_NOPAD;
use tracing::{info, warn};

use crate::db::acting::Acting;
use crate::db::models::second_factor::{self, SecondFactor};
use crate::db::models::user::User;
use crate::db::models::{sign_in_tries, web_session};
use crate::db::pool::Db;
use crate::domain::audit::Deed;
use crate::domain::ids::UserId;
use crate::domain::totp;
use crate::people::browser_token::digest;
use crate::people::sign_in::{actor, of_address, of_person};
use crate::people::{BrowserToken, PeopleError, Session, SignInError, SignIns};

/// Time in which a code has to follow a password.
pub(super) const AWAITED: Duration = Duration::from_secs(5 * 60);

/// How many codes there are for who loses the phone, and bytes of each.
const RECOVERY_CODES: usize = 10;
const RECOVERY_BYTES: usize = 10;

/// A secret that was just made: shown once, to be confirmed by a code.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// As people type it.
    pub base32: String,
    /// As authenticators read it.
    pub address: String,
}

/// Whether a password is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Off,
    /// A code is asked for, too.
    On,
}

impl SignIns {
    /// Whether a code is asked for when this person signs in.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn second_factor(&self, user: UserId) -> Result<Standing, SignInError> {
        let found = self.db.run(async move |c| second_factor::of_user(c, user).await).await?;
        let is_on = found.is_some_and(|found: SecondFactor| found.confirmed_at.is_some());
        Ok(if is_on { Standing::On } else { Standing::Off })
    }

    /// Makes a secret for somebody who says their password; it counts when a code of it was given.
    ///
    /// # Errors
    ///
    /// When it is not their password, one counts already, this server has no key for it, or the
    /// database does not answer.
    pub async fn begin_second_factor(
        &self,
        session: &Session,
        (password, host): (String, &str),
        origin: &str,
    ) -> Result<NewSecret, SignInError> {
        let key = self.key.as_ref().ok_or(SignInError::NoKey)?;
        self.check_password(session, password, origin).await?;
        let (user, email) = (session.user.id, &session.user.email);
        let secret: [u8; totp::BYTES] = rand::random();
        let sealed = key.seal(&secret, user.uuid().as_bytes());
        let begun =
            self.db.run(async move |c| second_factor::begin(c, user, &sealed).await).await?;
        if !begun {
            return Err(SignInError::HasSecondFactor);
        }
        let address = totp::address(&secret, host, email);
        Ok(NewSecret { base32: totp::base32(&secret), address })
    }

    /// Has codes be asked for from now on, and gives those for who loses the phone. Signs them out
    /// everywhere else.
    ///
    /// # Errors
    ///
    /// When it is no code of what was begun, or the database does not answer.
    pub async fn confirm_second_factor(
        &self,
        session: &Session,
        code: &str,
        origin: &str,
    ) -> Result<Vec<String>, SignInError> {
        let user = session.user.id;
        let (own, from) = (of_person(&session.user.email), of_address(origin));
        self.count(&own, &from).await?;
        let found = self.db.run(async move |c| second_factor::of_user(c, user).await).await?;
        let begun = found.filter(|found: &SecondFactor| found.confirmed_at.is_none());
        let begun = begun.ok_or(SignInError::WrongCode)?;
        let step = self.step(user, &begun, code)?.ok_or(SignInError::WrongCode)?;
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
        let hashes: Vec<String> = codes.iter().map(|code| hash(code)).collect();
        let by = Acting { db: self.db.clone(), actor: session.actor(origin.to_owned()) };
        let entry = by.entry(Deed::SetSecondFactor, &session.user.email);
        let (id, sealed) = (session.id().to_owned(), begun.sealed);
        let email = session.user.email.clone();
        self.db
            .transaction(async move |connection| {
                if entry.is_noted(connection).await? {
                    return Ok(());
                }
                // Nobody signs in by a password alone meanwhile.
                drop(User::any_by_email(connection, &email).await?);
                if !second_factor::confirm(connection, (user, &sealed, step), &hashes).await? {
                    return Err(SignInError::WrongCode);
                }
                web_session::delete_all(connection, user, Some(&id)).await?;
                sign_in_tries::forget(connection, &own).await?;
                Ok(entry.insert(connection).await?)
            })
            .await?;
        Ok(codes)
    }

    /// Has a password be enough again, for somebody who gives a code.
    ///
    /// # Errors
    ///
    /// When the code is wrong, they tried too often, or the database does not answer.
    pub async fn end_second_factor(
        &self,
        session: &Session,
        code: &str,
        origin: &str,
    ) -> Result<(), SignInError> {
        let (own, from) = (of_person(&session.user.email), of_address(origin));
        self.count(&own, &from).await?;
        let taken = self.read_code(session.user.id, code).await?;
        let by = Acting { db: self.db.clone(), actor: session.actor(origin.to_owned()) };
        let entry = by.entry(Deed::UnsetSecondFactor, &session.user.email);
        let user = session.user.id;
        self.db
            .transaction(async move |connection| {
                if entry.is_noted(connection).await? {
                    return Ok(());
                }
                taken.take(connection, user).await?;
                second_factor::delete(connection, user).await?;
                sign_in_tries::forget(connection, &own).await?;
                Ok(entry.insert(connection).await?)
            })
            .await
    }

    /// Signs somebody in whose password was right, by a code.
    ///
    /// # Errors
    ///
    /// When the code is wrong, it took too long, they tried too often, or the database does not
    /// answer.
    pub async fn sign_in_by_code(
        &self,
        awaited: &BrowserToken,
        code: &str,
        origin: &str,
    ) -> Result<BrowserToken, SignInError> {
        let id = awaited.digest();
        let asked = id.clone();
        let found = self.db.run(async move |c| second_factor::awaited(c, &asked).await).await?;
        let (user, password): (User, String) = found.ok_or(SignInError::TooLate)?;
        let (own, from) = (of_person(&user.email), of_address(origin));
        self.count(&own, &from).await?;
        if let Some(bar) = user.bar() {
            return Err(bar.into());
        }
        let taken = self.read_code(user.id, code).await;
        if let Err(SignInError::WrongCode) = taken {
            info!("A wrong code came from {origin}");
        }
        let taken = taken?;
        let token = BrowserToken::new();
        let session = self.new_session(&token, user.id, origin);
        let by = Acting {
            db: self.db.clone(),
            actor: actor(&user.email, Some(user.id), origin.to_owned()),
        };
        let entry = by.entry(Deed::SignIn, &user.email);
        self.db
            .transaction(async move |connection| {
                if entry.is_noted(connection).await? {
                    return Ok(());
                }
                if !second_factor::end_waiting(connection, &id).await? {
                    return Err(SignInError::TooLate);
                }
                taken.take(connection, user.id).await?;
                let known = User::with_password(connection, &user.email).await?;
                let is_once = known.is_some_and(|(_, _, is_once)| is_once);
                if is_once && !user.use_up_password(connection, &password).await? {
                    return Err(SignInError::TooLate);
                }
                session.insert(connection).await?;
                sign_in_tries::forget(connection, &own).await?;
                // The password and the code were counted for the address.
                sign_in_tries::forgive(connection, &from).await?;
                sign_in_tries::forgive(connection, &from).await?;
                Ok(entry.insert(connection).await?)
            })
            .await?;
        Ok(token)
    }

    /// What a code is, of the two kinds that there are.
    async fn read_code(&self, user: UserId, code: &str) -> Result<Code, SignInError> {
        let found = self.db.run(async move |c| second_factor::of_user(c, user).await).await?;
        let counts = found.filter(|found: &SecondFactor| found.confirmed_at.is_some());
        let counts = counts.ok_or(SignInError::WrongCode)?;
        let letters = code.chars().filter(char::is_ascii_alphanumeric).count();
        if letters > 6 {
            return Ok(Code::Recovery(hash(code)));
        }
        Ok(Code::Step(self.step(user, &counts, code)?.ok_or(SignInError::WrongCode)?))
    }

    /// The step of which this is the code.
    fn step(
        &self,
        user: UserId,
        factor: &SecondFactor,
        code: &str,
    ) -> Result<Option<i64>, SignInError> {
        let key = self.key.as_ref().ok_or(SignInError::NoKey)?;
        let Some(secret) = key.open(&factor.sealed, user.uuid().as_bytes()) else {
            warn!("A second factor does not open with the key of setting web.key");
            return Err(SignInError::NoKey);
        };
        Ok(totp::step_of(&secret, code, Utc::now().timestamp()))
    }
}

/// A code that may be right.
#[derive(Clone)]
enum Code {
    /// Of a phone: the right one of this step.
    Step(i64),
    /// For who has lost it: its digest.
    Recovery(String),
}

impl Code {
    /// Takes it, so that it is not taken again.
    async fn take(
        &self,
        connection: &mut diesel_async::AsyncPgConnection,
        user: UserId,
    ) -> Result<(), SignInError> {
        let is_right = match self {
            Self::Step(step) => second_factor::take_step(connection, user, *step).await?,
            Self::Recovery(hash) => {
                second_factor::take_recovery_code(connection, user, hash).await?
            }
        };
        if is_right { Ok(()) } else { Err(SignInError::WrongCode) }
    }
}

/// Sixteen letters and digits, in groups of four.
fn recovery_code() -> String {
    let random: [u8; RECOVERY_BYTES] = rand::random();
    let text = BASE32_NOPAD.encode(&random).to_lowercase();
    let groups: Vec<String> = text
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    groups.join("-")
}

/// A code as it is stored; how it is grouped and written does not matter.
fn hash(code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    digest("recovery:", &plain.to_lowercase())
}

/// Takes the second factor of a person away, who has lost it, and signs them out.
///
/// # Errors
///
/// When there is no such person, they have none, or the database does not answer.
pub async fn unset_second_factor(by: &Acting, email: &str) -> Result<(), PeopleError> {
    let entry = by.entry(Deed::UnsetSecondFactor, &email.to_lowercase());
    let email = email.to_owned();
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let user = User::any_by_email(connection, &email).await?;
            let user = user.ok_or_else(|| PeopleError::NoUser(email.clone()))?;
            if !second_factor::delete(connection, user.id).await? {
                return Err(PeopleError::NoSecondFactor(email));
            }
            web_session::delete_all(connection, user.id, None).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Which of these people are asked for a code.
///
/// # Errors
///
/// When the database does not answer.
pub async fn with_second_factor(db: &Db, of: Vec<UserId>) -> Result<Vec<UserId>, PeopleError> {
    Ok(db.run(async move |connection| second_factor::among(connection, &of).await).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_codes_are_read_however_they_are_written() {
        let code = recovery_code();
        assert_eq!(code.len(), 19, "{code}");
        assert_eq!(hash(&code), hash(&code.to_uppercase().replace('-', " ")));
        assert_ne!(hash(&code), hash(&recovery_code()));
    }
}
