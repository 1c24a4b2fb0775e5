//! A namespace of a cluster, what is put there, and the calls with which a deployment does it.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use pierhead::deploy::kubernetes_target::{Disks, KubernetesTarget, Telling};
use pierhead::domain::cluster::{
    Cluster, ClusterKind, Credentials, KubernetesOptions, NamespaceManage,
};
use pierhead::domain::ids::{EnvironmentId, Fence, JobNumber, ProjectId, ReleaseNumber};
use pierhead::domain::redact::Redactor;
use pierhead::domain::release::PinnedImages;
use pierhead::kubernetes::{self, Access, Limits, ObjectRef};
use pierhead::manifests::{
    ContentKey, Images, Inputs, Manifests, Owner, Phase, Settings, Target, Unpinned, render,
};
use pierhead::paas::compile;
use uuid::Uuid;

use crate::pods::context;

/// An image that waits for its end, in the registry of the cluster for tests.
const IMAGE: &str = "127.0.0.1:5000/pause";

/// Longest wait for pods.
const PATIENCE: Duration = Duration::from_secs(300);

/// A namespace of a cluster, until it is dropped.
pub(crate) struct Ground {
    access: Access,
    cluster: Cluster,
    login: Credentials,
    project: ProjectId,
    environment: EnvironmentId,
    settings: Settings,
    releases: i32,
}

/// How long the parts of a release took.
pub(crate) struct Took {
    pub(crate) applying: Duration,
    pub(crate) all: Duration,
}

#[expect(clippy::disallowed_methods, reason = "benchmarks have no configuration file")]
fn kubeconfig() -> Option<String> {
    let path = std::env::var("KUBECONFIG").ok().filter(|path| !path.is_empty())?;
    Some(fs::read_to_string(path).unwrap())
}

impl Ground {
    /// Nothing without a cluster.
    pub(crate) fn open() -> Option<Self> {
        let mut access = Access::from_kubeconfig(&kubeconfig()?, None).unwrap();
        let mut id = Uuid::new_v4().simple().to_string();
        id.truncate(8);
        access.namespace = format!("ph-bench-{id}");
        let cluster = Cluster {
            id: Uuid::new_v4().into(),
            name: "bench".to_owned(),
            kind: ClusterKind::Kubernetes,
            address: access.address.clone(),
            namespace: access.namespace.clone(),
            kubernetes: KubernetesOptions {
                namespace_manage: NamespaceManage::Create,
                ..KubernetesOptions::default()
            },
            credentials: None,
        };
        let mut settings = Settings::default();
        settings.namespace.manage = NamespaceManage::Create;
        // Nobody is to wait for what both would wait for.
        settings.rollout.min_ready_s = 0;
        Some(Self {
            login: access.credentials.clone(),
            access,
            cluster,
            project: Uuid::new_v4().into(),
            environment: Uuid::new_v4().into(),
            settings,
            releases: 0,
        })
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.cluster.namespace
    }

    /// What everything that is put there has.
    pub(crate) fn selector(&self) -> String {
        format!("{}={}", self.settings.key("project"), self.project)
    }

    /// The hundred objects of the next release, of which each has new labels and each pod is new.
    pub(crate) fn next(&mut self) -> Manifests {
        self.releases += 1;
        let id = Uuid::nil;
        let number = i64::from(self.releases);
        let owner = Owner {
            account: "acme".parse().unwrap(),
            project: self.project,
            environment: self.environment,
            fence: Fence(number),
            job: id().into(),
            number: JobNumber(number),
            release: ReleaseNumber(self.releases),
        };
        let target = Target {
            cluster: self.cluster.name.clone(),
            namespace: self.cluster.namespace.clone(),
            is_hierarchical: false,
            level: self.settings.version_level,
            controllers: [].into(),
            default_class: None,
        };
        let inputs = Inputs {
            owner: &owner,
            target: &target,
            settings: &self.settings,
            images: Images { pinned: &PinnedImages::new(), others: Unpinned::ByTag(None) },
            registry: None,
            quotas: &[],
            key: &ContentKey([0; 32]),
        };
        let context = context("project = 'shop'\nenvironment = 'production'\n");
        let text = file(self.releases);
        let model = compile(text.as_bytes(), &context).unwrap_or_else(|faults| {
            panic!("{}", faults.render(text.as_bytes(), ".paas.yaml").join("\n"));
        });
        let manifests = render(&model.model, &inputs).unwrap();
        assert_eq!(manifests.items.len(), 100);
        manifests
    }

