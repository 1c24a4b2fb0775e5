//! Where objects go, and how much there may be.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Namespace, ResourceQuota, ResourceQuotaSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::json;

use crate::domain::cluster::NamespaceManage;
use crate::manifests::fault::Cannot;
use crate::manifests::names::is_dns_label;
use crate::manifests::object::{Kind, Object};
use crate::manifests::quantity::Unit;
use crate::manifests::render::{MANAGER, Renderer};
use crate::manifests::{Duty, Manifest, Phase};

/// The one quota of a namespace.
const QUOTA: &str = "paas-quota";

impl Renderer<'_> {
    /// The namespace, or what asks for it; nothing where it has to be there.
    pub(super) fn namespace(&mut self) {
        let name = self.namespace.clone();
        if !is_dns_label(&name) {
            self.fault("namespace", Cannot::Name(name.clone()));
        }
        let (target, settings) = (self.inputs.target, self.inputs.settings);
        if target.is_hierarchical {
            let metadata = ObjectMeta {
                name: Some(name.clone()),
                namespace: Some(target.namespace.clone()),
                labels: Some(shared_labels(&name)),
                ..ObjectMeta::default()
            };
            let kind = Kind::SubnamespaceAnchor;
            let anchor = json!({
                "apiVersion": kind.api_version(),
                "kind": kind.as_str(),
                "metadata": metadata,
            });
            self.add(Phase::Namespace, "", Duty::Plain, Object::new(kind, &anchor));
        } else if settings.namespace.manage == NamespaceManage::Create {
            self.items.push(plain_namespace(&name));
        }
    }

    /// What the account may use in the namespace.
    pub(super) fn quota(&mut self) {
        let rows = self.inputs.quotas;
        if !self.inputs.settings.namespace.quota || rows.is_empty() {
            return;
        }
        let mut hard = BTreeMap::new();
        for row in rows {
            let Some(unit) = Unit::of(&row.kind) else { continue };
            let bounds = [("requests", row.requires), ("limits", row.capacity)];
            // Of what is given out whole a quota counts only what is asked for.
            let counted = bounds.into_iter().take(if unit == Unit::Whole { 1 } else { 2 });
            for (bound, amount) in counted {
                if let Some(amount) = unit.text(amount) {
                    hard.insert(format!("{bound}.{}", row.kind), Quantity(amount));
                }
            }
        }
        let mut labels = shared_labels(QUOTA);
        let account = self.inputs.owner.account.as_str().trim_end_matches('-').to_owned();
        labels.insert(self.inputs.settings.key("account"), account);
        let quota = ResourceQuota {
            metadata: ObjectMeta {
                name: Some(QUOTA.to_owned()),
                namespace: Some(self.namespace.clone()),
                labels: Some(labels),
                ..ObjectMeta::default()
            },
            spec: Some(ResourceQuotaSpec { hard: Some(hard), ..ResourceQuotaSpec::default() }),
            ..ResourceQuota::default()
        };
        let object = Object::new(Kind::ResourceQuota, &quota);
        self.add(Phase::Quota, "", Duty::Plain, object);
    }
}

/// A namespace, which no single project owns.
fn plain_namespace(name: &str) -> Manifest {
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        labels: Some(shared_labels(name)),
        ..ObjectMeta::default()
    };
    let namespace = Namespace { metadata, ..Namespace::default() };
    let object = Object::new(Kind::Namespace, &namespace);
    Manifest { phase: Phase::Namespace, at: String::new(), duty: Duty::Plain, object }
}

/// Labels of what several projects share.
fn shared_labels(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("app.kubernetes.io/managed-by".to_owned(), MANAGER.to_owned()),
        ("name".to_owned(), name.to_owned()),
    ])
}
