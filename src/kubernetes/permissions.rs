//! Whether a cluster can be deployed to, and what is missing for it.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use hyper::Method;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use serde_json::Value;

use crate::domain::level::Level;
use crate::kubernetes::error::Right;
use crate::kubernetes::object::{
    ANCHOR, CLAIM, CONFIG_MAP, CRON_JOB, DEPLOYMENT, EVENT, INGRESS, INGRESS_CLASS, JOB, Kind,
    NAMESPACE, ObjectRef, POD, QUOTA, REPLICA_SET, SECRET, SERVICE, STATEFUL_SET, STORAGE_CLASS,
    Scope, group,
};
use crate::kubernetes::wire::{Call, Form};
use crate::kubernetes::{Cluster, Error};

/// Questions that are asked at the same time.
const AT_ONCE: usize = 16;

/// Everything that is done with what is deployed.
const ALL: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

/// What is always needed.
const ALWAYS: [(&Kind, &str, &[&str]); 16] = [
    (&SECRET, "", ALL),
    (&CONFIG_MAP, "", ALL),
    (&CLAIM, "", ALL),
    (&SERVICE, "", ALL),
    (&DEPLOYMENT, "", ALL),
    (&STATEFUL_SET, "", ALL),
    (&JOB, "", ALL),
    (&CRON_JOB, "", ALL),
    (&INGRESS, "", ALL),
    (&POD, "", &["get", "list", "watch", "delete"]),
    (&POD, "/log", &["get"]),
    (&REPLICA_SET, "", &["get", "list", "watch"]),
    (&EVENT, "", &["list", "watch"]),
    (&INGRESS_CLASS, "", &["get", "list"]),
    (&STORAGE_CLASS, "", &["get", "list"]),
    (&NAMESPACE, "", &["get"]),
];

/// What is needed only by some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// Deployments create their namespace.
    CreateNamespaces,
    /// Namespaces below the cluster's one are made for them.
    Anchors,
    /// Quotas are written.
    Quotas,
}

/// What a cluster says when it is asked whether it can be deployed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its level, if that is understood.
    pub level: Option<Level>,
    /// Whether the namespace is there.
    pub has_namespace: bool,
    /// What whoever signs in may not do and would have to; sorted.
    pub missing: Vec<Right>,
}

/// Every right that deployments to a namespace need.
pub fn needed(namespace: &str, extras: &[Extra]) -> Vec<Right> {
    let extras = extras.iter().map(|extra| match extra {
        Extra::CreateNamespaces => (&NAMESPACE, "", &["create"][..]),
        Extra::Anchors => (&ANCHOR, "", &["get", "create", "patch"][..]),
        Extra::Quotas => (&QUOTA, "", ALL),
    });
    let rights = ALWAYS.into_iter().chain(extras).flat_map(|(kind, below, verbs)| {
        verbs.iter().map(move |verb| Right {
            verb: (*verb).to_owned(),
            group: group(kind.api_version).to_owned(),
            resource: format!("{}{below}", kind.plural),
            namespace: (kind.scope == Scope::Namespace).then(|| namespace.to_owned()),
        })
    });
    rights.collect()
}

impl Cluster {
    /// Asks a cluster for everything that deployments need of it.
    ///
    /// # Errors
    ///
    /// When it does not answer, cannot prove who it is, or does not accept who signs in.
    pub async fn test_connection(&self, extras: &[Extra]) -> Result<Connection, Error> {
        // Cheap, and open to everybody who is accepted: what is wrong with the access is told here.
        let level = self.version().await?;
        let mut missing: Vec<_> = stream::iter(needed(&self.namespace, extras))
            .map(|right| async move {
                let is_allowed = self.may(&right).await?;
                Ok::<_, Error>((!is_allowed).then_some(right))
            })
            .buffer_unordered(AT_ONCE)
            .try_filter_map(|missing| async move { Ok(missing) })
            .try_collect()
            .await?;
        missing.sort_by(|a, b| (&a.resource, &a.verb).cmp(&(&b.resource, &b.verb)));
        let has_namespace = self.has_namespace().await?;
        Ok(Connection { level, has_namespace, missing })
    }

    /// Whether the namespace is there; where nobody may know, it is told among what is missing.
    ///
    /// # Errors
    ///
    /// When it is going away, or the cluster does not answer.
    pub async fn has_namespace(&self) -> Result<bool, Error> {
        match self.usable_namespace(&self.namespace).await {
            Ok(found) => Ok(found.is_some()),
            Err(Error::Denied { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether whoever signs in has a right.
    async fn may(&self, right: &Right) -> Result<bool, Error> {
        let (resource, below) = match right.resource.split_once('/') {
            Some((resource, below)) => (resource, Some(below.to_owned())),
            None => (right.resource.as_str(), None),
        };
        let attributes = ResourceAttributes {
            verb: Some(right.verb.clone()),
            group: Some(right.group.clone()),
            resource: Some(resource.to_owned()),
            subresource: below,
            namespace: right.namespace.clone(),
            ..ResourceAttributes::default()
        };
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                non_resource_attributes: None,
            },
            ..SelfSubjectAccessReview::default()
        };
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned();
        let object = ObjectRef::new("authorization.k8s.io/v1", "SelfSubjectAccessReview", "");
        let review = serde_json::to_value(review).unwrap_or_default();
        // Nothing is stored, so it may be asked twice.
        let answer =
            self.call(&Call::order(Method::POST, path, Form::Json, &review, object)).await?;
        let answer = self.understood(&answer)?;
        Ok(answer.pointer("/status/allowed") == Some(&Value::Bool(true)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Deserialize as _;

    use super::*;

    /// Right of a rule: verb, group and resource.
    type Ruled = (String, String, String);

    fn rules(documents: &[Value], kind: &str) -> BTreeSet<Ruled> {
        let role = documents.iter().find(|document| document["kind"] == kind).unwrap();
        let texts =
            |rule: &Value, field: &str| -> Vec<String> { Vec::deserialize(&rule[field]).unwrap() };
        let mut ruled = BTreeSet::new();
        for rule in role["rules"].as_array().unwrap() {
            for group in texts(rule, "apiGroups") {
                for resource in texts(rule, "resources") {
                    let verbs = texts(rule, "verbs").into_iter();
                    ruled.extend(verbs.map(|verb| (verb, group.clone(), resource.clone())));
                }
            }
        }
        ruled
    }

    #[test]
    fn the_documented_role_grants_what_is_needed_and_nothing_else() {
        let text = include_str!("../../docs/kubernetes-role.yaml");
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
        let needed = needed("shop", &[]);
        let of = |in_namespace: bool| -> BTreeSet<Ruled> {
            let rights = needed.iter().filter(|right| right.namespace.is_some() == in_namespace);
            rights.cloned().map(|right| (right.verb, right.group, right.resource)).collect()
        };
        assert_eq!(rules(&documents, "Role"), of(true));
        assert_eq!(rules(&documents, "ClusterRole"), of(false));
    }
}
