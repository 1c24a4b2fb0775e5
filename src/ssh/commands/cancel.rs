//! `cancel`.

use serde_json::json;

use crate::domain::audit::Deed;
use crate::domain::ids::JobNumber;
use crate::jobs::CancelAnswer;
use crate::ssh::commands::{Call, Failure, Format, Status};

/// Ends a deployment, or says why that is too late.
pub(super) async fn run(call: &Call<'_>, number: JobNumber) -> Result<Status, Failure> {
    let user = &call.caller.user;
    let job = call.job(number).await?;
    let answer = call.door.jobs.cancel(job.id, user.name.clone()).await?;
    let project = format!("{}/{}", job.snapshot.account, job.snapshot.project);
    let entry = call.acting().entry(Deed::Cancel, &project).with("job", number.0);
    call.note(entry).await?;
    let (word, text, status) = match answer {
        CancelAnswer::Cancelled => ("cancelled", format!("job {number} is cancelled"), Status::OK),
        CancelAnswer::Asked => {
            let attach = call.door.jobs.command(&format!("attach {number}"));
            let text = format!("job {number} is being cancelled and taken back: {attach}");
            ("asked", text, Status::OK)
        }
        CancelAnswer::TooLate(release) => {
            let project = format!("{}/{}", job.snapshot.account, job.snapshot.project);
            let words = format!("rollback {project} {}", job.snapshot.environment);
            let rollback = call.door.jobs.command(&words);
            ("too-late", format!("too late, {release} is live: {rollback}"), Status::FAILED)
        }
        CancelAnswer::Ended(outcome) => {
            ("ended", format!("job {number} has ended: {outcome}"), Status::FAILED)
        }
    };
    let text = match call.json {
        Format::Text => text,
        Format::Json => json!({"job": number, "answer": word, "text": text}).to_string(),
    };
    call.output.line(&text).await?;
    Ok(status)
}
