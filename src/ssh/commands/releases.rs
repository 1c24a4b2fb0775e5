//! `releases`.

use serde_json::json;

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
    let newest = releases(&call.door.db, &environment, None, NEWEST).await?;
    if newest.is_empty() && call.json == Format::Text {
        call.output.line("there is no release yet: push").await?;
    }
    for release in &newest {
        let text = match call.json {
            Format::Text => release.to_string(),
            Format::Json => json!(release).to_string(),
        };
        call.output.line(&text).await?;
    }
    Ok(Status::OK)
}
