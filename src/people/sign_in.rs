//! People sign in to the pages, and out.

use std::net::IpAddr;
use std::time::Duration;

use chrono::Utc;
use tracing::info;

use crate::db::acting::Acting;
use crate::db::models::user::{User, UserChange};
use crate::db::models::web_session::{self, NewSession};
use crate::db::models::{first_run, second_factor, sign_in_tries};
use crate::db::pool::{Db, Transient};
use crate::domain::access::{Bar, KeyScope, Who};
use crate::domain::audit::{Actor, Deed, Entrance};
use crate::domain::ids::UserId;
use crate::people::browser_token::digest;
use crate::people::password::{BadPassword, Verifier, check};
use crate::people::second_factor::AWAITED;
use crate::people::{BrowserToken, PeopleError};
use crate::seal::OwnKey;

/// Time in which tries are counted.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Most wrong passwords for one person in that time.
const MOST_OF_ONE: i32 = 10;

/// Most wrong passwords from one address in that time: an office may have one.
const MOST_FROM_ONE: i32 = 30;

/// Why somebody did not come in, or did not get another password.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Nobody has this address, or it is not their password: one and the same answer.
    #[error("the address or the password is wrong")]
    Wrong,
    /// The password that is theirs now was not given.
    #[error("this is not your password")]
    WrongPassword,
    /// They tried too often.
    #[error("too many wrong passwords: try again in {} minutes", WINDOW.as_secs() / 60)]
    TooMany,
    /// It is them, and they may do nothing.
    #[error(transparent)]
    Barred(#[from] Bar),
    /// The new password is not taken.
    #[error(transparent)]
    Password(#[from] BadPassword),
    /// The code is another one, or was taken before.
    #[error("this code is wrong, or was used already: wait for the next one")]
    WrongCode,
    /// The code came too late after the password, or with another browser.
    #[error("this took too long: sign in again")]
    TooLate,
    /// Codes are asked for already.
    #[error("you have a second factor already: turn it off first")]
    HasSecondFactor,
    /// Codes cannot be checked here.
    #[error(
        "second factors cannot be checked: an administrator has to look at setting web.key, or take \
         yours away"
    )]
    NoKey,
    /// The token of the first run is another one, or its time is over.
    #[error(
        "this address was used already or its day is over: `pierhead admin first-run` prints \
         another one"
    )]
    Token,
    /// There is an administrator.
    #[error("this installation has an administrator: sign in")]
    FirstRunIsOver,
    /// What they say of themselves cannot be stored.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// The database does not answer.
    #[error("PostgreSQL: {0}")]
    Db(#[from] diesel::result::Error),
}

impl Transient for SignInError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Db(error) => error.is_transient(),
            Self::People(error) => error.is_transient(),
            Self::Wrong
            | Self::WrongPassword
            | Self::TooMany
            | Self::Barred(_)
            | Self::Password(_)
            | Self::WrongCode
            | Self::TooLate
            | Self::HasSecondFactor
            | Self::NoKey
            | Self::Token
            | Self::FirstRunIsOver => false,
        }
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// The person.
    pub user: User,
    /// Whether they have to choose a password before anything else.
    pub must_change: bool,
    id: String,
}

impl Session {
    /// Who they are, for the decision what they may.
    pub fn who(&self) -> Who {
        Who {
            user: self.user.id,
            standing: self.user.standing(),
            bar: self.user.bar(),
            scope: KeyScope::FREE,
        }
    }

    /// The digest of what their browser holds.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Who they are, for the note of what they change, coming from this address.
    pub fn actor(&self, origin: String) -> Actor {
        actor(&self.user.email, Some(self.user.id), origin)
    }
}

pub(super) fn actor(who: &str, user: Option<UserId>, origin: String) -> Actor {
    Actor { entrance: Entrance::Web, who: who.to_owned(), user, key: None, origin }
}

/// Where people sign in.
#[derive(Debug, Clone)]
pub struct SignIns {
    pub(super) db: Db,
    pub(super) passwords: Verifier,
    /// Seals second factors; without it there are none.
    pub(super) key: Option<OwnKey>,
    idle: Duration,
    limit: Duration,
}

