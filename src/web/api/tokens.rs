//! Tokens of whoever asks.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::models::api_token::{self, Listed};
use crate::domain::access::Verb;
use crate::domain::api_token::TokenAccess;
use crate::domain::ids::TokenId;
use crate::domain::slug::AccountSlug;
use crate::people::{self, TokenFor, TokenTerms, create_token, delete_token};
use crate::projects::{find, find_account};
use crate::web::api::answer::{Answered, List, created, done, whole};
use crate::web::api::call::Call;
use crate::web::api::problem::Problem;
use crate::web::api::projects::name_at;

/// A token, without what was shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Token {
    id: TokenId,
    /// How its owner calls it.
    name: String,
    /// The most that it may do.
    access: TokenAccess,
    /// The account it is for; null for all that its owner sees.
    account: Option<AccountSlug>,
    /// The project it is for, as `account/project`; null for all that its owner sees.
    project: Option<String>,
    created_at: DateTime<Utc>,
    /// When it ends.
    expires_at: DateTime<Utc>,
    /// When it was used last, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// From where.
    last_used_from: Option<String>,
}

impl Token {
    pub(super) fn new(listed: Listed) -> Self {
        let Listed { token, account, project, .. } = listed;
        let project = project.map(|name| name.to_string());
        Self { account, project, ..Self::nameless(&token) }
    }

    /// The same, without the names of what it is for.
    pub(super) fn nameless(token: &api_token::Token) -> Self {
        Self {
            id: token.id,
            name: token.name.clone(),
            access: token.access,
            account: None,
            project: None,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            last_used_from: token.last_used_from.clone(),
        }
    }
}

/// A token about to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// How its owner calls it.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// The most that it may do.
    access: TokenAccess,
    /// Only for this account.
    account: Option<AccountSlug>,
    /// Only for this project, as `account/project`.
    project: Option<String>,
    /// When it ends: in 90 days if nothing is said, in 366 days at the latest, and not after the token
    /// that makes it.
    expires_at: Option<DateTime<Utc>>,
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MadeToken {
    id: TokenId,
    /// The token. It is shown now, and never again.
    token: String,
    expires_at: DateTime<Utc>,
}

/// List one's tokens.
#[utoipa::path(
    get, path = "/users/me/tokens", tag = "me", operation_id = "list_tokens",
    responses((status = 200, body = List<Token>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    let (db, of) = (call.db(), call.bearer().user.email.clone());
    let own = call.run(async move { people::tokens(&db, Some(of)).await }).await?;
    Ok(whole(own.into_iter().map(Token::new).collect()))
}

/// Make a token.
#[utoipa::path(
    post, path = "/users/me/tokens", tag = "me", operation_id = "create_token",
    request_body = NewToken, responses((status = 201, body = MadeToken)),
)]
pub(super) async fn create(mut call: Call) -> Answered {
    let new: NewToken = call.body().await?;
    let (db, who) = (call.db(), call.who());
    let of = match (new.account, new.project) {
        (None, None) => TokenFor::Everything,
        (Some(slug), None) => {
            let found = async move { find_account(&db, &who, &slug, Verb::LookAtAccount).await };
            let found = call.run(found).await;
            TokenFor::Account(found.map_err(|problem| problem.moved_to("/account"))?.0.id)
        }
        (None, Some(name)) => {
            let name = name_at(&name, "/project")?;
            let found = call.run(async move { find(&db, &who, &name, Verb::Look).await }).await;
            TokenFor::Project(found.map_err(|problem| problem.moved_to("/project"))?.id)
        }
        (Some(_), Some(_)) => {
            return Err(Problem::invalid("/project", "give an account or a project, not both"));
        }
    };
    let own = call.bearer().token.expires_at;
    if new.expires_at.is_some_and(|end| end > own) {
        return Err(Problem::invalid("/expires_at", outlives(own)));
    }
    // What whoever asks may not choose themselves is as much as they have.
    let expires_at = Some(new.expires_at.unwrap_or(own.min(Utc::now() + TimeDelta::days(90))));
    let terms = TokenTerms { name: new.name, access: new.access, of, expires_at };
    let (by, email) = (call.acting(), call.bearer().user.email.clone());
    let made = call.run(async move { create_token(&by, &email, terms).await }).await?;
    let location = format!("/users/me/tokens/{}", made.id);
    let made = MadeToken { id: made.id, token: made.token, expires_at: made.expires_at };
    Ok(created(&made, &location))
}

/// What is told to somebody who wants more time than they have.
pub(super) fn outlives(own: DateTime<Utc>) -> String {
    let end = own.format("%Y-%m-%dT%H:%M:%SZ");
    format!("the token that you came with ends at {end}: give an end that is not later")
}

/// End a token.
#[utoipa::path(
    delete, path = "/users/me/tokens/{token}", tag = "me", operation_id = "delete_token",
    responses((status = 204, description = "It does nothing more")),
)]
pub(super) async fn delete(call: Call) -> Answered {
    let id: TokenId = call.segment("token")?;
    let (by, own) = (call.acting(), call.bearer().user.id);
    call.run(async move { delete_token(&by, id, Some(own)).await }).await?;
    Ok(done())
}
