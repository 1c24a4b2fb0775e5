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
