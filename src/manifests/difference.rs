//! What applying an object would change of the one that a cluster has.
//!
//! Both are as the cluster says: what is there, and what its trial of the new one came to. What
//! differs with every run and release is left out, and so is what the cluster writes of its own.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::domain::difference::{self, Field, Rules};
use crate::domain::pinned::Pinned;
use crate::domain::redact::Redactor;
use crate::domain::release::{PinnedImages, volume_reference};
use crate::manifests::Settings;
use crate::manifests::object::Kind;
use crate::paas::compiled::{Deployment, Origin};

/// Stands for the digest of an image that is not built yet. No image has it.
const NOT_BUILT: &str = "@sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Stands for the digest of somebody else's image that nobody could look up. No image has it.
const NOT_KNOWN: &str = "@sha256:1111111111111111111111111111111111111111111111111111111111111111";

/// What an image of this project is called where people read it.
const BY_THIS_PUSH: &str = "built by this push";

/// What the cluster writes into the metadata of an object; the name of a trial is another one.
const METADATA: [&str; 7] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
    "name",
];

/// Where kubectl keeps all of an object that it applied, values of secrets too.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Beginnings of annotations that are the cluster's own.
const OF_THE_CLUSTER: [&str; 4] = [
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "endpoints.kubernetes.io/",
];

/// What is said about images that are not built yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Built {
    /// They will be others than those that run.
    Anew,
    /// Nothing can be said about them: one of the same name is taken for the same.
    Unknown,
}

/// Whether an annotation is one that parts of the cluster write whenever they come to an object.
pub fn is_of_the_cluster(annotation: &str) -> bool {
    OF_THE_CLUSTER.iter().any(|part| annotation.starts_with(part))
}

/// What takes the place of an image of this name until it is built.
pub fn built(name: &str) -> Pinned {
    Pinned::Digest(format!("{name}{NOT_BUILT}"))
}

/// What takes the place of somebody else's image of this name that could not be looked up.
pub fn not_known(name: &str) -> Pinned {
    Pinned::Digest(format!("{name}{NOT_KNOWN}"))
}

/// Whether nobody knows yet what an image is.
fn is_open(image: &str) -> bool {
    image.ends_with(NOT_BUILT) || image.ends_with(NOT_KNOWN)
}

/// What is taken by [`built`] for every image that the deployment builds.
pub fn built_images(deployment: &Deployment) -> PinnedImages {
    let own = deployment.containers().filter(|container| match container.image.origin {
        Origin::Built | Origin::Embedded => true,
        Origin::External => false,
    });
    let own = own.map(|container| (container.image.reference(), built(&container.image.name)));
    let volumes = deployment.volumes.iter();
    let volumes = volumes.map(|(key, volume)| (volume_reference(key), built(&volume.name)));
    own.chain(volumes).collect()
}

/// The fields that differ between what a cluster has and what it would have. Of values only those
/// are shown that are in no secret, map or variable, and what is secret is hidden in them too.
pub fn fields(
    [before, after]: [&Value; 2],
    settings: &Settings,
    images: Built,
    redactor: &Redactor,
) -> Vec<Field> {
    let kinds = [Kind::Secret.as_str(), Kind::ConfigMap.as_str()];
    let mut open = BTreeSet::new();
    if images == Built::Unknown {
        find_open(after, &mut open);
    }
    let rules = OfObjects {
        redactor,
        labels: ["fence", "run"].map(|key| settings.key(key)),
        version: settings.key("version"),
        content: settings.key("content"),
        is_configuration: after["kind"].as_str().is_some_and(|kind| kinds.contains(&kind)),
        images,
        open,
    };
    difference::fields(&by_name(before), &by_name(after), &rules)
}

