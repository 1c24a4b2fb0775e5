//! Rules of rendering that the worked examples do not show.

mod entrance;
mod faults;
mod jobs;
mod pods;

use indexmap::IndexMap;
use serde_json::Value as Json;
use uuid::Uuid;

use super::*;
use crate::domain::cluster::NamespaceManage;
use crate::domain::ids::{Fence, JobNumber, ReleaseNumber};
use crate::domain::level::Level;
use crate::domain::registry::Registry;
use crate::domain::release::PinnedImages;
use crate::manifests::{ContentKey, Images, Owner, QuotaRow, Settings, Target, Unpinned};
use crate::paas::compiled::{
    Completions, Container, ImageRef, Ingress, Job, Map, Mode, Mount, Origin, Planning, Pod, Port,
    Protocol, Secret, Service, SuccessCondition, Value,
};

/// A deployment and what it is rendered with.
struct Scene {
    deployment: Deployment,
    owner: Owner,
    target: Target,
    settings: Settings,
    pinned: PinnedImages,
    is_strict: bool,
    registry: Option<Registry>,
    quotas: Vec<QuotaRow>,
}

impl Scene {
    fn new(pods: Vec<Pod>) -> Self {
        Self {
            deployment: Deployment { pods, ..Deployment::new("shop", "eu") },
            owner: Owner {
                account: "acme".parse().unwrap(),
                project: Uuid::from_u128(1).into(),
                environment: Uuid::from_u128(2).into(),
                fence: Fence(7),
                job: Uuid::from_u128(0xabcd_ef01).into(),
                number: JobNumber(42),
                release: ReleaseNumber(3),
            },
            target: Target {
                cluster: "eu".to_owned(),
                namespace: "shops".to_owned(),
                is_hierarchical: false,
                level: Level::OLDEST,
                controllers: BTreeMap::new(),
                default_class: None,
            },
            settings: Settings::default(),
            pinned: PinnedImages::new(),
            is_strict: false,
            registry: None,
            quotas: Vec::new(),
        }
    }

    fn render(&self) -> Result<Manifests, Vec<Unrenderable>> {
        let others = if self.is_strict { Unpinned::Refused } else { Unpinned::ByTag(None) };
        let inputs = Inputs {
            owner: &self.owner,
            target: &self.target,
            settings: &self.settings,
            images: Images { pinned: &self.pinned, others },
            registry: self.registry.as_ref(),
            quotas: &self.quotas,
            key: &ContentKey([1; 32]),
        };
        render(&self.deployment, &inputs)
    }

    fn faults(&self) -> String {
        let faults = self.render().unwrap_err();
        faults.iter().map(|fault| format!("{fault}\n")).collect()
    }

    fn all(&self) -> Vec<Manifest> {
        self.render().unwrap_or_else(|faults| panic!("{faults:?}")).items
    }

    /// Kinds and names, in order.
    fn names(&self) -> Vec<String> {
        let items = self.all().into_iter();
        items.map(|item| format!("{} {}", item.object.kind(), item.object.name())).collect()
    }

