//! What others have made, noted before it is taken over and given back when the release fails.

use serde_json::Value;

use crate::deploy::kubernetes_target::{ClusterError, KubernetesTarget, reference};
use crate::domain::cluster::Adoption;
use crate::kubernetes::ApplyOptions;
use crate::manifests::{Kind, Manifest, Manifests, Object, is_of_the_cluster};

impl KubernetesTarget {
    /// Objects as they are that somebody else has made, and that are about to be taken over.
    ///
    /// # Errors
    ///
    /// When the cluster refuses or is away.
    pub async fn others(&self, manifests: &Manifests) -> Result<Vec<Object>, ClusterError> {
        let mut others = Vec::new();
        if self.adoption == Adoption::Refuse {
            return Ok(others);
        }
        // What is in a disk stays there, whoever has it; a Job that ran is not run again.
        let is_taken = |item: &&Manifest| {
            let kept =
                [Kind::Namespace, Kind::SubnamespaceAnchor, Kind::PersistentVolumeClaim, Kind::Job];
            !item.yields() && !kept.contains(&item.object.kind())
        };
        for item in manifests.items.iter().filter(is_taken) {
            let found = self.api.get(&reference(&item.object)).await;
            let found = found.map_err(|error| self.refused(error).of(&item.at))?;
            let Some(found) = found.filter(|found| !self.owner.owns(found)) else { continue };
            others.extend(serde_json::from_value::<Object>(bare(found)));
        }
        Ok(others)
    }

    /// Makes objects again what they were before they were taken over.
    ///
    /// # Errors
    ///
    /// When the cluster refuses or is away.
    pub async fn give_back(&self, others: &[Object]) -> Result<(), ClusterError> {
        let options =
            ApplyOptions { adoption: Adoption::Adopt, ..ApplyOptions::new(self.owner.clone()) };
        for object in others {
            let found = self.api.get(&reference(object)).await;
            let found = found.map_err(|error| self.refused(error))?;
            // The release that failed had not come to it.
            if found.is_some_and(|found| !self.owner.owns(&found)) {
                continue;
            }
            let given = self.api.apply(object.value(), &options).await;
            given.map_err(|error| self.refused(error))?;
        }
        Ok(())
    }
}

/// What somebody has said of an object, without what the cluster adds.
fn bare(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let kept = ["name", "namespace", "labels", "annotations"];
        metadata.retain(|field, _| kept.contains(&field.as_str()));
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.retain(|name, _| !is_of_the_cluster(name));
        }
    }
    object
}
