//! Objects removed, and waited for until they are gone.

use hyper::Method;
use serde_json::{Value, json};

use crate::kubernetes::json::{list, text};
use crate::kubernetes::object::{JOB, Kind, ObjectRef, POD};
use crate::kubernetes::watch::{Mirror, Selection};
use crate::kubernetes::wire::{Call, Form};
use crate::kubernetes::{Cluster, Error};

/// Label of a Job's pods with the uid of their Job.
pub(super) const JOB_OF_POD: &str = "batch.kubernetes.io/controller-uid";

/// What becomes of what an object made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Children {
    /// Removed after it.
    Follow,
    /// Removed before it.
    Precede,
    /// Left.
    Stay,
}

impl Children {
    /// What is usual for a kind: a Job that is gone must not leave a pod that still runs.
    pub(super) fn of(kind: &Kind) -> Self {
        if *kind == JOB { Self::Precede } else { Self::Follow }
    }

    const fn policy(self) -> &'static str {
        match self {
            Self::Follow => "Background",
            Self::Precede => "Foreground",
            Self::Stay => "Orphan",
        }
    }
}

impl Cluster {
    /// Deletes an object and everything that it made; says whether it was there.
    ///
    /// Does not wait until it is gone.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer or refuses.
    pub async fn delete(&self, object: &ObjectRef) -> Result<bool, Error> {
        let Some(found) = self.get(object).await? else { return Ok(false) };
        self.delete_found(&found, Children::of(Kind::of(object)?)).await?;
        Ok(true)
    }

    /// Deletes an object and waits until it is gone; of a Job, until its pods are gone too.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer or refuses, or the object does not go away.
    pub async fn remove(&self, object: &ObjectRef) -> Result<bool, Error> {
        let Some(found) = self.get(object).await? else { return Ok(false) };
        self.remove_found(&found, Children::of(Kind::of(object)?)).await?;
        Ok(true)
    }

    /// Deletes this very object, and none that took its name meanwhile.
    pub(super) async fn delete_found(
        &self,
        found: &Value,
        children: Children,
    ) -> Result<(), Error> {
        let object = ObjectRef::of(found);
        let options = json!({
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": text(found, "/metadata/uid")},
            "propagationPolicy": children.policy(),
        });
        let path = self.path(Kind::of(&object)?, &object);
        let call = Call::order(Method::DELETE, path, Form::Json, &options, object);
        match self.call(&call).await {
            Ok(_) | Err(Error::Absent(_) | Error::Refused { status: 409, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The same, waited for.
    pub(super) async fn remove_found(
        &self,
        found: &Value,
        children: Children,
    ) -> Result<(), Error> {
        self.delete_found(found, children).await?;
        self.gone(found).await
    }

    /// Waits until this very object is gone; of a Job, until its pods are gone too.
    pub(super) async fn gone(&self, found: &Value) -> Result<(), Error> {
        let object = self.placed(&ObjectRef::of(found));
        let kind = Kind::of(&object)?;
        let within = self.clone().within(object.namespace.as_deref().unwrap_or(&self.namespace));
        let uid = text(found, "/metadata/uid");
        let mut held_by = Vec::new();
        let is_gone = |mirror: &Mirror| {
            let still =
                mirror.named(&object.name).filter(|still| text(still, "/metadata/uid") == uid);
            let Some(still) = still else { return Some(()) };
            held_by = list(still, "/metadata/finalizers")
                .iter()
                .filter_map(|finalizer| finalizer.as_str().map(str::to_owned))
                .collect();
            None
        };
        let selection = Selection::Named(object.name.clone());
        let limit = self.limits.removal;
        if within.seen(kind, &selection, limit, is_gone).await?.is_none() {
            return Err(Error::Lingering {
                object: object.into(),
                seconds: limit.as_secs(),
                held_by,
            });
        }
        if *kind != JOB {
            return Ok(());
        }
        let mut held_by = Vec::new();
        let are_gone = |mirror: &Mirror| {
            held_by =
                mirror.all().map(|pod| format!("Pod {}", text(pod, "/metadata/name"))).collect();
            held_by.is_empty().then_some(())
        };
        let pods = Selection::Labelled(format!("{JOB_OF_POD}={uid}"));
        match within.seen(&POD, &pods, limit, are_gone).await? {
            Some(()) => Ok(()),
            None => {
                Err(Error::Lingering { object: object.into(), seconds: limit.as_secs(), held_by })
            }
        }
    }
}
