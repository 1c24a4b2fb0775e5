//! Objects of others, taken over.
//!
//! A field belongs to whoever wrote it, and applying removes only what belonged to the one that
//! applies: what the former owner wrote would stay for ever. So the fields change hands first.

use std::collections::BTreeMap;

use hyper::Method;
use serde_json::{Map, Value, json};

use crate::kubernetes::apply::{ApplyOptions, DryRun};
use crate::kubernetes::json::{list, text};
use crate::kubernetes::object::{CLAIM, DEPLOYMENT, Kind, ObjectRef, STATEFUL_SET};
use crate::kubernetes::wire::{Call, Form, Repeat};
use crate::kubernetes::{Cluster, Error, Owner};

/// Tries while others write the same object.
const TRIES: u32 = 5;

/// Parts of Kubernetes that write fields which are theirs for good.
const SYSTEM: [&str; 4] =
    ["kube-controller-manager", "kube-scheduler", "kubelet", "cloud-controller-manager"];

/// Paths below `f:metadata` of what somebody else clears away or cleans up by: it stays with whoever
/// wrote it.
const LIFE: [&str; 2] = ["f:finalizers", "f:ownerReferences"];

impl Cluster {
    /// Makes the fields of an object's former owner those of the new one; gives the object after.
    pub(super) async fn adopt(&self, found: Value, options: &ApplyOptions) -> Result<Value, Error> {
        if options.dry_run == DryRun::Yes {
            return Ok(found);
        }
        let name = ObjectRef::of(&found);
        if *Kind::of(&name)? == CLAIM {
            // Of a claim nothing is applied.
            let labels =
                options.owner.labels.iter().map(|(key, value)| (key, Value::from(&**value)));
            return self.label(&name, labels.collect(), options).await;
        }
        let manager = options.field_manager.as_str();
        self.rewrite_fields(found, manager, |entries| handed_over(entries, manager)).await
    }

    /// Makes an object again what it was before it was adopted, whoever wrote its fields; one that is
    /// not the owner's stays as it is.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer or refuses.
    pub async fn give_back(&self, former: &Value, owner: &Owner) -> Result<(), Error> {
        let name = self.placed(&ObjectRef::of(former));
        let kind = Kind::of(&name)?;
        let found = self.get(&name).await?;
        if found.as_ref().is_some_and(|found| !owner.owns(found)) {
            return Ok(());
        }
        if *kind == CLAIM {
            return self.disown(&name, owner).await;
        }
        let options = ApplyOptions::new(owner.clone());
        if let Some(found) = found.filter(|_| *kind == DEPLOYMENT || *kind == STATEFUL_SET) {
            // Pods of ours, which would run on.
            self.clear_for(former, &found).await?;
        }
        let mut object = former.clone();
        let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
        let fields = metadata.and_then(|metadata| metadata.remove("managedFields"));
        let applied = self.apply(&object, &options).await?;
        let Some(Value::Array(fields)) = fields else { return Ok(()) };
        let as_it_was = |entries: &[Value]| Some(restored(entries, &fields));
        self.rewrite_fields(applied.stored, &options.field_manager, as_it_was).await.map(drop)
    }

