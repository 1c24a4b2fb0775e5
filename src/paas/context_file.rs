//! The file form of what a compilation needs besides the `.paas.yaml` (paas-yaml.md §0.1).
//!
//! `docs/context.example.toml` shows every key. What the language does not ask for, such as the
//! registry, is kept for commands that go on from the compiled model.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use toml::{Table, Value as Toml};

use crate::domain::nearest::nearest;
use crate::domain::quota::HardQuota;
use crate::domain::variables::{BadVariable, Variables};
use crate::paas::check_libraries;
use crate::paas::compiled::Value;
use crate::paas::context::{
    Context, HookRule, Libraries, Platform, PlatformDefaults, Target, TargetKind,
};

/// A context as it is written. Only the project and the environment have to be there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ContextFile {
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// Goes before every deployed name; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Names that `paas.requires` may hold.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub features: BTreeSet<String>,
    /// Whether something answers for an ingress without a service.
    #[serde(default)]
    pub default_backend: bool,
    /// Where built images go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Pull credential of the project's registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_config_name: Option<String>,
    /// Paths of the commit's files; without them, paths are not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Vec<String>>,
    /// Names of variables that are secret.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<String>,
    /// Launch variables.
    #[serde(default, skip_serializing_if = "is_default")]
    pub variables: Variables,
    /// Values for what nobody else says.
    #[serde(default, skip_serializing_if = "is_default")]
    pub platform_defaults: PlatformDefaults,
    /// Values for what the file leaves out, in the form of its section `defaults`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_defaults: Option<Value>,
    /// Where it is deployed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<Cluster>,
    /// What the account grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<HardQuota>,
    /// Hooks by their names: their kinds, or kinds and actions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hooks: BTreeMap<String, HookRule>,
    /// Definitions that files build on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub libraries: Libraries,
}

/// A cluster of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// What drives it.
    #[serde(rename = "type")]
    pub kind: TargetKind,
    /// Where objects go on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Whether a project has a namespace of its own below that one.
    #[serde(default)]
    pub hierarchical_namespaces: bool,
}

/// Why a context file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContextFileError {
    /// It is no TOML, a value has another type, or a key is missing. Its line is not part of it: that
    /// may hold a variable's value.
    #[error("{at}{message}")]
    Form {
        /// Line and column, from 1, when there is a place.
        at: String,
        /// What is wrong there.
        message: String,
    },
    /// A variable that is no text.
    #[error("variables: `{0}` must be text: write its value in quotes")]
    NotText(String),
    /// There is no such key.
    #[error("unknown key `{key}`{}", hint(nearest.as_deref()))]
    Unknown {
        /// The key, with its table.
        key: String,
        /// The key that was probably meant.
        nearest: Option<String>,
    },
    /// Definitions that no file can build on.
    #[error("libraries: {0}")]
    Libraries(String),
    /// A variable that cannot be one.
    #[error("variables: {0}")]
    Variable(#[from] BadVariable),
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|key| format!("; did you mean `{key}`?")).unwrap_or_default()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Keys of the file.
const KEYS: [&str; 16] = [
    "project",
    "environment",
    "prefix",
    "features",
    "default-backend",
    "registry",
    "registry-config-name",
    "tree",
    "secrets",
    "variables",
    "platform-defaults",
    "run-defaults",
    "clusters",
    "quotas",
    "hooks",
    "libraries",
];

/// Keys of its tables, of those whose keys are not names.
const TABLES: [(&str, &[&str]); 5] = [
    ("platform-defaults", &["storage-provider", "storage-size", "oci-registry-config-name"]),
    (
        "run-defaults",
        &[
            "storage-provider",
            "storage-size",
            "oci-registry-config-name",
            "clusters",
            "enhancements",
        ],
    ),
    ("clusters", &["name", "type", "namespace", "hierarchical-namespaces"]),
    ("quotas", &["category", "type", "capacity", "requires"]),
    ("libraries", &Libraries::KINDS),
];

