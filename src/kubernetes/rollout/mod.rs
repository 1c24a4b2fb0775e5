//! Workloads waited for until they serve, or are known not to.
//!
//! Everything is seen by watches: the workload, the ReplicaSets behind it, its pods and what the
//! cluster tells about them. Whether it is over is decided by functions of what is seen
//! ([`conditions`], [`trouble`]), each time something changes and once a second.

pub(super) mod conditions;
pub(super) mod scene;
#[cfg(test)]
mod tests;
pub(super) mod trouble;

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::kubernetes::digest::{Digest, Why};
use crate::kubernetes::json::{count, text};
use crate::kubernetes::object::{DEPLOYMENT, Kind, ObjectRef, STATEFUL_SET};
use crate::kubernetes::remove::Children;
use crate::kubernetes::rollout::conditions::Stand;
use crate::kubernetes::rollout::scene::{Look, Scene};
use crate::kubernetes::{Cluster, Error};

/// How long things are waited for that may come right by themselves.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Longest wait altogether.
    pub limit: Duration,
    /// Longest time without any progress; Deployments have their own deadline for it.
    pub stall: Duration,
    /// How long pods may be refused by a quota or a rule.
    pub refusal: Duration,
    /// How often a container may end before it is taken for broken.
    pub crashes: i64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(1800),
            stall: Duration::from_secs(600),
            refusal: Duration::from_secs(30),
            crashes: 4,
        }
    }
}

/// What becomes of the pods of a StatefulSet as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldPods {
    /// The cluster replaces them one by one.
    Roll,
    /// They are deleted together.
    Together,
    /// They stay until somebody deletes them.
    Stay,
}

/// How far something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What it is about.
    pub object: ObjectRef,
    /// Pods that are new and serve; of a Job, completions.
    pub ready: i64,
    /// How many there shall be.
    pub wanted: i64,
}

/// How a wait ended.
#[derive(Debug)]
pub enum Ended {
    /// Everything serves.
    Done,
    /// It does not, and will not.
    Failed(Box<Digest>),
}

impl Cluster {
    /// Waits until a Deployment or StatefulSet that was applied serves with all its pods.
    ///
    /// Progress is told each time it changes. May be dropped at any time.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer for longer than patience lasts, or refuses.
    pub async fn wait_rollout(
        &self,
        workload: &ObjectRef,
        old_pods: OldPods,
        patience: &Patience,
        mut told: impl FnMut(Progress) + Send,
    ) -> Result<Ended, Error> {
        let object = self.placed(workload);
        let kind = Kind::of(&object)?;
        let within = self.clone().within(object.namespace.as_deref().unwrap_or(&self.namespace));
        let Some(found) = self.get(&object).await? else {
            return Ok(failed(Digest::new(object, Why::Gone)));
        };
        let mut scene = Scene::open(&within, kind, &found);
        let mut wait = Wait::new(*patience, Some(patience.stall));
        let mut swept = false;
        loop {
            scene.change().await?;
            if !scene.is_complete() {
                continue;
            }
            let Some(look) = scene.look(old_pods) else {
                return Ok(failed(scene.digest(Why::Gone)));
            };
            if *kind == DEPLOYMENT && !scene.is_past_as_before() {
                // The cluster watches over it.
                wait.stall = None;
            }
            if let Some((ready, wanted)) = wait.progressed(&look) {
                told(Progress { object: object.clone(), ready, wanted });
            }
            if *kind == STATEFUL_SET && look.is_observed && (!swept || wait.is_stalling()) {
                within.sweep(&scene.stuck_pods(old_pods)).await?;
                swept = true;
                wait.restart_stall();
            }
            match wait.verdict(&look) {
                None => {}
                Some(Ok(())) => return Ok(Ended::Done),
                Some(Err(why)) => {
                    let digest = scene.digest(why);
                    return Ok(failed(within.with_output(digest).await));
                }
            }
        }
    }