/// Finds the containers whose images nobody knows.
fn find_open(value: &Value, open: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            let text = |key: &str| entries.get(key).and_then(Value::as_str);
            if let (Some(name), Some(image)) = (text("name"), text("image"))
                && is_open(image)
            {
                open.insert(format!("[{name}]"));
            }
            entries.values().for_each(|value| find_open(value, open));
        }
        Value::Array(items) => items.iter().for_each(|item| find_open(item, open)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The same where variables of containers are entries of a mapping and their values no fields.
fn by_name(value: &Value) -> Value {
    match value {
        Value::Object(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, value)| {
                    let variables = (key == "env").then(|| variables(value)).flatten();
                    (key.clone(), variables.unwrap_or_else(|| by_name(value)))
                })
                .collect(),
        ),
        Value::Array(items) => items.iter().map(by_name).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn variables(list: &Value) -> Option<Value> {
    let mut variables = Map::new();
    for variable in list.as_array()? {
        let name = variable.get("name")?.as_str()?.to_owned();
        let value = variable.get("value").or(variable.get("valueFrom"));
        variables.insert(name, value.cloned().unwrap_or_else(|| "".into()));
    }
    Some(Value::Object(variables))
}

struct OfObjects<'a> {
    redactor: &'a Redactor,
    /// Labels that every run writes anew.
    labels: [String; 2],
    /// The annotation that every release writes anew.
    version: String,
    /// The annotation with the hash of what a pod reads.
    content: String,
    /// Whether its values are its data.
    is_configuration: bool,
    images: Built,
    /// Containers whose images nobody knows, as items of a list.
    open: BTreeSet<String>,
}

impl Rules for OfObjects<'_> {
    fn is_left_out(&self, path: &[String]) -> bool {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["status"] => true,
            ["metadata", field] if METADATA.contains(field) => true,
            // What the cluster chooses for each Service.
            ["spec", "clusterIP" | "clusterIPs" | "healthCheckNodePort"] => true,
            ["spec", "ports", .., "nodePort"] => true,
            [.., "labels", "vname"] => true,
            [.., "labels", label] => self.labels.iter().any(|known| known == label),
            [.., "annotations", name] => {
                *name == self.version || *name == LAST_APPLIED || is_of_the_cluster(name)
            }
            // It follows from whether the image is named by its digest, as a push would name it.
            [.., container, "imagePullPolicy"] => self.open.contains(*container),
            // There are none, or only such as are left out.
            _ => false,
        }
    }

    fn is_hidden(&self, path: &[String]) -> bool {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["data" | "binaryData" | "stringData", _] | ["metadata", "annotations", _] => {
                self.is_configuration
            }
            [.., "env", _] => true,
            [.., "annotations", name] => *name == self.content,
            _ => false,
        }
    }

    fn is_same(&self, before: &Value, after: &Value) -> bool {
        match (before, after, self.images) {
            (Value::String(before), Value::String(after), Built::Unknown) => {
                before == after || is_open(after) && last(before) == last(after)
            }
            _ => before == after,
        }
    }

    fn text(&self, text: &str) -> String {
        if text.ends_with(NOT_BUILT) {
            return BY_THIS_PUSH.to_owned();
        }
        match text.strip_suffix(NOT_KNOWN) {
            Some(name) => format!("{} (not looked up)", self.redactor.text(name)),
            None => self.redactor.text(text),
        }
    }
}

