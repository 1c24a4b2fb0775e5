//! Objects made what they shall be.
//!
//! Everything is sent whole by server-side apply, so what is sent twice changes nothing, and what
//! was left out disappears. Kinds with fields that never change again are replaced, each in the way
//! that costs least.

mod adoption;
mod claims;
mod namespaces;
mod quantity;
mod replace;

use hyper::Method;
use serde_json::{Map, Value};

use crate::domain::cluster::Adoption;
use crate::kubernetes::json::text;
use crate::kubernetes::object::{
    ANCHOR, CLAIM, DEPLOYMENT, JOB, Kind, NAMESPACE, ObjectRef, SECRET, STATEFUL_SET,
};
use crate::kubernetes::owner::Owner;
use crate::kubernetes::remove::Children;
use crate::kubernetes::wire::{Answer, Call, Form};
use crate::kubernetes::{Cluster, Error};
use crate::manifests::is_of_the_cluster;

/// Whether anything is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// The cluster only says what it would do.
    Yes,
    /// It does it.
    No,
}

/// What becomes of a claim that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claims {
    /// It and its data stay; it may grow.
    Keep,
    /// It and its data are deleted, and a new one is made.
    Reset,
}

/// How objects are applied.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// In whose name fields are written.
    pub field_manager: String,
    /// Whose the objects are.
    pub owner: Owner,
    /// Whether those of others are taken over.
    pub adoption: Adoption,
    /// Whether anything is stored.
    pub dry_run: DryRun,
    /// What becomes of claims that are there.
    pub claims: Claims,
}

impl ApplyOptions {
    /// Applies what is this owner's, for good.
    pub fn new(owner: Owner) -> Self {
        Self {
            field_manager: "pierhead".to_owned(),
            owner,
            adoption: Adoption::Refuse,
            dry_run: DryRun::No,
            claims: Claims::Keep,
        }
    }
}

/// What happened to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Created,
    /// It was changed.
    Changed,
    /// It was so already.
    Unchanged,
    /// A field of it never changes: it was deleted and made again, and what it had made went on.
    /// What the new one does not take over is warned of.
    Recreated,
    /// The former one is gone with all it had made, and it is new.
    Replaced,
}

/// An object that was applied. Its `Debug` does not show the object, which may be a Secret.
#[derive(Clone)]
pub struct Applied {
    /// Which.
    pub object: ObjectRef,
    /// What happened to it.
    pub change: Change,
    /// What the cluster, or the driver, warns of.
    pub warnings: Vec<String>,
    /// As the cluster has it now.
    pub stored: Value,
}

impl std::fmt::Debug for Applied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { object, change, warnings, .. } = self;
        let mut shown = f.debug_struct("Applied");
        shown.field("object", object).field("change", change).field("warnings", warnings);
        shown.finish_non_exhaustive()
    }
}

impl Cluster {
    /// Makes an object what it shall be.
    ///
    /// Said twice it does the same once, but for Jobs, which run again.
    ///
    /// # Errors
    ///
    /// When it is somebody else's, the cluster does not answer, or refuses.
    pub async fn apply(&self, object: &Value, options: &ApplyOptions) -> Result<Applied, Error> {
        let name = ObjectRef::of(object);
        let kind = Kind::of(&name)?;
        if *kind == NAMESPACE {
            return self.create_namespace(object, options).await;
        }
        if *kind == ANCHOR {
            return self.apply_anchor(object, options).await;
        }
        let mut found = self.get(&name).await?;
        if let Some(ending) =
            found.take_if(|found| !text(found, "/metadata/deletionTimestamp").is_empty())
            && options.dry_run == DryRun::No
        {
            // What is written to it would go with it; a claim that is still used would never go.
            if *kind == CLAIM && options.owner.owns(&ending) {
                self.reset(&ending, options).await?;
            } else {
                self.gone(&ending).await?;
            }
        }
        let Some(mut found) = found else {
            return self.sent(object, None, options).await;
        };
        options.owner.check(&found, options.adoption)?;
        let is_adopted = !options.owner.owns(&found);
        if is_adopted {
            found = self.adopt(found, options).await?;
        }
        let applied = self.apply_over(object, &found, options).await?;
        // A trial hands nothing over: what is nobody's afterwards is told by one under another name.
        if is_adopted && options.dry_run == DryRun::Yes && *kind != CLAIM {
            return Ok(self.try_adoption(object, applied, options).await);
        }
        Ok(applied)
    }

