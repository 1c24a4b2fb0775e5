//! The way back: what served before serves again, and nothing of this run is left.

use std::time::Duration;

use tokio::time::Instant;

use crate::db::models::release::Release;
use crate::deploy::Deployment;
use crate::deploy::failure::Cause;
use crate::deploy::steps::ROUTERS_TIME;
use crate::deploy::stored;
use crate::deploy::targets::connect;
use crate::domain::history::Step;
use crate::domain::ids::Fence;
use crate::domain::job::Outcome;
use crate::domain::run::RunOutcome;
use crate::jobs::RunError;
use crate::routing::{NotServed, wait_until_served};

/// Pauses between two tries: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

impl Deployment<'_> {
    /// Ends a job whose worker was lost after it may have changed something.
    pub(super) async fn put_back_lost(&mut self) -> Result<(), RunError> {
        let cancelled_by = self.run.job().cancel_asked_by.clone();
        let (outcomes, reason) = match (self.put_back().await?, cancelled_by) {
            (Ok(()), Some(by)) => {
                ((Outcome::Cancelled, RunOutcome::Cancelled), format!("cancelled by {by}"))
            }
            (Ok(()), None) => ((Outcome::Lost, RunOutcome::Lost), "its worker was lost".to_owned()),
            (Err(words), _) => {
                let reason = format!("its worker was lost; not put back: {words}");
                ((Outcome::Lost, RunOutcome::Lost), reason)
            }
        };
        self.end(outcomes, Step::Rollout, reason).await
    }

    /// Makes the environment what it was, and tries for some minutes.
    ///
    /// The inner error says why it is not what it was.
    pub(super) async fn put_back(&mut self) -> Result<Result<(), String>, RunError> {
        let watch = self.begin(Step::Undone);
        let deadline = Instant::now() + self.settings().worker.put_back_limit.duration();
        let (mut pause, longest) = PAUSES;
        loop {
            let cause = match self.put_back_once().await {
                Ok(live) => {
                    let text = match live {
                        Some(live) => format!("{} kept serving", live.number),
                        None => "nothing served before".to_owned(),
                    };
                    self.recorder.result(Step::Undone, text, watch).await;
                    return Ok(Ok(()));
                }
                Err(Cause::Run(error)) => return Err(error),
                Err(cause) => cause,
            };
            if Instant::now() + pause > deadline {
                let words = cause.to_string();
                let text = format!("not put back: {words}");
                self.recorder.result(Step::Undone, text, watch).await;
                return Ok(Err(words));
            }
            self.recorder.step(Step::Undone, format!("trying again: {cause}")).await;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    async fn put_back_once(&mut self) -> Result<Option<Release>, Cause> {
        let live = self.run.live_release().await?;
        let objects = match &live {
            Some(live) => stored::objects(&self.settings().keyring.opener, live).await?,
            None => stored::Objects::default(),
        };
        let clusters = self.run.job().snapshot.clusters.clone();
        let targets = connect(clusters, self.settings(), &self.redactor).await?;
        for target in &targets {
            for on in objects.docker.iter().filter(|on| on.cluster == target.cluster.id) {
                target.docker.revive(&on.placed).await?;
            }
        }
        let id = live.as_ref().map(|live| live.id);
        let version = self.run.switch_routes(id, objects.routes()).await?;
        match wait_until_served(self.jobs().db(), self.feed(), version, ROUTERS_TIME).await {
            // Nobody is sent anywhere: there is nothing to wait for.
            Ok(()) | Err(NotServed::NoRouter) => {}
            Err(error) => return Err(error.into()),
        }
        let keep: Vec<Fence> = live.iter().map(|live| live.fence).collect();
        for target in &targets {
            let leftovers = target.docker.leftovers(self.run.job().environment_id, &keep).await?;
            self.run.still_owns().await?;
            target.docker.remove(leftovers).await?;
        }
        Ok(live)
    }
}
