//! `diff`.

use crate::domain::environment::EnvironmentName;
use crate::domain::ids::ReleaseNumber;
use crate::domain::question::Question;
use crate::domain::slug::ProjectName;
use crate::projects::{find_environment, find_releases};
use crate::ssh::commands::{Call, Failure, Format, Status, asking};

/// Says what differs between two releases of an environment.
pub(super) async fn run(
    call: &Call<'_>,
    (name, environment): (&ProjectName, EnvironmentName),
    (from, to): (ReleaseNumber, Option<ReleaseNumber>),
) -> Result<Status, Failure> {
    let project = call.project(name).await?;
    let environment = find_environment(&call.door.db, &project, environment).await?;
    let [from, to] = find_releases(&call.door.db, &environment, (from, to)).await?;
    if call.json == Format::Text {
        for release in [&from, &to] {
            call.output.line(&release.to_string()).await?;
        }
    }
    let question = Question::Diff { from: from.number, to: to.number };
    // Each target is named, also where there is one.
    asking::ask(call, (&environment, 1), question).await
}