    fn get(&self, name: &str) -> Manifest {
        let mut items = self.all().into_iter();
        items.find(|item| item.object.name() == name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// A part of an object.
    fn at(&self, name: &str, pointer: &str) -> Json {
        self.get(name).object.value().pointer(pointer).cloned().unwrap_or(Json::Null)
    }
}

fn external(name: &str) -> ImageRef {
    ImageRef { origin: Origin::External, name: name.to_owned(), tag: "1".to_owned() }
}

fn container(name: &str) -> Container {
    Container::new(name, external("nginx"))
}

fn web() -> Pod {
    Pod::new("web", vec![container("app")])
}

/// A pod with a disk.
fn stateful(name: &str, container: Container) -> Pod {
    Pod { stateless: false, ..Pod::new(name, vec![container]) }
}

fn disk(name: &str) -> Mount {
    Mount::Persistent {
        name: name.to_owned(),
        mount_path: format!("/{name}"),
        storage_provider: Val::default_of("storage-provider"),
        storage_size: Val::Text("500K".to_owned()),
        reset_on_deployment: false,
        write_many: false,
    }
}

fn with_mounts<const N: usize>(name: &str, mounts: [(&str, Mount); N]) -> Container {
    let volumes = mounts.into_iter().map(|(key, mount)| (key.to_owned(), mount)).collect();
    Container { volumes, ..container(name) }
}

fn map(name: &str, map: &str, path: &str) -> Mount {
    let [name, map, mount_path] = [name, map, path].map(str::to_owned);
    Mount::Map { name, map, mount_path }
}

fn secret(name: &str, kind: &str, options: &[(&str, &str)]) -> Secret {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), text(value)));
    Secret {
        name: name.to_owned(),
        provider: "map".to_owned(),
        kind: kind.to_owned(),
        options: Value::Mapping(options.collect()),
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn service(name: &str, pod: &str, protocol: Protocol, ports: &[(u16, u16)]) -> Service {
    let ports = ports.iter().map(|(listen, target)| Port { listen: *listen, target: *target });
    let (name, pod) = (name.to_owned(), pod.to_owned());
    Service { name, pod, protocol, internal: true, ports: ports.collect() }
}

fn job(name: &str, planning: Planning) -> Job {
    Job {
        name: name.to_owned(),
        pods: vec![Pod::new("run", vec![container("run")])],
        completions: Completions { count: 1, mode: Mode::Common },
        parallel: false,
        time_limit: None,
        shelf_life: Some(3_600),
        success_condition: None,
        planning,
        schedule: None,
    }
}

fn codes(success: &[i32], failure: &[i32], container: Option<&str>) -> Option<SuccessCondition> {
    Some(SuccessCondition {
        success_exit_codes: success.to_vec(),
        failure_exit_codes: failure.to_vec(),
        container: container.map(str::to_owned),
    })
}

const POD: &str = "/spec/template/spec";

#[test]
fn everything_is_applied_in_its_order() {
    let mut scene = Scene::new(vec![web()]);
    let disk = with_mounts("db", [("data", disk("data"))]);
    scene.deployment.pods.insert(0, stateful("db", disk));
    scene.deployment.secrets.push(secret("pw", "default", &[]));
    scene.deployment.maps.push(Map { name: "site".to_owned(), options: IndexMap::new() });
    scene.deployment.services.push(service("web", "web", Protocol::Tcp, &[(80, 80)]));
    scene.deployment.ingresses.push(Ingress::new("site", "shop.example"));
    scene.deployment.jobs = vec![
        job("late", Planning::DuringDeployment),
        Job { schedule: Some("0 3 * * *".to_owned()), ..job("nightly", Planning::Scheduled) },
        job("early", Planning::BeforeDeployment),
    ];
    scene.settings.namespace.manage = NamespaceManage::Create;
    scene.settings.namespace.quota = true;
    scene.quotas =
        vec![QuotaRow { kind: "pods.example/x".to_owned(), requires: 2_000, capacity: 4_000 }];
    assert_eq!(
        scene.names(),
        [
            "Namespace shops",
            "PersistentVolumeClaim data",
            "Job early-run-job",
            "Secret pw-secret",
            "ConfigMap site-map",
            "Service db-hl",
            "Deployment web-dplmt",
            "StatefulSet db-sfset",
            "Job late-run-job",
            "CronJob nightly-run-cronjob",
            "Service web",
            "Ingress site-ingress",
            "ResourceQuota paas-quota",
        ]
    );
    let put_back: Vec<_> = scene.all().into_iter().filter(|item| !item.is_put_back()).collect();
    let put_back: Vec<_> = put_back.iter().map(|item| item.object.name()).collect();
    assert_eq!(put_back, ["early-run-job", "late-run-job"]);
}

#[test]
fn every_object_says_whose_it_is() {
    let scene = Scene::new(vec![web()]);
    insta::assert_json_snapshot!(scene.at("web-dplmt", "/metadata"), @r#"
    {
      "annotations": {
        "pierhead.dev/version": "v3"
      },
      "labels": {
        "app.kubernetes.io/managed-by": "pierhead",
        "app.kubernetes.io/part-of": "shop",
        "name": "web",
        "pierhead.dev/environment": "00000000-0000-0000-0000-000000000002",
        "pierhead.dev/fence": "7",
        "pierhead.dev/project": "00000000-0000-0000-0000-000000000001",
        "pierhead.dev/run": "42"
      },
      "name": "web-dplmt",
      "namespace": "shops"
    }
    "#);
}

#[test]
fn a_project_may_have_a_namespace_of_its_own() {
    let mut scene = Scene::new(vec![web()]);
    scene.target.is_hierarchical = true;
    insta::assert_json_snapshot!(scene.get("shops-shop").object.value(), @r#"
    {
      "apiVersion": "hnc.x-k8s.io/v1alpha2",
      "kind": "SubnamespaceAnchor",
      "metadata": {
        "labels": {
          "app.kubernetes.io/managed-by": "pierhead",
          "name": "shops-shop"
        },
        "name": "shops-shop",
        "namespace": "shops"
      }
    }
    "#);
    assert_eq!(scene.get("web-dplmt").object.namespace(), Some("shops-shop"));
}

#[test]
fn objects_that_were_stored_when_a_phase_had_another_name_are_read() {
    let phases: Vec<Phase> = serde_json::from_str(r#"["sets", "configuration"]"#).unwrap();
    assert_eq!(phases, [Phase::Configuration, Phase::Configuration]);
}
