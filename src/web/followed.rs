//! Jobs that somebody follows: what comes of each is read, and made into events, once for all of them.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web::Bytes;
use serde::Serialize;
use serde_json::json;
use tokio::sync::broadcast;
use tracing::info;

use crate::db::feed::{Bell, Feed, Listener};
use crate::db::models::history;
use crate::db::pool::Db;
use crate::domain::history::Entry;
use crate::domain::ids::{JobId, Seq};
use crate::tasks::Tasks;
use crate::web::page_error::PageError;
use crate::web::view::{EntryView, Summary};

/// Parcels that a follower may lag behind; past it the follower reads rows of its own.
const BACKLOG: usize = 64;

/// Rows of one parcel.
const PAGE: i64 = 500;

/// Time after which rows are read again without a bell.
const WITHOUT_BELL: Duration = Duration::from_secs(5);

/// What came of a job at once.
#[derive(Debug)]
pub(super) struct Parcel {
    /// Each row as an event, in order.
    rows: Vec<(Seq, String)>,
    /// All of them.
    events: Bytes,
    /// The newest row that was read, now or before.
    pub(super) last: Seq,
    /// What there is to say about the job itself.
    pub(super) summary: Summary,
    /// The same as an event.
    pub(super) about_job: String,
}

impl Parcel {
    /// Whether rows are missing between what somebody has seen and these.
    pub(super) fn begins_after(&self, seen: Seq) -> bool {
        let before_first = self.rows.first().map_or(self.last.0, |(first, _)| first.0 - 1);
        before_first > seen.0
    }

    /// The events of rows that somebody has not seen, if there are any.
    pub(super) fn after(&self, seen: Seq) -> Option<Bytes> {
        let new = self.rows.iter().position(|(seq, _)| *seq > seen)?;
        if new == 0 {
            return Some(self.events.clone());
        }
        let new = self.rows.iter().skip(new).map(|(_, event)| event.as_str());
        Some(new.collect::<String>().into())
    }
}

/// A row, and how it is shown.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    html: String,
}

/// Rows as events.
pub(super) fn events_of(rows: &[Entry]) -> Result<Vec<(Seq, String)>, PageError> {
    rows.iter()
        .map(|entry| {
            let html = EntryView::new(entry).html()?;
            // JSON has no line breaks, which would end the event.
            let message = json!(Message { entry, html });
            Ok((entry.seq, format!("id: {}\ndata: {message}\n\n", entry.seq)))
        })
        .collect()
}

type Senders = HashMap<JobId, broadcast::Sender<Arc<Parcel>>>;

/// Every job that somebody follows.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    db: Db,
    feed: Feed,
    tasks: Tasks,
    jobs: Arc<Mutex<Senders>>,
}

impl Followed {
    /// Nobody follows anything.
    pub(super) fn new(db: Db, feed: Feed, tasks: Tasks) -> Self {
        Self { db, feed, tasks, jobs: Arc::default() }
    }

    /// What comes of a job from now on. Whoever is the first has the reading of it started.
    pub(super) fn subscribe(
        &self,
        job: JobId,
        start: impl FnOnce(Pin<Box<dyn Future<Output = ()> + Send>>),
    ) -> broadcast::Receiver<Arc<Parcel>> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = jobs.get(&job) {
            return sender.subscribe();
        }
        let (sender, receiver) = broadcast::channel(BACKLOG);
        jobs.insert(job, sender.clone());
        let reading = Reading { followed: self.clone(), bells: self.feed.subscribe(), job, sender };
        start(Box::pin(reading.run()));
        receiver
    }
}

/// Reads one job for all who follow it.
struct Reading {
    followed: Followed,
    bells: Listener,
    job: JobId,
    sender: broadcast::Sender<Arc<Parcel>>,
}

impl Reading {
    async fn run(mut self) {
        let tasks = self.followed.tasks.clone();
        let read = tokio::select! {
            () = tasks.stopping() => Ok(()),
            read = self.read() => read,
        };
        if let Err(error) = read {
            // Whoever follows connects again.
            info!("Stopped reading job {}: {error}", self.job);
        }
        self.jobs().remove(&self.job);
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, Senders> {
        self.followed.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody follows it any more; then nobody finds it either.
    fn is_left(&self) -> bool {
        let mut jobs = self.jobs();
        let is_left = self.sender.receiver_count() == 0;
        if is_left {
            jobs.remove(&self.job);
        }
        is_left
    }

    async fn read(&mut self) -> Result<(), PageError> {
        let (db, job) = (self.followed.db.clone(), self.job);
        let mut told = Summary::read(&db, job).await?;
        // What is there already, followers read themselves: this says up to where.
        let mut last = told.last_seq();
        self.send(Vec::new(), last, told.clone())?;
        while !told.is_complete_at(last) && !self.is_left() {
            let rows =
                db.run(async move |connection| history::after(connection, job, last, PAGE).await);
            let rows = rows.await.map_err(|error: diesel::result::Error| PageError::from(error))?;
            // After the rows: the job has ended with the last of them, or later.
            let now = Summary::read(&db, job).await?;
            if rows.is_empty() && now == told {
                self.bells.heard_any(&[Bell::History(job)], WITHOUT_BELL).await;
                continue;
            }
            last = rows.last().map_or(last, |newest| newest.seq);
            self.send(events_of(&rows)?, last, now.clone())?;
            told = now;
        }
        Ok(())
    }

    fn send(&self, rows: Vec<(Seq, String)>, last: Seq, summary: Summary) -> Result<(), PageError> {
        let events: String = rows.iter().map(|(_, event)| event.as_str()).collect();
        let about_job = summary.event()?;
        let parcel = Parcel { rows, events: events.into(), last, summary, about_job };
        // Whoever followed it may have gone.
        drop(self.sender.send(Arc::new(parcel)));
        Ok(())
    }
}
