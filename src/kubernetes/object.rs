//! Which object is meant, and where the API has it.

use std::fmt;

use kube::api::ApiResource;
use kube::core::GroupVersionKind;
use serde_json::Value;

use crate::kubernetes::Error;
use crate::kubernetes::json::text;

/// Names one object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Group and version, such as `apps/v1`.
    pub api_version: String,
    /// Kind, such as `Deployment`.
    pub kind: String,
    /// Namespace; the cluster's own if there is none.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

impl ObjectRef {
    /// Names an object of the cluster's own namespace.
    pub fn new(api_version: &str, kind: &str, name: &str) -> Self {
        let (api_version, kind) = (api_version.to_owned(), kind.to_owned());
        Self { api_version, kind, namespace: None, name: name.to_owned() }
    }

    /// Names this object.
    pub fn of(object: &Value) -> Self {
        let namespace = text(object, "/metadata/namespace");
        Self {
            namespace: Some(namespace).filter(|name| !name.is_empty()).map(str::to_owned),
            ..Self::new(
                text(object, "/apiVersion"),
                text(object, "/kind"),
                text(object, "/metadata/name"),
            )
        }
    }
}

/// Where objects of a kind are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Namespace,
    Cluster,
}

/// A kind that is driven.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
    pub(super) scope: Scope,
}

macro_rules! kinds {
    ($($name:ident $api_version:literal $kind:literal $plural:literal $scope:ident;)*) => {
        $(pub(super) const $name: Kind = Kind {
            api_version: $api_version, kind: $kind, plural: $plural, scope: Scope::$scope,
        };)*

        /// Every kind that is driven.
        pub(super) const KINDS: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    ANCHOR "hnc.x-k8s.io/v1alpha2" "SubnamespaceAnchor" "subnamespaceanchors" Namespace;
    CONFIG_MAP "v1" "ConfigMap" "configmaps" Namespace;
    CRON_JOB "batch/v1" "CronJob" "cronjobs" Namespace;
    DEPLOYMENT "apps/v1" "Deployment" "deployments" Namespace;
    EVENT "v1" "Event" "events" Namespace;
    INGRESS "networking.k8s.io/v1" "Ingress" "ingresses" Namespace;
    INGRESS_CLASS "networking.k8s.io/v1" "IngressClass" "ingressclasses" Cluster;
    JOB "batch/v1" "Job" "jobs" Namespace;
    NAMESPACE "v1" "Namespace" "namespaces" Cluster;
    CLAIM "v1" "PersistentVolumeClaim" "persistentvolumeclaims" Namespace;
    POD "v1" "Pod" "pods" Namespace;
    QUOTA "v1" "ResourceQuota" "resourcequotas" Namespace;
    REPLICA_SET "apps/v1" "ReplicaSet" "replicasets" Namespace;
    SECRET "v1" "Secret" "secrets" Namespace;
    SERVICE "v1" "Service" "services" Namespace;
    STATEFUL_SET "apps/v1" "StatefulSet" "statefulsets" Namespace;
    STORAGE_CLASS "storage.k8s.io/v1" "StorageClass" "storageclasses" Cluster;
}

impl Kind {
    /// The kind that is meant.
    pub(super) fn of(object: &ObjectRef) -> Result<&'static Self, Error> {
        let is_meant = |kind: &&&Self| {
            kind.kind == object.kind && group(kind.api_version) == group(&object.api_version)
        };
        KINDS.iter().find(is_meant).copied().ok_or_else(|| Error::UnknownKind {
            api_version: object.api_version.clone(),
            kind: object.kind.clone(),
        })
    }

    /// Writes into an object what it is: in lists it is not said.
    pub(super) fn stamp(&self, object: &mut Value) {
        if let Value::Object(fields) = object {
            fields.insert("apiVersion".to_owned(), self.api_version.into());
            fields.insert("kind".to_owned(), self.kind.into());
        }
    }

    /// Names an object of this kind in a namespace.
    pub(super) fn named(&self, namespace: &str, name: &str) -> ObjectRef {
        let namespace = (self.scope == Scope::Namespace).then(|| namespace.to_owned());
        ObjectRef { namespace, ..ObjectRef::new(self.api_version, self.kind, name) }
    }

    /// Path of the list of all objects of this kind in a namespace.
    pub(super) fn path(&self, namespace: &str) -> String {
        let Self { api_version, plural, .. } = self;
        let root = if api_version.contains('/') { "apis" } else { "api" };
        match self.scope {
            Scope::Namespace => format!("/{root}/{api_version}/namespaces/{namespace}/{plural}"),
            Scope::Cluster => format!("/{root}/{api_version}/{plural}"),
        }
    }

    /// The same in the words of the client that watches.
    pub(super) fn resource(&self) -> ApiResource {
        let version = self.api_version.rsplit('/').next().unwrap_or_default();
        let gvk = GroupVersionKind::gvk(group(self.api_version), version, self.kind);
        ApiResource::from_gvk_with_plural(&gvk, self.plural)
    }
}

/// The group of `group/version`, empty for the first one, which has no name.
pub(super) fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests;

    #[test]
    fn everything_that_is_rendered_can_be_applied() {
        for kind in manifests::Kind::ALL {
            let name = ObjectRef::new(kind.api_version(), kind.as_str(), "a");
            Kind::of(&name).unwrap();
        }
    }

    #[test]
    fn objects_are_where_the_api_has_them() {
        let path = |api_version, kind| {
            Kind::of(&ObjectRef::new(api_version, kind, "a")).map(|kind| kind.path("shop"))
        };
        assert_eq!(path("v1", "Secret").unwrap(), "/api/v1/namespaces/shop/secrets");
        assert_eq!(
            path("apps/v1", "Deployment").unwrap(),
            "/apis/apps/v1/namespaces/shop/deployments"
        );
        assert_eq!(path("v1", "Namespace").unwrap(), "/api/v1/namespaces");
        let error = path("example.com/v1", "Deployment").unwrap_err().to_string();
        assert_eq!(
            error,
            "objects of kind Deployment in example.com/v1 are not deployed: leave it out"
        );
    }
}
