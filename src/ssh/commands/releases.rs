//! `releases`.

use serde_json::json;

use crate::db::models::release_list::Listed;
use crate::domain::environment::EnvironmentName;
use crate::domain::slug::ProjectName;
use crate::projects::{find_environment, releases};
use crate::ssh::commands::{Call, Failure, Format, Status};

/// Releases that are listed.
const NEWEST: i64 = 20;

/// Lists the newest releases of an environment, newest first.
pub(super) async fn run(
    call: &Call<'_>,
    name: &ProjectName,
    environment: EnvironmentName,
) -> Result<Status, Failure> {
    let project = call.project(name).await?;
    let environment = find_environment(&call.door.db, &project, environment).await?;
    let newest = releases(&call.door.db, &environment, NEWEST).await?;
    if newest.is_empty() && call.json == Format::Text {
        call.output.line("there is no release yet: push").await?;
    }
    for release in &newest {
        let text = match call.json {
            Format::Text => text(release),
            Format::Json => json(release),
        };
        call.output.line(&text).await?;
    }
    Ok(Status::OK)
}

fn text(release: &Listed) -> String {
    let date = release.live_at.unwrap_or(release.created_at).format("%Y-%m-%d %H:%M");
    let Listed { number, state, commit_oid, job, pusher, subject, .. } = release;
    let (number, commit) = (number.to_string(), commit_oid.short());
    format!("{number:<6}  {state:<8}  {commit}  {date}  job {job}  {pusher}  {subject}")
}

fn json(release: &Listed) -> String {
    json!({
        "number": release.number.0,
        "state": release.state.as_str(),
        "commit": release.commit_oid,
        "job": release.job,
        "pusher": release.pusher,
        "subject": release.subject,
        "created_at": release.created_at,
        "live_at": release.live_at,
    })
    .to_string()
}
