//! The page of a job.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use crate::db::models::history;
use crate::db::pool::Db;
use crate::domain::ids::{JobId, Seq};
use crate::web::page_error::PageError;
use crate::web::site::Site;
use crate::web::view::{EntryView, Summary};

/// Rows read at once.
const PAGE: i64 = 1_000;

#[derive(Template)]
#[template(path = "job.html", config = ".askama.toml")]
struct JobPage {
    summary: Summary,
    entries: Vec<EntryView>,
    /// Where the rows come from that are not here yet; none of a job that has ended.
    follow: Option<String>,
}

/// `GET /jobs/{id}`
pub(super) async fn job_page(
    site: Data<Site>,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let id = id.parse().map_err(|_no_id| PageError::NotFound)?;
    let page = site.run(read(site.db(), id)).await?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page))
}

async fn read(db: Db, id: JobId) -> Result<String, PageError> {
    // The job first: rows that come after it are shown too, and then followed by none.
    let summary = Summary::read(&db, id).await?;
    let (mut entries, mut last) = (Vec::new(), Seq(0));
    loop {
        let rows = db
            .run(async move |connection| history::after(connection, id, last, PAGE).await)
            .await?;
        let Some(newest) = rows.last() else { break };
        last = newest.seq;
        entries.extend(rows.iter().map(EntryView::new));
    }
    let follow = (!summary.has_ended()).then(|| format!("/jobs/{id}/history?after={last}"));
    Ok(JobPage { summary, entries, follow }.render()?)
}
