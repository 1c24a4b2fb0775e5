//! Follows a job for somebody who reads along.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::db::feed::Feed;
use crate::db::models::job::Job;
use crate::domain::history::{End, EntryKind, Step};
use crate::domain::ids::Seq;
use crate::history::{Follower, follow};
use crate::jobs::{Jobs, Place};
use crate::progress::{Printer, spoken};
use crate::push::Lines;
use crate::tasks::Tasks;

/// How people follow jobs.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Where jobs are.
    pub jobs: Jobs,
    /// The bell of Histories.
    pub feed: Feed,
    /// Stops when the server goes away.
    pub tasks: Tasks,
    /// Silence after which a line says that all is well.
    pub heartbeat: Duration,
    /// How long one reader is kept.
    pub wait_limit: Duration,
    /// Where people reach the pages of jobs; empty for nowhere.
    pub pages: String,
}

/// How following a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// The job has ended.
    Ended(End),
    /// It took too long to wait for; the job goes on.
    WaitLimit,
    /// This server stops; the job goes on.
    Stopping,
    /// Nobody reads any more; the job goes on.
    Gone,
}

/// One reader of one job.
struct Reading<'a> {
    viewer: &'a Viewer,
    job: &'a Job,
    printer: Printer,
    lines: &'a Lines,
    last_line: Instant,
    step_began: Instant,
    place: Option<Place>,
}

impl Viewer {
    /// Prints the History of a job, from the beginning, until it ends or the reader has to go.
    ///
    /// # Errors
    ///
    /// When the database stays away.
    pub async fn watch(
        &self,
        job: &Job,
        printer: Printer,
        lines: &Lines,
        gone: &CancellationToken,
    ) -> diesel::QueryResult<Watched> {
        let now = Instant::now();
        let mut follower = follow(self.jobs.db(), &self.feed, job.id, Seq(0));
        let (last_line, step_began) = (now, now);
        let mut reading =
            Reading { viewer: self, job, printer, lines, last_line, step_began, place: None };
        tokio::select! {
            watched = reading.read(&mut follower) => watched,
            () = self.tasks.stopping() => Ok(Watched::Stopping),
            () = gone.cancelled() => Ok(Watched::Gone),
            () = tokio::time::sleep(self.wait_limit) => Ok(Watched::WaitLimit),
        }
    }
}

impl Reading<'_> {
    async fn read(&mut self, follower: &mut Follower) -> diesel::QueryResult<Watched> {
        loop {
            let silence = self.last_line + self.viewer.heartbeat;
            let entries = tokio::select! {
                entries = follower.next() => entries?,
                () = tokio::time::sleep_until(silence) => {
                    if self.sign_of_life().await?.is_err() {
                        return Ok(Watched::Gone);
                    }
                    continue;
                }
            };
            for entry in entries.into_iter().flatten() {
                if entry.kind != EntryKind::Line {
                    self.step_began = Instant::now();
                }
                for line in self.printer.entry(&entry) {
                    if self.say(line).await.is_err() {
                        return Ok(Watched::Gone);
                    }
                }
                if entry.step == Step::Job && self.say_page().await.is_err() {
                    return Ok(Watched::Gone);
                }
                if let Some(end) = entry.extra.end {
                    return Ok(Watched::Ended(end));
                }
            }
            if self.printer.current() == Step::Job && self.tell_place().await?.is_err() {
                return Ok(Watched::Gone);
            }
        }
    }

    /// Names the page that shows the same.
    async fn say_page(&mut self) -> Result<(), NobodyReads> {
        match self.viewer.pages.trim_end_matches('/') {
            "" => Ok(()),
            pages => self.aside("page", &format!("{pages}/jobs/{}", self.job.id)).await,
        }
    }

    /// Says where a waiting job stands, when that has changed.
    async fn tell_place(&mut self) -> diesel::QueryResult<Result<(), NobodyReads>> {
        let place = self.viewer.jobs.place(self.job.id).await?;
        let ahead = |place: Option<Place>| place.map(|place| place.ahead);
        if ahead(place) == ahead(self.place) {
            return Ok(Ok(()));
        }
        self.place = place;
        Ok(match place {
            Some(place) => self.say_place(place).await,
            None => Ok(()),
        })
    }

    async fn say_place(&mut self, place: Place) -> Result<(), NobodyReads> {
        let jobs = if place.ahead == 1 { "job" } else { "jobs" };
        let about = place.seconds.map(|seconds| format!(", about {}", spoken(seconds)));
        let attach = self.viewer.jobs.command(&format!("attach {}", self.job.number));
        let text = format!(
            "{} {jobs} ahead{}   Ctrl-C is safe: {attach}",
            place.ahead,
            about.unwrap_or_default()
        );
        self.aside(Step::Queue.as_str(), &text).await
    }

    async fn sign_of_life(&mut self) -> diesel::QueryResult<Result<(), NobodyReads>> {
        let current = self.printer.current();
        let step = if current == Step::Job { Step::Queue } else { current };
        if step == Step::Queue {
            self.place = self.viewer.jobs.place(self.job.id).await?;
            if let Some(place) = self.place {
                return Ok(self.say_place(place).await);
            }
        }
        let seconds = self.step_began.elapsed().as_secs();
        let verb = if step == Step::Queue { "waiting for a worker" } else { "still at it" };
        Ok(self.aside(step.as_str(), &format!("{verb}, {}", spoken(seconds))).await)
    }

    async fn aside(&mut self, verb: &str, text: &str) -> Result<(), NobodyReads> {
        self.last_line = Instant::now();
        for line in self.printer.aside(verb, text) {
            self.say(line).await?;
        }
        Ok(())
    }

    async fn say(&mut self, line: String) -> Result<(), NobodyReads> {
        self.last_line = Instant::now();
        self.lines.send(line).await.map_err(|_closed| NobodyReads)
    }
}

/// The reader hung up.
struct NobodyReads;
