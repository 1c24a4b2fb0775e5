//! What files may ask of the platform.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::paas::{Platform, PlatformDefaults};

/// What the platform vouches for, and values for what nobody else says; an empty text is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlatformConfig {
    /// Names that `paas.requires` may hold.
    pub features: BTreeSet<String>,
    /// Whether something answers for an ingress without a service.
    pub default_backend: bool,
    /// Storage class of persistent volumes.
    pub storage_provider: String,
    /// Size of persistent volumes.
    pub storage_size: String,
    /// Pull credential of pods.
    pub oci_registry_config_name: String,
}

impl Config {
    /// What files are compiled with.
    pub fn platform(&self) -> Platform {
        let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let PlatformConfig { features, default_backend, .. } = self.platform.clone();
        Platform {
            features,
            default_backend,
            defaults: PlatformDefaults {
                storage_provider: text(&self.platform.storage_provider),
                storage_size: text(&self.platform.storage_size),
                oci_registry_config_name: text(&self.platform.oci_registry_config_name),
            },
            hooks: self
                .hooks
                .definitions
                .iter()
                .map(|(name, hook)| (name.clone(), hook.rule()))
                .collect(),
            libraries: self.libraries.clone(),
        }
    }
}
