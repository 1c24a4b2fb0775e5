//! The way back: what served before serves again, and nothing of this run is left.

use std::time::Duration;

use tokio::time::Instant;

use crate::db::models::release::Release;
use crate::deploy::failure::Cause;
use crate::deploy::kubernetes_target::{KubernetesTarget, interrupted};
use crate::deploy::steps::ROUTERS_TIME;
use crate::deploy::stored;
use crate::deploy::targets::Target;
use crate::deploy::{Deployment, Replaced};
use crate::domain::cluster::Cluster;
use crate::domain::history::Step;
use crate::domain::ids::Fence;
use crate::domain::job::Outcome;
use crate::domain::run::RunOutcome;
use crate::jobs::RunError;
use crate::manifests::namespace_of;
use crate::paas::project_name;
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
                Ok(text) => {
                    self.recorder.result(Step::Undone, text, watch).await;
                    self.tell_undone(None).await?;
                    return Ok(Ok(()));
                }
                Err(Cause::Run(error)) => return Err(error),
                Err(cause) => cause,
            };
            if Instant::now() + pause > deadline {
                let words = cause.to_string();
                let text = format!("not put back: {words}");
                self.recorder.result(Step::Undone, text, watch).await;
                self.tell_undone(Some(&words)).await?;
                return Ok(Err(words));
            }
            self.recorder.step(Step::Undone, format!("trying again: {cause}")).await;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Where this project's objects are in a cluster.
    fn namespace(&self, cluster: &Cluster) -> String {
        let project = project_name(self.run.job().snapshot.project.as_str());
        let is_hierarchical = cluster.kubernetes.hierarchical_namespaces;
        namespace_of((&cluster.namespace, is_hierarchical), &project)
    }

    /// What became of what served.
    fn put_back_text(&self, live: Option<&Release>, objects: &stored::Objects) -> String {
        let Some(live) = live else { return "nothing served before".to_owned() };
        let number = live.number;
        let items = || objects.kubernetes.iter().flat_map(|on| &on.manifests.items);
        let stops = objects.kubernetes.iter().any(|on| !interrupted(&on.manifests).is_empty());
        match &self.replaced {
            Replaced::Since { began, interrupts }
                if stops || items().any(|item| interrupts.contains(&item.at)) =>
            {
                let seconds = began.ms().div_ceil(1_000);
                format!("{number} restored, down for {seconds} s at most")
            }
            Replaced::Unknown if !objects.kubernetes.is_empty() => format!("{number} restored"),
            Replaced::Nothing | Replaced::Since { .. } | Replaced::Unknown => {
                format!("{number} kept serving")
            }
        }
    }

    /// Puts clusters back, the last one first; gives the first failure.
    ///
    /// One that is away keeps nobody else from being put back.
    async fn put_back_clusters(
        &mut self,
        targets: &[Target<KubernetesTarget>],
        live: Option<&Release>,
        objects: &stored::Objects,
    ) -> Result<Option<Cause>, Cause> {
        let touched = targets.iter().filter(|target| !self.is_untouched(target.cluster.id));
        let touched: Vec<_> = touched.collect();
        if touched.is_empty() {
            return Ok(None);
        }
        let own = self.own_objects().await?.unwrap_or_default();
        let limit = self.settings().limits.rollout.duration();
        let mut failed: Option<Cause> = None;
        for Target { cluster, driver } in touched.into_iter().rev() {
            self.run.still_owns().await?;
            let manifests = objects.of_cluster(cluster.id);
            let namespace = self.namespace(cluster);
            let ended = async {
                // Before disks that are missing are made again.
                let own = own.in_cluster(cluster.id);
                if let (Some(own), Some(live)) = (own, manifests) {
                    let lost = driver.lost_disks(&own.manifests, live).await?;
                    self.ledger.lose(cluster.id, lost);
                }
                let others = own.map_or(&[][..], |own| &own.others);
                let (kept, given) = driver.give_back(others).await;
                let live = live.map(|live| (live.fence, manifests));
                // What is still to be given back is nobody's to delete.
                driver.put_back(live, &namespace, limit, &kept).await.and(given)
            };
            let ended = ended.await.map_err(Cause::from);
            self.ledger.end(cluster, ended.as_ref().copied());
            if let Err(cause) = ended {
                failed.get_or_insert(cause);
            }
        }
        Ok(failed)
    }

    async fn put_back_once(&mut self) -> Result<String, Cause> {
        let live = self.run.live_release().await?;
        let objects = match &live {
            Some(live) => stored::objects(&self.settings().keyring.opener, live).await?,
            None => stored::Objects::default(),
        };
        let targets = self.targets().await?;
        let mut not_revived: Option<Cause> = None;
        for target in &targets.docker {
            for on in objects.docker.iter().filter(|on| on.cluster == target.cluster.id) {
                if let Err(error) = target.driver.revive(&on.placed).await {
                    let cause = Cause::from(error);
                    self.ledger.end(&target.cluster, Err(&cause));
                    not_revived.get_or_insert(cause);
                }
            }
        }
        // An engine that is away keeps no cluster from being put back.
        let failed = self.put_back_clusters(&targets.kubernetes, live.as_ref(), &objects).await?;
        if let Some(cause) = not_revived {
            return Err(cause);
        }
        let id = live.as_ref().map(|live| live.id);
        let version = self.run.switch_routes(id, objects.routes()).await?;
        match wait_until_served(self.jobs().db(), self.feed(), version, ROUTERS_TIME).await {
            // Nobody is sent anywhere: there is nothing to wait for.
            Ok(()) | Err(NotServed::NoRouter) => {}
            Err(error) => return Err(error.into()),
        }
        let keep: Vec<Fence> = live.iter().map(|live| live.fence).collect();
        for target in &targets.docker {
            let leftovers = target.driver.leftovers(self.run.job().environment_id, &keep).await?;
            self.run.still_owns().await?;
            target.driver.remove(leftovers).await?;
            self.ledger.end(&target.cluster, Ok(()));
        }
        match failed {
            Some(cause) => Err(cause),
            None => Ok(self.put_back_text(live.as_ref(), &objects)),
        }
    }
}
