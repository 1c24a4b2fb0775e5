//! A job and its History as they are shown.

use askama::Template;
use serde_json::json;

use crate::db::models::job::Job;
use crate::db::models::release::Release;
use crate::db::pool::Db;
use crate::domain::history::{Entry, EntryKind, Step};
use crate::domain::ids::{JobId, ReleaseNumber, Seq};
use crate::domain::job::JobState;
use crate::web::page_error::PageError;
use crate::web::sgr::{self, Links};

/// What there is to say about a job besides its History.
#[derive(Debug, Clone, PartialEq, Template)]
#[template(path = "summary.html", config = ".askama.toml")]
pub(super) struct Summary {
    job: Job,
    release: Option<ReleaseNumber>,
    took: Option<String>,
}

impl Summary {
    /// Reads a job.
    pub(super) async fn read(db: &Db, id: JobId) -> Result<Self, PageError> {
        let rows = db
            .run(async move |connection| {
                let job = Job::find(connection, id).await?;
                Ok::<_, diesel::result::Error>((job, Release::of_job(connection, id).await?))
            })
            .await;
        let (job, release) = match rows {
            Ok(rows) => rows,
            Err(diesel::result::Error::NotFound) => return Err(PageError::NotFound),
            Err(error) => return Err(error.into()),
        };
        let took = job.ended_at.and_then(|ended| (ended - job.created_at).to_std().ok());
        let took = took.and_then(|took| u64::try_from(took.as_millis()).ok()).map(duration);
        Ok(Self { job, release: release.map(|release| release.number), took })
    }

    /// Its markup.
    pub(super) fn html(&self) -> askama::Result<String> {
        self.render()
    }

    /// The words of a browser's tab.
    pub(super) fn title(&self) -> String {
        let Self { job, .. } = self;
        let (project, environment) = (&job.snapshot.project, &job.snapshot.environment);
        format!("{} · {project}/{environment} · job {}", job.state, job.number)
    }

    /// Where the job stands.
    pub(super) const fn state(&self) -> JobState {
        self.job.state
    }

    /// The same as an event of those who follow it.
    pub(super) fn event(&self) -> askama::Result<String> {
        let event = json!({
            "state": self.state().to_string(),
            "ended": self.has_ended(),
            "title": self.title(),
            "html": self.html()?,
        });
        Ok(format!("event: job\ndata: {event}\n\n"))
    }

    /// The newest row of its History.
    pub(super) const fn last_seq(&self) -> Seq {
        self.job.last_seq
    }

    /// Whether there is nothing more to come than this row.
    pub(super) fn is_complete_at(&self, last: Seq) -> bool {
        self.has_ended() && self.job.last_seq <= last
    }

    /// Whether it is over.
    pub(super) const fn has_ended(&self) -> bool {
        self.job.state.outcome().is_some()
    }
}

/// One row of a History.
#[derive(Debug, Template)]
#[template(path = "entry.html", config = ".askama.toml")]
pub(super) struct EntryView {
    seq: Seq,
    pub(super) step: Step,
    kind: EntryKind,
    classes: String,
    /// Markup, everything foreign in it escaped.
    text: String,
    took: Option<String>,
    /// Where it is shown with those around it, if that is elsewhere.
    place: Option<String>,
}

impl EntryView {
    /// A row that was found, and where it stands.
    pub(super) fn found(entry: &Entry, place: String) -> Self {
        Self { place: Some(place), ..Self::new(entry) }
    }

    pub(super) fn new(entry: &Entry) -> Self {
        let links = match entry.kind {
            EntryKind::Line => Links::No,
            EntryKind::Step | EntryKind::Result | EntryKind::End => Links::Yes,
        };
        let mut classes = entry.kind.as_str().to_owned();
        if let Some(end) = &entry.extra.end {
            classes = format!("{classes} {}", end.outcome);
        }
        if entry.kind == EntryKind::Step && entry.text.is_empty() {
            classes.push_str(" silent");
        }
        let text = match entry.text.as_str() {
            "" if entry.kind == EntryKind::Step => "…".to_owned(),
            text => sgr::html(text, links),
        };
        let (seq, step, kind) = (entry.seq, entry.step, entry.kind);
        Self { seq, step, kind, classes, text, took: entry.extra.ms.map(duration), place: None }
    }

    /// Whether it is output of a tool.
    pub(super) fn is_line(&self) -> bool {
        self.kind == EntryKind::Line
    }

    /// Its markup, in one line.
    pub(super) fn html(&self) -> askama::Result<String> {
        self.render()
    }
}

/// A length of time as it stands at the end of a line: `0.3 s`, `1 min 05 s`.
fn duration(ms: u64) -> String {
    // Rounded first, so that 59,960 ms is a minute and not `60.0 s`.
    let tenths = ms.saturating_add(50) / 100;
    match (tenths / 600, tenths / 10 % 60) {
        (0, seconds) => format!("{seconds}.{} s", tenths % 10),
        (minutes, seconds) => format!("{minutes} min {seconds:02} s"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use insta::assert_snapshot;

    use super::*;
    use crate::domain::history::{End, Extra};
    use crate::domain::ids::Attempt;
    use crate::domain::job::Outcome;

    fn row(step: Step, kind: EntryKind, text: &str, extra: Extra) -> String {
        let (seq, attempt) = (Seq(7), Attempt(1));
        let (text, date) = (text.to_owned(), DateTime::UNIX_EPOCH);
        EntryView::new(&Entry { seq, attempt, step, kind, text, date, extra }).html().unwrap()
    }

    #[test]
    fn a_row_has_a_step_a_text_and_a_time() {
        let after = |ms| Extra { ms: Some(ms), end: None };
        let end =
            End { outcome: Outcome::Live, failed_step: None, reason: String::new(), exit_code: 0 };
        let rows = [
            row(Step::Image, EntryKind::Step, "", Extra::default()),
            row(Step::Image, EntryKind::Line, "\u{1b}[31m<b>\u{1b}[0m http://x", Extra::default()),
            row(Step::Image, EntryKind::Result, "shop/web", after(14_049)),
            row(Step::Live, EntryKind::End, "http://x", Extra { ms: None, end: Some(end) }),
        ];
        assert_snapshot!(rows.join("\n"), @r#"
        <li id="e7" class="step silent"><span class="verb">image</span><span class="text">…</span></li>
        <li id="e7" class="line"><span class="verb">image</span><span class="text"><span class="fg1">&lt;b&gt;</span> http://x</span></li>
        <li id="e7" class="result"><span class="verb">image</span><span class="text">shop/web</span><span class="took">14.0 s</span></li>
        <li id="e7" class="end live"><span class="verb">live</span><span class="text"><a rel="noreferrer nofollow" href="http://x">http://x</a></span></li>
        "#);
    }

    #[test]
    fn a_time_is_short_and_never_sixty_seconds() {
        let shown = [0, 49, 50, 999, 59_949, 59_950, 65_000, 3_600_000].map(duration);
        assert_snapshot!(shown.join(", "), @"0.0 s, 0.0 s, 0.1 s, 1.0 s, 59.9 s, 1 min 00 s, 1 min 05 s, 60 min 00 s");
    }
}
