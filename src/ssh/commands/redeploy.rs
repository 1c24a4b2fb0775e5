//! `redeploy`.

use crate::domain::audit::Deed;
use crate::domain::cache::Cache;
use crate::domain::environment::EnvironmentName;
use crate::domain::slug::ProjectName;
use crate::projects::find_environment;
use crate::ssh::commands::{Call, Failure, Status, attach};

/// Deploys the tip of the ref that was deployed last, and follows it.
pub(super) async fn run(
    call: &Call<'_>,
    name: &ProjectName,
    environment: EnvironmentName,
    cache: Cache,
) -> Result<Status, Failure> {
    let (door, caller) = (call.door, call.caller);
    let project = call.project(name).await?;
    project.check_active()?;
    let environment = find_environment(&door.db, &project, environment).await?;
    let by = (&caller.user, caller.fingerprint.as_str());
    let created = door.jobs.redeploy(&project, &environment, by, cache).await?;
    let entry = call.acting().entry(Deed::Redeploy, &project.name());
    let entry = entry.with("environment", environment.name.to_string());
    call.note(entry.with("job", created.job().number.0)).await?;
    attach::follow(call, created.job()).await
}
