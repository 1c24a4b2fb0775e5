//! What is asked of a cluster before anything is sent.

use serde_json::Value;

use crate::domain::level::Level;
use crate::kubernetes::json::{annotation, list, text};
use crate::kubernetes::object::{INGRESS_CLASS, Kind, ObjectRef};
use crate::kubernetes::wire::Call;
use crate::kubernetes::{ApiGroup, Cluster, Error, IngressClass};

/// Objects in one page of a list.
const PAGE: &str = "500";

/// Instead of whole objects only what is known of each, so that no secret travels.
pub(super) const METADATA_ONLY: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

impl Cluster {
    /// The level of the cluster; `None` if it says nothing that is understood.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn version(&self) -> Result<Option<Level>, Error> {
        let version = Call::get("/version".to_owned(), ObjectRef::new("v1", "Version", "version"));
        let answer = self.understood(&self.call(&version).await?)?;
        Ok(Level::find(text(&answer, "/gitVersion")))
    }

    /// The groups of its API, without the first one, which has no name.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn api_groups(&self) -> Result<Vec<ApiGroup>, Error> {
        let groups = Call::get("/apis".to_owned(), ObjectRef::new("v1", "APIGroupList", "apis"));
        let answer = self.understood(&self.call(&groups).await?)?;
        let group = |group: &Value| {
            let preferred = text(group, "/preferredVersion/version");
            let versions = list(group, "/versions").iter().map(|version| text(version, "/version"));
            let others = versions.filter(|version| *version != preferred);
            let versions = [preferred].into_iter().chain(others).filter(|name| !name.is_empty());
            ApiGroup {
                name: text(group, "/name").to_owned(),
                versions: versions.map(str::to_owned).collect(),
            }
        };
        Ok(list(&answer, "/groups").iter().map(group).collect())
    }

    /// Who serves Ingresses.
    ///
    /// # Errors
    ///
    /// When it does not answer, or may not be asked.
    pub async fn ingress_classes(&self) -> Result<Vec<IngressClass>, Error> {
        let classes = self.list(&INGRESS_CLASS, "", "application/json").await?;
        let class = |class: &Value| IngressClass {
            name: text(class, "/metadata/name").to_owned(),
            controller: text(class, "/spec/controller").to_owned(),
            is_default: annotation(class, "ingressclass.kubernetes.io/is-default-class") == "true",
        };
        Ok(classes.iter().map(class).collect())
    }

    /// An object, if it is there.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer, or may not be asked.
    pub async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, Error> {
        let kind = Kind::of(object)?;
        self.find(&Call::get(self.path(kind, object), self.placed(object))).await
    }

    /// Path of an object.
    pub(super) fn path(&self, kind: &Kind, object: &ObjectRef) -> String {
        let namespace = object.namespace.as_deref().unwrap_or(&self.namespace);
        format!("{}/{}", kind.path(namespace), object.name)
    }

    /// The same object, with its namespace.
    pub(super) fn placed(&self, object: &ObjectRef) -> ObjectRef {
        let namespace = object.namespace.as_deref().unwrap_or(&self.namespace);
        Kind::of(object).map_or_else(
            |_| object.clone(),
            |kind| ObjectRef {
                api_version: object.api_version.clone(),
                ..kind.named(namespace, &object.name)
            },
        )
    }

    /// All objects of a kind with these labels, page by page.
    pub(super) async fn list(
        &self,
        kind: &Kind,
        labels: &str,
        accept: &'static str,
    ) -> Result<Vec<Value>, Error> {
        self.select(kind, ("labelSelector", labels), accept).await
    }

    /// The same by any selector.
    pub(super) async fn select(
        &self,
        kind: &Kind,
        (selector, selected): (&'static str, &str),
        accept: &'static str,
    ) -> Result<Vec<Value>, Error> {
        let (mut items, mut next) = (Vec::new(), String::new());
        loop {
            let mut call =
                Call::get(kind.path(&self.namespace), kind.named(&self.namespace, "list"));
            call.accept = accept;
            call = call.with("limit", PAGE).with(selector, selected);
            if !next.is_empty() {
                call = call.with("continue", &next);
            }
            let page = self.understood(&self.call(&call).await?)?;
            next = text(&page, "/metadata/continue").to_owned();
            let Value::Object(mut page) = page else { return Ok(items) };
            if let Some(Value::Array(mut page)) = page.remove("items") {
                page.iter_mut().for_each(|item| kind.stamp(item));
                items.append(&mut page);
            }
            if next.is_empty() {
                return Ok(items);
            }
        }
    }
}
