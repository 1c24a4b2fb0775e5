//! The driver of Kubernetes, on a real cluster.
//!
//! `KUBECONFIG` names it; without, each of these tests says that it was not run. Each has a
//! namespace of its own, which it removes.

pub(crate) mod absence;
mod access;
mod apply;
mod busy;
mod claims;
mod failures;
mod jobs;
mod output;
mod prune;
mod replace;
mod rollout;

use std::fs;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DynamicObject, ObjectMeta, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use pierhead::kubernetes::{
    Access, Applied, ApplyOptions, Cluster, Digest, Ended, Error, Limits, ObjectRef, OldPods,
    Owner, Patience,
};
use serde_json::{Value, json};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use uuid::Uuid;

/// Who stops the API server, or lets it know other kinds, has the cluster alone.
static CLUSTER: RwLock<()> = RwLock::const_new(());

/// An image with a shell, in the registry of the cluster.
pub(crate) const BUSYBOX: &str = "127.0.0.1:5000/busybox:1";

/// An image that waits for its end.
const PAUSE: &str = "127.0.0.1:5000/pause:1";

/// Longest wait for something that must happen. It only decides how long a failing test takes.
const PATIENCE: Duration = Duration::from_secs(90);

/// How a test has the cluster.
#[expect(dead_code, reason = "held until it is dropped")]
enum Turn {
    WithOthers(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
    /// As another one has it.
    OfAnother,
}

/// A namespace of a cluster, until it is dropped.
pub(crate) struct Ground {
    cluster: Cluster,
    _turn: Turn,
    pub(crate) access: Access,
    pub(crate) namespace: String,
    /// Signs in as an administrator, and knows nothing of the driver.
    pub(crate) admin: kube::Client,
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration file")]
#[expect(clippy::print_stdout, reason = "whoever runs the tests is told")]
fn kubeconfig() -> Option<String> {
    let path = std::env::var("KUBECONFIG").ok().filter(|path| !path.is_empty());
    if path.is_none() {
        println!("not run: set KUBECONFIG to the kubeconfig of a cluster for tests");
    }
    path.map(|path| fs::read_to_string(path).unwrap())
}

async fn admin(text: &str) -> kube::Client {
    let config = kube::config::Kubeconfig::from_yaml(text).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    kube::Config::from_custom_kubeconfig(config, &options).await.unwrap().try_into().unwrap()
}

impl Ground {
    /// A new namespace, or nothing without a cluster.
    pub(crate) async fn open(subject: &str) -> Option<Self> {
        let text = kubeconfig()?;
        let turn = Turn::WithOthers(CLUSTER.read().await);
        Some(Self::begin((subject, &text), Limits::default(), turn).await)
    }

    /// The same while no other test uses the cluster.
    pub(crate) async fn alone(subject: &str, limits: Limits) -> Option<Self> {
        let text = kubeconfig()?;
        let turn = Turn::Alone(CLUSTER.write().await);
        Some(Self::begin((subject, &text), limits, turn).await)
    }

    /// One more for a test that has one.
    pub(crate) async fn another(subject: &str) -> Option<Self> {
        let text = kubeconfig()?;
        Some(Self::begin((subject, &text), Limits::default(), Turn::OfAnother).await)
    }

    async fn begin((subject, text): (&str, &str), limits: Limits, turn: Turn) -> Self {
        let mut access = Access::from_kubeconfig(text, None).unwrap();
        let mut id = Uuid::new_v4().simple().to_string();
        id.truncate(8);
        access.namespace = format!("ph-{subject}-{id}");
        let cluster = Cluster::connect(&access, limits).unwrap();
        let namespace = access.namespace.clone();
        let admin = admin(text).await;
        let ground = Self { cluster, _turn: turn, access, namespace, admin };
        let metadata = ObjectMeta { name: Some(ground.namespace.clone()), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        let namespaces: Api<Namespace> = Api::all(ground.admin.clone());
        namespaces.create(&PostParams::default(), &namespace).await.unwrap();
        ground
    }

    /// A namespace beside another one, which somebody else makes.
    pub(crate) fn unmade(beside: &Self, subject: &str) -> Self {
        let namespace = format!("{}-{subject}", beside.namespace);
        let access = Access { namespace: namespace.clone(), ..beside.access.clone() };
        let cluster = beside.cluster.clone().within(&namespace);
        Self { cluster, _turn: Turn::OfAnother, access, namespace, admin: beside.admin.clone() }
    }

    /// Objects of a kind, by the hand of an administrator.
    pub(crate) fn api(&self, api_version: &str, kind: &str) -> Api<DynamicObject> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Api::namespaced_with(self.admin.clone(), &self.namespace, &resource)
    }

