//! The rollout on Kubernetes clusters: phase by phase, each on all clusters before the next one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use futures::future::try_join_all;
use tokio::sync::mpsc;

use crate::deploy::failure::{Cause, Failure};
use crate::deploy::kubernetes_target::{KubernetesTarget, Telling, interrupted};
use crate::deploy::ready::PodReady;
use crate::deploy::stored::InCluster;
use crate::deploy::targets::Target;
use crate::deploy::{Deployment, Replaced};
use crate::domain::history::Step;
use crate::history::Stopwatch;
use crate::manifests::{Manifests, Phase};

/// States and lines that may wait to be written.
const BACKLOG: usize = 256;

/// A cluster, its name where there are several, and what it gets.
type On<'a> = (&'a KubernetesTarget, Option<&'a str>, &'a Manifests);

impl Deployment<'_> {
    /// Puts the objects of a release on all clusters, and gives what serves there.
    ///
    /// What runs before the deployment has ended well before anything that serves is touched.
    pub(super) async fn roll_out_clusters(
        &mut self,
        targets: &[Target<KubernetesTarget>],
        objects: &[InCluster],
    ) -> Result<Vec<PodReady>, Failure> {
        let are_several = targets.len() > 1;
        let pairs = targets.iter().zip(objects);
        let all: Vec<On<'_>> = pairs
            .map(|(Target { cluster, driver }, InCluster { manifests, .. })| {
                (driver, are_several.then_some(cluster.name.as_str()), manifests)
            })
            .collect();
        for ((driver, _, manifests), InCluster { cluster, .. }) in all.iter().zip(objects) {
            self.run.still_owns().await?;
            self.ledger.touch(*cluster);
            let warnings = driver.apply_phase(manifests, Phase::Namespace).await?;
            self.warn(warnings).await;
        }
        self.apply(&all, Phase::PullSecrets).await?;
        let mut disks = Vec::new();
        for (driver, _, manifests) in &all {
            self.run.still_owns().await?;
            let applied = driver.apply_disks(manifests).await?;
            self.warn(applied.warnings.clone()).await;
            disks.push(applied);
        }
        self.apply(&all, Phase::Before).await?;
        let mut ready = self.wait(&all, Phase::Before).await?;
        for (driver, _, manifests) in &all {
            driver.remove_copies(manifests).await?;
        }
        self.replaced = Replaced::Since {
            began: Stopwatch::start(),
            interrupts: objects.iter().flat_map(|on| interrupted(&on.manifests)).collect(),
        };
        for ((driver, _, manifests), disks) in all.iter().zip(&disks) {
            self.run.still_owns().await?;
            let warnings = driver.apply_configuration(manifests, disks).await?;
            self.warn(warnings).await;
        }
        self.apply(&all, Phase::Workloads).await?;
        ready.extend(self.wait(&all, Phase::Workloads).await?);
        self.apply(&all, Phase::Jobs).await?;
        ready.extend(self.wait(&all, Phase::Jobs).await?);
        self.apply(&all, Phase::CronJobs).await?;
        self.apply(&all, Phase::Entrance).await?;
        Ok(ready)
    }

    /// Applies a phase on all clusters.
    async fn apply(&mut self, all: &[On<'_>], phase: Phase) -> Result<(), Failure> {
        for (driver, _, manifests) in all {
            self.run.still_owns().await?;
            let warnings = driver.apply_phase(manifests, phase).await?;
            self.warn(warnings).await;
        }
        Ok(())
    }

    /// Waits for a phase on all clusters, and tells how far it is and what work prints.
    async fn wait(&mut self, all: &[On<'_>], phase: Phase) -> Result<Vec<PodReady>, Failure> {
        // Each has a deadline of its own; only the job's limit is above all of them.
        let limit = self.settings().limits.run_job.duration();
        let (states, mut known) = mpsc::channel::<PodReady>(BACKLOG);
        let (lines, mut printed) = mpsc::channel(BACKLOG);
        let count = Arc::<AtomicUsize>::default();
        let waiting = async move {
            let waits = all.iter().map(|(driver, cluster, manifests)| {
                let (states, lines) = (states.clone(), lines.clone());
                let (cluster, printed) = (cluster.map(str::to_owned), Arc::clone(&count));
                let telling = Telling { cluster, states, lines, printed };
                async move { driver.wait(manifests, phase, limit, &telling).await }
            });
            let waits: Vec<_> = waits.collect();
            // Those who listen hear the end of it.
            drop((states, lines));
            try_join_all(waits).await.map_err(Cause::from)
        };
        let telling = async {
            let mut pods = BTreeMap::new();
            loop {
                tokio::select! {
                    Some(line) = printed.recv() => self.recorder.kept_line(Step::Rollout, line).await,
                    Some(state) = known.recv() => {
                        pods.insert(state.pod.clone(), state);
                        let pods: Vec<_> = pods.values().cloned().collect();
                        self.tell_state(&pods).await;
                    }
                    else => return pods.into_values().collect(),
                }
            }
        };
        let (ended, pods) = tokio::join!(waiting, telling);
        ended?;
        Ok(pods)
    }

    async fn warn(&mut self, warnings: Vec<String>) {
        for warning in warnings {
            self.recorder.line(Step::Rollout, format!("warning: {warning}")).await;
        }
    }
}
