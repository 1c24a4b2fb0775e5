//! Whether deployments get on, for administrators.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::models::health::{self, Alive, Running, look};
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::{JobNumber, RouteVersion};
use crate::web::api::answer::{Answered, ok};
use crate::web::api::call::Call;

/// How deployments get on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// How many jobs wait.
    queued: i64,
    /// Since when the oldest of them waits.
    oldest: Option<DateTime<Utc>>,
    /// How many bells were not rung in Redis yet.
    unrung: i64,
    /// Jobs that run.
    running: Vec<Run>,
    /// Routers that were heard of within a day.
    routers: Vec<Router>,
}

/// A job that runs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Run {
    job: JobNumber,
    environment: EnvironmentName,
    /// Who runs it.
    worker: String,
    started_at: DateTime<Utc>,
    /// When its worker is taken for dead, unless it is heard of before.
    lease_until: DateTime<Utc>,
}

/// What sends people to applications.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Router {
    id: String,
    /// The version of the routes that it serves.
    version: RouteVersion,
    seen_at: DateTime<Utc>,
}

impl Run {
    fn new(run: Running) -> Self {
        let Running { number: job, environment, worker, started_at, lease_until, .. } = run;
        Self { job, environment, worker, started_at, lease_until }
    }
}

impl Router {
    fn new(router: Alive) -> Self {
        let Alive { id, version, seen_at } = router;
        Self { id, version, seen_at }
    }
}

/// Say how deployments get on.
#[utoipa::path(
    get, path = "/health", tag = "installation", operation_id = "show_health",
    responses((status = 200, body = Health)),
)]
pub(super) async fn show(call: Call) -> Answered {
    let db = call.db();
    let found: health::Health = call.run(async move { db.run(look).await }).await?;
    Ok(ok(&Health {
        queued: found.queued,
        oldest: found.oldest,
        unrung: found.unrung,
        running: found.running.into_iter().map(Run::new).collect(),
        routers: found.routers.into_iter().map(Router::new).collect(),
    }))
}
