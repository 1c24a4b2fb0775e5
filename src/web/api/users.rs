//! People, for administrators.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::models::user;
use crate::domain::access::Standing;
use crate::domain::ids::UserId;
use crate::people::{
    self, UserEdit, create_user, delete_user, reset_password as new_password, set_user,
    unset_second_factor,
};
use crate::web::api::answer::{
    Answered, List, Rows, created, cursor, done, most, ok, ok_at, part, version,
};
use crate::web::api::call::Call;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct User {
    id: UserId,
    /// Their address.
    email: String,
    /// How they are called.
    name: String,
    /// Whether they may do everything.
    administrator: bool,
    /// When they were shut out for a while.
    disabled_at: Option<DateTime<Utc>>,
    /// When they were deleted.
    deleted_at: Option<DateTime<Utc>>,
}

impl User {
    fn new(user: user::User) -> Self {
        let user::User { id, email, name, administrator, disabled_at, deleted_at, .. } = user;
        Self { id, email, name, administrator, disabled_at, deleted_at }
    }
}

/// A person about to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// Their address.
    #[schema(max_length = 254)]
    email: String,
    /// How they are called; the address up to the `@` if nothing is said.
    #[schema(min_length = 1, max_length = 64)]
    name: Option<String>,
    /// Whether they may do everything.
    #[serde(default)]
    administrator: bool,
}

/// What is changed of a person; what is not said stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    /// Another address.
    #[schema(max_length = 254)]
    email: Option<String>,
    #[schema(min_length = 1, max_length = 64)]
    name: Option<String>,
    administrator: Option<bool>,
    /// Whether they are shut out; what they deployed goes on.
    disabled: Option<bool>,
}

/// A password for one sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneTimePassword {
    email: String,
    /// The password. It is shown now, and never again.
    password: String,
}

/// List everybody.
#[utoipa::path(
    get, path = "/users", tag = "users", operation_id = "list_users", params(Rows),
    responses((status = 200, body = List<User>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    let Rows { limit, cursor: place } = call.query()?;
    let most = most(limit)?;
    let after = cursor(place.as_deref(), |text| (!text.contains('\0')).then(|| text.to_owned()))?;
    let db = call.db();
    let rows = call.run(async move { people::users_after(&db, after, most).await }).await?;
    Ok(part(rows, most, &call.address(), |user| user.email.clone(), User::new))
}

/// Show a person.
#[utoipa::path(
    get, path = "/users/{user}", tag = "users", operation_id = "show_user",
    responses((status = 200, body = User)),
)]
pub(super) async fn show(call: Call) -> Answered {
    let email = call.segment("user")?;
    shown(&call, email).await
}

async fn shown(call: &Call, email: String) -> Answered {
    let db = call.db();
    let user = call.run(async move { people::find_user(&db, email).await }).await?;
    let version = version(user.updated_at);
    Ok(ok_at(&User::new(user), &version))
}

/// Add a person, with a password for one sign-in.
#[utoipa::path(
    post, path = "/users", tag = "users", operation_id = "create_user", request_body = NewUser,
    responses((status = 201, body = OneTimePassword)),
)]
pub(super) async fn create(mut call: Call) -> Answered {
    let NewUser { email, name, administrator } = call.body().await?;
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or(&email).to_owned());
    let standing = if administrator { Standing::Administrator } else { Standing::Person };
    let (by, address) = (call.acting(), email.clone());
    let made = async move { create_user(&by, &address, &name, standing).await };
    let password = call.run(made).await?;
    let email = email.to_lowercase();
    let location = format!("/users/{email}");
    Ok(created(&OneTimePassword { email, password }, &location))
}

/// Change what is known of a person, or whether they may come in.
#[utoipa::path(
    patch, path = "/users/{user}", tag = "users", operation_id = "change_user",
    request_body = UserChange, responses((status = 200, body = User)),
)]
pub(super) async fn change(mut call: Call) -> Answered {
    let seen = call.seen()?;
    let UserChange { email: other, name, administrator, disabled } = call.body().await?;
    let email: String = call.segment("user")?;
    let after = other.clone().unwrap_or_else(|| email.clone());
    let standing =
        administrator.map(|it| if it { Standing::Administrator } else { Standing::Person });
    let edit = UserEdit { email: other, name, standing, disabled, seen };
    let by = call.acting();
    call.run(async move { set_user(&by, &email, edit).await }).await?;
    shown(&call, after).await
}

/// Shut a person out for good. Their keys still say who it was.
#[utoipa::path(
    delete, path = "/users/{user}", tag = "users", operation_id = "delete_user",
    responses((status = 204, description = "No key or token of theirs does anything")),
)]
pub(super) async fn delete(call: Call) -> Answered {
    let (by, email): (_, String) = (call.acting(), call.segment("user")?);
    call.run(async move { delete_user(&by, &email).await }).await?;
    Ok(done())
}

/// Give a person another password for one sign-in.
#[utoipa::path(
    post, path = "/users/{user}/password", tag = "users", operation_id = "reset_password",
    responses((status = 200, body = OneTimePassword)),
)]
pub(super) async fn reset_password(call: Call) -> Answered {
    let (by, email): (_, String) = (call.acting(), call.segment("user")?);
    let whom = email.clone();
    let password = call.run(async move { new_password(&by, &whom).await }).await?;
    Ok(ok(&OneTimePassword { email: email.to_lowercase(), password }))
}

/// Take the second factor of a person away, who has lost it. They are signed out.
#[utoipa::path(
    delete, path = "/users/{user}/second-factor", tag = "users",
    operation_id = "unset_second_factor",
    responses((status = 204, description = "Their password is enough again")),
)]
pub(super) async fn unset_factor(call: Call) -> Answered {
    let (by, email): (_, String) = (call.acting(), call.segment("user")?);
    call.run(async move { unset_second_factor(&by, &email).await }).await?;
    Ok(done())
}
