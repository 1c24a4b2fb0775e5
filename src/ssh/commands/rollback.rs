//! `rollback`.

use crate::domain::audit::Deed;
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::ReleaseNumber;
use crate::domain::slug::ProjectName;
use crate::projects::find_environment;
use crate::ssh::commands::{Call, Failure, Status, attach};

/// Applies a release again, and follows that.
pub(super) async fn run(
    call: &Call<'_>,
    (name, environment): (&ProjectName, EnvironmentName),
    release: Option<ReleaseNumber>,
) -> Result<Status, Failure> {
    let (door, caller) = (call.door, call.caller);
    let project = call.project(name).await?;
    project.check_active()?;
    let environment = find_environment(&door.db, &project, environment).await?;
    let by = (&caller.user, caller.fingerprint.as_str());
    let created = door.jobs.roll_back(&project, &environment, release, by).await?;
    let job = created.job();
    let entry = call.acting().entry(Deed::Rollback, &project.name());
    let entry = entry.with("environment", environment.name.to_string());
    let entry = entry.with("release", job.source.map(|source| source.to_string()));
    call.note(entry.with("job", job.number.0)).await?;
    attach::follow(call, job).await
}
