//! Who asks.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::UserId;
use crate::web::api::answer::{Answered, ok};
use crate::web::api::call::Call;
use crate::web::api::tokens::Token;

/// Who asks, and the token that they came with.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    id: UserId,
    /// Their address.
    email: String,
    /// How they are called.
    name: String,
    /// Whether they may do everything.
    administrator: bool,
    token: Token,
}

/// Tell who asks.
#[utoipa::path(get, path = "/users/me", tag = "me", responses((status = 200, body = Me)))]
pub(super) async fn show(call: Call) -> Answered {
    let (db, bearer) = (call.db(), call.bearer());
    let (id, of) = (bearer.token.id, bearer.user.email.clone());
    let own = call.run(async move { crate::people::tokens(&db, Some(of)).await }).await?;
    let own = own.into_iter().find(|listed| listed.token.id == id);
    let user = &bearer.user;
    Ok(ok(&Me {
        id: user.id,
        email: user.email.clone(),
        name: user.name.clone(),
        administrator: user.administrator,
        token: own.map_or_else(|| Token::nameless(&bearer.token), Token::new),
    }))
}
