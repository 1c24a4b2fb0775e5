//! What a file is compiled with besides its text (paas-yaml.md §0.1).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use indexmap::IndexMap;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::quota::HardQuota;
use crate::domain::variables::Variables;
use crate::domain::words::words;
use crate::paas::compiled::Value;
use crate::paas::tree::Tree;

/// Every input of a compilation besides the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The project's name.
    pub project_name: String,
    /// The environment's name.
    pub environment: String,
    /// Goes before every deployed name; empty for none.
    pub prefix: String,
    /// Launch variables; the built-in ones win over them.
    pub variables: Variables,
    /// Names of those of them that are secret.
    pub secrets: BTreeSet<String>,
    /// What the platform knows.
    pub platform: Platform,
    /// Pull credential of the project's registry.
    pub registry_config_name: Option<String>,
    /// Values for what the file leaves out, in the form of its section `defaults`.
    pub run_defaults: Option<Value>,
    /// Where it is deployed.
    pub targets: Vec<Target>,
    /// What the account grants, one row a resource; without any, the file bounds itself.
    pub hard_quotas: Vec<HardQuota>,
    /// The commit's files; without them, paths are not checked.
    pub tree: Option<Tree>,
    /// Whether it will be deployed now: then what no target can do yet is a fault (E-106).
    pub deploys: bool,
    /// Whether warnings are faults.
    pub strict: bool,
}

impl Context {
    /// Whether it will be deployed to a Docker Engine now, which cannot do everything.
    pub(super) fn is_for_docker(&self) -> bool {
        let is_docker = |target: &Target| target.kind == TargetKind::Docker;
        self.deploys && (self.targets.is_empty() || self.targets.iter().any(is_docker))
    }
}

/// What the platform knows and vouches for, whatever the project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Platform {
    /// Names that `paas.requires` may hold.
    pub features: BTreeSet<String>,
    /// Whether something answers for an ingress without a service.
    pub default_backend: bool,
    /// Values for what nobody else says.
    pub defaults: PlatformDefaults,
    /// Hooks by their names.
    pub hooks: BTreeMap<String, HookRule>,
    /// Definitions that files build on.
    pub libraries: Libraries,
}

/// Values for what nobody else says; each may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlatformDefaults {
    /// Storage class of persistent volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_provider: Option<String>,
    /// Size of persistent volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_size: Option<String>,
    /// Pull credential of pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oci_registry_config_name: Option<String>,
}

/// Definitions that files build on, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Libraries {
    /// Images whose values win over the file's.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub images: IndexMap<String, Value>,
    /// Pods that `extends` names.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub pods: IndexMap<String, Value>,
    /// Containers that `extends` names.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub containers: IndexMap<String, Value>,
    /// Services that `extends` names.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub services: IndexMap<String, Value>,
    /// Ingresses that `extends` names.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub ingresses: IndexMap<String, Value>,
    /// Jobs that `extends` names.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub jobs: IndexMap<String, Value>,
}

impl Libraries {
    /// What there are libraries of.
    pub const KINDS: [&str; 6] = ["images", "pods", "containers", "services", "ingresses", "jobs"];

    /// Names of images, and the folders of their Dockerfiles.
    pub fn image_folders(&self) -> impl Iterator<Item = (&str, &str)> {
        self.images.iter().filter_map(|(name, image)| match image {
            Value::Mapping(entries) => match entries.get("path") {
                Some(Value::Text(path)) => Some((name.as_str(), path.as_str())),
                Some(Value::Null | Value::Bool(_) | Value::List(_) | Value::Mapping(_)) | None => {
                    None
                }
            },
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) => None,
        })
    }
}

/// Where a deployment goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Name of the cluster.
    pub name: String,
    /// What drives it.
    pub kind: TargetKind,
}

words! {
    /// Kinds of targets as the language tells them apart.
    TargetKind, "type of cluster (kubernetes, docker)" {
        /// A Kubernetes cluster.
        Kubernetes = "kubernetes",
        /// One Docker Engine.
        Docker = "docker",
    }
}

words! {
    /// Kinds of build hooks, which fix their options.
    HookKind, "kind of hook (composer, npm, pip, make, symfony, exec, git)" {
        /// PHP's packages.
        Composer = "composer",
        /// Node's packages.
        Npm = "npm",
        /// Python's packages.
        Pip = "pip",
        /// Targets of a Makefile.
        Make = "make",
        /// Symfony's console.
        Symfony = "symfony",
        /// Commands that an administrator defined.
        Exec = "exec",
        /// Another repository.
        Git = "git",
    }
}

/// What a file may ask of a hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "HookForm", into = "HookForm")]
pub struct HookRule {
    /// What it runs, which fixes its options.
    pub kind: HookKind,
    /// The only actions it takes; none: all of its kind.
    pub actions: Vec<String>,
}

impl From<HookKind> for HookRule {
    fn from(kind: HookKind) -> Self {
        Self { kind, actions: Vec::new() }
    }
}

/// A hook as it is written: its kind, or more.
#[derive(Clone, Serialize)]
#[serde(untagged)]
enum HookForm {
    Kind(HookKind),
    More { kind: HookKind, actions: Vec<String> },
}

impl From<HookForm> for HookRule {
    fn from(form: HookForm) -> Self {
        match form {
            HookForm::Kind(kind) => kind.into(),
            HookForm::More { kind, actions } => Self { kind, actions },
        }
    }
}

impl From<HookRule> for HookForm {
    fn from(HookRule { kind, actions }: HookRule) -> Self {
        if actions.is_empty() { Self::Kind(kind) } else { Self::More { kind, actions } }
    }
}

impl<'de> Deserialize<'de> for HookForm {
    // By hand, because an untagged enum does not say what is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HookFormVisitor)
    }
}

struct HookFormVisitor;

impl<'de> Visitor<'de> for HookFormVisitor {
    type Value = HookForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a kind of hook, or its kind and actions")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<HookForm, E> {
        HookKind::deserialize(word.into_deserializer()).map(HookForm::Kind)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HookForm, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct More {
            kind: HookKind,
            #[serde(default)]
            actions: Vec<String>,
        }
        let More { kind, actions } = More::deserialize(MapAccessDeserializer::new(map))?;
        Ok(HookForm::More { kind, actions })
    }
}