/// What a right password comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedIn {
    /// They are signed in by this.
    Whole(BrowserToken),
    /// A code is awaited from whoever holds this.
    Code(BrowserToken),
}

impl SignIns {
    /// Sessions end when nobody uses them for `idle`, and after `limit` however they are used.
    ///
    /// # Errors
    ///
    /// When nothing can be hashed.
    pub fn new(db: Db, idle: Duration, limit: Duration) -> Result<Self, PeopleError> {
        Ok(Self { db, passwords: Verifier::new()?, key: None, idle, limit })
    }

    /// The same, with second factors that this key seals.
    pub fn with_key(self, key: OwnKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// How long a session lasts at most.
    pub const fn limit(&self) -> Duration {
        self.limit
    }

    /// Signs somebody in. It takes as long for whom nobody knows.
    ///
    /// # Errors
    ///
    /// When it is not their password, they tried too often, or the database does not answer.
    pub async fn sign_in(
        &self,
        email: &str,
        password: String,
        origin: &str,
    ) -> Result<SignedIn, SignInError> {
        let email = email.trim().to_lowercase();
        let own = of_person(&email);
        let from = of_address(origin);
        self.count(&own, &from).await?;
        let asked = email.clone();
        let found = self.db.run(async move |c| User::with_password(c, &asked).await).await?;
        let (user, hash, once) = match found {
            Some((user, hash, once)) => (Some(user), hash, once),
            None => (None, None, false),
        };
        let fits = self.passwords.fits(password, hash.clone()).await;
        let (Some(user), Some(hash), true) = (user, hash, fits) else {
            info!("A wrong password came from {origin}");
            return Err(SignInError::Wrong);
        };
        if let Some(bar) = user.bar() {
            return Err(bar.into());
        }
        let token = BrowserToken::new();
        let session = self.new_session(&token, user.id, origin);
        let by = Acting {
            db: self.db.clone(),
            actor: actor(&user.email, Some(user.id), origin.to_owned()),
        };
        let entry = by.entry(Deed::SignIn, &user.email);
        let (id, expires_at) = (token.digest(), Utc::now() + AWAITED);
        let is_guarded = self
            .db
            .transaction(async move |connection| {
                if entry.is_noted(connection).await? {
                    return Ok(false);
                }
                // Nobody turns a second factor on meanwhile.
                drop(User::any_by_email(connection, &user.email).await?);
                if !second_factor::among(connection, &[user.id]).await?.is_empty() {
                    // Tries stay counted: who knows the password would else try any number of codes.
                    let whose = (id.as_str(), user.id, hash.as_str());
                    second_factor::await_code(connection, whose, expires_at).await?;
                    return Ok(true);
                }
                if once && !user.use_up_password(connection, &hash).await? {
                    return Err(SignInError::Wrong);
                }
                session.insert(connection).await?;
                sign_in_tries::forget(connection, &own).await?;
                sign_in_tries::forgive(connection, &from).await?;
                entry.insert(connection).await?;
                Ok(false)
            })
            .await?;
        Ok(if is_guarded { SignedIn::Code(token) } else { SignedIn::Whole(token) })
    }

    pub(super) fn new_session(
        &self,
        token: &BrowserToken,
        user: UserId,
        origin: &str,
    ) -> NewSession {
        let expires_at = Utc::now() + self.limit;
        NewSession { id: token.digest(), user_id: user, origin: origin.to_owned(), expires_at }
    }

    /// Counts a try before it is made, so that many at once are counted too.
    pub(super) async fn count(&self, own: &str, from: &str) -> Result<(), SignInError> {
        let (own, from) = (own.to_owned(), from.to_owned());
        let (of_one, from_one) = self
            .db
            .run(async move |connection| {
                let from_one = sign_in_tries::count(connection, &from, WINDOW).await?;
                // Who is out already does not shut others out.
                if from_one > MOST_FROM_ONE {
                    return Ok((0, from_one));
                }
                let of_one = sign_in_tries::count(connection, &own, WINDOW).await?;
                Ok::<_, diesel::result::Error>((of_one, from_one))
            })
            .await?;
        if of_one > MOST_OF_ONE || from_one > MOST_FROM_ONE {
            return Err(SignInError::TooMany);
        }
        Ok(())
    }

    /// Who is signed in with this token.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn session(&self, token: &BrowserToken) -> diesel::QueryResult<Option<Session>> {
        let (id, idle) = (token.digest(), self.idle);
        let asked = id.clone();
        let found = self.db.run(async move |c| web_session::find(c, &asked, idle).await).await?;
        Ok(found.map(|(user, must_change)| Session { user, must_change, id }))
    }

