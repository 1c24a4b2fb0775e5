//! Who changed what, when and from where.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::db::models::audit;
use crate::domain::audit::{Deed, Entrance};
use crate::web::api::answer::{Answered, List, cursor, most, part};
use crate::web::api::call::Call;

/// What was noted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditEntry {
    id: Uuid,
    date: DateTime<Utc>,
    /// How they came in.
    door: Entrance,
    /// Their address, or their name on the server.
    who: String,
    /// What they came with: the fingerprint of a key, or a token by its id.
    key: Option<String>,
    /// From where.
    origin: String,
    deed: Deed,
    /// To what.
    subject: String,
    /// What else is known of it.
    #[schema(value_type = Object)]
    details: Value,
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedEntries {
    /// By whom.
    who: Option<String>,
    /// What was done.
    deed: Option<Deed>,
    /// What its subject begins with.
    subject: Option<String>,
    /// Not before.
    since: Option<DateTime<Utc>>,
    /// Most rows.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// Where the list goes on, from `next`.
    cursor: Option<String>,
}

/// List who changed what, newest first.
#[utoipa::path(
    get, path = "/audit", tag = "audit", operation_id = "list_audit", params(WantedEntries),
    responses((status = 200, body = List<AuditEntry>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    let WantedEntries { who, deed, subject, since, limit, cursor: place } = call.query()?;
    let most = most(limit)?;
    let before = cursor(place.as_deref(), |text| {
        let (micros, id) = text.split_once(' ')?;
        let date = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
        Some((date, id.parse().ok()?))
    })?;
    let wanted = audit::Wanted { who, deed, subject, since, before };
    let db = call.db();
    let read = async move {
        db.run(async move |connection| audit::newest(connection, &wanted, most).await).await
    };
    let rows: Vec<audit::Entry> = call.run(read).await?;
    let last = |entry: &audit::Entry| format!("{} {}", entry.date.timestamp_micros(), entry.id);
    Ok(part(rows, most, &call.address(), last, |entry| AuditEntry {
        id: entry.id,
        date: entry.date,
        door: entry.door,
        who: entry.who,
        key: entry.key,
        origin: entry.origin,
        deed: entry.deed,
        subject: entry.subject,
        details: entry.details,
    }))
}