    fn connect(&self) -> KubernetesTarget {
        let of = (self.project, self.environment);
        let redactor = Redactor::default();
        KubernetesTarget::connect(&self.cluster, Some(&self.login), of, &self.settings, &redactor)
            .unwrap()
    }

    /// Applies everything, in the order of a deployment.
    pub(crate) async fn apply(&self, manifests: &Manifests) -> Duration {
        let began = Instant::now();
        let target = self.connect();
        target.target(&self.cluster).await.unwrap();
        let disks = begin(&target, manifests).await;
        target.apply_phase(manifests, Phase::Before).await.unwrap();
        target.apply_configuration(manifests, &disks).await.unwrap();
        for phase in [Phase::Workloads, Phase::Jobs, Phase::CronJobs, Phase::Entrance] {
            target.apply_phase(manifests, phase).await.unwrap();
        }
        began.elapsed()
    }

    /// Applies everything, and waits where a deployment does.
    pub(crate) async fn release(&self, manifests: &Manifests) -> Took {
        let began = Instant::now();
        let mut waited = Duration::ZERO;
        let target = self.connect();
        target.target(&self.cluster).await.unwrap();
        let disks = begin(&target, manifests).await;
        for phase in [
            Phase::Before,
            Phase::Configuration,
            Phase::Workloads,
            Phase::Jobs,
            Phase::CronJobs,
            Phase::Entrance,
        ] {
            if phase == Phase::Configuration {
                target.apply_configuration(manifests, &disks).await.unwrap();
            } else {
                target.apply_phase(manifests, phase).await.unwrap();
            }
            let waits = Instant::now();
            target.wait(manifests, phase, PATIENCE, &Telling::nobody()).await.unwrap();
            waited += waits.elapsed();
        }
        let all = began.elapsed();
        Took { applying: all.saturating_sub(waited), all }
    }
}

/// Applies what comes before anything that serves is touched.
async fn begin(target: &KubernetesTarget, manifests: &Manifests) -> Disks {
    for phase in [Phase::Namespace, Phase::PullSecrets] {
        target.apply_phase(manifests, phase).await.unwrap();
    }
    target.apply_disks(manifests).await.unwrap()
}

impl Drop for Ground {
    fn drop(&mut self) {
        let access = self.access.clone();
        let removal = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let cluster = kubernetes::Cluster::connect(&access, Limits::default()).unwrap();
                let namespace = ObjectRef::new("v1", "Namespace", &access.namespace);
                cluster.delete(&namespace).await.unwrap();
            });
        });
        removal.join().expect("the namespace is removed");
    }
}

/// A file that comes to a hundred objects with the namespace.
fn file(release: i32) -> String {
    let (mut maps, mut secrets) = ("maps:\n".to_owned(), "secrets:\n".to_owned());
    let (mut pods, mut services) = ("pods:\n".to_owned(), "services:\n".to_owned());
    let mut ingresses = "ingresses:\n".to_owned();
    for n in 0..39 {
        writeln!(maps, "  m{n}: {{a: '{n}', b: of a map}}").unwrap();
    }
    for n in 0..30 {
        writeln!(secrets, "  s{n}: {{provider: map, options: {{a: '{n}'}}}}").unwrap();
    }
    for n in 0..10 {
        let container = format!(
            "{{image: '{IMAGE}', version: '1', listen: [8080], \
             variables: {{RELEASE: '{release}', from-maps: {{A: m{n}.a}}, from-secrets: {{S: s{n}.a}}}}}}"
        );
        writeln!(pods, "  web{n}: {{containers: {{app: {container}}}}}").unwrap();
        writeln!(services, "  web{n}: {{ports: [{{listen: 80, target: 8080}}]}}").unwrap();
        let rule = format!("{{host: w{n}.bench.example, service: {{name: web{n}, port: 80}}}}");
        writeln!(ingresses, "  web{n}: {rule}").unwrap();
    }
    format!("paas: {{version: v1.1}}\n{maps}{secrets}{pods}{services}{ingresses}")
}
