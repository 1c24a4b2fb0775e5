//! Claims of volumes: made, left as they are, grown, or reset with their data.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use crate::kubernetes::apply::quantity::bytes;
use crate::kubernetes::apply::{Applied, ApplyOptions, Change, Claims, DryRun, tried};
use crate::kubernetes::json::{count, list, text};
use crate::kubernetes::object::{CLAIM, DEPLOYMENT, JOB, Kind, ObjectRef, POD, STATEFUL_SET};
use crate::kubernetes::remove::Children;
use crate::kubernetes::watch::{Mirror, Selection};
use crate::kubernetes::wire::{Call, Form};
use crate::kubernetes::{Cluster, Error};

/// Where a claim says how much it asks for.
const SIZE: &str = "/spec/resources/requests/storage";

/// How often pods are looked for that came to use a claim which is being deleted.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl Cluster {
    /// Leaves a claim as it is but for its size, or makes a new one in its place.
    pub(super) async fn apply_claim(
        &self,
        object: &Value,
        found: &Value,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        match (options.claims, options.dry_run) {
            (Claims::Reset, DryRun::Yes) => {
                return self.try_replacing(object, options).await;
            }
            (Claims::Reset, DryRun::No) => {
                self.reset(found, options).await?;
                let applied = self.sent(object, None, options).await?;
                return Ok(Applied { change: Change::Replaced, ..applied });
            }
            (Claims::Keep, _) => {}
        }
        let name = self.placed(&ObjectRef::of(object));
        let mut warnings = differences(object, found);
        let (wanted, has) = (text(object, SIZE), text(found, SIZE));
        if bytes(wanted) > bytes(has) {
            match self.grow(&name, wanted, options).await {
                Ok(stored) => {
                    return Ok(Applied { object: name, change: Change::Changed, warnings, stored });
                }
                Err(Error::Refused { words, .. }) => {
                    warnings.push(refused(&name, has, wanted, &words));
                }
                Err(Error::Invalid { faults, .. }) => {
                    let words: Vec<_> = faults.into_iter().map(|fault| fault.words).collect();
                    warnings.push(refused(&name, has, wanted, &words.join(", ")));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Applied { object: name, change: Change::Unchanged, warnings, stored: found.clone() })
    }

    async fn grow(
        &self,
        name: &ObjectRef,
        size: &str,
        options: &ApplyOptions,
    ) -> Result<Value, Error> {
        let patch = json!({"spec": {"resources": {"requests": {"storage": size}}}});
        let path = self.path(&CLAIM, name);
        let call = Call::order(Method::PATCH, path, Form::MergePatch, &patch, name.clone());
        let call = call.with("fieldManager", &options.field_manager);
        let answer = self.call(&tried(call, options.dry_run)).await?;
        self.understood(&answer)
    }

    /// Deletes a claim with its data, and everything that keeps it from going.
    pub(super) async fn reset(&self, found: &Value, options: &ApplyOptions) -> Result<(), Error> {
        let claim = text(found, "/metadata/name");
        // First, so that nothing comes back that uses it: pods that wait for a claim which is being
        // deleted are not started.
        self.delete_found(found, Children::Follow).await?;
        for kind in [&DEPLOYMENT, &STATEFUL_SET] {
            let workloads = self.list(kind, &options.owner.selector(), "application/json").await?;
            let uses = |workload: &&Value| {
                mounts(workload, "/spec/template/spec/volumes", claim)
                    && count(workload, "/spec/replicas") > 0
            };
            for workload in workloads.iter().filter(uses) {
                self.stop(kind, text(workload, "/metadata/name"), options).await?;
            }
        }
        let is_gone = async {
            let gone = self.gone(found);
            let mut gone = std::pin::pin!(gone);
            loop {
                self.end_users(claim).await?;
                // They may come back while it goes.
                if let Ok(result) = tokio::time::timeout(LOOK_AGAIN, &mut gone).await {
                    return result;
                }
            }
        };
        is_gone.await
    }

    /// Leaves a workload without pods; applying it brings them back.
    async fn stop(&self, kind: &Kind, name: &str, options: &ApplyOptions) -> Result<(), Error> {
        let name = kind.named(&self.namespace, name);
        let patch = json!({"spec": {"replicas": 0}});
        let path = self.path(kind, &name);
        let call = Call::order(Method::PATCH, path, Form::MergePatch, &patch, name);
        match self.call(&call.with("fieldManager", &options.field_manager)).await {
            Ok(_) | Err(Error::Absent(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Deletes the pods that use a claim, and of Jobs the Jobs.
    async fn end_users(&self, claim: &str) -> Result<(), Error> {
        let users = |mirror: &Mirror| {
            Some(mirror.all().filter(|pod| mounts(pod, "/spec/volumes", claim)).cloned().collect())
        };
        let all = Selection::Labelled(String::new());
        let users: Option<Vec<Value>> = self.seen(&POD, &all, self.limits.patience, users).await?;
        for pod in users.unwrap_or_default() {
            self.delete_found(&pod, Children::Follow).await?;
            let owners = list(&pod, "/metadata/ownerReferences").iter();
            for job in owners.filter(|owner| text(owner, "/kind") == JOB.kind) {
                self.delete(&JOB.named(&self.namespace, text(job, "/name"))).await?;
            }
        }
        Ok(())
    }
}

/// Whether something uses a claim.
fn mounts(object: &Value, volumes: &str, claim: &str) -> bool {
    let mut volumes = list(object, volumes).iter();
    volumes.any(|volume| text(volume, "/persistentVolumeClaim/claimName") == claim)
}

fn refused(claim: &ObjectRef, has: &str, wanted: &str, words: &str) -> String {
    format!("{claim} stays at {has} and does not grow to {wanted}: {words}")
}

/// What a claim would have to be made again for.
fn differences(object: &Value, found: &Value) -> Vec<String> {
    let name = ObjectRef::of(object);
    let mut differences = Vec::new();
    let mut compare = |what: &str, has: String, wanted: String| {
        if !wanted.is_empty() && has != wanted {
            differences.push(format!(
                "{name} keeps its {what} {has} and does not get {wanted}: only a reset, which loses \
                 its data, would change it"
            ));
        }
    };
    let modes = |claim| {
        let modes = list(claim, "/spec/accessModes").iter().filter_map(Value::as_str);
        modes.collect::<Vec<_>>().join(", ")
    };
    compare("access modes", modes(found), modes(object));
    for (what, path) in [
        ("storage class", "/spec/storageClassName"),
        ("volume mode", "/spec/volumeMode"),
        ("volume", "/spec/volumeName"),
    ] {
        compare(what, text(found, path).to_owned(), text(object, path).to_owned());
    }
    let (has, wanted) = (text(found, SIZE), text(object, SIZE));
    if bytes(wanted) < bytes(has) {
        compare("size", has.to_owned(), wanted.to_owned());
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_change_of_a_claim_is_told_with_both_values() {
        let claim = |class: &str, mode: &str, size: &str| {
            json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": {
                "accessModes": [mode], "storageClassName": class,
                "resources": {"requests": {"storage": size}},
            }})
        };
        let found = claim("standard", "ReadWriteOnce", "1Gi");
        let wanted = claim("fast", "ReadWriteMany", "512Mi");
        let end = ": only a reset, which loses its data, would change it";
        assert_eq!(
            differences(&wanted, &found),
            [
                "access modes ReadWriteOnce and does not get ReadWriteMany",
                "storage class standard and does not get fast",
                "size 1Gi and does not get 512Mi",
            ]
            .map(|what| format!("PersistentVolumeClaim data keeps its {what}{end}"))
        );
        let mut same = claim("", "ReadWriteOnce", "1024Mi");
        same["spec"].as_object_mut().unwrap().remove("storageClassName");
        assert_eq!(differences(&same, &found), Vec::<String>::new());
    }
}
