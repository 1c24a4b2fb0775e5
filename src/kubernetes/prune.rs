//! What somebody owns, and what of it is not needed any more.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kubernetes::json::{controller, holds, pairs, text};
use crate::kubernetes::object::{
    CONFIG_MAP, CRON_JOB, DEPLOYMENT, INGRESS, JOB, Kind, ObjectRef, SECRET, SERVICE, STATEFUL_SET,
};
use crate::kubernetes::owner::Owner;
use crate::kubernetes::questions::METADATA_ONLY;
use crate::kubernetes::remove::Children;
use crate::kubernetes::{Cluster, Error};

/// Kinds of what may be removed; claims, quotas and namespaces never are. What uses others comes
/// first.
const PRUNED: [&Kind; 8] =
    [&INGRESS, &CRON_JOB, &JOB, &STATEFUL_SET, &DEPLOYMENT, &SERVICE, &CONFIG_MAP, &SECRET];

/// An object that somebody owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Which.
    pub object: ObjectRef,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it is a Job that has not ended.
    pub is_running: bool,
    uid: String,
}

impl Cluster {
    /// Everything of the kinds that may be removed which carries both labels of an owner, and was
    /// made by nobody else on the way.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer, or may not be asked.
    pub async fn owned(&self, owner: &Owner) -> Result<Vec<Owned>, Error> {
        let selector = owner.selector();
        let mut owned = Vec::new();
        for kind in PRUNED {
            let accept = if *kind == JOB { "application/json" } else { METADATA_ONLY };
            let found = self.list(kind, &selector, accept).await?;
            let made_by_nobody = found.iter().filter(|found| controller(found).is_none());
            owned.extend(made_by_nobody.map(|found| self.owned_one(kind, found)));
        }
        Ok(owned)
    }

    /// Deletes what an owner has and nobody keeps, but for Jobs that still run.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer or refuses; what was deleted by then stays deleted.
    pub async fn prune(
        &self,
        owner: &Owner,
        is_kept: impl Fn(&Owned) -> bool + Send,
    ) -> Result<(), Error> {
        let owned = self.owned(owner).await?;
        for owned in owned.iter().filter(|owned| !owned.is_running && !is_kept(owned)) {
            self.delete_owned(owned).await?;
        }
        Ok(())
    }

    /// Deletes what was found to be owned, and none that took its name meanwhile.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer or refuses.
    pub async fn delete_owned(&self, owned: &Owned) -> Result<(), Error> {
        let ObjectRef { api_version, kind, namespace, name } = &owned.object;
        let found = serde_json::json!({
            "apiVersion": api_version, "kind": kind,
            "metadata": {"name": name, "namespace": namespace, "uid": owned.uid},
        });
        self.delete_found(&found, Children::of(Kind::of(&owned.object)?)).await
    }

    fn owned_one(&self, kind: &Kind, found: &Value) -> Owned {
        let labels = pairs(found, "/metadata/labels");
        Owned {
            object: kind.named(&self.namespace, text(found, "/metadata/name")),
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            is_running: *kind == JOB && !holds(found, "Complete") && !holds(found, "Failed"),
            uid: text(found, "/metadata/uid").to_owned(),
        }
    }
}
