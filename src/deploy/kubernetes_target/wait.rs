//! Waits until what was applied serves, or has ended.

use std::time::Duration;

use futures::future::try_join_all;

use crate::deploy::kubernetes_target::{ClusterError, KubernetesTarget, of, reference};
use crate::deploy::ready::PodReady;
use crate::kubernetes::{Digest, Ended, JobEnded, OldPods, Output, Patience, Progress};
use crate::manifests::{Duty, Kind, Manifest, Manifests, Phase, Rollout, Update, Work};

/// Lines of what work printed that are told when it has ended.
const LAST_LINES: usize = 50;

impl KubernetesTarget {
    /// Waits until everything of a phase serves or has ended well, tells how far it is, and gives
    /// what was printed last by work that has ended.
    ///
    /// # Errors
    ///
    /// When something does not, or the cluster is away.
    pub async fn wait(
        &self,
        manifests: &Manifests,
        phase: Phase,
        limit: Duration,
        tell: &(impl Fn(PodReady) + Send + Sync),
    ) -> Result<Vec<String>, ClusterError> {
        let waits = of(manifests, phase).filter_map(|item| match &item.duty {
            Duty::Rollout(rollout) => Some((item, Some(rollout), None)),
            Duty::Work(work) => Some((item, None, Some(work))),
            Duty::Plain | Duty::Claim { .. } | Duty::Copy => None,
        });
        let waits = waits.map(|(item, rollout, work)| async move {
            match (rollout, work) {
                (Some(rollout), _) => self.wait_rollout(item, rollout, limit, tell).await,
                (None, Some(work)) => self.wait_work(item, work, limit, tell).await,
                (None, None) => Ok(Vec::new()),
            }
        });
        let printed = try_join_all(waits.collect::<Vec<_>>()).await?;
        Ok(printed.into_iter().flatten().collect())
    }

    async fn wait_rollout(
        &self,
        item: &Manifest,
        rollout: &Rollout,
        limit: Duration,
        tell: &(impl Fn(PodReady) + Send + Sync),
    ) -> Result<Vec<String>, ClusterError> {
        let old_pods = match (item.object.kind(), rollout.update) {
            (_, Update::OnDelete) => OldPods::Stay,
            (Kind::StatefulSet, Update::Recreate) => OldPods::Together,
            (_, Update::Rolling | Update::Recreate) => OldPods::Roll,
        };
        let stall = Duration::from_secs(rollout.deadline_s.into());
        let patience = Patience { limit, stall, ..Patience::default() };
        let name = name(item);
        let told = |progress: Progress| tell(state(&name, &progress));
        let ended =
            self.api.wait_rollout(&reference(&item.object), old_pods, &patience, told).await;
        match ended.map_err(|error| self.refused(error))? {
            Ended::Done if rollout.update == Update::OnDelete => {
                Ok(vec![format!("{name}: new pods start when the old ones are deleted")])
            }
            Ended::Done => Ok(Vec::new()),
            Ended::Failed(digest) => Err(self.not_ready(item, digest)),
        }
    }

    async fn wait_work(
        &self,
        item: &Manifest,
        work: &Work,
        limit: Duration,
        tell: &(impl Fn(PodReady) + Send + Sync),
    ) -> Result<Vec<String>, ClusterError> {
        let deadline = work.deadline_s().map(|seconds| Duration::from_secs(seconds.into()));
        let limit = deadline.map_or(limit, |deadline| deadline.min(limit));
        let patience = Patience { limit, ..Patience::default() };
        let codes: Vec<i64> = work.success_codes.iter().map(|code| i64::from(*code)).collect();
        let (name, job) = (name(item), reference(&item.object));
        let told = |progress: Progress| tell(state(&name, &progress));
        let outcome = self.api.wait_job(&job, &codes, &patience, told).await;
        let mut ended = Vec::new();
        match outcome.map_err(|error| self.refused(error))? {
            JobEnded::Succeeded { translated: None } => {}
            JobEnded::Succeeded { translated: Some(code) } => {
                // To the cluster, which counts, it is a failure.
                tell(PodReady { pod: name.clone(), ready: 1, total: 1 });
                ended.push(format!("{name} ended with code {code}, which is a success"));
            }
            JobEnded::Failed(digest) => return Err(self.not_ready(item, digest)),
        }
        // Before the cluster may forget it.
        let output = match self.api.job_output(&job, LAST_LINES).await {
            Ok(output) => output,
            Err(error) => return Ok(vec![format!("what {name} printed is not known: {error}")]),
        };
        let is_one = output.len() == 1;
        let printed = output.into_iter().flat_map(|Output { container, lines, .. }| {
            let name = if is_one { name.clone() } else { format!("{name}/{container}") };
            lines.into_iter().map(move |line| format!("{name} | {line}"))
        });
        ended.extend(printed);
        if let Some(seconds) = work.shelf_life_s {
            let expired = self.api.expire_job(&job, seconds).await;
            expired.map_err(|error| self.refused(error))?;
        }
        Ok(ended)
    }

    fn not_ready(&self, item: &Manifest, digest: Box<Digest>) -> ClusterError {
        ClusterError::NotReady { cluster: self.name.clone(), at: item.at.clone(), digest }
    }
}

/// What the file calls it.
fn name(item: &Manifest) -> String {
    let at = item.at.trim_start_matches("pods.").trim_start_matches("jobs.");
    at.replace(".pods.", "/")
}

fn state(name: &str, progress: &Progress) -> PodReady {
    let number = |count: i64| u32::try_from(count).unwrap_or_default();
    let (ready, total) = (number(progress.ready), number(progress.wanted));
    PodReady { pod: name.to_owned(), ready, total }
}
