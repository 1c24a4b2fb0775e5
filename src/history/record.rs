//! Writes the History of a run: a few lines at a time, in order, only while the run is current.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tracing::warn;
use uuid::Uuid;

use crate::db::models::history;
use crate::db::models::job::Job;
use crate::db::pool::Db;
use crate::domain::history::{EntryKind, NewEntry, Step};
use crate::domain::ids::{BatchId, JobId};
use crate::domain::output::{Excerpt, clean};
use crate::domain::redact::Redactor;
use crate::history::{Appended, Writer, append_batch};
use crate::tasks::Tasks;

/// Longest time a line waits for others to be written with it.
const PATIENCE: Duration = Duration::from_millis(50);

/// Most lines written at once.
const MOST_LINES: usize = 100;

/// Lines that may wait to be written. When the database falls that far behind, the tool that
/// writes them is slowed down.
const BACKLOG: usize = 1_024;

enum Message {
    Entry(NewEntry),
    Flush(oneshot::Sender<()>),
}

/// Takes what a run has to say, and writes it without the secrets that it was told of.
///
/// Dropped, it still writes what it was given.
#[derive(Debug)]
pub struct Recorder {
    redactor: Redactor,
    messages: mpsc::Sender<Message>,
    refused: watch::Receiver<bool>,
    excerpt: Option<(Step, Excerpt)>,
}

/// Measures a step.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since it began.
    pub fn ms(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Recorder {
    /// Starts writing for a run.
    pub fn start(db: &Db, job: JobId, writer: Writer, tasks: &Tasks) -> Self {
        let (messages, inbox) = mpsc::channel(BACKLOG);
        let (refusal, refused) = watch::channel(false);
        let scribe = Scribe { db: db.clone(), job, writer, refusal };
        drop(tasks.start(scribe.write_all(inbox)));
        Self { redactor: Redactor::default(), messages, refused, excerpt: None }
    }

    /// Hides secrets in whatever is said from now on.
    pub fn hide(&mut self, redactor: Redactor) {
        self.redactor = redactor;
    }

    /// Says that a step begins.
    pub async fn step(&mut self, step: Step, text: impl Into<String>) {
        // Before the text is cut, and so a secret in it.
        let text = self.redactor.text(&text.into());
        self.say(NewEntry::new(step, EntryKind::Step, text)).await;
    }

    /// Says what a step came to.
    pub async fn result(&mut self, step: Step, text: impl Into<String>, watch: Stopwatch) {
        let text = self.redactor.text(&text.into());
        self.say(NewEntry::result(step, text, watch.ms())).await;
    }

    /// Passes on a line of a tool, already cleaned.
    ///
    /// Of a step's output the first and the last 128 KiB are kept.
    pub async fn line(&mut self, step: Step, text: String) {
        if self.excerpt.as_ref().is_none_or(|(of, _)| *of != step) {
            self.finish_excerpt().await;
            self.excerpt = Some((step, Excerpt::default()));
        }
        let Some((_, excerpt)) = &mut self.excerpt else { return };
        if let Some(line) = excerpt.push(text) {
            self.send(NewEntry::new(step, EntryKind::Line, line)).await;
        }
    }

    /// Passes on a line that is kept whatever else the step puts out: whoever tells it sees to it that
    /// there are not too many.
    pub async fn kept_line(&mut self, step: Step, text: String) {
        self.finish_excerpt().await;
        self.send(NewEntry::new(step, EntryKind::Line, text)).await;
    }

    /// Waits until everything said so far is written.
    pub async fn flush(&mut self) {
        self.finish_excerpt().await;
        let (told, written) = oneshot::channel();
        // A scribe that is gone has nothing left to write.
        if self.messages.send(Message::Flush(told)).await.is_ok() {
            drop(written.await);
        }
    }

    /// Waits until a row was refused, which means that the run is lost.
    pub fn refused(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut refused = self.refused.clone();
        async move {
            if refused.wait_for(|refused| *refused).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn say(&mut self, entry: NewEntry) {
        self.finish_excerpt().await;
        self.send(entry).await;
    }

    async fn finish_excerpt(&mut self) {
        if let Some((step, excerpt)) = self.excerpt.take() {
            for line in excerpt.finish() {
                self.send(NewEntry::new(step, EntryKind::Line, line)).await;
            }
        }
    }

    async fn send(&self, mut entry: NewEntry) {
        // Also behind filters: what was cleaned away may have stood within a secret.
        let hidden = self.redactor.text(&entry.text);
        if hidden != entry.text {
            // A name may be longer than what it stands for, and a row is not.
            entry.text = clean(hidden.as_bytes());
        }
        // Refused only when the scribe ended, which it does when the run is lost.
        drop(self.messages.send(Message::Entry(entry)).await);
    }
}

struct Scribe {
    db: Db,
    job: JobId,
    writer: Writer,
    refusal: watch::Sender<bool>,
}

impl Scribe {
    async fn write_all(self, mut inbox: mpsc::Receiver<Message>) {
        while let Some(first) = inbox.recv().await {
            let mut entries = Vec::new();
            let mut waiting = None;
            let deadline = tokio::time::Instant::now() + PATIENCE;
            let mut next = Some(first);
            while let Some(message) = next.take() {
                match message {
                    Message::Entry(entry) => entries.push(entry),
                    Message::Flush(told) => {
                        waiting = Some(told);
                        break;
                    }
                }
                if entries.len() < MOST_LINES {
                    let more = tokio::time::timeout_at(deadline, inbox.recv());
                    next = more.await.unwrap_or_default();
                }
            }
            if !entries.is_empty() && !self.write(entries).await {
                self.refusal.send_replace(true);
                return;
            }
            if let Some(told) = waiting {
                // Whoever asked may have gone meanwhile.
                told.send(()).unwrap_or_default();
            }
        }
    }

    /// Writes one batch, and says whether the run may go on.
    async fn write(&self, entries: Vec<NewEntry>) -> bool {
        let (job, writer) = (self.job, self.writer);
        let batch = BatchId::from(Uuid::now_v7());
        let written = self
            .db
            .transaction(async move |connection| {
                // The answer to a COMMIT may have been lost: under the row's lock it is certain
                // whether this batch is there.
                Job::lock(connection, job).await?;
                if history::has_batch(connection, job, batch).await? {
                    return Ok(Appended::Written);
                }
                append_batch(connection, job, writer, batch, &entries).await
            })
            .await;
        match written {
            Ok(Appended::Written) => true,
            Ok(Appended::Refused) => false,
            Err(error) => {
                let error: diesel::result::Error = error;
                warn!(job.id = %job, "Could not write to the History of job {job}: {error}");
                false
            }
        }
    }
}
