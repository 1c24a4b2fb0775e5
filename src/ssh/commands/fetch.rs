//! `fetch`.

use crate::domain::slug::ProjectName;
use crate::domain::source::{CheckPurpose, Fate};
use crate::sources::{Asking, ask};
use crate::ssh::commands::{Call, Failure, Format, Status, attach};

/// Looks at the source of a project, and follows the job that comes of it, if there is one.
pub(super) async fn run(call: &Call<'_>, name: &ProjectName) -> Result<Status, Failure> {
    let project = call.project(name).await?;
    let caller = call.caller;
    let asking = Asking {
        user: Some(caller.user.id),
        name: caller.user.name.clone(),
        fingerprint: caller.fingerprint.clone(),
    };
    let bells = call.door.questions.bells();
    let checked = ask(&call.acting(), &project, CheckPurpose::Deploy, (asking, bells)).await?;
    match call.json {
        Format::Text => {
            for line in checked.to_string().lines() {
                call.output.line(line).await?;
            }
        }
        Format::Json => call.output.line(&serde_json::json!(checked).to_string()).await?,
    }
    let made = checked.refs.iter().filter_map(|found| match found.fate {
        Fate::Deploys { job, .. } | Fate::UnderWay { job } => Some(job),
        Fate::WouldDeploy { .. }
        | Fate::UpToDate
        | Fate::Tried { .. }
        | Fate::Stored { .. }
        | Fate::Protected
        | Fate::NoRule
        | Fate::NotACommit
        | Fate::Deleted
        | Fate::Kept { .. }
        | Fate::Later
        | Fate::Refused { .. } => None,
    });
    let made: Vec<_> = made.collect();
    let failed = checked.refs.iter().any(|found| matches!(found.fate, Fate::Refused { .. }));
    match made.as_slice() {
        [] if failed => Ok(Status::FAILED),
        [] => Ok(Status::OK),
        [job] => attach::follow(call, &call.job(*job).await?).await,
        several => {
            let attach = |job| call.door.jobs.command(&format!("attach {job}"));
            for job in several.iter().filter(|_| call.json == Format::Text) {
                call.output.line(&format!("follow job {job}: {}", attach(job))).await?;
            }
            Ok(Status::OK)
        }
    }
}
