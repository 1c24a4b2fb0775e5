//! What was deleted, for administrators.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::models::deleted;
use crate::domain::deleted::DeletedKind;
use crate::projects;
use crate::web::api::answer::{Answered, List, done, ok, whole};
use crate::web::api::call::Call;
use crate::web::trash::Gone;

/// Most rows of a kind.
const MOST: i64 = 500;

/// Something that was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deleted {
    kind: DeletedKind,
    /// The address of a person, the name of an account, or a project as `account/project`.
    name: String,
    deleted_at: DateTime<Utc>,
}

/// What is brought back or removed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichDeleted {
    kind: DeletedKind,
    /// The address of a person, the name of an account, or a project as `account/project`.
    name: String,
}

/// What came back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Restored {
    kind: DeletedKind,
    name: String,
    /// What did not come back with it, in words.
    lost: Option<String>,
}

/// List what was deleted, the newest first; at most 500 of each kind.
#[utoipa::path(
    get, path = "/deleted", tag = "installation", operation_id = "list_deleted",
    responses((status = 200, body = List<Deleted>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    let db = call.db();
    let rows = call.run(async move { projects::deleted(&db, MOST).await }).await?;
    let row = |row: deleted::Deleted| {
        let deleted::Deleted { kind, name, at: deleted_at } = row;
        Deleted { kind, name, deleted_at }
    };
    Ok(whole(rows.into_iter().map(row).collect()))
}

/// Take a deletion back: a person with keys and memberships, an account with its projects, or the
/// project of a name that was deleted last.
#[utoipa::path(
    post, path = "/deleted/restore", tag = "installation", operation_id = "restore",
    request_body = WhichDeleted, responses((status = 200, body = Restored)),
)]
pub(super) async fn restore(mut call: Call) -> Answered {
    let WhichDeleted { kind, name } = call.body().await?;
    let (by, gone) = (call.acting(), Gone::read(kind, &name)?);
    let lost = call.run(async move { gone.restore(&by).await }).await?;
    Ok(ok(&Restored { kind, name, lost: lost.map(str::to_owned) }))
}

/// Remove for good what was deleted, with jobs and Histories. What runs is left where it is.
#[utoipa::path(
    post, path = "/deleted/purge", tag = "installation", operation_id = "purge",
    request_body = WhichDeleted, responses((status = 204, description = "It is forgotten")),
)]
pub(super) async fn purge(mut call: Call) -> Answered {
    let WhichDeleted { kind, name } = call.body().await?;
    let (by, gone) = (call.acting(), Gone::read(kind, &name)?);
    call.run(async move { gone.purge(&by).await }).await?;
    Ok(done())
}
