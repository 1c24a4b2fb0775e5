//! What deployments to a cluster must be allowed besides what all of them must.

use crate::domain::cluster::{Cluster, NamespaceManage};
use crate::kubernetes::Extra;
use crate::manifests::Settings;

/// Who makes the namespace of a cluster: deployments, where the cluster or its operator says so.
pub(super) fn namespace_manage(cluster: &Cluster, settings: &Settings) -> NamespaceManage {
    match cluster.kubernetes.namespace_manage {
        NamespaceManage::Create => NamespaceManage::Create,
        NamespaceManage::Never => settings.namespace.manage,
    }
}

/// What deployments to a cluster do that others do not.
pub fn extras(cluster: &Cluster, settings: &Settings) -> Vec<Extra> {
    let is_parent = cluster.kubernetes.hierarchical_namespaces;
    // Of a hierarchy only what is below the namespace is made.
    let is_made = !is_parent && namespace_manage(cluster, settings) == NamespaceManage::Create;
    let extras = [
        is_made.then_some(Extra::CreateNamespaces),
        is_parent.then_some(Extra::Anchors),
        settings.namespace.quota.then_some(Extra::Quotas),
    ];
    extras.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::cluster::{ClusterKind, KubernetesOptions};

    #[test]
    fn what_a_cluster_and_its_operator_decide_has_to_be_allowed() {
        let mut cluster = Cluster {
            id: Uuid::nil().into(),
            name: "eu".to_owned(),
            kind: ClusterKind::Kubernetes,
            address: "https://k8s.example".to_owned(),
            namespace: "shops".to_owned(),
            kubernetes: KubernetesOptions::default(),
            credentials: None,
        };
        let mut settings = Settings::default();
        assert!(extras(&cluster, &settings).is_empty());
        cluster.kubernetes.namespace_manage = NamespaceManage::Create;
        assert_eq!(extras(&cluster, &settings), [Extra::CreateNamespaces]);
        cluster.kubernetes.namespace_manage = NamespaceManage::Never;
        settings.namespace.manage = NamespaceManage::Create;
        settings.namespace.quota = true;
        assert_eq!(extras(&cluster, &settings), [Extra::CreateNamespaces, Extra::Quotas]);
        cluster.kubernetes.hierarchical_namespaces = true;
        assert_eq!(extras(&cluster, &settings), [Extra::Anchors, Extra::Quotas]);
    }
}
