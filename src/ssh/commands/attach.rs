//! `attach`.

use tokio::sync::mpsc;

use crate::db::models::job::Job;
use crate::domain::ids::JobNumber;
use crate::progress::{Audience, Printer};
use crate::ssh::commands::{Call, Failure, Status};

/// Lines that may wait for a client. When it falls behind, it is followed more slowly.
const BACKLOG: usize = 256;

/// Follows a deployment to its end.
pub(super) async fn run(call: &Call<'_>, number: JobNumber) -> Result<Status, Failure> {
    let job = call.job(number).await?;
    follow(call, &job).await
}

/// Prints a job's History from its beginning to its end.
pub(super) async fn follow(call: &Call<'_>, job: &Job) -> Result<Status, Failure> {
    let (lines, mut waiting) = mpsc::channel::<String>(BACKLOG);
    let format = call.json.of_printers();
    let environment = job.snapshot.environment.clone();
    let printer = Printer::new(format, job.number, environment, Audience::OneJob);
    let watch = async {
        let watched = call.door.pushes.viewer.watch(job, printer, &lines, call.gone).await;
        drop(lines);
        watched
    };
    let print = async {
        while let Some(line) = waiting.recv().await {
            call.output.line(&line).await?;
        }
        Ok::<(), russh::Error>(())
    };
    let (watched, printed) = tokio::join!(watch, print);
    printed?;
    call.watched(job.number, watched?).await
}
