//! A Docker Engine for one test: everything made through it is removed when the test ends.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

use bollard::Docker;
use bollard::models::{ContainerCreateBody, ContainerInspectResponse, HostConfig};
use bollard::query_parameters::CreateContainerOptions;
use futures::StreamExt as _;
use pierhead::buildah::Buildah;
use pierhead::builder::Builder;
use pierhead::building::{BuildError, ContextLimits, Materials};
use pierhead::config::{DockerBuilds, Isolation};
use pierhead::deploy::docker_target::{DockerTarget, Sources};
use pierhead::docker::Engine;
use pierhead::domain::cluster::{Cluster, ClusterKind, KubernetesOptions};
use pierhead::domain::ids::{ClusterId, EnvironmentId, Fence, JobNumber, ProjectId};
use pierhead::domain::pinned::Pinned;
use pierhead::domain::release::PinnedImages;
use pierhead::domain::snapshot::Snapshot;
use pierhead::domain::stored_variables::StoredVariables;
use pierhead::image::{Folder, ImageBuild, Root};
use pierhead::layers::Layers;
use pierhead::paas::compiled::{
    Backend, Container, Deployment, HealthCheck, ImageRef, Ingress, Origin, Pod, Port, Probe,
    Protocol, Service,
};
use pierhead::stack::{Labels, Owner, Stack, render};
use tempfile::TempDir;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Lines that a test lets wait; more than any of its builds writes.
const LINES: usize = 10_000;

pub(crate) const LIMITS: ContextLimits = ContextLimits { bytes: 1 << 30, files: 10_000 };

/// An engine, and an environment that nobody else has.
pub(crate) struct DockerHost {
    pub(crate) target: DockerTarget,
    pub(crate) environment: EnvironmentId,
    pub(crate) project: ProjectId,
    pub(crate) images: PinnedImages,
    /// The engine as it is, for what the driver has no words for.
    pub(crate) docker: Docker,
    address: String,
    /// What images of tests are built from.
    base: String,
    /// Where a builder beside the engine keeps what it has.
    folder: Option<TempDir>,
    /// What is known of bases.
    _layers: TempDir,
}

impl fmt::Debug for DockerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.target.builder.fmt(f)
    }
}

impl DockerHost {
    pub(crate) async fn connect() -> Self {
        Self::with(Builder::Docker(DockerBuilds::Auto), None).await
    }

    /// One host for each builder there is.
    pub(crate) async fn for_each_builder() -> Vec<Self> {
        let mut hosts = Vec::new();
        for with in [DockerBuilds::Buildkit, DockerBuilds::Classic] {
            hosts.push(Self::with(Builder::Docker(with), None).await);
        }
        for program in ["buildah", "podman"] {
            hosts.extend(Self::beside(program).await);
        }
        hosts
    }

