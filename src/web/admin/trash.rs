//! What was deleted, for administrators: brought back, or removed for good.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use crate::domain::deleted::DeletedKind;
use crate::projects::deleted;
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::visit::{Frame, Visit, see, shown};
use crate::web::admin::words::{Done, Moment};
use crate::web::page_error::PageError;
use crate::web::trash::Gone;

/// Most rows of a kind.
const MOST: i64 = 500;

struct Row {
    kind: DeletedKind,
    name: String,
    at: Moment,
}

#[derive(Template)]
#[template(path = "admin/trash.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    done: Option<&'static str>,
    rows: Vec<Row>,
    refusal: Option<String>,
}

async fn show(
    visit: &Visit,
    done: Option<&'static str>,
    refusal: Option<String>,
) -> Result<HttpResponse, PageError> {
    let db = visit.db();
    let all = visit.run(async move { deleted(&db, MOST).await }).await?;
    let row = |row| {
        let crate::db::models::deleted::Deleted { kind, name, at } = row;
        Row { kind, name, at: Moment(at) }
    };
    let rows = all.into_iter().map(row).collect();
    let page = Page { frame: visit.frame("users"), done, rows, refusal };
    shown(&page, page.refusal.as_ref())
}

/// `GET /admin/deleted`
pub(super) async fn page(visit: Visit, done: Query<Done>) -> Result<HttpResponse, PageError> {
    show(&visit, done.words(), None).await
}

fn gone(form: &Form) -> Result<Gone, PageError> {
    Ok(Gone::read(form.read("kind")?, form.trimmed("name"))?)
}

/// `POST /admin/deleted/restore`
pub(super) async fn restore(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (by, gone) = (visit.acting(), gone(&form)?);
    match visit.run(async move { gone.restore(&by).await }).await {
        Ok(None) => Ok(see("/admin/deleted?done=back")),
        Ok(Some(_lost)) => Ok(see("/admin/deleted?done=back-without")),
        Err(error) => show(&visit, None, Some(PageError::from(error).told()?)).await,
    }
}

/// `POST /admin/deleted/purge`
pub(super) async fn purge(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (by, gone) = (visit.acting(), gone(&form)?);
    match visit.run(async move { gone.purge(&by).await }).await {
        Ok(()) => Ok(see("/admin/deleted?done=purged")),
        Err(error) => show(&visit, None, Some(PageError::from(error).told()?)).await,
    }
}