    /// Makes something that is not ours.
    pub(crate) async fn create(&self, object: Value) -> Value {
        let name = ObjectRef::of(&object);
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let api = self.api(&name.api_version, &name.kind);
        let created = api.create(&PostParams::default(), &object).await.unwrap();
        serde_json::to_value(created).unwrap()
    }

    async fn apply(&self, object: &Value) -> Result<Applied, Error> {
        self.cluster.apply(object, &options()).await
    }

    /// An object that must be there.
    async fn found(&self, object: &Value) -> Value {
        self.cluster.get(&ObjectRef::of(object)).await.unwrap().expect("it is there")
    }

    /// Applies a workload and waits for it.
    async fn roll_out(&self, object: &Value, patience: &Patience) -> Ended {
        self.apply(object).await.unwrap();
        let name = ObjectRef::of(object);
        self.cluster.wait_rollout(&name, OldPods::Roll, patience, |_| {}).await.unwrap()
    }

    async fn failure(&self, object: &Value, patience: &Patience) -> Digest {
        match self.roll_out(object, patience).await {
            Ended::Failed(digest) => *digest,
            Ended::Done => panic!("{object} serves"),
        }
    }

    /// Names and uids of the pods with a label `name`.
    pub(crate) async fn pods(&self, name: &str) -> Vec<(String, String)> {
        let pods = self.api("v1", "Pod");
        let labelled = kube::api::ListParams::default().labels(&format!("name={name}"));
        let pods = pods.list(&labelled).await.unwrap().items.into_iter();
        let alive = pods.filter(|pod| pod.metadata.deletion_timestamp.is_none());
        alive.map(|pod| (pod.metadata.name.unwrap(), pod.metadata.uid.unwrap())).collect()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let (access, namespace) = (self.access.clone(), self.namespace.clone());
        let removal = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let cluster = Cluster::connect(&access, Limits::default()).unwrap();
                let namespace = ObjectRef::new("v1", "Namespace", &namespace);
                cluster.delete(&namespace).await.unwrap();
            });
        });
        removal.join().expect("the namespace is removed");
    }
}

fn owner() -> Owner {
    Owner {
        labels: [("pierhead.dev/project", "p1"), ("pierhead.dev/environment", "e1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    }
}

fn options() -> ApplyOptions {
    ApplyOptions::new(owner())
}

/// An object that is ours.
fn ours(api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "labels": {
            "pierhead.dev/project": "p1", "pierhead.dev/environment": "e1", "name": name,
        }},
    });
    let Value::Object(rest) = rest else { panic!("an object") };
    object.as_object_mut().unwrap().extend(rest);
    object
}

fn map(name: &str, data: Value) -> Value {
    let mut map = ours("v1", "ConfigMap", name, json!({}));
    map["data"] = data;
    map
}

/// A container that runs a script.
fn script(text: &str) -> Value {
    json!({
        "name": "app", "image": BUSYBOX, "command": ["sh", "-c", text],
        "terminationMessagePolicy": "File",
    })
}

fn waiting() -> Value {
    json!({"name": "app", "image": PAUSE})
}

fn template(name: &str, container: Value) -> Value {
    let mut template = json!({
        "metadata": {"labels": {"name": name}},
        "spec": {"terminationGracePeriodSeconds": 0},
    });
    template["spec"]["containers"] = Value::Array(vec![container]);
    template
}

fn deployment(name: &str, container: Value) -> Value {
    ours(
        "apps/v1",
        "Deployment",
        name,
        json!({"spec": {
            "replicas": 1, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"name": name}},
            "template": template(name, container),
        }}),
    )
}

fn stateful_set(name: &str, replicas: i64, container: Value) -> Value {
    ours(
        "apps/v1",
        "StatefulSet",
        name,
        json!({"spec": {
            "replicas": replicas, "serviceName": name,
            "selector": {"matchLabels": {"name": name}},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "template": template(name, container),
        }}),
    )
}

fn job(name: &str, container: Value, rest: Value) -> Value {
    let spec = json!({"backoffLimit": 0, "completions": 1, "template": template(name, container)});
    let mut job = ours("batch/v1", "Job", name, json!({ "spec": spec }));
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never".into();
    let Value::Object(rest) = rest else { panic!("an object") };
    job["spec"].as_object_mut().unwrap().extend(rest);
    job
}

fn claim(name: &str, size: &str) -> Value {
    ours(
        "v1",
        "PersistentVolumeClaim",
        name,
        json!({"spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}},
        }}),
    )
}

/// Adds a claim to the pods of a workload or Job.
fn with_claim(mut object: Value, claim: &str) -> Value {
    let pod = object.pointer_mut("/spec/template/spec").unwrap();
    pod["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]);
    pod["containers"][0]["volumeMounts"] = json!([{"name": "data", "mountPath": "/data"}]);
    object
}

async fn soon<T>(something: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, something).await.expect("this happens soon")
}
