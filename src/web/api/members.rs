//! Who is there in an account, and for what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::access::Role;
use crate::projects::{delete_member, members, set_member};
use crate::web::api::answer::{Answered, List, done, ok, whole};
use crate::web::api::call::Call;

/// Somebody who is there in an account.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Member {
    /// Their address.
    email: String,
    /// How they are called.
    name: String,
    role: Role,
    /// Whether they may do nothing for a while.
    disabled: bool,
}

/// What somebody is to be there for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    role: Role,
}

/// Somebody's membership.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Membership {
    /// Their address.
    email: String,
    role: Role,
}

/// List the members of an account.
#[utoipa::path(
    get, path = "/accounts/{account}/members", tag = "accounts", operation_id = "list_members",
    responses((status = 200, body = List<Member>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    let (db, slug) = (call.db(), call.account()?.slug.clone());
    let rows = call.run(async move { members(&db, slug).await }).await?;
    let member = |(user, role): (crate::db::models::user::User, Role)| Member {
        disabled: user.disabled_at.is_some(),
        email: user.email,
        name: user.name,
        role,
    };
    Ok(whole(rows.into_iter().map(member).collect()))
}

/// Make somebody a member, or give them another role.
#[utoipa::path(
    put, path = "/accounts/{account}/members/{user}", tag = "accounts",
    operation_id = "set_member", request_body = NewRole,
    responses((status = 200, body = Membership)),
)]
pub(super) async fn set(mut call: Call) -> Answered {
    let NewRole { role } = call.body().await?;
    let email: String = call.segment("user")?;
    let (by, slug, whom) = (call.acting(), call.account()?.slug.clone(), email.clone());
    call.run(async move { set_member(&by, slug, whom, role).await }).await?;
    Ok(ok(&Membership { email: email.to_lowercase(), role }))
}

/// Take a membership away.
#[utoipa::path(
    delete, path = "/accounts/{account}/members/{user}", tag = "accounts",
    operation_id = "delete_member",
    responses((status = 204, description = "They do not see the account any more")),
)]
pub(super) async fn delete(call: Call) -> Answered {
    let (by, slug, email) = (call.acting(), call.account()?.slug.clone(), call.segment("user")?);
    call.run(async move { delete_member(&by, slug, email).await }).await?;
    Ok(done())
}