/// Where a byte of a text is, before what is said about it.
fn place(text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.split('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}: ")
}

impl ContextFile {
    /// Reads the text of a context file.
    ///
    /// # Errors
    ///
    /// When it is no TOML, a key is unknown or missing, or a value cannot be one.
    pub fn read(text: &str) -> Result<Self, ContextFileError> {
        let form = |error: toml::de::Error| ContextFileError::Form {
            at: error.span().map_or_else(String::new, |span| place(text, span.start)),
            message: error.message().to_owned(),
        };
        let table: Table = text.parse().map_err(form)?;
        refuse_unknown("", &table, &KEYS)?;
        for (key, known) in TABLES {
            match table.get(key) {
                Some(Toml::Table(table)) => refuse_unknown(key, table, known)?,
                Some(Toml::Array(rows)) => {
                    for row in rows.iter().filter_map(Toml::as_table) {
                        refuse_unknown(key, row, known)?;
                    }
                }
                _ => {}
            }
        }
        // From the text once more: then a wrong value is told with its line.
        if let Some(Toml::Table(variables)) = table.get("variables")
            && let Some((name, _)) = variables.iter().find(|(_, value)| !value.is_str())
        {
            return Err(ContextFileError::NotText(name.clone()));
        }
        let file: Self = toml::from_str(text).map_err(form)?;
        let faults = check_libraries(&file.libraries);
        if !faults.is_empty() {
            return Err(ContextFileError::Libraries(faults.join("; ")));
        }
        let variables = file.variables.checked()?;
        Ok(Self { variables, ..file })
    }

    /// Its text; reading it gives the same context.
    ///
    /// # Errors
    ///
    /// When a value of a library has no form in TOML, which knows no null.
    pub fn text(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(self)
    }

    /// What it says about the platform is replaced.
    #[must_use]
    pub fn with_platform(self, platform: Platform) -> Self {
        let Platform { features, default_backend, defaults, hooks, libraries } = platform;
        Self { features, default_backend, platform_defaults: defaults, hooks, libraries, ..self }
    }

    /// The context of a compilation that deploys nothing.
    pub fn into_context(self) -> Context {
        let target = |cluster: Cluster| Target { name: cluster.name, kind: cluster.kind };
        Context {
            project_name: self.project,
            environment: self.environment,
            prefix: self.prefix,
            variables: self.variables,
            secrets: self.secrets,
            platform: Platform {
                features: self.features,
                default_backend: self.default_backend,
                defaults: self.platform_defaults,
                hooks: self.hooks,
                libraries: self.libraries,
            },
            registry_config_name: self.registry_config_name,
            run_defaults: self.run_defaults,
            targets: self.clusters.into_iter().map(target).collect(),
            hard_quotas: self.quotas,
            tree: self.tree.map(|paths| paths.into_iter().collect()),
            deploys: false,
            strict: false,
        }
    }
}

fn refuse_unknown(prefix: &str, given: &Table, known: &[&str]) -> Result<(), ContextFileError> {
    let full =
        |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
    match given.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let nearest = nearest(key, known.iter().copied()).map(full);
            Err(ContextFileError::Unknown { key: full(key), nearest })
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    const EXAMPLE: &str = include_str!("../../docs/context.example.toml");

    fn refusal(text: &str) -> String {
        let text = format!("project = 'a'\nenvironment = 'b'\n{text}");
        ContextFile::read(&text).unwrap_err().to_string()
    }

    #[test]
    fn the_example_shows_every_key_and_is_the_same_after_writing_and_reading() {
        let file = ContextFile::read(EXAMPLE).unwrap();
        let shown: Table = EXAMPLE.parse().unwrap();
        let mut keys: Vec<_> = shown.keys().map(String::as_str).collect();
        keys.sort_unstable_by_key(|key| KEYS.iter().position(|known| known == key));
        assert_eq!(keys, KEYS);
        let text = file.text().unwrap();
        assert_eq!(ContextFile::read(&text).unwrap(), file);
        assert_eq!(ContextFile::read(&text).unwrap().text().unwrap(), text);
    }

    #[test]
    fn libraries_keep_their_order() {
        let text = "project = 'a'\nenvironment = 'b'\n[libraries.pods.z]\nb = 1\na = { y = true }\n\
                    [libraries.pods.a]\nreplicas = 2\n";
        let read = ContextFile::read(text).unwrap();
        for file in [ContextFile::read(&read.text().unwrap()).unwrap(), read] {
            let pods = file.into_context().platform.libraries.pods;
            assert_eq!(pods.keys().collect::<Vec<_>>(), ["z", "a"]);
            let expected = r#"{"b":"1","a":{"y":true}}"#;
            assert_eq!(serde_json::to_string(&pods["z"]).unwrap(), expected);
        }
    }

    #[test]
    fn a_project_and_an_environment_are_enough() {
        let file = ContextFile::read("project = 'a'\nenvironment = 'b'").unwrap();
        let named = Context {
            project_name: "a".to_owned(),
            environment: "b".to_owned(),
            ..Context::default()
        };
        assert_eq!(file.into_context(), named);
        let error = ContextFile::read("project = 'a'").unwrap_err().to_string();
        assert!(error.contains("missing field `environment`"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        assert_snapshot!(refusal("prefx = 'c'"), @"unknown key `prefx`; did you mean `prefix`?");
        assert_snapshot!(refusal("[[clusters]]\nnmae = 'c'"), @"unknown key `clusters.nmae`; did you mean `clusters.name`?");
        assert_snapshot!(refusal("[libraries.pod.a]"), @"unknown key `libraries.pod`; did you mean `libraries.pods`?");
        assert_snapshot!(refusal("[platform-defaults]\nother = 'c'"), @"unknown key `platform-defaults.other`");
    }

    #[test]
    fn a_value_that_cannot_be_one_is_refused_with_its_place() {
        assert_snapshot!(refusal("[hooks]\na = 'nmp'"), @"4:5: unknown variant `nmp`, expected one of `composer`, `npm`, `pip`, `make`, `symfony`, `exec`, `git`");
        assert_snapshot!(refusal("[variables]\nA = 1"), @"variables: `A` must be text: write its value in quotes");
        let secret = refusal("[variables]\nA = hunter2");
        assert!(secret.starts_with("4:5: ") && !secret.contains("hunter2"), "{secret}");
        assert_snapshot!(refusal("[libraries.jobs.a]\nextends = 'b'"), @"libraries: jobs.a: it extends another of the jobs");
        assert_snapshot!(refusal("[variables]\n1A = 'x'"), @"variables: `1A` is not a variable name: use letters, digits and `_`, a letter first");
    }
}
