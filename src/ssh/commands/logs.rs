//! `logs`.

use crate::db::models::history;
use crate::domain::history::Step;
use crate::domain::ids::{JobNumber, Seq};
use crate::domain::job::{JobState, Outcome};
use crate::domain::push_option;
use crate::progress::{Audience, Printer};
use crate::ssh::commands::{Call, Failure, Format, Status};

/// Rows read at once.
const PAGE: i64 = 500;

/// Prints what a deployment has said so far, all of it or one step.
pub(super) async fn run(
    call: &Call<'_>,
    number: JobNumber,
    step: Option<Step>,
) -> Result<Status, Failure> {
    let job = call.job(number).await?;
    let format = match call.json {
        Format::Text => push_option::Format::Full,
        Format::Json => push_option::Format::Json,
    };
    let environment = job.snapshot.environment.clone();
    let mut printer = Printer::new(format, number, environment, Audience::OneJob);
    let (id, mut last) = (job.id, Seq(0));
    loop {
        let after = last;
        let page = call
            .door
            .db
            .run(async move |connection| history::after(connection, id, after, PAGE).await)
            .await?;
        let Some(newest) = page.last() else { break };
        last = newest.seq;
        for entry in page.iter().filter(|entry| step.is_none_or(|step| entry.step == step)) {
            for line in printer.entry(entry) {
                call.output.line(&line).await?;
            }
        }
    }
    Ok(match job.state {
        JobState::Ended(Outcome::Live | Outcome::Planned)
        | JobState::Queued
        | JobState::Running => Status::OK,
        JobState::Ended(_) => Status::FAILED,
    })
}
