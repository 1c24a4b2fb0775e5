//! Asks a worker, and prints what it says as that comes.

use crate::db::models::environment::Environment;
use crate::domain::question::Question;
use crate::progress::Teller;
use crate::ssh::commands::{Call, Failure, Status};

/// Asks something about an environment, of which so many targets can tell something.
pub(super) async fn ask(
    call: &Call<'_>,
    (environment, targets): (&Environment, usize),
    question: Question,
) -> Result<Status, Failure> {
    let teller = Teller::new(call.json.of_printers(), targets);
    let mut answer = call.door.questions.ask(environment.id, question).await?;
    let stopping = call.door.pushes.viewer.tasks.clone();
    let status = loop {
        let said = tokio::select! {
            said = answer.next() => said,
            () = call.gone.cancelled() => break Ok(Status::FAILED),
            () = stopping.stopping() => {
                let told = call.output.error("the server stops: ask again").await;
                break told.map(|()| Status::STOPPING).map_err(Failure::from);
            }
        };
        let printed = match said {
            Ok(None) => break Ok(Status::OK),
            Ok(Some(said)) => print(call, said.iter().flat_map(|told| teller.lines(told))).await,
            Err(error) => break Err(error.into()),
        };
        if let Err(hung_up) = printed {
            break Err(hung_up);
        }
    };
    answer.close().await;
    status
}

async fn print(call: &Call<'_>, lines: impl Iterator<Item = String>) -> Result<(), Failure> {
    for line in lines {
        call.output.line(&line).await?;
    }
    Ok(())
}
