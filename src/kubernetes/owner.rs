//! Whose an object is.

use serde_json::Value;

use crate::domain::cluster::Adoption;
use crate::kubernetes::Error;
use crate::kubernetes::json::{label, list, text};
use crate::kubernetes::object::ObjectRef;

/// Labels that everything carries which belongs to somebody, such as a project and an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Names and values; an object that lacks one is somebody else's.
    pub labels: [(String, String); 2],
}

impl Owner {
    /// The selector of everything that is theirs.
    pub(super) fn selector(&self) -> String {
        self.labels.each_ref().map(|(name, value)| format!("{name}={value}")).join(",")
    }

    /// Whether an object is theirs.
    pub fn owns(&self, object: &Value) -> bool {
        self.labels.iter().all(|(name, value)| label(object, name) == value)
    }

    /// Refuses what is somebody else's, unless that is to be taken over.
    ///
    /// What another one of their kind has is never taken over: they would take it back.
    pub(super) fn check(&self, found: &Value, adoption: Adoption) -> Result<(), Error> {
        let is_marked = self.labels.iter().any(|(name, _)| !label(found, name).is_empty());
        if self.owns(found) || (adoption == Adoption::Adopt && !is_marked) {
            return Ok(());
        }
        let ObjectRef { kind, name, .. } = ObjectRef::of(found);
        let owner = self.other(found);
        Err(Error::Foreign { kind, name, owner, is_adoptable: !is_marked })
    }

    /// Who it seems to be: other values of the same labels, or who wrote it.
    fn other(&self, found: &Value) -> String {
        let differing = self.labels.iter().map(|(name, _)| (name, label(found, name)));
        let differing = differing.filter(|(_, value)| !value.is_empty());
        let labels: Vec<_> = differing.map(|(name, value)| format!("{name}={value}")).collect();
        if !labels.is_empty() {
            return labels.join(", ");
        }
        let manager = label(found, "app.kubernetes.io/managed-by");
        if !manager.is_empty() {
            return format!("managed by {manager}");
        }
        let writers = list(found, "/metadata/managedFields").iter();
        let mut writers = writers.filter(|entry| text(entry, "/subresource").is_empty());
        let first = writers.next().map(|entry| text(entry, "/manager")).unwrap_or_default();
        if first.is_empty() { "unknown".to_owned() } else { format!("written by {first}") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_theirs_with_both_labels_and_otherwise_somebody_is_named() {
        let labels = [("p/project", "a"), ("p/environment", "b")];
        let owner =
            Owner { labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())) };
        assert_eq!(owner.selector(), "p/project=a,p/environment=b");
        let object = |labels: Value, manager: &str| {
            let fields = json!([
                {"manager": "kubelet", "subresource": "status"},
                {"manager": manager},
            ]);
            json!({"kind": "Service", "metadata": {"name": "web", "labels": labels, "managedFields": fields}})
        };
        let told = |labels, manager| match owner.check(&object(labels, manager), Adoption::Refuse) {
            Ok(()) => "theirs".to_owned(),
            Err(error) => error.to_string(),
        };
        let is_taken =
            |labels| owner.check(&object(labels, "kubectl-create"), Adoption::Adopt).is_ok();
        assert!(is_taken(json!({})) && is_taken(json!({"app.kubernetes.io/managed-by": "Helm"})));
        assert!(!is_taken(json!({"p/project": "other"})));
        let advice = "rename yours, or delete it there";
        assert_eq!(told(json!({"p/project": "a", "p/environment": "b", "x": "y"}), ""), "theirs");
        for (labels, manager, other) in [
            (json!({"p/project": "a", "p/environment": "c"}), "", "p/project=a, p/environment=c"),
            (json!({"app.kubernetes.io/managed-by": "Helm"}), "helm", "managed by Helm"),
            (json!({}), "kubectl-create", "written by kubectl-create"),
            (json!({}), "", "unknown"),
        ] {
            let told = told(labels, manager);
            assert_eq!(told, format!("Service web belongs to another owner ({other}): {advice}"));
        }
    }
}
