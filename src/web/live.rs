//! A job's History as it grows, as Server-Sent Events.
//!
//! Each row is a `message` whose `id` is its number, so a browser that lost its connection goes on
//! where it was. A `job` event comes first and whenever the job itself has changed.
//!
//! A reader is brought up to what is there by rows of its own; what comes then is read once for all
//! who follow the job.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use futures::StreamExt as _;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tracing::info;

use crate::db::models::history;
use crate::db::pool::Db;
use crate::domain::access::Verb;
use crate::domain::ids::{JobId, JobName, Seq};
use crate::people::{BrowserToken, SignIns};
use crate::projects::find_job;
use crate::tasks::Tasks;
use crate::web::admin::Visit;
use crate::web::followed::{Parcel, events_of};
use crate::web::page_error::PageError;
use crate::web::site::Site;
use crate::web::view::Summary;

/// Silence after which a comment is sent, so that nobody on the way takes the connection for dead.
const PING: Duration = Duration::from_secs(15);

/// Time between two looks whether a reader may see the job.
const CHECKED_EVERY: Duration = Duration::from_secs(1);

/// Milliseconds after which a browser connects again.
const RETRY: u32 = 1_000;

/// Parcels that a slow reader may lag behind. Past it nothing more is read for it; the rows wait in
/// `PostgreSQL`.
const BACKLOG: usize = 4;

/// Rows read at once for a reader that lags.
const PAGE: i64 = 500;

/// The header with which a browser says what it has seen.
const LAST_EVENT_ID: &str = "Last-Event-ID";

/// Where a reader begins.
#[derive(Deserialize)]
pub(super) struct Begin {
    after: Option<Seq>,
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
    let (followed, starts) = (site.followed(), site.clone());
    let pump = Pump { db: site.db(), reader, events, job: id, last: after, shown: String::new() };
    // Followed before anything is read: a row written in between is either read or brought.
    let parcels = followed.subscribe(id, |work| drop(starts.start(work)));
    drop(site.start(pump.run(parcels, site.tasks())));
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .streaming(ReceiverStream::new(stream).map(Ok::<_, PageError>)))
}

/// Brings rows to one reader.
struct Pump {
    db: Db,
    /// Where they have signed in, and by what they are known.
    reader: (SignIns, BrowserToken),
    events: mpsc::Sender<Bytes>,
    job: JobId,
    last: Seq,
    /// What they were told last of the job itself.
    shown: String,
}

impl Pump {
    async fn run(mut self, parcels: broadcast::Receiver<Arc<Parcel>>, tasks: Tasks) {
        let gone = self.events.clone();
        let (db, reader, job) = (self.db.clone(), self.reader.clone(), self.job);
        let ended = tokio::select! {
            () = tasks.stopping() => return,
            () = gone.closed() => return,
            ended = may_read(&db, &reader, job) => ended,
            ended = self.pump(parcels) => ended,
        };
        if let Err(error) = ended {
            // The reader connects again and goes on where it was.
            info!("Stopped showing job {job}: {error}");
        }
    }

    async fn pump(
        &mut self,
        mut parcels: broadcast::Receiver<Arc<Parcel>>,
    ) -> Result<(), PageError> {
        self.send(format!("retry: {RETRY}\n\n")).await;
        let mut is_complete = self.catch_up().await?;
        while !is_complete {
            let come = with_pings(&self.events, parcels.recv()).await;
            is_complete = match come {
                Ok(parcel) if parcel.begins_after(self.last) => self.catch_up().await?,
                Ok(parcel) => self.bring(&parcel).await,
                Err(RecvError::Lagged(_)) => self.catch_up().await?,
                // Whoever reads for all has failed, or all of it was brought.
                Err(RecvError::Closed) => {
                    self.catch_up().await?;
                    return Ok(());
                }
            };
        }
        Ok(())
    }

    /// Sends what is there, and says whether that is all there will be.
    async fn catch_up(&mut self) -> Result<bool, PageError> {
        let db = self.db.clone();
        loop {
            let summary = Summary::read(&db, self.job).await?;
            self.show(&summary.event()?).await;
            if summary.is_complete_at(self.last) {
                return Ok(true);
            }
            let (job, last) = (self.job, self.last);
            let rows =
                db.run(async move |connection| history::after(connection, job, last, PAGE).await);
            let rows = rows.await.map_err(|error: diesel::result::Error| PageError::from(error))?;
            let Some(newest) = rows.last() else { return Ok(false) };
            self.last = newest.seq;
            let events: Vec<_> = events_of(&rows)?.into_iter().map(|(_, event)| event).collect();
            self.send(events.concat()).await;
        }
    }

    /// Sends what came, and says whether that was all there will be.
    async fn bring(&mut self, parcel: &Parcel) -> bool {
        if let Some(events) = parcel.after(self.last) {
            self.last = parcel.last;
            drop(self.events.send(events).await);
        }
        self.show(&parcel.about_job).await;
        parcel.summary.is_complete_at(self.last)
    }

    /// Sends what is new about the job itself, if anything is.
    async fn show(&mut self, event: &str) {
        if self.shown != event {
            self.send(event.to_owned()).await;
            event.clone_into(&mut self.shown);
        }
    }

    async fn send(&self, events: String) {
        send(&self.events, events).await;
    }
}

/// Goes on while a reader is signed in and may see the job: either may end meanwhile.
async fn may_read(
    db: &Db,
    (sign_ins, token): &(SignIns, BrowserToken),
    job: JobId,
) -> Result<(), PageError> {
    loop {
        tokio::time::sleep(CHECKED_EVERY).await;
        let session = sign_ins.session(token).await?.ok_or(PageError::NotFound)?;
        find_job(db, &session.who(), JobName::Id(job), Verb::Look).await?;
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
