//! The way back: the objects of the live release applied again, and what is newer deleted.

use std::time::Duration;

use crate::deploy::kubernetes_target::{ClusterError, KubernetesTarget, reference};
use crate::domain::ids::Fence;
use crate::kubernetes::{Claims, ObjectRef, Owned};
use crate::manifests::{Duty, Manifests, Phase};

/// How a cluster came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// Something served all the while.
    KeptServing,
    /// Something may have been down meanwhile.
    WasDown,
}

impl KubernetesTarget {
    /// Makes an environment what it was; without a live release nothing of it stays but disks.
    ///
    /// # Errors
    ///
    /// When the cluster refuses something or is away, or what served does not any more.
    pub async fn put_back(
        &self,
        live: Option<(&Manifests, Fence)>,
        namespace: &str,
        limit: Duration,
    ) -> Result<Restored, ClusterError> {
        let mut restored = Restored::KeptServing;
        if let Some((live, _)) = live {
            let items = live.items.iter();
            let items = items.filter(|item| item.is_put_back() && item.duty != Duty::Copy);
            self.apply(items, Claims::Keep).await?;
            self.wait(live, Phase::Workloads, limit, &|_ready| {}).await?;
            let is_interrupted = |duty: &Duty| match duty {
                Duty::Rollout(rollout) => !rollout.keeps_serving,
                Duty::Plain | Duty::Claim { .. } | Duty::Copy | Duty::Work(_) => false,
            };
            if live.items.iter().any(|item| is_interrupted(&item.duty)) {
                restored = Restored::WasDown;
            }
        }
        let fence_label = self.settings.key("fence");
        let keep: Vec<ObjectRef> = live.map_or_else(Vec::new, |(live, _)| {
            live.items.iter().map(|item| reference(&item.object)).collect()
        });
        let is_kept = |owned: &Owned| {
            let same =
                |kept: &ObjectRef| kept.kind == owned.object.kind && kept.name == owned.object.name;
            let fence = owned.labels.get(&fence_label).and_then(|fence| fence.parse().ok());
            let is_older = match (live, fence) {
                (Some((_, Fence(live))), Some(fence)) => i64::le(&fence, &live),
                (Some(_), None) => true,
                (None, _) => false,
            };
            is_older || keep.iter().any(same)
        };
        let api = self.api.clone().within(namespace);
        let owned = api.owned(&self.owner).await.map_err(|error| self.refused(error))?;
        for left in owned.iter().filter(|owned| !is_kept(owned)) {
            api.delete_owned(left).await.map_err(|error| self.refused(error))?;
        }
        Ok(restored)
    }
}