    /// Signs out.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn sign_out(&self, token: &BrowserToken) -> diesel::QueryResult<()> {
        let id = token.digest();
        self.db.run(async move |connection| web_session::delete(connection, &id).await).await
    }

    /// Gives somebody another password and signs them out everywhere else. Who came with a password
    /// for one sign-in need not say it again.
    ///
    /// # Errors
    ///
    /// When it is not their password, the new one is not taken, or the database does not answer.
    pub async fn change_password(
        &self,
        session: &Session,
        (current, new): (String, String),
        origin: &str,
    ) -> Result<(), SignInError> {
        let Session { user, must_change, id } = session.clone();
        check(&new, [&user.email, &user.name])?;
        if !must_change {
            self.check_password(session, current, origin).await?;
        }
        let change = UserChange {
            password_hash: Some(self.passwords.hash(new).await?),
            password_once: Some(false),
            ..UserChange::default()
        };
        let by = Acting { db: self.db.clone(), actor: session.actor(origin.to_owned()) };
        let entry = by.entry(Deed::ChangePassword, &user.email);
        self.db
            .transaction(async move |connection| {
                user.update(connection, &change).await?;
                web_session::delete_all(connection, user.id, Some(&id)).await?;
                Ok(entry.insert(connection).await?)
            })
            .await
    }

    /// Refuses whoever does not say the password of who is signed in.
    pub(super) async fn check_password(
        &self,
        session: &Session,
        password: String,
        origin: &str,
    ) -> Result<(), SignInError> {
        let email = session.user.email.clone();
        let own = of_person(&email);
        self.count(&own, &of_address(origin)).await?;
        let found = self.db.run(async move |c| User::with_password(c, &email).await).await?;
        let hash = found.and_then(|(_, hash, _)| hash);
        if !self.passwords.fits(password, hash).await {
            return Err(SignInError::WrongPassword);
        }
        self.db.run(async move |c| sign_in_tries::forget(c, &own).await).await?;
        Ok(())
    }

    /// Whether this token makes the first administrator.
    ///
    /// # Errors
    ///
    /// When there is an administrator, and when the database does not answer.
    pub async fn is_first_run(&self, token: &BrowserToken) -> Result<bool, SignInError> {
        let token = token.digest();
        self.db
            .run(async move |connection| {
                if first_run::is_over(connection).await? {
                    return Err(SignInError::FirstRunIsOver);
                }
                Ok(first_run::fits(connection, &token).await?)
            })
            .await
    }
}

/// By what tries of a person are counted, whether there is such a person or not.
pub(super) fn of_person(email: &str) -> String {
    format!("person:{}", digest("", email))
}

/// By what tries from an address are counted; of IPv6, everybody has a whole network.
pub(super) fn of_address(origin: &str) -> String {
    let network = match origin.parse() {
        Ok(IpAddr::V4(address)) => address.to_string(),
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
        Err(_) => "elsewhere".to_owned(),
    };
    format!("address:{network}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_counted_by_what_an_attacker_cannot_change() {
        assert_eq!(of_address("192.0.2.7"), "address:192.0.2.7");
        assert_eq!(of_address("2001:db8:1:2::7"), of_address("2001:db8:1:2:ffff::1"));
        assert_ne!(of_address("2001:db8:1:2::7"), of_address("2001:db8:1:3::7"));
        assert_eq!(of_address("unix"), "address:elsewhere");
        assert_eq!(of_person("ana@example.org").len(), 71);
    }
}
