//! One object of a cluster as it is sent.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::manifests::yaml;

/// Declares the kinds of objects with their groups.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $version:literal;)*) => {
        /// Kinds of objects, in the order in which they are applied within a phase.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($kind),)*
                }
            }

            /// Its group and version, such as `apps/v1`.
            pub const fn api_version(self) -> &'static str {
                match self {
                    $(Self::$kind => $version,)*
                }
            }
        }
    };
}

kinds! {
    /// What everything else is in.
    Namespace, "v1";
    /// Asks for a namespace below another one.
    SubnamespaceAnchor, "hnc.x-k8s.io/v1alpha2";
    /// Values that are secret.
    Secret, "v1";
    /// Values that are not.
    ConfigMap, "v1";
    /// A disk.
    PersistentVolumeClaim, "v1";
    /// A name under which pods are found.
    Service, "v1";
    /// Pods without disks.
    Deployment, "apps/v1";
    /// Pods with disks.
    StatefulSet, "apps/v1";
    /// Pods that end.
    Job, "batch/v1";
    /// Pods that end, again and again.
    CronJob, "batch/v1";
    /// How people come in.
    Ingress, "networking.k8s.io/v1";
    /// What a namespace may use.
    ResourceQuota, "v1";
}

impl Kind {
    fn of(value: &Value) -> Option<Self> {
        let kind = text(value, "/kind")?;
        let version = text(value, "/apiVersion")?;
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == kind && known.api_version() == version)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One object of a cluster as it is sent. Its values may be secrets, so `Debug` shows its name only.
#[derive(Clone, PartialEq, Eq)]
pub struct Object {
    kind: Kind,
    value: Value,
}

impl Object {
    /// An object of this kind, which is one of the types of Kubernetes or has its form.
    pub(super) fn new<T: Serialize>(kind: Kind, object: &T) -> Self {
        let value = serde_json::to_value(object);
        let value = value.expect("maps of objects have texts for keys, and numbers are whole");
        Self { kind, value }
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its name.
    pub fn name(&self) -> &str {
        text(&self.value, "/metadata/name").unwrap_or_default()
    }

    /// The namespace it is in, if it is in one.
    pub fn namespace(&self) -> Option<&str> {
        text(&self.value, "/metadata/namespace")
    }

    /// Whether both are of one kind and have one name in one namespace.
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && (self.name(), self.namespace()) == (other.name(), other.namespace())
    }

    /// Its labels.
    pub fn labels(&self) -> BTreeMap<&str, &str> {
        let labels = self.value.pointer("/metadata/labels").and_then(Value::as_object);
        let labels = labels.into_iter().flatten();
        labels.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
    }

    /// All of it, secrets too.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// It as one document of YAML, secrets too.
    pub fn yaml(&self) -> String {
        yaml::document(&self.value)
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object")
            .field("kind", &self.kind)
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let kind =
            Kind::of(&value).ok_or_else(|| D::Error::custom("an object of no known kind"))?;
        Ok(Self { kind, value })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_secret_is_shown_to_nobody() {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "a", "namespace": "b", "labels": {"x": "y"}, "managedFields": []},
            "data": {"password": "aHVudGVyMg=="},
        });
        let object: Object = serde_json::from_value(secret.clone()).unwrap();
        assert_eq!(serde_json::to_value(&object).unwrap(), secret);
        assert_eq!((object.name(), object.namespace()), ("a", Some("b")));
        assert_eq!(object.labels(), BTreeMap::from([("x", "y")]));
        assert_eq!(format!("{object:?}"), r#"Object { kind: Secret, name: "a", .. }"#);
    }

    #[test]
    fn an_object_of_another_kind_or_version_is_refused() {
        for (version, kind) in [("v1", "Pod"), ("apps/v1beta1", "Deployment"), ("", "")] {
            let object = json!({"apiVersion": version, "kind": kind});
            assert!(serde_json::from_value::<Object>(object).is_err(), "{version} {kind}");
        }
    }
}