/// The last part of an image's name, without tag and digest.
fn last(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    name.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value, images: Built) -> String {
        let hides = Redactor::default();
        let fields = fields([before, after], &Settings::default(), images, &hides);
        fields.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    fn workload(image: &str, run: &str, variable: &Value) -> Value {
        json!({
            "kind": "Deployment",
            "metadata": {
                "name": "web-dplmt", "uid": run, "resourceVersion": run,
                "labels": {"name": "web", "pierhead.dev/run": run, "pierhead.dev/fence": run},
                "annotations": {
                    "pierhead.dev/version": run, "deployment.kubernetes.io/revision": run,
                },
            },
            "spec": {"replicas": 1, "template": {
                "metadata": {"labels": {"name": "web", "vname": format!("web-v{run}")}},
                "spec": {"containers": [{"name": "app", "image": image, "env": [variable]}]},
            }},
            "status": {"replicas": run},
        })
    }

    #[test]
    fn what_every_run_writes_is_no_difference_and_variables_are_not_shown() {
        let digest = "9d1e".repeat(16);
        let image = format!("r.example/acme/shop/web@sha256:{digest}");
        let variable = |value: &str| json!({"name": "PASSWORD", "value": value});
        let before = workload(&image, "1", &variable("s3cret-1"));
        let mut after = workload(&image, "2", &variable("s3cret-1"));
        assert_eq!(told(&before, &after, Built::Anew), "");
        after["spec"]["replicas"] = 2.into();
        after["spec"]["template"]["spec"]["containers"][0]["env"] = json!([
            {"name": "PASSWORD", "value": "s3cret-2"}, {"name": "NEW", "value": "s3cret-3"},
        ]);
        assert_snapshot!(told(&before, &after, Built::Anew), @r"
        spec.replicas: 1 → 2
        spec.template.spec.containers[app].env.NEW: added
        spec.template.spec.containers[app].env.PASSWORD: changed
        ");
    }

    #[test]
    fn an_image_that_is_not_built_yet_is_another_one_or_not_known() {
        let digest = "9d1e".repeat(16);
        let image = format!("r.example:5000/acme/shop/web@sha256:{digest}");
        let none = json!({"name": "A"});
        let before = workload(&image, "1", &none);
        let after = |name| workload(built(name).reference(), "2", &none);
        assert_snapshot!(told(&before, &after("web"), Built::Anew), @"spec.template.spec.containers[app].image: r.example:5000/acme/shop/web@sha256:9d1e9d1e9d1e → built by this push");
        assert_eq!(told(&before, &after("web"), Built::Unknown), "");
        assert_snapshot!(told(&before, &after("api"), Built::Unknown), @"spec.template.spec.containers[app].image: r.example:5000/acme/shop/web@sha256:9d1e9d1e9d1e → built by this push");
    }

    #[test]
    fn when_an_image_that_is_not_known_is_pulled_is_no_difference() {
        let pulled = |image: &str, policy: &str| {
            let mut workload = workload(image, "1", &json!({"name": "A"}));
            workload["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] =
                policy.into();
            workload
        };
        // As it was rendered without a server.
        let before = pulled("shop/web:production", "Always");
        let after = |image: &str| pulled(image, "IfNotPresent");
        let web = built("web");
        assert_eq!(told(&before, &after(web.reference()), Built::Unknown), "");
        let is_told = "spec.template.spec.containers[app].imagePullPolicy: Always → IfNotPresent";
        assert!(told(&before, &after(web.reference()), Built::Anew).contains(is_told));
        assert_eq!(told(&before, &after("shop/web:production"), Built::Unknown), is_told);
    }

    #[test]
    fn an_image_that_could_not_be_looked_up_is_taken_for_one_of_its_name() {
        let none = json!({"name": "A"});
        let before = workload("r.example/tools/proxy:1", "1", &none);
        let after = |name| workload(not_known(name).reference(), "2", &none);
        assert_eq!(told(&before, &after("r.example/tools/proxy"), Built::Unknown), "");
        assert_snapshot!(told(&before, &after("r.example/tools/cache"), Built::Unknown), @"spec.template.spec.containers[app].image: r.example/tools/proxy:1 → r.example/tools/cache (not looked up)");
    }

    #[test]
    fn nothing_of_a_secret_or_a_map_is_shown_but_what_is_in_it() {
        for kind in ["Secret", "ConfigMap"] {
            let before = json!({
                "kind": kind, "data": {"a": "czNjcmV0", "b": "czNjcmV0"},
                "metadata": {"annotations": {"of": "hand", LAST_APPLIED: "{\"data\":{\"a\":\"czNjcmV0\"}}"}},
            });
            let after = json!({
                "kind": kind, "data": {"a": "b3RoZXI=", "c": "b3RoZXI="},
                "metadata": {"annotations": {}},
            });
            assert_eq!(
                told(&before, &after, Built::Anew),
                "data.a: changed\ndata.b: removed\ndata.c: added\nmetadata.annotations.of: removed"
            );
        }
    }
}
