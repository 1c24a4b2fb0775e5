//! `tail`.

use crate::domain::environment::EnvironmentName;
use crate::domain::question::Question;
use crate::domain::slug::ProjectName;
use crate::projects::{find_environment, live_targets};
use crate::ssh::commands::{Call, Failure, Status, asking};

/// Prints what containers have printed, and what they print from then on.
pub(super) async fn run(
    call: &Call<'_>,
    (name, environment): (&ProjectName, EnvironmentName),
    (pod, last, follow): (Option<String>, u32, bool),
) -> Result<Status, Failure> {
    let project = call.project(name).await?;
    let environment = find_environment(&call.door.db, &project, environment).await?;
    let targets = live_targets(&call.door.db, &environment).await?;
    let question = Question::Tail { pod, last, follow };
    asking::ask(call, (&environment, targets), question).await
}
