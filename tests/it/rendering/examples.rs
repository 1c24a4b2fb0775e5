//! The worked examples of deployment.md §8 and the objects they come to, whole.

use std::fs;
use std::path::{Path, PathBuf};

use insta::{assert_snapshot, with_settings};
use pierhead::manifests::{CertManager, DefaultService, IssuerKind, Manifests, Settings};

use crate::rendering::objects;

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paas/kubernetes")
}

/// A worked example as the objects of a cluster of some version.
pub(super) fn rendered(name: &str, level: &str, settings: &Settings) -> Manifests {
    let read = |name: &str| fs::read_to_string(folder().join(name)).unwrap();
    let text = read(&format!("{name}.paas.yaml"));
    objects(&text, &read("context.toml"), level, settings).unwrap()
}

/// Compares with the file beside the example.
fn check(name: &str, level: &str, settings: &Settings) {
    let manifests = rendered(name, level, settings);
    let notes: String = manifests.notes.iter().map(|note| format!("# {note}\n")).collect();
    with_settings!({snapshot_path => folder(), prepend_module_to_snapshot => false, omit_expression => true}, {
        assert_snapshot!(format!("{name}-{level}"), format!("{notes}{}", manifests.yaml()));
    });
}

#[test]
fn e1_a_pod_with_every_kind_of_volume() {
    let requirement_prefix = "paas.east.teknoo.net".to_owned();
    let mut settings = Settings { requirement_prefix, ..Settings::default() };
    settings.pods.classes_without_idmap.insert("shared-nfs".to_owned());
    for level in ["1.30", "1.36"] {
        check("e1", level, &settings);
    }
    let at = |level| rendered("e1", level, &settings);
    assert_eq!(at("1.33"), at("1.30"));
    assert_eq!(at("1.35"), at("1.36"), "its disk is on NFS");
}

#[test]
fn e2_a_disk_that_begins_empty() {
    check("e2", "1.30", &Settings::default());
}

#[test]
fn e3_pods_that_are_replaced_some_at_a_time() {
    for level in ["1.30", "1.36"] {
        check("e3", level, &Settings::default());
    }
}

#[test]
fn e4_work_in_parts_and_before_a_deployment() {
    check("e4", "1.30", &Settings::default());
}

#[test]
fn e5_work_with_a_schedule() {
    check("e5", "1.30", &Settings::default());
}

#[test]
fn e6_and_e7_services_and_ingresses() {
    let mut settings = Settings::default();
    let ingress = &mut settings.ingress;
    ingress.default_class = Some("haproxy".to_owned());
    ingress.default_annotations = [("tier".to_owned(), "standard".to_owned())].into();
    ingress.default_service = Some(DefaultService { name: "maintenance".to_owned(), port: 8080 });
    ingress.cert_manager =
        Some(CertManager { kind: IssuerKind::ClusterIssuer, name: "le-prod".to_owned() });
    check("e6", "1.30", &settings);
}

#[test]
fn e8_secrets_and_maps() {
    check("e8", "1.30", &Settings::default());
}

#[test]
fn what_a_release_stores_is_the_same_when_it_is_read() {
    for name in ["e1", "e2", "e4", "e6", "e8"] {
        let manifests = rendered(name, "1.33", &Settings::default());
        let text = serde_json::to_string(&manifests).unwrap();
        assert_eq!(serde_json::from_str::<Manifests>(&text).unwrap(), manifests);
        assert!(!format!("{manifests:?}").contains("hunter2"));
    }
}
