//! A job's History as a text file.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use futures::stream;

use crate::db::models::history;
use crate::db::pool::Db;
use crate::domain::history::{Entry, EntryKind};
use crate::domain::ids::{JobId, Seq};
use crate::web::admin::Visit;
use crate::web::page_error::PageError;
use crate::web::sgr;
use crate::web::site::Site;

/// Rows that are read and sent at once.
const ROWS: i64 = 1_000;

/// `GET /jobs/{job}/log`
///
/// All rows that there are by now, a line each: when, in which step, and what. Without colours.
pub(super) async fn log(site: Data<Site>, visit: Visit) -> Result<HttpResponse, PageError> {
    let job = &visit.job()?.0;
    let name = format!("attachment; filename=\"job-{}.log\"", job.number);
    let (db, id) = (visit.db(), job.id);
    // The first rows before the answer begins: a database that is away is said with a status.
    let first = page(visit.db(), id, Seq(0));
    let first = visit.run(first).await?;
    let rest = stream::try_unfold(Some(first), move |now| {
        let db = db.clone();
        let site = site.clone();
        async move {
            let Some(rows) = now else { return Ok::<_, PageError>(None) };
            let Some(last) = rows.last().map(|row| row.seq) else { return Ok(None) };
            let text: String = rows.iter().map(line).collect();
            let next = site.run(page(db, id, last)).await?;
            Ok(Some((Bytes::from(text), Some(next))))
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, name))
        .streaming(Box::pin(rest)))
}

async fn page(db: Db, id: JobId, after: Seq) -> Result<Vec<Entry>, PageError> {
    let rows = db.run(async move |connection| history::after(connection, id, after, ROWS).await);
    Ok(rows.await?)
}

/// A row as a line; nothing of a step that has only begun.
fn line(entry: &Entry) -> String {
    if entry.kind == EntryKind::Step && entry.text.is_empty() {
        return String::new();
    }
    let (date, step) = (entry.date.format("%Y-%m-%dT%H:%M:%S%.3fZ"), entry.step);
    format!("{date} {step:<9} {}\n", sgr::plain(&entry.text))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::history::{Extra, Step};
    use crate::domain::ids::Attempt;

    #[test]
    fn a_row_is_a_line_with_a_date_and_a_step() {
        let row = |kind, text: &str| Entry {
            seq: Seq(1),
            attempt: Attempt(1),
            step: Step::Image,
            kind,
            text: text.to_owned(),
            date: DateTime::UNIX_EPOCH,
            extra: Extra::default(),
        };
        assert_eq!(line(&row(EntryKind::Step, "")), "");
        assert_eq!(
            line(&row(EntryKind::Line, "\u{1b}[1;31mno\u{1b}[0m <b>")),
            "1970-01-01T00:00:00.000Z image     no <b>\n"
        );
    }
}
