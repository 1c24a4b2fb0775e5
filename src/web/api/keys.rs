//! SSH keys: of whoever asks, and of others for administrators.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::models::ssh_key;
use crate::domain::access::{KeyAccess, Verb};
use crate::domain::ids::KeyId;
use crate::people::{self, KeyTerms, create_key, delete_key};
use crate::projects::find;
use crate::web::api::answer::{Answered, List, created, done, whole};
use crate::web::api::call::Call;
use crate::web::api::problem::Problem;
use crate::web::api::projects::name_at;
use crate::web::api::tokens::outlives;

/// A key that signs in over SSH.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Key {
    id: KeyId,
    /// How its owner calls it.
    name: String,
    /// The type, such as `ssh-ed25519`.
    algorithm: String,
    /// `SHA256:` and base64.
    fingerprint: String,
    /// The most that it may do.
    access: KeyAccess,
    /// The projects it is for; null for all that its owner sees.
    projects: Option<Vec<String>>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    last_used_from: Option<String>,
    revoked_at: Option<DateTime<Utc>>,
}

impl Key {
    fn new((key, _, projects): (ssh_key::Key, String, Vec<String>)) -> Self {
        Self {
            id: key.id,
            name: key.name,
            algorithm: key.algorithm,
            fingerprint: key.fingerprint,
            access: key.access,
            projects: (!key.all_projects).then_some(projects),
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            last_used_from: key.last_used_from,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key about to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    /// One line, as it stands in the file that ends in .pub.
    public_key: String,
    /// What to call it; without one, its comment.
    #[schema(min_length = 1, max_length = 64)]
    name: Option<String>,
    /// The most that it may do; whatever its owner may, if nothing is said.
    access: Option<KeyAccess>,
    /// Only for these, each as `account/project`.
    #[schema(max_items = 100)]
    projects: Option<Vec<String>>,
    /// When it ends: not after the token that registers it.
    expires_at: DateTime<Utc>,
}

/// List one's keys.
#[utoipa::path(
    get, path = "/users/me/keys", tag = "me", operation_id = "list_keys",
    responses((status = 200, body = List<Key>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    let email = call.bearer().user.email.clone();
    keys_of(&call, email).await
}

/// List somebody's keys.
#[utoipa::path(
    get, path = "/users/{user}/keys", tag = "users", operation_id = "list_keys_of_user",
    responses((status = 200, body = List<Key>)),
)]
pub(super) async fn list_of(call: Call) -> Answered {
    let email = call.segment("user")?;
    keys_of(&call, email).await
}

async fn keys_of(call: &Call, email: String) -> Answered {
    let db = call.db();
    let keys = call.run(async move { people::keys(&db, Some(email)).await }).await?;
    Ok(whole(keys.into_iter().map(Key::new).collect()))
}

/// Register a key.
#[utoipa::path(
    post, path = "/users/me/keys", tag = "me", operation_id = "create_key",
    request_body = NewKey, responses((status = 201, body = Key)),
)]
pub(super) async fn create(mut call: Call) -> Answered {
    let new: NewKey = call.body().await?;
    let own = call.bearer().token.expires_at;
    if new.expires_at > own {
        return Err(Problem::invalid("/expires_at", outlives(own)));
    }
    let mut names = Vec::new();
    for (place, text) in new.projects.iter().flatten().enumerate() {
        names.push(name_at(text, &format!("/projects/{place}"))?);
    }
    let (db, who) = (call.db(), call.who());
    let ids = call.run(async move {
        let mut ids = Vec::new();
        for name in &names {
            ids.push(find(&db, &who, name, Verb::Look).await?.id);
        }
        Ok::<_, Problem>(ids)
    });
    let ids = ids.await.map_err(|problem| problem.moved_to("/projects"))?;
    let terms = KeyTerms {
        name: new.name,
        access: new.access.unwrap_or(KeyAccess::Deploy),
        projects: new.projects.is_some().then_some(ids),
        expires_at: Some(new.expires_at),
    };
    let (by, email, line) = (call.acting(), call.bearer().user.email.clone(), new.public_key);
    let made = call.run(async move {
        let fingerprint = create_key(&by, &email, &line, terms).await?;
        let keys = people::keys(&by.db, Some(email)).await?;
        let made = keys.into_iter().find(|(key, ..)| key.fingerprint == fingerprint);
        made.map(Key::new).ok_or_else(|| Problem::not_found("the key is"))
    });
    let made: Key = made.await?;
    let location = format!("/users/me/keys/{}", made.id);
    Ok(created(&made, &location))
}

/// Remove a key.
#[utoipa::path(
    delete, path = "/users/me/keys/{key}", tag = "me", operation_id = "delete_key",
    responses((status = 204, description = "It signs nobody in")),
)]
pub(super) async fn delete(call: Call) -> Answered {
    let id: KeyId = call.segment("key")?;
    let (by, user) = (call.acting(), call.bearer().user.clone());
    call.run(async move {
        let keys = people::keys(&by.db, Some(user.email)).await?;
        let found = keys.into_iter().find(|(key, ..)| key.id == id);
        let (key, ..) = found.ok_or_else(|| Problem::not_found("the key is"))?;
        Ok::<_, Problem>(delete_key(&by, &key.fingerprint, Some(user.id)).await?)
    })
    .await?;
    Ok(done())
}
