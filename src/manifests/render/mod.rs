//! From a compiled deployment to the objects of one cluster.

mod claims;
mod configuration;
mod containers;
mod entrance;
mod images;
mod ingresses;
mod jobs;
mod namespace;
mod pods;
mod ports;
mod volumes;
mod workloads;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::manifests::fault::{Cannot, Note, Unrenderable};
use crate::manifests::names::{LABEL, Names, label_value, shortened};
use crate::manifests::object::{Kind, Object};
use crate::manifests::render::ports::Ports;
use crate::manifests::{Duty, Inputs, Manifest, Manifests, Phase};
use crate::paas::compiled::{Deployment, Val};

/// Who manages the objects, and the name by which fields are owned.
const MANAGER: &str = "pierhead";

/// Renders a deployment for one cluster.
///
/// # Errors
///
/// Everything that this target cannot do, with its place in the file.
pub fn render(
    deployment: &Deployment,
    inputs: &Inputs<'_>,
) -> Result<Manifests, Vec<Unrenderable>> {
    let mut renderer = Renderer::new(deployment, inputs);
    renderer.namespace();
    renderer.configuration();
    renderer.pull_secrets();
    renderer.claims();
    renderer.workloads();
    renderer.jobs();
    renderer.services();
    renderer.ingresses();
    renderer.quota();
    let Renderer { namespace, mut items, notes, faults, .. } = renderer;
    if !faults.is_empty() {
        return Err(faults);
    }
    items.sort_by_key(|item: &Manifest| (item.phase, item.object.kind()));
    Ok(Manifests { namespace, items, notes })
}

struct Renderer<'a> {
    deployment: &'a Deployment,
    inputs: &'a Inputs<'a>,
    names: Names,
    /// Where the objects go.
    namespace: String,
    ports: Ports<'a>,
    /// Labels of every object.
    labels: BTreeMap<String, String>,
    items: Vec<Manifest>,
    /// What has a name already, and where it is from.
    taken: BTreeMap<(Kind, String), String>,
    notes: Vec<Note>,
    faults: Vec<Unrenderable>,
}

impl<'a> Renderer<'a> {
    fn new(deployment: &'a Deployment, inputs: &'a Inputs<'a>) -> Self {
        let target = inputs.target;
        let namespace =
            namespace_of((&target.namespace, target.is_hierarchical), &deployment.project_name);
        Self {
            deployment,
            inputs,
            names: Names::new(&deployment.prefix),
            namespace,
            ports: Ports::new(deployment),
            labels: labels(deployment, inputs),
            items: Vec::new(),
            taken: BTreeMap::new(),
            notes: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn fault(&mut self, at: &str, what: Cannot) {
        self.faults.push(Unrenderable { at: at.to_owned(), what });
    }

    fn note(&mut self, at: &str, text: impl Into<String>) {
        self.notes.push(Note { at: at.to_owned(), text: text.into() });
    }

    /// What every object has: its name, its namespace, and whose it is.
    fn metadata(&self, name: String, label: String) -> ObjectMeta {
        let mut labels = self.labels.clone();
        labels.insert("name".to_owned(), label);
        ObjectMeta {
            name: Some(name),
            namespace: Some(self.namespace.clone()),
            labels: Some(labels),
            ..ObjectMeta::default()
        }
    }

    /// The same for what is replaced with every release.
    fn versioned(&self, name: String, label: String) -> ObjectMeta {
        let version = self.inputs.owner.release.to_string();
        let annotations = BTreeMap::from([(self.inputs.settings.key("version"), version)]);
        ObjectMeta { annotations: Some(annotations), ..self.metadata(name, label) }
    }

    /// Adds an object, unless something else has its name.
    fn add(&mut self, phase: Phase, at: &str, duty: Duty, object: Object) {
        let name = (object.kind(), object.name().to_owned());
        if let Some(other) = self.taken.get(&name).cloned() {
            return self.fault(at, Cannot::SameName(other));
        }
        self.taken.insert(name, at.to_owned());
        self.items.push(Manifest { phase, at: at.to_owned(), duty, object });
    }

    /// A value, or the cluster's default.
    fn resolve<'b>(&'b self, value: &'b Val) -> Option<&'b str> {
        let text = match value {
            Val::Text(text) => Some(text.as_str()),
            Val::Default { default } => {
                self.deployment.defaults.resolve(&self.inputs.target.cluster, default)
            }
        };
        text.map(str::trim).filter(|text| !text.is_empty())
    }

    /// A number as Kubernetes counts, which is less far.
    fn int(&mut self, at: &str, number: u32) -> i32 {
        i32::try_from(number).unwrap_or_else(|_| {
            self.fault(at, Cannot::TooMuch(number.into()));
            i32::MAX
        })
    }
}

/// The namespace of a project: the cluster's, or one of its own below that.
pub fn namespace_of((cluster, is_hierarchical): (&str, bool), project: &str) -> String {
    match is_hierarchical {
        true => shortened(&format!("{cluster}-{}", project.trim_matches('-')), LABEL),
        false => cluster.to_owned(),
    }
}

fn labels(deployment: &Deployment, inputs: &Inputs<'_>) -> BTreeMap<String, String> {
    let Inputs { owner, settings, .. } = inputs;
    let mut labels = BTreeMap::from([
        ("app.kubernetes.io/managed-by".to_owned(), MANAGER.to_owned()),
        (settings.key("project"), owner.project.to_string()),
        (settings.key("environment"), owner.environment.to_string()),
        (settings.key("fence"), owner.fence.to_string()),
        (settings.key("run"), owner.number.to_string()),
    ]);
    let project = label_value(&deployment.project_name);
    if !project.is_empty() {
        labels.insert("app.kubernetes.io/part-of".to_owned(), project);
    }
    labels
}

#[cfg(test)]
mod tests;