    /// Deletes pods that would block those which come after them.
    async fn sweep(&self, pods: &[Value]) -> Result<(), Error> {
        for pod in pods {
            self.delete_found(pod, Children::Follow).await?;
        }
        Ok(())
    }
}

fn failed(digest: Digest) -> Ended {
    Ended::Failed(Box::new(digest))
}

/// What depends on how long something was seen.
#[derive(Debug)]
pub(super) struct Wait {
    patience: Patience,
    /// Where the cluster does not watch over progress itself.
    stall: Option<Duration>,
    begun: Instant,
    last_progress: Instant,
    last_sweep: Instant,
    progress: Option<(i64, i64)>,
    refused_since: Option<Instant>,
    troubled_since: Vec<(trouble::Key, Instant)>,
}

impl Wait {
    /// Begins to wait; progress is watched over for so long, if at all.
    pub(super) fn new(patience: Patience, stall: Option<Duration>) -> Self {
        let now = Instant::now();
        Self {
            patience,
            stall,
            begun: now,
            last_progress: now,
            last_sweep: now,
            progress: None,
            refused_since: None,
            troubled_since: Vec::new(),
        }
    }

    /// What is to be told, if it is new.
    pub(super) fn progressed(&mut self, look: &Look) -> Option<(i64, i64)> {
        let progress = (look.ready, look.wanted);
        if self.progress == Some(progress) {
            return None;
        }
        self.progress = Some(progress);
        self.last_progress = Instant::now();
        Some(progress)
    }

    fn is_stalling(&self) -> bool {
        self.last_progress.max(self.last_sweep).elapsed() > self.patience.refusal
    }

    fn restart_stall(&mut self) {
        self.last_sweep = Instant::now();
    }

    /// Whether it is over, and how.
    pub(super) fn verdict(&mut self, look: &Look) -> Option<Result<(), Why>> {
        match &look.stand {
            Stand::Done => return Some(Ok(())),
            Stand::Failed(why) => return Some(Err(why.clone())),
            Stand::Going => {}
        }
        let now = Instant::now();
        self.refused_since = look.refused.as_ref().map(|_| self.refused_since.unwrap_or(now));
        if let (Some(words), Some(since)) = (&look.refused, self.refused_since)
            && now.duration_since(since) >= self.patience.refusal
        {
            return Some(Err(Why::Refused { words: words.clone() }));
        }
        let known = std::mem::take(&mut self.troubled_since);
        for trouble in &look.troubles {
            let key = trouble.key();
            let since =
                known.iter().find(|(other, _)| *other == key).map_or(now, |(_, since)| *since);
            self.troubled_since.push((key, since));
            if trouble.outlook(self.patience.crashes).is_over_after(now.duration_since(since)) {
                return Some(Err(Why::Trouble(trouble.clone())));
            }
        }
        let late = |since: Instant, limit: Duration| {
            let is_over = now.duration_since(since) >= limit;
            is_over.then_some(Err(Why::Late { seconds: limit.as_secs() }))
        };
        let stalled = self.stall.and_then(|stall| late(self.last_progress, stall));
        stalled.or_else(|| late(self.begun, self.patience.limit))
    }
}

/// Pods of a StatefulSet that are to be deleted, so that newer ones come.
pub(super) fn stuck<'p>(
    set: &Value,
    pods: impl Iterator<Item = &'p Value>,
    old_pods: OldPods,
) -> Vec<Value> {
    let update = text(set, "/status/updateRevision");
    let is_stuck = |pod: &&Value| {
        let is_old = conditions::revision_of(pod) != update;
        let is_broken = !conditions::is_ready(pod);
        let stays = text(pod, "/metadata/deletionTimestamp").is_empty();
        is_old && stays && (is_broken || old_pods == OldPods::Together)
    };
    let is_known = !update.is_empty() && conditions::is_observed(set);
    let wanted = count(set, "/spec/replicas") > 0;
    pods.filter(|pod| is_known && wanted && is_stuck(pod)).cloned().collect()
}