    /// Makes a claim nobody's again, with everything else as it is.
    async fn disown(&self, claim: &ObjectRef, owner: &Owner) -> Result<(), Error> {
        let labels = owner.labels.iter().map(|(key, _)| (key, Value::Null)).collect();
        match self.label(claim, labels, &ApplyOptions::new(owner.clone())).await {
            Ok(_) | Err(Error::Absent(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn label(
        &self,
        name: &ObjectRef,
        labels: BTreeMap<&String, Value>,
        options: &ApplyOptions,
    ) -> Result<Value, Error> {
        let patch = json!({"metadata": {"labels": labels}});
        let path = self.path(Kind::of(name)?, name);
        let call = Call::order(Method::PATCH, path, Form::MergePatch, &patch, self.placed(name));
        let answer = self.call(&call.with("fieldManager", &options.field_manager)).await?;
        self.understood(&answer)
    }

    /// Writes who has which fields of an object; `None` if they are to stay. Gives the object after.
    async fn rewrite_fields(
        &self,
        found: Value,
        manager: &str,
        rewrite: impl Fn(&[Value]) -> Option<Vec<Value>> + Send,
    ) -> Result<Value, Error> {
        let name = ObjectRef::of(&found);
        let (mut found, mut turn) = (found, 1);
        loop {
            let Some(fields) = rewrite(list(&found, "/metadata/managedFields")) else {
                return Ok(found);
            };
            let patch = json!([
                {"op": "replace", "path": "/metadata/managedFields", "value": fields},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": text(&found, "/metadata/resourceVersion")},
            ]);
            let path = self.path(Kind::of(&name)?, &name);
            let mut call =
                Call::order(Method::PATCH, path, Form::JsonPatch, &patch, self.placed(&name));
            // With another version in between it would be refused for ever.
            call.repeat = Repeat::Never;
            match self.call(&call.with("fieldManager", manager)).await {
                Ok(answer) => return self.understood(&answer),
                Err(Error::Refused { status: 409, .. }) if turn < TRIES => {
                    found = self.get(&name).await?.ok_or_else(|| Error::Absent(name.clone()))?;
                    turn += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether an entry is of people, and not of a part of Kubernetes or of a subresource.
fn is_of_people(entry: &&Value) -> bool {
    text(entry, "/subresource").is_empty() && !SYSTEM.contains(&text(entry, "/manager"))
}

/// The entries after the hand-over; `None` if there is nothing to hand over.
fn handed_over(entries: &[Value], manager: &str) -> Option<Vec<Value>> {
    let is_own = |entry: &Value| {
        text(entry, "/manager") == manager
            && text(entry, "/operation") == "Apply"
            && text(entry, "/subresource").is_empty()
    };
    let is_others = |entry: &&Value| is_of_people(entry) && !is_own(entry);
    let split: Vec<_> = entries.iter().filter(is_others).map(without_life).collect();
    let taken: Vec<_> = split.iter().map(|(taken, _)| taken).filter(|it| has_fields(it)).collect();
    // Of one who has only what an end depends on, nothing is left to take.
    let last = taken.last()?;
    let mut own = (*entries.iter().find(|entry| is_own(entry)).as_ref().unwrap_or(last)).clone();
    let mut fields = Map::new();
    for entry in entries.iter().filter(|entry| is_own(entry)).chain(taken) {
        merge(&mut fields, entry["fieldsV1"].as_object());
    }
    if let Value::Object(own) = &mut own {
        own.insert("manager".to_owned(), manager.into());
        own.insert("operation".to_owned(), "Apply".into());
        own.insert("fieldsV1".to_owned(), Value::Object(fields));
    }
    let lives = split.iter().map(|(_, life)| life).filter(|it| has_fields(it));
    let kept = entries.iter().filter(|entry| !is_others(entry) && !is_own(entry)).chain(lives);
    Some(kept.cloned().chain([own]).collect())
}

/// The entries of people as they were, and those of the cluster as they are.
fn restored(entries: &[Value], former: &[Value]) -> Vec<Value> {
    let of_cluster = entries.iter().filter(|entry| !is_of_people(entry));
    former.iter().filter(is_of_people).chain(of_cluster).cloned().collect()
}

/// An entry without what an object's end depends on, and one with only that.
fn without_life(entry: &Value) -> (Value, Value) {
    let (mut taken, mut life) = (entry.clone(), entry.clone());
    let mut paths = Map::new();
    if let Some(fields) = taken.pointer_mut("/fieldsV1").and_then(Value::as_object_mut)
        && let Some(metadata) = fields.get_mut("f:metadata").and_then(Value::as_object_mut)
    {
        paths.extend(LIFE.iter().filter_map(|path| metadata.remove_entry(*path)));
        if metadata.is_empty() {
            fields.remove("f:metadata");
        }
    }
    let fields = if paths.is_empty() { json!({}) } else { json!({"f:metadata": paths}) };
    if let Value::Object(life) = &mut life {
        life.insert("fieldsV1".to_owned(), fields);
    }
    (taken, life)
}

fn has_fields(entry: &Value) -> bool {
    entry.get("fieldsV1").and_then(Value::as_object).is_some_and(|fields| !fields.is_empty())
}

/// Adds the paths of one set to another.
fn merge(into: &mut Map<String, Value>, from: Option<&Map<String, Value>>) {
    for (path, below) in from.into_iter().flatten() {
        let place = into.entry(path.clone()).or_insert_with(|| json!({}));
        if let Value::Object(place) = place {
            merge(place, below.as_object());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields})
    }

    #[test]
    fn fields_of_people_change_hands_and_those_of_the_system_do_not() {
        let mut status = entry("kubelet", "Update", &json!({"f:status": {}}));
        status["subresource"] = "status".into();
        let system = entry("kube-controller-manager", "Update", &json!({"f:spec": {"f:x": {}}}));
        let entries = [
            entry("kubectl-create", "Update", &json!({"f:spec": {"f:a": {}}})),
            entry("pierhead", "Apply", &json!({"f:spec": {"f:b": {}}})),
            system.clone(),
            status.clone(),
            entry("helm", "Apply", &json!({"f:spec": {"f:b": {"f:c": {}}}, "f:data": {}})),
        ];
        let union = json!({"f:spec": {"f:a": {}, "f:b": {"f:c": {}}}, "f:data": {}});
        let own = entry("pierhead", "Apply", &union);
        assert_eq!(handed_over(&entries, "pierhead").unwrap(), [system, status, own.clone()]);
        assert_eq!(handed_over(&[own], "pierhead"), None);
    }

    #[test]
    fn what_the_end_of_an_object_depends_on_stays_with_its_writer_and_all_comes_back() {
        let life = json!({"f:metadata": {"f:finalizers": {"v:\"x\"": {}}}});
        let all =
            json!({"f:metadata": {"f:labels": {}, "f:finalizers": {"v:\"x\"": {}}}, "f:data": {}});
        let entries =
            [entry("flux", "Apply", &all), entry("kubelet", "Update", &json!({"f:a": {}}))];
        let after = handed_over(&entries, "pierhead").unwrap();
        let own =
            entry("pierhead", "Apply", &json!({"f:metadata": {"f:labels": {}}, "f:data": {}}));
        assert_eq!(after, [entries[1].clone(), entry("flux", "Apply", &life), own]);
        assert_eq!(handed_over(&after, "pierhead"), None, "there is nothing left to take");
        assert_eq!(restored(&after, &entries), entries);
    }
}
