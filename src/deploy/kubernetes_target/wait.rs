//! Waits until what was applied serves, or has ended.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::oneshot;

use crate::deploy::kubernetes_target::blame::blamed;
use crate::deploy::kubernetes_target::telling::Telling;
use crate::deploy::kubernetes_target::{ClusterError, KubernetesTarget, of, reference};
use crate::kubernetes::{Digest, Ended, JobEnded, OldPods, Patience, Progress, SuccessCodes};
use crate::manifests::{Duty, Kind, Manifest, Manifests, Phase, Rollout, Update, Work};

impl KubernetesTarget {
    /// Waits until everything of a phase serves or has ended well, and tells how far it is and what
    /// work prints.
    ///
    /// # Errors
    ///
    /// When something does not, or the cluster is away.
    pub async fn wait(
        &self,
        manifests: &Manifests,
        phase: Phase,
        limit: Duration,
        telling: &Telling,
    ) -> Result<(), ClusterError> {
        let waits = of(manifests, phase).map(|item| async move {
            match &item.duty {
                Duty::Rollout(rollout) => {
                    self.wait_rollout((manifests, item), rollout, limit, telling).await
                }
                Duty::Work(work) => self.wait_work((manifests, item), work, limit, telling).await,
                Duty::Plain | Duty::Claim { .. } | Duty::Copy => Ok(()),
            }
        });
        try_join_all(waits.collect::<Vec<_>>()).await.map(drop)
    }

    async fn wait_rollout(
        &self,
        (manifests, item): (&Manifests, &Manifest),
        rollout: &Rollout,
        limit: Duration,
        telling: &Telling,
    ) -> Result<(), ClusterError> {
        let old_pods = match (item.object.kind(), rollout.update) {
            (_, Update::OnDelete) => OldPods::Stay,
            (Kind::StatefulSet, Update::Recreate) => OldPods::Together,
            (_, Update::Rolling | Update::Recreate) => OldPods::Roll,
        };
        let stall = Duration::from_secs(rollout.deadline_s.into());
        let patience = Patience { limit, stall, ..Patience::default() };
        let told = |progress: Progress| telling.state(item, &progress);
        let ended =
            self.api.wait_rollout(&reference(&item.object), old_pods, &patience, told).await;
        match ended.map_err(|error| self.refused(error))? {
            Ended::Done if rollout.update == Update::OnDelete => {
                let name = telling.name(item);
                let line = format!("{name}: new pods start when the old ones are deleted");
                telling.line(line).await;
                Ok(())
            }
            Ended::Done => Ok(()),
            Ended::Failed(digest) => Err(self.not_ready((manifests, item), digest)),
        }
    }

    async fn wait_work(
        &self,
        (manifests, item): (&Manifests, &Manifest),
        work: &Work,
        limit: Duration,
        telling: &Telling,
    ) -> Result<(), ClusterError> {
        let deadline = work.deadline_s().map(|seconds| Duration::from_secs(seconds.into()));
        let limit = deadline.map_or(limit, |deadline| deadline.min(limit));
        let patience = Patience { limit, ..Patience::default() };
        let successes = SuccessCodes {
            codes: work.success_codes.iter().map(|code| i64::from(*code)).collect(),
            container: work.container.clone(),
        };
        let (name, job) = (telling.name(item), reference(&item.object));
        let told = |progress: Progress| telling.state(item, &progress);
        let (over, is_over) = oneshot::channel();
        let waiting = async {
            let outcome = self.api.wait_job(&job, &successes, &patience, told).await;
            // Reading logs may have ended already, for want of the right.
            over.send(()).unwrap_or_default();
            outcome
        };
        let is_work = |item: &&Manifest| matches!(item.duty, Duty::Work(_));
        let is_only_one = of(manifests, item.phase).filter(is_work).count() == 1;
        let leads = !is_only_one || telling.cluster.is_some();
        let printing = telling.print((&self.api, item), leads.then(|| name.clone()), is_over);
        let (outcome, printed) = tokio::join!(waiting, printing);
        let outcome = outcome.map_err(|error| self.refused(error))?;
        let read = match printed {
            Ok(read) => read,
            Err(error) => {
                telling.line(format!("what {name} printed is not known: {error}")).await;
                BTreeSet::new()
            }
        };
        match outcome {
            JobEnded::Succeeded { translated: None } => {}
            JobEnded::Succeeded { translated: Some(code) } => {
                // To the cluster, which counts, it is a failure.
                telling.state(item, &Progress { object: job.clone(), ready: 1, wanted: 1 });
                let line = format!("{name} ended with code {code}, which is a success");
                telling.line(line).await;
            }
            JobEnded::Failed(mut digest) => {
                // Nobody wants to read twice what it printed.
                digest.output.take_if(|output| {
                    read.contains(&(output.pod.clone(), output.container.clone()))
                });
                return Err(self.not_ready((manifests, item), digest));
            }
        }
        if let Some(seconds) = work.shelf_life_s {
            let expired = self.api.expire_job(&job, seconds).await;
            expired.map_err(|error| self.refused(error))?;
        }
        Ok(())
    }

    fn not_ready(
        &self,
        (manifests, item): (&Manifests, &Manifest),
        digest: Box<Digest>,
    ) -> ClusterError {
        let at = blamed(manifests, item, &digest);
        ClusterError::NotReady { cluster: self.name.clone(), at, digest }
    }
}
