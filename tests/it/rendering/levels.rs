//! Every file that can be rendered, at every level, is what clusters of that level and of newer ones
//! know.
//!
//! `tests/paas/kubernetes/levels.json` has what the API of each version knows, and beside it is what
//! it was made with.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use jsonschema::Validator;
use pierhead::domain::cluster::NamespaceManage;
use pierhead::manifests::{Kind, Manifests, Settings, Unrenderable};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::rendering::{examples, objects};

/// What the versions of Kubernetes know.
#[derive(Deserialize)]
struct Known {
    /// The versions, the oldest first.
    levels: Vec<String>,
    /// The definitions of kinds, by `apiVersion` and `kind`.
    kinds: BTreeMap<String, String>,
    /// Definitions, each by the versions that first had it in some form.
    definitions: BTreeMap<String, BTreeMap<String, Value>>,
}

/// What one version knows.
struct Api {
    level: String,
    names: BTreeMap<String, String>,
    definitions: Map<String, Value>,
    /// What was needed so far: it takes a while to make one.
    kinds: RefCell<BTreeMap<String, Validator>>,
    /// Objects that are known to be right; most are the same at several levels.
    checked: RefCell<HashSet<String>>,
}

impl Known {
    fn read() -> Self {
        let path = examples::folder().join("levels.json");
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    fn at(&self, level: &str) -> Api {
        let mut definitions = Map::new();
        for (name, forms) in &self.definitions {
            // They have as many digits, and come in order.
            let last = forms.range(..=level.to_owned()).next_back();
            if let Some((_, form)) = last.filter(|(_, form)| !form.is_null()) {
                definitions.insert(name.clone(), form.clone());
            }
        }
        let (kinds, checked) = (RefCell::default(), RefCell::default());
        Api { level: level.to_owned(), names: self.kinds.clone(), definitions, kinds, checked }
    }

    fn all(&self) -> Vec<Api> {
        self.levels.iter().map(|level| self.at(level)).collect()
    }
}

impl Api {
    /// What it does not know of an object, and where.
    fn faults(&self, object: &Value) -> Vec<String> {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let kind = format!("{} {}", text("/apiVersion"), text("/kind"));
        let Some(name) = self.names.get(&kind) else { return vec![format!("no {kind}")] };
        let mut kinds = self.kinds.borrow_mut();
        let validator = kinds.entry(kind).or_insert_with(|| {
            let schema = json!({"$ref": format!("#/$defs/{name}"), "$defs": self.definitions});
            jsonschema::draft202012::new(&schema).unwrap()
        });
        let faults = validator.iter_errors(object);
        faults.map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
    }

    fn check(&self, name: &str, manifests: &Manifests) {
        for item in &manifests.items {
            let object = item.object.value();
            if !self.checked.borrow_mut().insert(object.to_string()) {
                continue;
            }
            let (level, kind) = (&self.level, item.object.kind());
            assert_eq!(self.faults(object), [""; 0], "{name} at {level}: {kind} {object}");
        }
    }
}

/// All versions, for files that are deployed.
pub(crate) struct Levels(Vec<Api>);

impl Levels {
    pub(crate) fn read() -> Self {
        Self(Known::read().all())
    }

    /// Checks that a file is, at every level, what clusters of that level and of newer ones know.
    /// Gives why it cannot be rendered.
    pub(crate) fn check(&self, name: &str, text: &str, context: &str) -> Result<(), String> {
        for (index, api) in self.0.iter().enumerate() {
            let manifests = objects(text, context, &api.level, &Settings::default());
            let told = |faults: Vec<Unrenderable>| {
                faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
            };
            let manifests = manifests.map_err(told)?;
            self.0.iter().skip(index).for_each(|newer| newer.check(name, &manifests));
        }
        Ok(())
    }
}

/// Files by their names, with their contexts.
fn files() -> BTreeMap<String, (String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paas");
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let mut files = BTreeMap::new();
    for (folder, ending) in
        [("kubernetes", ".paas.yaml"), ("examples", ".paas.yaml"), ("valid", ".yaml")]
    {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let Some(stem) = name.strip_suffix(ending) else { continue };
            let context = match folder {
                "kubernetes" => root.join("kubernetes/context.toml"),
                "examples" => root.join(format!("examples/{stem}.context.toml")),
                _ => root.join("context.toml"),
            };
            files.insert(format!("{folder}/{stem}"), (read(&path), read(&context)));
        }
    }
    files
}

