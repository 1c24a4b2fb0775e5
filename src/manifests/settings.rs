//! What operators decide about their clusters.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::cluster::NamespaceManage;
use crate::domain::level::Level;
use crate::domain::words::words;
use crate::manifests::flavour::Flavour;

/// Everything that operators decide about Kubernetes targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Prefix of labels and annotations.
    pub label_domain: String,
    /// Prefix of the labels that nodes have for what pods require.
    pub requirement_prefix: String,
    /// The newest version that objects are made for; an older cluster gets its own.
    pub version_level: Level,
    /// Namespaces.
    pub namespace: NamespaceSettings,
    /// How pods are replaced.
    pub rollout: RolloutSettings,
    /// What pods may see and be.
    pub pods: PodSettings,
    /// Work that is waited for.
    pub jobs: JobSettings,
    /// Work with a schedule.
    pub cron_jobs: CronJobSettings,
    /// How people come in.
    pub ingress: IngressSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            label_domain: "pierhead.dev".to_owned(),
            requirement_prefix: "pierhead.dev".to_owned(),
            version_level: Level::OLDEST,
            namespace: NamespaceSettings::default(),
            rollout: RolloutSettings::default(),
            pods: PodSettings::default(),
            jobs: JobSettings::default(),
            cron_jobs: CronJobSettings::default(),
            ingress: IngressSettings::default(),
        }
    }
}

impl Settings {
    /// The full name of a label or an annotation.
    pub fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.label_domain)
    }
}

/// Namespaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NamespaceSettings {
    /// Whether one that is not there is made.
    pub manage: NamespaceManage,
    /// Whether it gets the account's quotas as a `ResourceQuota`.
    pub quota: bool,
}

/// How pods are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RolloutSettings {
    /// Whether every release replaces all pods, changed or not.
    pub force: bool,
    /// Seconds that a pod without a health check must stay up.
    pub min_ready_s: u32,
    /// Seconds in which something must move on.
    pub deadline_s: u32,
}

impl Default for RolloutSettings {
    fn default() -> Self {
        Self { force: true, min_ready_s: 10, deadline_s: 600 }
    }
}

/// What pods may see and be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PodSettings {
    /// Volumes that are images from 1.33 on, where the cluster has the feature switched on.
    pub early_image_volumes: bool,
    /// User namespaces from 1.33 on.
    pub early_user_namespaces: bool,
    /// Storage classes whose disks cannot be mounted in a user namespace, such as those on NFS.
    pub classes_without_idmap: BTreeSet<String>,
    /// Most bytes of a shared volume's copy in a pod, such as `1Gi`; without one, the node's disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_volume_limit: Option<String>,
}

/// Work that is waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobSettings {
    /// How often a job that failed is tried again.
    pub backoff_limit: u32,
}

/// Work with a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CronJobSettings {
    /// What happens when the last run has not ended.
    pub concurrency: Concurrency,
    /// Seconds after which a run that could not begin is left out.
    pub starting_deadline_s: u32,
    /// How many runs that succeeded are kept.
    pub successful_kept: u32,
    /// How many runs that failed are kept.
    pub failed_kept: u32,
    /// Time zone of schedules, such as `Europe/Paris`; without one, the cluster's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

impl Default for CronJobSettings {
    fn default() -> Self {
        Self {
            concurrency: Concurrency::Forbid,
            starting_deadline_s: 300,
            successful_kept: 1,
            failed_kept: 3,
            time_zone: None,
        }
    }
}

words! {
    /// What happens when the last run has not ended.
    Concurrency, "concurrency of scheduled jobs (Allow, Forbid, Replace)" {
        /// Both run.
        Allow = "Allow",
        /// The new one is left out.
        Forbid = "Forbid",
        /// The old one is ended.
        Replace = "Replace",
    }
}

/// How people come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IngressSettings {
    /// Class of an ingress without a provider; without one, the cluster's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_class: Option<String>,
    /// Annotations of every ingress, which win over the file's.
    pub default_annotations: BTreeMap<String, String>,
    /// Who answers what no rule names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_service: Option<DefaultService>,
    /// What controls a class, where the cluster does not say.
    pub flavours: BTreeMap<String, Flavour>,
    /// Who issues certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_manager: Option<CertManager>,
    /// Annotations that files may have, with `*` for any text.
    pub allowed_annotations: Vec<String>,
    /// Those of them that they may not, the stronger list.
    pub denied_annotations: Vec<String>,
}

impl Default for IngressSettings {
    fn default() -> Self {
        let flavours = [
            ("alb", Flavour::Aws),
            ("contour", Flavour::Contour),
            ("haproxy", Flavour::HaproxyTech),
            ("kong", Flavour::Kong),
            ("nginx", Flavour::Nginx),
            ("traefik", Flavour::Traefik),
        ];
        // With these a file could run code in the controller, or send everybody's requests away.
        let denied = [
            "*snippet*",
            "*/auth-*",
            "*/configuration-*",
            "*/server-alias",
            "*/custom-*",
            "*lua*",
            "*/frontend-config*",
            "*/backend-config*",
            "*router.middlewares",
            "kubernetes.io/ingress.class",
        ];
        Self {
            default_class: None,
            default_annotations: BTreeMap::new(),
            default_service: None,
            flavours: flavours.map(|(class, flavour)| (class.to_owned(), flavour)).into(),
            cert_manager: None,
            allowed_annotations: vec!["*".to_owned()],
            denied_annotations: denied.map(str::to_owned).into(),
        }
    }
}

/// A Service of the cluster's operator, in the namespace of whoever is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultService {
    /// Its name.
    pub name: String,
    /// Its port.
    pub port: u16,
}

/// Who issues certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertManager {
    /// What kind of issuer it is.
    pub kind: IssuerKind,
    /// Its name.
    pub name: String,
}

words! {
    /// Kinds of issuers.
    IssuerKind, "kind of issuer (cluster-issuer, issuer)" {
        /// One of the whole cluster.
        ClusterIssuer = "cluster-issuer",
        /// One of the namespace.
        Issuer = "issuer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_only_what_it_wants_otherwise() {
        assert_eq!(toml::from_str::<Settings>("").unwrap(), Settings::default());
        let text = "version_level = '1.33'\nnamespace = { manage = 'create' }\n\
                    ingress.cert_manager = { kind = 'issuer', name = 'le' }";
        let settings: Settings = toml::from_str(text).unwrap();
        assert_eq!(settings.version_level, Level::new(1, 33));
        assert_eq!(settings.namespace.manage, NamespaceManage::Create);
        assert_eq!(settings.ingress.cert_manager.unwrap().kind, IssuerKind::Issuer);
        assert!(toml::from_str::<Settings>("namespaces = {}").is_err());
    }

    #[test]
    fn all_settings_are_the_same_after_writing_and_reading() {
        let text = toml::to_string(&Settings::default()).unwrap();
        assert_eq!(toml::from_str::<Settings>(&text).unwrap(), Settings::default());
    }
}
