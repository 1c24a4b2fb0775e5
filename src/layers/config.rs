//! Configurations of images, in which only what changes is understood.

use serde_json::{Map, Value, json};

use crate::domain::digest::Digest;
use crate::image::layer::LayerBuild;
use crate::layers::BaseFault;

/// What builders note of the container and the moment in which they built; it says nothing about
/// the image, and would make two of the same one.
const OF_BUILDS: [&str; 5] =
    ["container", "container_config", "docker_version", "parent", "moby.buildkit.buildinfo.v1"];

/// A configuration.
#[derive(Debug, Clone)]
pub(super) struct Config {
    value: Map<String, Value>,
    diff_ids: Vec<Digest>,
}

impl Config {
    pub(super) fn parse(text: &[u8]) -> Result<Self, BaseFault> {
        let value: Map<String, Value> = serde_json::from_slice(text)?;
        let layers = value.get("rootfs").and_then(|rootfs| rootfs.get("diff_ids"));
        let diff_ids = serde_json::from_value(layers.cloned().unwrap_or_else(|| json!([])))?;
        Ok(Self { value, diff_ids })
    }

    /// The digests of the layers, unpacked, lowest first.
    pub(super) fn diff_ids(&self) -> &[Digest] {
        &self.diff_ids
    }

    /// The configuration of the image with one more layer.
    pub(super) fn with(&self, build: &LayerBuild, layer: &Digest) -> Result<Vec<u8>, BaseFault> {
        let mut value = self.value.clone();
        for key in OF_BUILDS {
            value.remove(key);
        }
        let mut diff_ids = self.diff_ids.clone();
        diff_ids.push(layer.clone());
        value.insert("rootfs".into(), json!({ "type": "layers", "diff_ids": diff_ids }));
        let mut own = object(value.remove("config"));
        own.remove("Image");
        if !build.writables.is_empty() {
            own.insert("User".into(), format!("{}:{}", build.user.uid, build.user.gid).into());
        }
        if let Some(command) = &build.command {
            own.remove("Entrypoint");
            own.insert("Cmd".into(), json!(command));
        }
        own.insert("Labels".into(), self.labels(build));
        value.insert("config".into(), Value::Object(own));
        let mut history = match value.remove("history") {
            Some(Value::Array(history)) => history,
            _ => Vec::new(),
        };
        history.push(json!({ "created_by": "pierhead: files of the repository" }));
        value.insert("history".into(), Value::Array(history));
        Ok(serde_json::to_vec(&value)?)
    }

    /// Those of the base, without what they say of its own build, and those of the image.
    fn labels(&self, build: &LayerBuild) -> Value {
        const OF_THE_BASE: &str = "org.opencontainers.image.";
        let domain = |key: &str| key.split_once('/').map(|(domain, _)| domain.to_owned());
        let ours: Vec<_> = build.labels.keys().filter_map(|key| domain(key)).collect();
        let of_base = self.value.get("config").and_then(|config| config.get("Labels")).cloned();
        let mut labels = object(of_base);
        labels.retain(|key, _| {
            !key.starts_with(OF_THE_BASE) && domain(key).is_none_or(|own| !ours.contains(&own))
        });
        labels.extend(build.labels.iter().map(|(key, value)| (key.clone(), json!(value))));
        Value::Object(labels)
    }
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}