    /// A host whose images are built beside its engine, where the machine can.
    pub(crate) async fn beside(program: &str) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("phb").tempdir_in("/tmp").unwrap();
        let buildah =
            Buildah::new(program, folder.path().join("builder"), Isolation::Containers, 0);
        match buildah.means().await {
            Ok(_) => Some(Self::with(Builder::Buildah(buildah), Some(folder)).await),
            Err(fault) => {
                say(&format!("not run with {program}: {fault}"));
                // `bin/test` installs it.
                let must = program == "buildah" && rustix::process::geteuid().is_root();
                assert!(!must, "{fault:?}");
                None
            }
        }
    }

    pub(crate) async fn with(builder: Builder, folder: Option<TempDir>) -> Self {
        let address = address();
        let engine = Engine::connect(&address).await.unwrap();
        let image = engine.image("busybox:stable").await.unwrap();
        assert!(image.is_some(), "the engine at {address} has no image busybox:stable");
        let layers = tempfile::tempdir().unwrap();
        let docker = Docker::connect_with_unix(
            address.trim_start_matches("unix://"),
            60,
            bollard::API_DEFAULT_VERSION,
        );
        Self {
            target: DockerTarget {
                engine,
                builder,
                layers: Layers::new(layers.path()),
                labels: Labels::new("pierhead.dev"),
                pool: "10.214.0.0/16".parse().unwrap(),
                min_ready: Duration::from_secs(1),
            },
            environment: Uuid::now_v7().into(),
            project: Uuid::now_v7().into(),
            images: PinnedImages::new(),
            docker: docker.unwrap().negotiate_version().await.unwrap(),
            address,
            base: "busybox:stable".to_owned(),
            folder,
            _layers: layers,
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.target.engine
    }

    /// A Dockerfile that begins with an image that the builder has or gets.
    pub(crate) fn dockerfile(&self, rest: &str) -> String {
        format!("FROM {}\n{rest}", self.base)
    }

    /// Whether secrets and caches of commands are unknown to the builder.
    pub(crate) fn is_classic(&self) -> bool {
        matches!(self.target.builder, Builder::Docker(DockerBuilds::Classic))
    }

    /// Checks that nothing of a build is left beside the engine.
    pub(crate) fn assert_builder_is_idle(&self) {
        let Some(folder) = &self.folder else { return };
        let runs = fs::read_dir(folder.path().join("builder/runs")).into_iter().flatten();
        let runs: Vec<_> = runs.map(|entry| entry.unwrap().path()).collect();
        assert!(runs.is_empty(), "{self:?} left {runs:?}");
    }

    pub(crate) fn labels(&self, fence: i64) -> BTreeMap<String, String> {
        self.target.labels.of(&Owner {
            project: self.project,
            environment: self.environment,
            fence: Fence(fence),
            job: JobNumber(42),
            snapshot: &snapshot(),
        })
    }

    /// What to build from a folder.
    pub(crate) fn plan(&self, name: &str) -> ImageBuild {
        let tag = format!("pierhead-test/{}/{name}", self.environment);
        ImageBuild {
            reference: format!("{name}:test"),
            context: Folder { root: Root::Checkout, path: String::new() },
            tag: format!("{tag}:test"),
            own_tag: format!("{tag}:test-job42"),
            bases: vec![],
            platforms: BTreeSet::new(),
            pins: BTreeMap::new(),
            own: BTreeMap::new(),
            platform: None,
            account: "acme".to_owned(),
            args: BTreeMap::new(),
            labels: self.labels(1),
        }
    }

    /// A checkout, for this host's project.
    pub(crate) fn sources(&self, root: &Path) -> Sources {
        Sources {
            checkout: root.to_owned(),
            library: PathBuf::new(),
            limits: LIMITS,
            project: self.project,
            secrets: BTreeMap::new(),
            registry: None,
            frontends: Vec::new(),
            uses_cache: false,
            platforms: Vec::new(),
        }
    }

    /// Builds an image from a folder, every step anew, and gives what was said meanwhile.
    pub(crate) async fn build(
        &self,
        build: &ImageBuild,
        root: &Path,
    ) -> (Result<String, BuildError>, Vec<String>) {
        let materials = Materials { uses_cache: false, ..Materials::of(root, LIMITS) };
        self.build_of(build, &materials).await
    }

    pub(crate) async fn build_of(
        &self,
        build: &ImageBuild,
        materials: &Materials<'_>,
    ) -> (Result<String, BuildError>, Vec<String>) {
        let (sender, mut receiver) = mpsc::channel(LINES);
        let builder = &self.target.builder;
        let result = builder.build(self.engine(), build, materials, &sender).await;
        let result = result.map(|built| built.id);
        drop(sender);
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line);
        }
        (result, lines)
    }

    /// Builds an image from busybox and some lines, for containers to run under that name.
    pub(crate) async fn image(&mut self, name: &str, dockerfile: &str) -> String {
        let root = folder(&[("Dockerfile", &format!("FROM busybox:stable\n{dockerfile}\n"))]);
        let materials = Materials::of(root.path(), LIMITS);
        let (result, lines) = self.build_of(&self.plan(name), &materials).await;
        let id = result.unwrap_or_else(|error| panic!("{error}\n{}", lines.join("\n")));
        self.images.insert(format!("{name}:test"), Pinned::ImageId(id.clone()));
        id
    }

    /// Renders a deployment of some pods under a fence.
    pub(crate) fn stack(&self, fence: i64, pods: Vec<Pod>) -> Stack {
        self.render(fence, &deployment(pods))
    }

    pub(crate) fn render(&self, fence: i64, deployment: &Deployment) -> Stack {
        let snapshot = snapshot();
        let owner = Owner {
            project: self.project,
            environment: self.environment,
            fence: Fence(fence),
            job: JobNumber(42),
            snapshot: &snapshot,
        };
        let (cluster, labels) = (&snapshot.clusters[0], &self.target.labels);
        render(deployment, &owner, cluster, &self.images, labels).unwrap()
    }

    /// Runs a command in the engine's own network, as root.
    pub(crate) async fn on_the_host(&self, command: &str) {
        let body = ContainerCreateBody {
            image: Some("busybox:stable".to_owned()),
            cmd: Some(["sh", "-c", command].map(str::to_owned).to_vec()),
            host_config: Some(HostConfig {
                network_mode: Some("host".to_owned()),
                cap_add: Some(vec!["NET_ADMIN".to_owned()]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let container =
            self.docker.create_container(None::<CreateContainerOptions>, body).await.unwrap();
        self.docker.start_container(&container.id, None).await.unwrap();
        let ended: Vec<_> = self.docker.wait_container(&container.id, None).collect().await;
        self.docker.remove_container(&container.id, None).await.unwrap();
        assert!(matches!(ended[..], [Ok(_)]), "{command}: {ended:?}");
    }

    pub(crate) async fn inspect(&self, name: &str) -> ContainerInspectResponse {
        self.docker.inspect_container(name, None).await.unwrap()
    }

    /// Names of the containers of this test.
    pub(crate) async fn container_names(&self) -> BTreeSet<String> {
        let label = [(self.target.labels.environment(), self.environment.to_string())];
        let containers = self.engine().containers(&label).await.unwrap();
        containers.into_iter().map(|container| container.name).collect()
    }
}

#[expect(clippy::print_stdout, reason = "whoever runs the tests is told")]
fn say(text: &str) {
    println!("{text}");
}

impl Drop for DockerHost {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_builder_is_idle();
        }
        let (mut target, environment) = (self.target.clone(), self.environment);
        let address = self.address.clone();
        let swept = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                target.engine = Engine::connect(&address).await.unwrap();
                let label = [(target.labels.environment(), environment.to_string())];
                for container in target.engine.containers(&label).await.unwrap() {
                    // A sweep would give each of them time to end.
                    target.engine.remove_container(&container.id).await.unwrap();
                }
                let leftovers = target.leftovers(environment, &[]).await.unwrap();
                target.remove(leftovers).await.unwrap();
                // A base goes when what was built from it is gone.
                let none = BTreeSet::new();
                loop {
                    let images = target.spare_images(environment, &none).await.unwrap();
                    if target.remove_images(images).await.unwrap().is_empty() {
                        break;
                    }
                }
                let images = target.engine.images(&label).await.unwrap();
                assert!(images.is_empty(), "images are left: {images:?}");
            });
        });
        let result = swept.join();
        assert!(std::thread::panicking() || result.is_ok(), "something was left on the engine");
    }
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
pub(crate) fn address() -> String {
    std::env::var("TEST_DOCKER_HOST").expect("set TEST_DOCKER_HOST to a socket; bin/test does")
}

