//! What a file asks of its platform, and what it says where others leave something out
//! (paas-yaml.md §8, §10.1).

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};

use crate::paas::compile::Setting;
use crate::paas::compiled::Defaults;
use crate::paas::context::PlatformDefaults;
use crate::paas::fault::Code;
use crate::paas::report::{Poisoned, Reports};
use crate::paas::view::{Named, View};

const STORAGE_PROVIDER: &str = "storage-provider";
const STORAGE_SIZE: &str = "storage-size";
const REGISTRY: &str = "oci-registry-config-name";

/// Features that the platform must vouch for, each once.
pub(super) fn requires(
    root: &View<'_>,
    features: &BTreeSet<String>,
    reports: &mut Reports,
) -> Result<Vec<String>, Poisoned> {
    let Some(paas) = root.field("paas")? else { return Ok(Vec::new()) };
    let mut asked = IndexSet::new();
    for item in paas.items("requires")? {
        asked.insert(item.text()?.value.clone());
    }
    let missing: Vec<_> = asked.iter().filter(|name| !features.contains(*name)).collect();
    if let (Some(first), Ok(field)) = (missing.first(), paas.required("requires")) {
        let names: Vec<_> = missing.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("this platform does not support {}", names.join(", "));
        let hint = reports.did_you_mean(first, features.iter().map(String::as_str));
        return Err(reports.add(field.key_fault(Code::UnsupportedFeatures, message).hint(hint)));
    }
    Ok(asked.into_iter().collect())
}

/// The section `defaults`, in which those of the run are already, over those of the platform.
pub(super) fn defaults(root: &View<'_>, setting: &Setting<'_>) -> Result<Defaults, Poisoned> {
    let context = setting.context;
    let PlatformDefaults { storage_provider, storage_size, oci_registry_config_name } =
        &context.platform.defaults;
    let filled = |value: &Option<String>| {
        value.as_deref().map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let mut global = IndexMap::new();
    for (key, value) in [(STORAGE_PROVIDER, storage_provider), (STORAGE_SIZE, storage_size)] {
        if let Some(value) = filled(value) {
            global.insert(key.to_owned(), Some(value));
        }
    }
    let registry = filled(&context.registry_config_name);
    global.insert(REGISTRY.to_owned(), registry.or_else(|| filled(oci_registry_config_name)));
    let mut clusters = IndexMap::new();
    if let Some(view) = root.field("defaults")? {
        for (key, value) in own_values(&view)? {
            global.insert(key, Some(value));
        }
        for Named { name, value } in view.names("clusters")? {
            clusters.insert(name.value.clone(), own_values(&value)?);
        }
    }
    Ok(Defaults { global, clusters })
}

/// What a level of the section gives; a blank value gives nothing.
fn own_values(view: &View<'_>) -> Result<IndexMap<String, String>, Poisoned> {
    let mut values = IndexMap::new();
    for key in [STORAGE_PROVIDER, STORAGE_SIZE, REGISTRY] {
        if let Some(text) = view.filled(key)? {
            values.insert(key.to_owned(), text.to_owned());
        }
    }
    Ok(values)
}
