//! Environments of a project, and what was put live there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::models::release_list::Listed;
use crate::domain::audit::Deed;
use crate::domain::cache::Cache;
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::{JobNumber, ReleaseNumber};
use crate::domain::oid::Oid;
use crate::domain::release::ReleaseState;
use crate::projects::{self, serving};
use crate::web::api::answer::{Answered, List, Rows, cursor, most, part, whole};
use crate::web::api::call::Call;
use crate::web::api::jobs::{Job, accepted};

/// One place a project is deployed to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Environment {
    name: EnvironmentName,
    /// What serves there.
    live: Option<LiveRelease>,
}

/// What serves.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveRelease {
    /// Its number, which people write as `v18`.
    number: i32,
    commit: Oid,
}

/// What was put live, or was to be.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Release {
    /// Its number, which people write as `v18`.
    number: i32,
    state: ReleaseState,
    commit: Oid,
    /// First line of the commit's message.
    subject: String,
    /// The job that made it.
    job: JobNumber,
    /// Who deployed it.
    pusher: String,
    created_at: DateTime<Utc>,
    /// When it began to serve.
    live_at: Option<DateTime<Utc>>,
    /// The number of the release that it is again; null of one that was pushed.
    source: Option<i32>,
}

impl Release {
    fn new(listed: Listed) -> Self {
        Self {
            number: listed.number.0,
            state: listed.state,
            commit: listed.commit_oid,
            subject: listed.subject,
            job: listed.job,
            pusher: listed.pusher,
            created_at: listed.created_at,
            live_at: listed.live_at,
            source: listed.source.map(|source| source.0),
        }
    }
}

/// How something is deployed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewJob {
    /// Whether what build hooks kept is dropped.
    #[serde(default)]
    no_cache: bool,
}

/// List the environments of a project, with what serves there.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/environments", tag = "projects",
    operation_id = "list_environments", responses((status = 200, body = List<Environment>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    let (db, project) = (call.db(), call.project()?.clone());
    let rows = call.run(async move { serving(&db, &project).await }).await?;
    let live = |live: Listed| LiveRelease { number: live.number.0, commit: live.commit_oid };
    let view =
        |row: projects::Serving| Environment { name: row.environment, live: row.live.map(live) };
    Ok(whole(rows.into_iter().map(view).collect()))
}

/// List the releases of an environment, newest first.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/environments/{environment}/releases",
    tag = "projects", operation_id = "list_releases", params(Rows),
    responses((status = 200, body = List<Release>)),
)]
pub(super) async fn releases(call: Call) -> Answered {
    let Rows { limit, cursor: place } = call.query()?;
    let most = most(limit)?;
    let before = cursor(place.as_deref(), |text| text.parse().ok().map(ReleaseNumber))?;
    let (db, environment) = (call.db(), call.environment().await?);
    let read = async move { projects::releases(&db, &environment, before, most).await };
    let rows = call.run(read).await?;
    let last = |listed: &Listed| listed.number.0.to_string();
    Ok(part(rows, most, &call.address(), last, Release::new))
}

/// Deploy the tip of the ref that was deployed last, without a push.
///
/// An open job that does the same is answered instead of a second one.
#[utoipa::path(
    post, path = "/projects/{account}/{project}/environments/{environment}/jobs", tag = "jobs",
    operation_id = "deploy", request_body = Option<NewJob>,
    responses((status = 202, body = Job, description = "It waits for a worker",
        headers(("Location" = String, description = "The job")))),
)]
pub(super) async fn deploy(mut call: Call) -> Answered {
    let NewJob { no_cache } = call.body_if_any().await?;
    let project = call.project()?.clone();
    project.check_active()?;
    let environment = call.environment().await?;
    let cache = if no_cache { Cache::Dropped } else { Cache::Used };
    let entry = call.acting().entry(Deed::Redeploy, &project.name());
    let entry = entry.with("environment", environment.name.to_string());
    let (jobs, user, key) = (call.site().jobs(), call.bearer().user.clone(), call.bearer().key());
    let redeploy = async move { jobs.redeploy(&project, &environment, (&user, &key), cache).await };
    let created = call.run(redeploy).await?;
    let job = created.job();
    call.note(entry.with("job", job.number.0)).await?;
    Ok(accepted(job))
}
