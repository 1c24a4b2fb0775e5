//! `ps`.

use crate::domain::environment::EnvironmentName;
use crate::domain::question::Question;
use crate::domain::slug::ProjectName;
use crate::projects::{find_environment, live_targets};
use crate::ssh::commands::{Call, Failure, Status, asking};

/// Lists the containers that serve.
pub(super) async fn run(
    call: &Call<'_>,
    (name, environment): (&ProjectName, EnvironmentName),
) -> Result<Status, Failure> {
    let project = call.project(name).await?;
    let environment = find_environment(&call.door.db, &project, environment).await?;
    let targets = live_targets(&call.door.db, &environment).await?;
    asking::ask(call, (&environment, targets), Question::Ps).await
}
