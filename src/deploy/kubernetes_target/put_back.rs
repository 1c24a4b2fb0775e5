//! The way back: the objects of the live release applied again, and what is newer deleted.

use std::time::Duration;

use crate::deploy::kubernetes_target::telling::{Telling, thing};
use crate::deploy::kubernetes_target::{
    ClusterError, KubernetesTarget, is_emptied, reference, same,
};
use crate::domain::ids::Fence;
use crate::kubernetes::{Claims, ObjectRef, Owned};
use crate::manifests::{Duty, Kind, Manifest, Manifests, Phase};

impl KubernetesTarget {
    /// Makes an environment what it was: with nothing live nothing of it stays but disks.
    ///
    /// `live` has the fence of the release that serves, and what it has put here, if anything.
    ///
    /// # Errors
    ///
    /// When the cluster refuses something or is away, or what served does not any more.
    pub async fn put_back(
        &self,
        live: Option<(Fence, Option<&Manifests>)>,
        namespace: &str,
        limit: Duration,
        others: &[ObjectRef],
    ) -> Result<(), ClusterError> {
        let is_others = |owned: &Owned| others.iter().any(|other| same(other, &owned.object));
        let fence = live.map(|(fence, _)| fence);
        let manifests = live.and_then(|(_, manifests)| manifests);
        let items: Vec<&Manifest> = manifests
            .map(|live| live.items.iter().filter(|item| item.is_put_back()).collect())
            .unwrap_or_default();
        // Work of the run that is put back must not change anything under what served before.
        self.delete_newer(fence, namespace, |owned| {
            owned.object.kind != Kind::Job.as_str() || is_others(owned)
        })
        .await?;
        self.apply(items.iter().copied(), Claims::Keep).await?;
        // Before pods are waited for that may need its room.
        let keep: Vec<ObjectRef> = items.iter().map(|item| reference(&item.object)).collect();
        let is_kept =
            |owned: &Owned| is_others(owned) || keep.iter().any(|kept| same(kept, &owned.object));
        self.delete_newer(fence, namespace, is_kept).await?;
        if let Some(live) = manifests {
            self.wait(live, Phase::Workloads, limit, &Telling::nobody()).await?;
        }
        Ok(())
    }

    /// Disks of the live release that the one which failed has emptied, such as `data of web`.
    ///
    /// # Errors
    ///
    /// When the cluster refuses or is away.
    pub async fn lost_disks(
        &self,
        failed: &Manifests,
        live: &Manifests,
    ) -> Result<Vec<String>, ClusterError> {
        let fence_label = self.settings.key("fence");
        let is_live = |name: &str| {
            let mut claims = live.items.iter().filter(|item| item.phase == Phase::Claims);
            claims.any(|item| item.object.name() == name)
        };
        let mut lost = Vec::new();
        for item in failed.items.iter().filter(|item| is_emptied(item)) {
            if !is_live(item.object.name()) {
                continue;
            }
            let found = self.api.get(&reference(&item.object)).await;
            let found = found.map_err(|error| self.refused(error))?;
            let own = item.object.labels().get(fence_label.as_str()).copied();
            // One that is there is as old as its label says.
            let is_kept = found.is_some_and(|found| {
                let labels = found.pointer("/metadata/labels");
                labels.and_then(|labels| labels.get(&fence_label)?.as_str()) != own
            });
            if !is_kept {
                lost.push(disk(&item.at));
            }
        }
        Ok(lost)
    }

    /// Deletes what runs after the live one have made; of Jobs their pods too, waited for.
    async fn delete_newer(
        &self,
        live: Option<Fence>,
        namespace: &str,
        is_kept: impl Fn(&Owned) -> bool,
    ) -> Result<(), ClusterError> {
        let fence_label = self.settings.key("fence");
        let is_newer = |owned: &Owned| {
            let fence = owned.labels.get(&fence_label).and_then(|fence| fence.parse().ok());
            match (live, fence) {
                (None, _) => true,
                (Some(Fence(live)), Some(fence)) => i64::gt(&fence, &live),
                (Some(_), None) => false,
            }
        };
        let api = self.api.clone().within(namespace);
        let owned = api.owned(&self.owner).await.map_err(|error| self.refused(error))?;
        for left in owned.iter().filter(|owned| is_newer(owned)) {
            if is_kept(left) || self.is_pull_secret(left) {
                continue;
            }
            let deleted = if left.object.kind == Kind::Job.as_str() {
                api.remove(&left.object).await.map(drop)
            } else {
                api.delete_owned(left).await
            };
            deleted.map_err(|error| self.refused(error))?;
        }
        Ok(())
    }
}

/// `data of web`
fn disk(at: &str) -> String {
    let (pod, mount) = at.split_once(".containers.").unwrap_or((at, at));
    let key = mount.split_once(".volumes.").map_or(mount, |(_, key)| key);
    format!("{key} of {}", thing(pod))
}

/// Whose replacement may leave nobody to answer for a while, by its place in the file.
pub fn interrupted(manifests: &Manifests) -> Vec<String> {
    let is_one = |item: &&Manifest| match &item.duty {
        Duty::Rollout(rollout) => !rollout.keeps_serving,
        Duty::Claim { reset } => *reset,
        Duty::Plain | Duty::Copy | Duty::Work(_) => false,
    };
    manifests.items.iter().filter(is_one).map(|item| item.at.clone()).collect()
}
