//! Who changed what, for administrators.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::db::models::audit::{Entry, Wanted, newest};
use crate::domain::audit::Deed;
use crate::web::admin::visit::{Frame, Visit, html};
use crate::web::admin::words::Moment;
use crate::web::page_error::PageError;

/// Entries that are shown.
const ENTRIES: i64 = 100;

struct Row {
    date: Moment,
    who: String,
    door: &'static str,
    origin: String,
    deed: &'static str,
    subject: String,
    details: String,
}

impl Row {
    fn new(entry: Entry) -> Self {
        let details = entry.details.as_object().into_iter().flatten();
        let details = details.map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name}: {text}"),
            None => format!("{name}: {value}"),
        });
        Self {
            date: Moment(entry.date),
            door: entry.door.as_str(),
            deed: entry.deed.as_str(),
            details: details.collect::<Vec<_>>().join(", "),
            who: entry.who,
            origin: entry.origin,
            subject: entry.subject,
        }
    }
}

/// Which entries are asked for; what is empty does not matter.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    who: String,
    #[serde(default)]
    deed: String,
    #[serde(default)]
    subject: String,
    /// Where the list goes on.
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "admin/audit.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    asked: Asked,
    deeds: &'static [Deed],
    entries: Vec<Row>,
    /// Where the list goes on.
    older: Option<String>,
}

/// The entry after which the list begins: when it was noted, and its id.
fn place(text: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let (micros, id) = text.split_once('-')?;
    Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.parse().ok()?))
}

/// `GET /admin/audit`
pub(super) async fn page(visit: Visit, asked: Query<Asked>) -> Result<HttpResponse, PageError> {
    let asked = asked.into_inner();
    let is_text = |text: &String| !text.is_empty() && !text.contains('\0');
    let some = |text: &str| Some(text.trim().to_owned()).filter(is_text);
    let wanted = Wanted {
        who: some(&asked.who),
        deed: asked.deed.parse().ok(),
        subject: some(&asked.subject),
        since: None,
        before: place(&asked.before),
    };
    let db = visit.db();
    let read = async move {
        db.run(async move |connection| newest(connection, &wanted, ENTRIES + 1).await).await
    };
    let mut entries: Vec<Entry> = visit.run(read).await?;
    let most = usize::try_from(ENTRIES).unwrap_or(usize::MAX);
    let has_more = entries.len() > most;
    entries.truncate(most);
    let last = entries.last().filter(|_| has_more);
    let older = last.map(|entry| format!("{}-{}", entry.date.timestamp_micros(), entry.id));
    let entries = entries.into_iter().map(Row::new).collect();
    html(&Page { frame: visit.frame("audit"), asked, deeds: Deed::ALL, entries, older })
}
