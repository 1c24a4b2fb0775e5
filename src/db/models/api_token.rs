//! Tokens of people, for programs.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, now};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::models::user::User;
use crate::db::schema::{accounts, api_tokens, projects, users};
use crate::domain::api_token::TokenAccess;
use crate::domain::ids::{AccountId, ProjectId, TokenId, UserId};
use crate::domain::slug::{AccountSlug, ProjectName, ProjectSlug};

/// A token, without what is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub user_id: UserId,
    /// How its owner calls it.
    pub name: String,
    /// The most that it may do.
    pub access: TokenAccess,
    /// The account it is for.
    pub account_id: Option<AccountId>,
    /// The project it is for.
    pub project_id: Option<ProjectId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// From where.
    pub last_used_from: Option<String>,
}

/// A token as people list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The token.
    pub token: Token,
    /// Its owner's address.
    pub email: String,
    /// The account it is for.
    pub account: Option<AccountSlug>,
    /// The project it is for.
    pub project: Option<ProjectName>,
}

impl Listed {
    /// What it is for: an account, a project, or everything that its owner sees.
    pub fn of(&self) -> String {
        match (&self.account, &self.project) {
            (Some(account), _) => account.to_string(),
            (None, Some(project)) => project.to_string(),
            (None, None) => "all projects".to_owned(),
        }
    }
}

/// A token about to be made.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = api_tokens)]
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub user_id: UserId,
    /// How its owner calls it.
    pub name: String,
    /// What is stored of what is shown.
    pub hash: String,
    /// The most that it may do.
    pub access: TokenAccess,
    /// The account it is for.
    pub account_id: Option<AccountId>,
    /// The project it is for.
    pub project_id: Option<ProjectId>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl NewToken {
    /// Stores it, unless it is stored.
    ///
    /// # Errors
    ///
    /// When the database refuses or does not answer.
    pub async fn insert(&self, connection: &mut AsyncPgConnection) -> QueryResult<()> {
        diesel::insert_into(api_tokens::table)
            .values(self)
            .on_conflict(api_tokens::id)
            .do_nothing()
            .execute(connection)
            .await
            .map(|_| ())
    }
}

/// The token with this hash and its owner, and whether its time is over.
///
/// # Errors
///
/// When the database does not answer.
pub async fn with_owner(
    connection: &mut AsyncPgConnection,
    hash: &str,
) -> QueryResult<Option<(Token, User, bool)>> {
    api_tokens::table
        .inner_join(users::table)
        .filter(api_tokens::hash.eq(hash))
        .select((
            Token::as_select(),
            User::as_select(),
            api_tokens::expires_at.le(now.into_sql::<Timestamptz>()),
        ))
        .first(connection)
        .await
        .optional()
}

/// The same of the token with this id.
///
/// # Errors
///
/// When the database does not answer.
pub async fn by_id(
    connection: &mut AsyncPgConnection,
    id: TokenId,
) -> QueryResult<Option<(Token, User, bool)>> {
    let hash = api_tokens::table.find(id).select(api_tokens::hash);
    let hash: Option<String> = hash.first(connection).await.optional()?;
    match hash {
        Some(hash) => with_owner(connection, &hash).await,
        None => Ok(None),
    }
}

/// The tokens of a person, or of everybody, the newest last.
///
/// # Errors
///
/// When the database does not answer.
pub async fn all(
    connection: &mut AsyncPgConnection,
    of: Option<UserId>,
) -> QueryResult<Vec<Listed>> {
    type Row = (Token, String);
    let mut query = api_tokens::table
        .inner_join(users::table)
        .order((users::email, api_tokens::id))
        .select((Token::as_select(), users::email))
        .into_boxed();
    if let Some(user) = of {
        query = query.filter(api_tokens::user_id.eq(user));
    }
    let rows: Vec<Row> = query.load(connection).await?;
    let ids: Vec<AccountId> = rows.iter().filter_map(|(token, _)| token.account_id).collect();
    let named: Vec<(AccountId, AccountSlug)> = accounts::table
        .filter(accounts::id.eq_any(ids))
        .select((accounts::id, accounts::slug))
        .load(connection)
        .await?;
    let ids: Vec<ProjectId> = rows.iter().filter_map(|(token, _)| token.project_id).collect();
    let projects: Vec<(ProjectId, AccountSlug, ProjectSlug)> = projects::table
        .inner_join(accounts::table)
        .filter(projects::id.eq_any(ids))
        .select((projects::id, accounts::slug, projects::slug))
        .load(connection)
        .await?;
    let listed = |(token, email): Row| {
        let account = named.iter().find(|(id, _)| Some(*id) == token.account_id);
        let account = account.map(|(_, slug)| slug.clone());
        let project = projects.iter().find(|(id, ..)| Some(*id) == token.project_id);
        let project = project.map(|(_, account, project)| ProjectName {
            account: Some(account.clone()),
            project: project.clone(),
        });
        Listed { token, email, account, project }
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// How many tokens a person has.
///
/// # Errors
///
/// When the database does not answer.
pub async fn count(connection: &mut AsyncPgConnection, user: UserId) -> QueryResult<i64> {
    let own = api_tokens::table.filter(api_tokens::user_id.eq(user));
    own.select(count_star()).get_result(connection).await
}

/// Ends the token with this id, if it is somebody's; whether there was one.
///
/// # Errors
///
/// When the database does not answer.
pub async fn delete(
    connection: &mut AsyncPgConnection,
    id: TokenId,
    of: Option<UserId>,
) -> QueryResult<bool> {
    let rows = match of {
        Some(user) => {
            let own = api_tokens::table.find(id).filter(api_tokens::user_id.eq(user));
            diesel::delete(own).execute(connection).await?
        }
        None => diesel::delete(api_tokens::table.find(id)).execute(connection).await?,
    };
    Ok(rows > 0)
}

/// Notes that a token was used, once a minute at most.
///
/// # Errors
///
/// When the database does not answer.
pub async fn touch(
    connection: &mut AsyncPgConnection,
    id: TokenId,
    origin: &str,
) -> QueryResult<()> {
    use diesel::dsl::IntervalDsl;

    let a_minute_ago = (now.into_sql::<Timestamptz>() - 1.minute()).nullable();
    let long_ago = api_tokens::last_used_at.is_null().or(api_tokens::last_used_at.lt(a_minute_ago));
    diesel::update(api_tokens::table.find(id).filter(long_ago))
        .set((api_tokens::last_used_at.eq(now), api_tokens::last_used_from.eq(origin)))
        .execute(connection)
        .await
        .map(|_| ())
}
