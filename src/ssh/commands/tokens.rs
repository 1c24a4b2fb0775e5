//! `tokens`.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::db::models::api_token::Listed;
use crate::domain::access::Verb;
use crate::domain::api_token::TokenAccess;
use crate::people::{self, Made, TokenFor, TokenTerms, create_token, delete_token};
use crate::projects::{find, find_account};
use crate::ssh::commands::{Call, Failure, Format, Status};
use crate::ssh::own::{NewToken, TokenChange};

/// How long a token lasts, if nobody says.
const LASTS: TimeDelta = TimeDelta::days(90);

/// Lists the caller's tokens.
pub(super) async fn list(call: &Call<'_>) -> Result<Status, Failure> {
    call.oneself()?;
    let email = call.caller.user.email.clone();
    let all = people::tokens(&call.door.db, Some(email)).await?;
    if all.is_empty() && call.json == Format::Text {
        call.output.line("no tokens yet; `tokens add <name>` makes one").await?;
    }
    for listed in &all {
        let text = match call.json {
            Format::Text => text(listed),
            Format::Json => json(listed),
        };
        call.output.line(&text).await?;
    }
    Ok(Status::OK)
}

fn text(listed: &Listed) -> String {
    let day = |date: DateTime<Utc>| date.format("%Y-%m-%d").to_string();
    let token = &listed.token;
    let used = match (token.last_used_at, &token.last_used_from) {
        (Some(date), Some(origin)) => format!("used {} from {origin}", day(date)),
        (Some(date), None) => format!("used {}", day(date)),
        (None, _) => "never used".to_owned(),
    };
    let ends = if token.expires_at <= Utc::now() { "expired" } else { "expires" };
    let may = match token.access {
        TokenAccess::Read => "reads ",
        TokenAccess::Write => "",
    };
    let (id, name, of) = (token.id, &token.name, listed.of());
    format!("{id}  {name}  {may}{of}  {ends} {}  {used}", day(token.expires_at))
}

fn json(listed: &Listed) -> String {
    let token = &listed.token;
    json!({
        "id": token.id,
        "name": token.name,
        "access": token.access,
        "account": listed.account,
        "project": listed.project.as_ref().map(ToString::to_string),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "last_used_from": token.last_used_from,
    })
    .to_string()
}

/// Makes a token, or ends one.
pub(super) async fn change(call: &Call<'_>, change: TokenChange) -> Result<Status, Failure> {
    call.oneself()?;
    match change {
        TokenChange::Add(new) => {
            let made = add(call, new).await?;
            if call.json == Format::Json {
                let Made { id, token, expires_at } = made;
                let text = json!({"id": id, "token": token, "expires_at": expires_at});
                call.output.line(&text.to_string()).await?;
            } else {
                call.output.error("The token, shown only now:").await?;
                call.output.line(&made.token).await?;
            }
        }
        TokenChange::Remove { id } => {
            delete_token(&call.acting(), id, Some(call.caller.user.id)).await?;
            let text = match call.json {
                Format::Text => format!("token {id} is removed"),
                Format::Json => json!({"id": id, "answer": "removed"}).to_string(),
            };
            call.output.line(&text).await?;
        }
    }
    Ok(Status::OK)
}

async fn add(call: &Call<'_>, new: NewToken) -> Result<Made, Failure> {
    let (db, who) = (&call.door.db, call.caller.who());
    // Only what they see: a token for something that is not theirs would say that it exists.
    let of = match (new.account, new.project) {
        (Some(account), _) => {
            TokenFor::Account(find_account(db, &who, &account, Verb::LookAtAccount).await?.0.id)
        }
        (None, Some(project)) => TokenFor::Project(find(db, &who, &project, Verb::Look).await?.id),
        (None, None) => TokenFor::Everything,
    };
    let now = Utc::now();
    let asked = new.expires.map(|lifetime| now + lifetime.duration());
    // Else whoever finds a key that is about to end makes a token of it that does not.
    let end = match (asked, call.caller.expires_at) {
        (Some(asked), Some(own)) if asked > own => return Err(Failure::Outlives(own)),
        (Some(asked), _) => asked,
        (None, own) => (now + LASTS).min(own.unwrap_or(DateTime::<Utc>::MAX_UTC)),
    };
    let terms = TokenTerms {
        name: new.name,
        access: if new.read_only { TokenAccess::Read } else { TokenAccess::Write },
        of,
        expires_at: Some(end),
    };
    Ok(create_token(&call.acting(), &call.caller.user.email, terms).await?)
}