fn snapshot() -> Snapshot {
    Snapshot {
        account: "acme".parse().unwrap(),
        project: "shop".parse().unwrap(),
        environment: "production".parse().unwrap(),
        prefix: String::new(),
        clusters: vec![Cluster {
            id: ClusterId::from(Uuid::nil()),
            name: "local".to_owned(),
            kind: ClusterKind::Docker,
            address: "unix:///run/docker.sock".to_owned(),
            namespace: "acme".to_owned(),
            kubernetes: KubernetesOptions::default(),
            credentials: None,
        }],
        variables: StoredVariables::default(),
        quotas: Vec::new(),
        registry: None,
        source: None,
        without_cache: false,
    }
}

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files.iter().map(|(path, content)| (folder.path().join(path), content)) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// A deployment of pods; each is found under `<pod>-service` and `http://<pod>.localhost`.
pub(crate) fn deployment(pods: Vec<Pod>) -> Deployment {
    let service = |pod: &Pod| Service {
        name: format!("{}-service", pod.name),
        pod: pod.name.clone(),
        protocol: Protocol::Tcp,
        internal: true,
        ports: vec![Port { listen: 80, target: 8080 }],
    };
    let ingress = |pod: &Pod| Ingress {
        default_service: Some(Backend { name: format!("{}-service", pod.name), port: 80 }),
        ..Ingress::new(&pod.name, &format!("{}.localhost", pod.name))
    };
    Deployment {
        services: pods.iter().map(service).collect(),
        ingresses: pods.iter().map(ingress).collect(),
        pods,
        ..Deployment::new("shop", "production")
    }
}

/// A pod of containers that have the names of their images.
pub(crate) fn pod(name: &str, replicas: u32, containers: Vec<Container>) -> Pod {
    Pod { replicas, ..Pod::new(name, containers) }
}

pub(crate) fn container(image: &str) -> Container {
    let tag = "test".to_owned();
    Container::new(image, ImageRef { origin: Origin::Built, name: image.to_owned(), tag })
}

/// The container with a check that asks at once and every second.
pub(crate) fn checked(container: Container, probe: Probe) -> Container {
    let healthcheck = Some(HealthCheck {
        probe,
        initial_delay: 0,
        period: 1,
        success_threshold: 1,
        failure_threshold: 1,
    });
    Container { healthcheck, ..container }
}
