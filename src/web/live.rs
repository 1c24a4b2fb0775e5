//! A job's History as it grows, as Server-Sent Events.
//!
//! Each row is a `message` whose `id` is its number, so a browser that lost its connection goes on
//! where it was. A `job` event comes first and whenever the job itself has changed.

use std::pin::pin;
use std::time::{Duration, Instant};

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tracing::info;

use crate::db::feed::Feed;
use crate::db::pool::Db;
use crate::domain::access::Verb;
use crate::domain::history::Entry;
use crate::domain::ids::{JobId, JobName, Seq};
use crate::history::follow;
use crate::people::{BrowserToken, SignIns};
use crate::projects::find_job;
use crate::tasks::Tasks;
use crate::web::admin::Visit;
use crate::web::page_error::PageError;
use crate::web::site::Site;
use crate::web::view::{EntryView, Summary};

/// Silence after which a comment is sent, so that nobody on the way takes the connection for dead.
const PING: Duration = Duration::from_secs(15);

/// Age after which it is asked again whether a reader may see the job.
const CHECKED_EVERY: Duration = Duration::from_secs(1);

/// Milliseconds after which a browser connects again.
const RETRY: u32 = 1_000;

/// Batches of rows that a slow reader may lag behind. Past it nothing more is read for it; the
/// rows wait in `PostgreSQL`.
const BACKLOG: usize = 4;

/// The header with which a browser says what it has seen.
const LAST_EVENT_ID: &str = "Last-Event-ID";

/// Where a reader begins.
#[derive(Deserialize)]
pub(super) struct Begin {
    after: Option<Seq>,
}

/// A row, and how it is shown.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    html: String,
}

/// `GET /jobs/{id}/history`
pub(super) async fn history(
    site: Data<Site>,
    visit: Visit,
    request: HttpRequest,
    begin: Query<Begin>,
) -> Result<HttpResponse, PageError> {
    let id = visit.job()?.0.id;
    let resumed = request.headers().get(LAST_EVENT_ID);
    let resumed = resumed.and_then(|id| id.to_str().ok()?.parse().ok()).map(Seq);
    let after = resumed.or(begin.after).unwrap_or(Seq(0));

    let db = site.db();
    let summary = site.run(async move { Summary::read(&db, id).await }).await?;
    if resumed.is_some() && summary.is_complete_at(after) {
        // It has seen everything; this is the answer after which a browser stops asking.
        return Ok(HttpResponse::NoContent().finish());
    }
    let (events, stream) = mpsc::channel(BACKLOG);
    let reader = (site.parts().sign_ins.clone(), visit.token().clone());
    let (db, checked) = (site.db(), Instant::now());
    let pump = Pump { db, reader, checked, events, job: id, last: after, shown: None };
    drop(site.start(pump.run(site.feed(), site.tasks())));
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .streaming(ReceiverStream::new(stream).map(Ok::<_, PageError>)))
}

/// Brings rows to one reader.
struct Pump {
    db: Db,
    /// Where they have signed in, and by what they are known.
    reader: (SignIns, BrowserToken),
    /// When it was known last that they may see the job.
    checked: Instant,
    events: mpsc::Sender<Bytes>,
    job: JobId,
    last: Seq,
    shown: Option<Summary>,
}

impl Pump {
    async fn run(mut self, feed: Feed, tasks: Tasks) {
        let reader = self.events.clone();
        let ended = tokio::select! {
            () = tasks.stopping() => return,
            () = reader.closed() => return,
            ended = self.pump(&feed) => ended,
        };
        if let Err(error) = ended {
            // The reader connects again and goes on where it was.
            info!("Stopped showing job {}: {error}", self.job);
        }
    }

    async fn pump(&mut self, feed: &Feed) -> Result<(), PageError> {
        let mut follower = follow(&self.db, feed, self.job, self.last);
        self.send(format!("retry: {RETRY}\n\n")).await;
        loop {
            let summary = self.send_summary().await?;
            if summary.is_complete_at(self.last) {
                return Ok(());
            }
            match with_pings(&self.events, follower.next()).await? {
                Some(entries) => {
                    self.check().await?;
                    self.send_entries(&entries).await?;
                }
                None => return Ok(()),
            }
        }
    }

    /// Goes on while the reader is signed in and may see the job: either may end meanwhile.
    async fn check(&mut self) -> Result<(), PageError> {
        if self.checked.elapsed() < CHECKED_EVERY {
            return Ok(());
        }
        let (sign_ins, token) = &self.reader;
        let session = sign_ins.session(token).await?.ok_or(PageError::NotFound)?;
        find_job(&self.db, &session.who(), JobName::Id(self.job), Verb::Look).await?;
        self.checked = Instant::now();
        Ok(())
    }

    /// Sends what is new about the job itself, if anything is.
    async fn send_summary(&mut self) -> Result<Summary, PageError> {
        let summary = Summary::read(&self.db, self.job).await?;
        let event = json!({
            "state": summary.state().to_string(),
            "ended": summary.has_ended(),
            "title": summary.title(),
            "html": summary.html()?,
        });
        if self.shown.as_ref() != Some(&summary) {
            self.send(format!("event: job\ndata: {event}\n\n")).await;
            self.shown = Some(summary.clone());
        }
        Ok(summary)
    }

    async fn send_entries(&mut self, entries: &[Entry]) -> Result<(), PageError> {
        let mut events = String::new();
        for entry in entries {
            let html = EntryView::new(entry).html()?;
            // JSON has no line breaks, which would end the event.
            let message = json!(Message { entry, html });
            events.push_str(&format!("id: {}\ndata: {message}\n\n", entry.seq));
            self.last = entry.seq;
        }
        self.send(events).await;
        Ok(())
    }

    async fn send(&self, events: String) {
        send(&self.events, events).await;
    }
}

async fn send(events: &mpsc::Sender<Bytes>, text: String) {
    // A reader that is gone ends the pump; see `Pump::run`.
    drop(events.send(Bytes::from(text)).await);
}

/// Waits for something, and sends a comment whenever that takes long.
async fn with_pings<T>(events: &mpsc::Sender<Bytes>, coming: impl Future<Output = T>) -> T {
    let mut coming = pin!(coming);
    loop {
        match tokio::time::timeout(PING, coming.as_mut()).await {
            Ok(come) => return come,
            Err(_silence) => send(events, ": ping\n\n".to_owned()).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_job_gives_a_sign_of_life_every_fifteen_seconds() {
        let (events, mut reader) = mpsc::channel(BACKLOG);
        let coming = tokio::time::sleep(Duration::from_secs(40));
        with_pings(&events, coming).await;
        drop(events);
        assert_eq!(reader.recv().await.unwrap(), ": ping\n\n");
        assert_eq!(reader.recv().await.unwrap(), ": ping\n\n");
        assert_eq!(reader.recv().await, None);
    }
}