    /// What an object would be without the fields of its former owner.
    async fn try_adoption(
        &self,
        object: &Value,
        applied: Applied,
        options: &ApplyOptions,
    ) -> Applied {
        if !matches!(applied.change, Change::Changed | Change::Unchanged) {
            return applied;
        }
        match self.sent(&replace::trial(object), None, options).await {
            Ok(trial) => Applied { change: Change::Changed, stored: trial.stored, ..applied },
            // Something may allow no second one beside it.
            Err(_) => applied,
        }
    }

    /// Applies an object over the one that is there.
    async fn apply_over(
        &self,
        object: &Value,
        found: &Value,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        let kind = Kind::of(&ObjectRef::of(object))?;
        match kind {
            kind if *kind == CLAIM => self.apply_claim(object, found, options).await,
            kind if *kind == JOB => self.replace(object, found, options).await,
            kind if *kind == SECRET && is_other_type(object, found) => {
                self.replace(object, found, options).await
            }
            kind if *kind == DEPLOYMENT || *kind == STATEFUL_SET => {
                match self.sent(object, Some(found), options).await {
                    Err(Error::Invalid { object: name, faults })
                        if faults.iter().any(super::error::Fault::is_immutable) =>
                    {
                        let error = Error::Invalid { object: name, faults };
                        self.recreate(object, found, options, error).await
                    }
                    result => result,
                }
            }
            _ => self.sent(object, Some(found), options).await,
        }
    }

    /// Applies an object, and compares it with what was there.
    async fn sent(
        &self,
        object: &Value,
        found: Option<&Value>,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        let name = self.placed(&ObjectRef::of(object));
        let answer = self.send(object, &name, options).await?;
        let stored = self.understood(&answer)?;
        let change = match found {
            None => Change::Created,
            Some(found) if content(found) == content(&stored) => Change::Unchanged,
            Some(_) => Change::Changed,
        };
        Ok(Applied { object: name, change, warnings: answer.warnings, stored })
    }

    /// Sends an object; what is told of it is told of the one of this name.
    async fn send(
        &self,
        object: &Value,
        told: &ObjectRef,
        options: &ApplyOptions,
    ) -> Result<Answer, Error> {
        let name = self.placed(&ObjectRef::of(object));
        let kind = Kind::of(&name)?;
        let path = self.path(kind, &name);
        let call = Call::order(Method::PATCH, path, Form::Apply, object, told.clone());
        let call = call.with("fieldManager", &options.field_manager);
        let call = call.with("force", "true").with("fieldValidation", "Strict");
        self.call(&tried(call, options.dry_run)).await
    }

    /// Deletes what is there with all that it made, and applies the object.
    async fn replace(
        &self,
        object: &Value,
        found: &Value,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        if options.dry_run == DryRun::Yes {
            return self.try_replacing(object, options).await;
        }
        let kind = Kind::of(&ObjectRef::of(found))?;
        self.remove_found(found, Children::of(kind)).await?;
        let applied = self.sent(object, None, options).await?;
        Ok(Applied { change: Change::Replaced, ..applied })
    }
}

/// The same call, which only says what it would do.
fn tried(call: Call, dry_run: DryRun) -> Call {
    match dry_run {
        DryRun::Yes => call.with("dryRun", "All"),
        DryRun::No => call,
    }
}

/// Where a Secret names no type it is `Opaque`.
fn is_other_type(object: &Value, found: &Value) -> bool {
    let of = |secret| match text(secret, "/type") {
        "" => "Opaque".to_owned(),
        other => other.to_owned(),
    };
    of(object) != of(found)
}

/// What an object says, without what the cluster writes of its own.
fn content(object: &Value) -> Value {
    let mut object = object.clone();
    if let Value::Object(fields) = &mut object {
        fields.remove("status");
    }
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        for field in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(field);
        }
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.retain(|name, _| !is_of_the_cluster(name));
        }
        if metadata.get("annotations").is_some_and(|left| *left == Value::Object(Map::new())) {
            metadata.remove("annotations");
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_cluster_writes_of_its_own_is_no_change() {
        let before = json!({"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"b": 1}});
        let mut after = before.clone();
        after["metadata"]["resourceVersion"] = "2".into();
        after["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "1"});
        after["status"] = json!({"replicas": 1});
        assert_eq!(content(&before), content(&after));
        after["metadata"]["annotations"]["example.com/a"] = "1".into();
        assert_ne!(content(&before), content(&after));
    }
}