/// What operators may decide, in which objects differ by level.
fn settings() -> [Settings; 2] {
    let plain = Settings::default();
    let mut early = plain.clone();
    early.pods.early_image_volumes = true;
    early.pods.early_user_namespaces = true;
    early.pods.shared_volume_limit = Some("1Gi".to_owned());
    early.rollout.force = false;
    early.namespace.manage = NamespaceManage::Create;
    early.namespace.quota = true;
    early.cron_jobs.time_zone = Some("Europe/Paris".to_owned());
    [plain, early]
}

#[test]
fn what_is_rendered_for_a_level_is_known_there_and_to_newer_clusters() {
    let known = Known::read();
    let apis = known.all();
    let mut refused = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for (name, (text, context)) in files() {
        for settings in settings() {
            for (index, api) in apis.iter().enumerate() {
                let manifests = match objects(&text, &context, &api.level, &settings) {
                    Ok(manifests) => manifests,
                    Err(faults) => {
                        let faults = faults.iter().map(ToString::to_string);
                        refused
                            .insert(format!("{name}: {}", faults.collect::<Vec<_>>().join("; ")));
                        continue;
                    }
                };
                kinds.extend(manifests.items.iter().map(|item| item.object.kind()));
                apis[index..].iter().for_each(|newer| newer.check(&name, &manifests));
            }
        }
    }
    let own = |kind: &Kind| *kind != Kind::SubnamespaceAnchor;
    assert_eq!(kinds, Kind::ALL.iter().copied().filter(own).collect());
    insta::assert_snapshot!(refused.into_iter().collect::<Vec<_>>().join("\n"), @r"
    examples/a: jobs.migrate.completions.success-on: code 3 cannot mean success of a job with several completions: exit with 0, or write `count: 1`
    valid/jobs: jobs.import.pods.load.restart-policy: exit codes decide only about pods that are not started again: write `never`, or take `success-on` and `fail-on` away; jobs.import.completions.success-on: code 3 cannot mean success of a job with several completions: exit with 0, or write `count: 1`
    valid/substitution: pods.web.requires: `zone=eu` cannot be a label of a node: use letters, digits, `-`, `_` and `.`
    valid/undeclared: maps.deep.b: this must be a single value or a list of them
    valid/workloads: pods.web.requires: `disk=ssd` cannot be a label of a node: use letters, digits, `-`, `_` and `.`
    ");
}

/// A pod with one more field than it needs.
fn pod(field: &str, value: &Value) -> Value {
    let mut template = json!({"containers": [{"name": "a", "image": "b"}]});
    let (path, name) = field.rsplit_once('/').unwrap_or(("", field));
    template.pointer_mut(path).unwrap()[name] = value.clone();
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
        "spec": {"selector": {}, "template": {"spec": template}},
    })
}

#[test]
fn a_level_does_not_know_what_came_after_it() {
    let known = Known::read();
    let image = json!([{"name": "a", "image": {"reference": "b"}}]);
    let began = [
        ("1.31", "/volumes", &image),
        ("1.32", "/resources", &json!({"requests": {"cpu": "1"}})),
        ("1.33", "/containers/0/lifecycle", &json!({"stopSignal": "SIGUSR1"})),
        ("1.34", "/hostnameOverride", &json!("a")),
        ("1.35", "/workloadRef", &json!({"name": "a", "podGroup": "b"})),
        ("1.36", "/schedulingGroup", &json!({"podGroupName": "a"})),
        ("1.37", "/evictionResponders", &json!([{"name": "a.example/b", "priority": 1}])),
    ];
    assert_eq!(began.map(|(level, ..)| level), known.levels[1..], "one for each level");
    let apis = known.all();
    for (since, field, value) in began {
        for api in &apis {
            let faults = api.faults(&pod(field, value));
            // That one was there for one version only.
            let is_there = if field == "/workloadRef" {
                api.level == since
            } else {
                api.level.as_str() >= since
            };
            assert_eq!(faults.is_empty(), is_there, "{field} at {}: {faults:?}", api.level);
        }
    }
}

#[test]
fn what_is_rendered_for_a_newer_level_is_unknown_to_an_old_cluster() {
    let known = Known::read();
    let newest = known.levels.last().unwrap();
    let manifests = examples::rendered("e1", newest, &Settings::default());
    let faults = |level: &str| {
        let api = known.at(level);
        let all = manifests.items.iter().flat_map(|item| api.faults(item.object.value()));
        all.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(faults("1.30"), @"/spec/template/spec/volumes/0: Additional properties are not allowed ('image' was unexpected)");
    assert_eq!(faults("1.31"), "");
}
