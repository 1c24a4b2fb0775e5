//! The page of a job.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use crate::db::models::history;
use crate::db::pool::Db;
use crate::domain::access::Verb;
use crate::domain::history::Entry;
use crate::domain::ids::{JobId, Seq};
use crate::projects::may;
use crate::web::admin::{Frame, Visit, html};
use crate::web::blocks::{Block, Lines, blocks as parts};
use crate::web::page_error::PageError;
use crate::web::view::{EntryView, Summary};

/// Rows on one page. The rest of a History is on others.
const ROWS: i64 = 1_000;

/// Rows that are shown behind one that was found.
const BEHIND: i64 = 100;

/// Which part of a History is asked for; what is empty does not matter.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// What its rows say.
    #[serde(default)]
    q: String,
    /// The number of the row that comes after it.
    #[serde(default)]
    before: String,
    /// The number of the row before what was found.
    #[serde(default)]
    after: String,
}

/// A part of a History.
struct Part {
    rows: Vec<Entry>,
    /// Whether there are rows before it.
    has_earlier: bool,
    /// Whether there are rows after it.
    has_later: bool,
}

#[derive(Template)]
#[template(path = "job.html", config = ".askama.toml")]
struct JobPage {
    frame: Frame,
    id: JobId,
    /// Whether it can be ended, and by whoever looks.
    may_cancel: bool,
    summary: Summary,
    /// What was searched for.
    q: String,
    /// The parts of what is shown; of a search, none.
    blocks: Vec<Block>,
    /// What was found.
    found: Vec<EntryView>,
    /// The row before which more can be seen.
    earlier: Option<Seq>,
    /// The row behind the next part.
    later: Option<Seq>,
    /// The row after which more was found.
    more: Option<Seq>,
    /// Where the rows come from that are not here yet; none of a job that has ended.
    follow: Option<String>,
}

impl JobPage {
    /// What lines that come are put into.
    fn empty() -> askama::Result<String> {
        Lines::EMPTY.render()
    }
}

/// `GET /jobs/{job}`
pub(super) async fn job_page(visit: Visit, asked: Query<Asked>) -> Result<HttpResponse, PageError> {
    let (job, project) = visit.job()?.clone();
    let (db, who, id) = (visit.db(), visit.who(), job.id);
    let asked = asked.into_inner();
    let q: String = asked.q.trim().chars().filter(|c| !c.is_control()).collect();
    let wanted = q.clone();
    let read = async move {
        let may_cancel = may(&db, &who, &project, Verb::Cancel).await?;
        // The job first: rows that come after it are shown too, and then followed by none.
        let summary = Summary::read(&db, id).await?;
        let part = if wanted.is_empty() {
            shown(&db, id, number(&asked.before)).await?
        } else {
            found(&db, id, number(&asked.after).unwrap_or(Seq(0)), wanted).await?
        };
        Ok::<_, PageError>((may_cancel, summary, part))
    };
    let (may_cancel, summary, part) = visit.run(read).await?;
    let last = part.rows.last().map_or(Seq(0), |row| row.seq);
    let earlier = part.rows.first().map(|row| row.seq).filter(|_| part.has_earlier);
    let next = Some(last).filter(|_| part.has_later);
    let is_followed = !summary.has_ended() && next.is_none() && q.is_empty();
    let (mut blocks, mut found) = (Vec::new(), Vec::new());
    if q.is_empty() {
        let rows = part.rows.iter().map(EntryView::new).collect();
        blocks = parts(summary.state(), rows);
    } else {
        let place = |row: &Entry| {
            let behind = row.seq.0.saturating_add(BEHIND);
            format!("/jobs/{id}?before={behind}#e{}", row.seq)
        };
        found = part.rows.iter().map(|row| EntryView::found(row, place(row))).collect();
    }
    html(&JobPage {
        frame: visit.frame("job"),
        id,
        may_cancel: may_cancel && !summary.has_ended(),
        summary,
        q,
        blocks,
        found,
        earlier,
        later: next.map(|last| Seq(last.0.saturating_add(ROWS + 1))),
        more: next,
        follow: is_followed.then(|| format!("/jobs/{id}/history?after={last}")),
    })
}

/// A row's number; whatever else somebody wrote is none.
fn number(text: &str) -> Option<Seq> {
    text.parse().ok().map(Seq)
}

/// The newest rows, or those before one.
async fn shown(db: &Db, id: JobId, before: Option<Seq>) -> Result<Part, PageError> {
    let read = async move |connection: &mut _| {
        let limit = before.unwrap_or(Seq(i64::MAX));
        let rows = history::before(connection, id, limit, ROWS).await?;
        let last = rows.last().map_or(Seq(0), |row| row.seq);
        let later = match before {
            Some(_) => history::after(connection, id, last, 1).await?,
            None => Vec::new(),
        };
        Ok::<_, diesel::result::Error>((rows, !later.is_empty()))
    };
    let (rows, has_later) = db.run(read).await?;
    // They are numbered from 1 without a gap.
    let has_earlier = rows.first().is_some_and(|row| row.seq > Seq(1));
    Ok(Part { rows, has_earlier, has_later })
}

/// Rows after one that say something.
async fn found(db: &Db, id: JobId, after: Seq, q: String) -> Result<Part, PageError> {
    let read = async move |connection: &mut _| {
        history::saying(connection, id, (after, &q), ROWS + 1).await
    };
    let mut rows = db.run(read).await?;
    let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let has_later = rows.len() > most;
    rows.truncate(most);
    Ok(Part { rows, has_earlier: false, has_later })
}
