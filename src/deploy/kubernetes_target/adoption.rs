//! What others have made, noted before it is taken over and given back when the release fails.

use serde_json::Value;

use crate::deploy::kubernetes_target::{ClusterError, KubernetesTarget, reference};
use crate::domain::cluster::Adoption;
use crate::kubernetes::ObjectRef;
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
        // A Job that ran is not run again.
        let is_taken = |item: &&Manifest| {
            let kept = [Kind::Namespace, Kind::SubnamespaceAnchor, Kind::Job, Kind::ResourceQuota];
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

    /// Makes objects again what they were before they were taken over; gives those that it could not,
    /// with the first failure.
    pub async fn give_back(&self, others: &[Object]) -> (Vec<ObjectRef>, Result<(), ClusterError>) {
        let (mut kept, mut first) = (Vec::new(), Ok(()));
        for object in others {
            let given = self.api.give_back(object.value(), &self.owner).await;
            if let Err(error) = given.map_err(|error| self.refused(error)) {
                kept.push(reference(object));
                first = first.and(Err(error));
            }
        }
        (kept, first)
    }
}

/// What somebody has said of an object and who that was, without what the cluster adds.
fn bare(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let kept = [
            "name",
            "namespace",
            "labels",
            "annotations",
            "finalizers",
            "ownerReferences",
            "managedFields",
        ];
        metadata.retain(|field, _| kept.contains(&field.as_str()));
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.retain(|name, _| !is_of_the_cluster(name));
        }
    }
    object
}
