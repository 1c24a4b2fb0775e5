//! Objects of others, taken over.
//!
//! A field belongs to whoever wrote it, and applying removes only what belonged to the one that
//! applies: what the former owner wrote would stay for ever. So the fields change hands first.

use hyper::Method;
use serde_json::{Map, Value, json};

use crate::kubernetes::apply::{ApplyOptions, DryRun};
use crate::kubernetes::json::{list, text};
use crate::kubernetes::object::{CLAIM, Kind, ObjectRef};
use crate::kubernetes::wire::{Call, Form, Repeat};
use crate::kubernetes::{Cluster, Error};

/// Tries while others write the same object.
const TRIES: u32 = 5;

/// Parts of Kubernetes that write fields which are theirs for good.
const SYSTEM: [&str; 4] =
    ["kube-controller-manager", "kube-scheduler", "kubelet", "cloud-controller-manager"];

impl Cluster {
    /// Makes the fields of an object's former owner those of the new one; gives the object after.
    pub(super) async fn adopt(&self, found: Value, options: &ApplyOptions) -> Result<Value, Error> {
        let name = ObjectRef::of(&found);
        let kind = Kind::of(&name)?;
        // Of a claim nothing is applied; of a trial nothing is stored.
        if *kind == CLAIM || options.dry_run == DryRun::Yes {
            return Ok(found);
        }
        let mut found = found;
        for turn in 1..=TRIES {
            let Some(fields) =
                handed_over(list(&found, "/metadata/managedFields"), &options.field_manager)
            else {
                return Ok(found);
            };
            let patch = json!([
                {"op": "replace", "path": "/metadata/managedFields", "value": fields},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": text(&found, "/metadata/resourceVersion")},
            ]);
            let path = self.path(kind, &name);
            let mut call =
                Call::order(Method::PATCH, path, Form::JsonPatch, &patch, self.placed(&name));
            // With another version in between it would be refused for ever.
            call.repeat = Repeat::Never;
            match self.call(&call.with("fieldManager", &options.field_manager)).await {
                Ok(answer) => return self.understood(&answer),
                Err(Error::Refused { status: 409, .. }) if turn < TRIES => {
                    found = self.get(&name).await?.ok_or_else(|| Error::Absent(name.clone()))?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

/// The entries after the hand-over; `None` if there is nothing to hand over.
fn handed_over(entries: &[Value], manager: &str) -> Option<Vec<Value>> {
    let is_own = |entry: &Value| {
        text(entry, "/manager") == manager
            && text(entry, "/operation") == "Apply"
            && text(entry, "/subresource").is_empty()
    };
    let is_others = |entry: &Value| {
        text(entry, "/subresource").is_empty()
            && !is_own(entry)
            && !SYSTEM.contains(&text(entry, "/manager"))
    };
    let taken: Vec<_> = entries.iter().filter(|entry| is_others(entry)).collect();
    let last = taken.last()?;
    let mut own = entries.iter().find(|entry| is_own(entry)).unwrap_or(last).clone();
    let mut fields = Map::new();
    for entry in entries.iter().filter(|entry| is_own(entry)).chain(taken) {
        merge(&mut fields, entry["fieldsV1"].as_object());
    }
    if let Value::Object(own) = &mut own {
        own.insert("manager".to_owned(), manager.into());
        own.insert("operation".to_owned(), "Apply".into());
        own.insert("fieldsV1".to_owned(), Value::Object(fields));
    }
    let kept = entries.iter().filter(|entry| !is_others(entry) && !is_own(entry)).cloned();
    Some(kept.chain([own]).collect())
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
}
