//! Objects whose fields never change, made again under what they had started.

use std::collections::HashMap;

use hyper::Method;
use serde_json::Value;

use crate::kubernetes::apply::{Applied, ApplyOptions, Change, DryRun};
use crate::kubernetes::json::{controller, number, pairs, text};
use crate::kubernetes::object::{DEPLOYMENT, Kind, ObjectRef, POD, REPLICA_SET};
use crate::kubernetes::remove::Children;
use crate::kubernetes::wire::{Call, Form};
use crate::kubernetes::{Cluster, Error};

/// Ends the name under which an object is tried.
const TRIAL: &str = "-trial";

/// Longest name of an object in which pods are named after it.
const LONGEST_NAME: usize = 52;

impl Cluster {
    /// Deletes a workload, leaves what it runs, and makes it again.
    ///
    /// Only if the cluster would take it as a new one: otherwise nothing is deleted, and the fault
    /// is told that it has with it.
    pub(super) async fn recreate(
        &self,
        object: &Value,
        found: &Value,
        options: &ApplyOptions,
        error: Error,
    ) -> Result<Applied, Error> {
        let name = self.placed(&ObjectRef::of(object));
        let trial = trial(object);
        let kind = Kind::of(&name)?;
        let path = kind.path(name.namespace.as_deref().unwrap_or(&self.namespace));
        let call = Call::order(Method::POST, path, Form::Json, &trial, name.clone());
        let call = call.with("dryRun", "All").with("fieldValidation", "Strict");
        let tried = match self.call(&call).await {
            Ok(answer) => answer,
            Err(Error::Invalid { .. }) => return Err(error),
            Err(other) => return Err(other),
        };
        let left = self.left_over(object, found, kind).await?;
        let mut applied = match options.dry_run {
            DryRun::Yes => {
                let stored = self.understood(&tried)?;
                let (change, warnings) = (Change::Recreated, tried.warnings);
                Applied { object: name, change, warnings, stored }
            }
            DryRun::No => {
                self.remove_found(found, Children::Stay).await?;
                let applied = self.sent(object, None, options).await?;
                Applied { change: Change::Recreated, ..applied }
            }
        };
        let advice = "which nothing selects any more, runs on: delete it";
        applied.warnings.extend(left.iter().map(|left| format!("{left}, {advice}")));
        Ok(applied)
    }

    /// What it would come to if an object took the place of the one that is there.
    ///
    /// It is tried under another name, since the former one is not gone.
    pub(super) async fn try_replacing(
        &self,
        object: &Value,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        let name = self.placed(&ObjectRef::of(object));
        let (warnings, stored) = match self.send(&trial(object), &name, options).await {
            Ok(answer) => {
                let stored = self.understood(&answer)?;
                (answer.warnings, stored)
            }
            // It counts both, and only one will be there. Clusters ask quotas last, so that nothing
            // else is against it.
            Err(Error::Quota { words, .. }) if counts(&words) => {
                let warning = format!(
                    "{name} has room in the quota of its namespace only when the former one is \
                     gone: {words}"
                );
                (vec![warning], in_namespace(object, &name))
            }
            Err(error) => return Err(error),
        };
        Ok(Applied { object: name, change: Change::Replaced, warnings, stored })
    }

    /// What the former one made, and runs, that the new one does not select.
    async fn left_over(
        &self,
        object: &Value,
        found: &Value,
        kind: &Kind,
    ) -> Result<Vec<ObjectRef>, Error> {
        let made = self.made_by(found, kind).await?;
        // Former releases have ReplicaSets that run nothing.
        let runs = |made: &Value| number(made, "/spec/replicas").is_none_or(|it| it > 0);
        let left = made.iter().filter(|made| !selects(object, made) && runs(made));
        Ok(left.map(|left| self.placed(&ObjectRef::of(left))).collect())
    }

    /// Deletes a workload with what it runs, if all of that would be left over by another one.
    pub(super) async fn clear_for(&self, object: &Value, found: &Value) -> Result<(), Error> {
        let kind = Kind::of(&ObjectRef::of(found))?;
        let made = self.made_by(found, kind).await?;
        if !made.is_empty() && !made.iter().any(|made| selects(object, made)) {
            self.remove_found(found, Children::Follow).await?;
        }
        Ok(())
    }

    /// The ReplicaSets of a Deployment, or the pods of a StatefulSet.
    async fn made_by(&self, found: &Value, kind: &Kind) -> Result<Vec<Value>, Error> {
        let made = if *kind == DEPLOYMENT { &REPLICA_SET } else { &POD };
        let mut all = self.list(made, "", "application/json").await?;
        all.retain(|made| controller(made) == Some(text(found, "/metadata/uid")));
        Ok(all)
    }
}

/// Whether a workload selects what another one made.
fn selects(object: &Value, made: &Value) -> bool {
    let labels: HashMap<_, _> = pairs(made, "/metadata/labels").collect();
    let mut selected = pairs(object, "/spec/selector/matchLabels");
    selected.all(|(name, value)| labels.get(name) == Some(&value))
}

/// Whether a quota is against an object for what is there, and not for what the object leaves out.
fn counts(words: &str) -> bool {
    words.contains(", used: ")
}

/// The same object, which says where it is.
fn in_namespace(object: &Value, name: &ObjectRef) -> Value {
    let mut object = object.clone();
    if let (Some(namespace), Some(Value::Object(metadata))) =
        (&name.namespace, object.get_mut("metadata"))
    {
        metadata.insert("namespace".to_owned(), namespace.as_str().into());
    }
    object
}

/// The same object under another name, to see whether it would be taken.
pub(super) fn trial(object: &Value) -> Value {
    let mut trial = object.clone();
    let room = LONGEST_NAME - TRIAL.len();
    let name: String = text(object, "/metadata/name").chars().take(room).collect();
    if let Some(place) = trial.pointer_mut("/metadata/name") {
        *place = format!("{name}{TRIAL}").into();
    }
    trial
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_quota_that_has_no_room_for_two_is_told_from_one_that_wants_limits() {
        let full = "q, requested: count/jobs.batch=1, used: count/jobs.batch=1, \
                    limited: count/jobs.batch=1";
        assert!(counts(full));
        assert!(!counts("q: must specify limits.cpu for: app"));
    }

    #[test]
    fn an_object_that_was_not_tried_says_where_it_is() {
        let object = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "type": "Opaque",
        });
        let name = ObjectRef { namespace: Some("shop".to_owned()), ..ObjectRef::of(&object) };
        let placed = in_namespace(&object, &name);
        assert_eq!(placed["metadata"], json!({"name": "a", "namespace": "shop"}));
        assert_eq!(placed["type"], "Opaque");
    }
}
