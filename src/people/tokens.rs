//! Tokens are made, shown once, and end.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::db::acting::Acting;
use crate::db::models::api_token::{self, Listed, NewToken, Token};
use crate::db::models::user::User;
use crate::db::pool::Db;
use crate::domain::access::{Bar, KeyScope, Who};
use crate::domain::api_token::{BYTES, TokenAccess, hash, token};
use crate::domain::audit::{Actor, Deed, Entrance};
use crate::domain::ids::{AccountId, ProjectId, TokenId, UserId};
use crate::domain::label::label;
use crate::people::PeopleError;

/// Most tokens of one person.
pub(super) const MOST: i64 = 50;

/// Longest life of a token: a year.
pub(super) const LONGEST_DAYS: i64 = 366;

/// How long a token lasts, if nobody says.
const DAYS: i64 = 90;

/// What stands before a token's id where what somebody came with is noted.
const KEY: &str = "token ";

/// What a token is to be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFor {
    /// Everything that its owner sees.
    Everything,
    /// What one account has.
    Account(AccountId),
    /// One project.
    Project(ProjectId),
}

/// How a token is to be.
#[derive(Debug, Clone)]
pub struct TokenTerms {
    /// How its owner calls it.
    pub name: String,
    /// The most that it may do.
    pub access: TokenAccess,
    /// What it is for.
    pub of: TokenFor,
    /// When it ends; in 90 days if nobody says.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token that was just made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its id.
    pub id: TokenId,
    /// What is shown once, and known to nobody afterwards.
    pub token: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Somebody whose token is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The person.
    pub user: User,
    /// The token that they came with.
    pub token: Token,
    bar: Option<Bar>,
}

impl Bearer {
    fn new((token, user, is_over): (Token, User, bool)) -> Self {
        let bar = user.bar().or(is_over.then_some(Bar::TokenExpired));
        Self { user, token, bar }
    }

    /// Who they are, for the decision what they may.
    pub fn who(&self) -> Who {
        let Token { access, account_id, project_id, .. } = self.token;
        let (account, projects) = (account_id, project_id.map(|only| vec![only]));
        Who {
            user: self.user.id,
            standing: self.user.standing(),
            bar: self.bar,
            scope: KeyScope { access: access.into(), account, projects },
        }
    }

    /// What they came with, as it is noted.
    pub fn key(&self) -> String {
        format!("{KEY}{}", self.token.id)
    }

    /// Who they are, for the note of what they change, coming from this address.
    pub fn actor(&self, origin: String) -> Actor {
        Actor {
            entrance: Entrance::Api,
            who: self.user.email.clone(),
            user: Some(self.user.id),
            key: Some(self.key()),
            origin,
        }
    }
}

/// Makes a token for a person.
///
/// # Errors
///
/// When nobody has the address, they have too many, the name cannot be shown, the time is none, or the
/// database does not answer.
pub async fn create_token(
    by: &Acting,
    email: &str,
    terms: TokenTerms,
) -> Result<Made, PeopleError> {
    let TokenTerms { name, access, of, expires_at } = terms;
    let name = label(&name)?.to_owned();
    let now = Utc::now();
    let expires_at = expires_at.unwrap_or(now + TimeDelta::days(DAYS));
    let lasts = expires_at - now;
    if lasts < TimeDelta::minutes(1) || lasts > TimeDelta::days(LONGEST_DAYS) {
        return Err(PeopleError::TokenTime);
    }
    let random: [u8; BYTES] = rand::random();
    let shown = token(&random);
    let hash = hash(&shown).expect("what was made just now is a token");
    let id = TokenId::from(Uuid::now_v7());
    let (account_id, project_id) = match of {
        TokenFor::Everything => (None, None),
        TokenFor::Account(account) => (Some(account), None),
        TokenFor::Project(project) => (None, Some(project)),
    };
    let email = email.to_owned();
    let entry = by
        .entry(Deed::CreateToken, &name)
        .with("token", id.to_string())
        .with("user", email.to_lowercase())
        .with("access", access.as_str())
        .with("expires_at", expires_at.to_rfc3339())
        .with_some("account", account_id.map(|id| id.to_string()))
        .with_some("project", project_id.map(|id| id.to_string()));
    by.db
        .transaction(async move |connection| {
            let Some(user) = User::by_email(connection, &email).await? else {
                return Err(PeopleError::NoUser(email));
            };
            let user_id = user.id;
            let new =
                NewToken { id, user_id, name, hash, access, account_id, project_id, expires_at };
            new.insert(connection).await?;
            if api_token::count(connection, user_id).await? > MOST {
                return Err(PeopleError::TooManyTokens);
            }
            Ok(entry.insert(connection).await?)
        })
        .await?;
    Ok(Made { id, token: shown, expires_at })
}

/// The tokens of a person, or of everybody.
///
/// # Errors
///
/// When nobody has the address, or the database does not answer.
pub async fn tokens(db: &Db, of: Option<String>) -> Result<Vec<Listed>, PeopleError> {
    db.run(async move |connection| {
        let user = match of {
            None => None,
            Some(email) => {
                let user = User::any_by_email(connection, &email).await?;
                Some(user.ok_or(PeopleError::NoUser(email))?.id)
            }
        };
        Ok(api_token::all(connection, user).await?)
    })
    .await
}

/// Ends a token for good. `of` is whose it must be.
///
/// # Errors
///
/// When there is none, or it is somebody else's, or the database does not answer.
pub async fn delete_token(by: &Acting, id: TokenId, of: Option<UserId>) -> Result<(), PeopleError> {
    let entry = by.entry(Deed::DeleteToken, &id);
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            if !api_token::delete(connection, id, of).await? {
                return Err(PeopleError::NoToken(id));
            }
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// The person whose token this is. That they are known does not say that they may do anything: that
/// is decided by [`authorise`](crate::domain::access::authorise).
///
/// # Errors
///
/// When the database does not answer.
pub async fn bearer(db: &Db, shown: &str) -> diesel::QueryResult<Option<Bearer>> {
    let Some(hash) = hash(shown) else { return Ok(None) };
    let found =
        db.run(async move |connection| api_token::with_owner(connection, &hash).await).await?;
    Ok(found.map(Bearer::new))
}

/// Whoever came with this, as [`Bearer::key`] tells it; nobody when the token is gone, or it was none.
///
/// # Errors
///
/// When the database does not answer.
pub async fn bearer_by_key(db: &Db, key: &str) -> diesel::QueryResult<Option<Bearer>> {
    let id = key.strip_prefix(KEY).and_then(|id| id.parse::<TokenId>().ok());
    let Some(id) = id else { return Ok(None) };
    let found = db.run(async move |connection| api_token::by_id(connection, id).await).await?;
    Ok(found.map(Bearer::new))
}

/// Notes that a token was used, and from where.
///
/// # Errors
///
/// When the database does not answer.
pub async fn touch_token(db: &Db, id: TokenId, origin: String) -> diesel::QueryResult<()> {
    db.run(async move |connection| api_token::touch(connection, id, &origin).await).await
}
