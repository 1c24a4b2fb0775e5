//! Whether deployments get on, for administrators.

use actix_web::HttpResponse;
use askama::Template;
use chrono::Utc;

use crate::db::models::health::{Alive, Health, Running, look};
use crate::web::admin::visit::{Frame, Visit, html};
use crate::web::admin::words::Moment;
use crate::web::page_error::PageError;

/// Seconds of silence after which a router is taken for gone.
const SILENT: i64 = 30;

struct RunRow {
    job: String,
    number: i64,
    environment: String,
    worker: String,
    since: Moment,
    /// Whether its worker was not heard of for too long.
    is_lost: bool,
}

struct RouterRow {
    id: String,
    version: i64,
    seen: Moment,
    is_silent: bool,
}

#[derive(Template)]
#[template(path = "admin/health.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    queued: i64,
    oldest: Option<Moment>,
    unrung: i64,
    running: Vec<RunRow>,
    routers: Vec<RouterRow>,
}

/// `GET /admin/health`
pub(super) async fn page(visit: Visit) -> Result<HttpResponse, PageError> {
    let db = visit.db();
    let health: Health = visit.run(async move { db.run(look).await }).await?;
    let now = Utc::now();
    let run = |run: Running| RunRow {
        job: run.job.to_string(),
        number: run.number.0,
        environment: run.environment.to_string(),
        worker: run.worker,
        since: Moment(run.started_at),
        is_lost: run.lease_until < now,
    };
    let router = |alive: Alive| RouterRow {
        id: alive.id,
        version: alive.version.0,
        seen: Moment(alive.seen_at),
        is_silent: (now - alive.seen_at).num_seconds() > SILENT,
    };
    html(&Page {
        frame: visit.frame("health"),
        queued: health.queued,
        oldest: health.oldest.map(Moment),
        unrung: health.unrung,
        running: health.running.into_iter().map(run).collect(),
        routers: health.routers.into_iter().map(router).collect(),
    })
}
