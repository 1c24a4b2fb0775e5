//! Builds and containers that wait until a test lets them go on.

use std::fs;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{CreateContainerOptions, ListContainersOptionsBuilder};
use futures::StreamExt as _;
use pierhead::domain::ids::EnvironmentId;
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::app::{App, PATIENCE};

/// A point at which the build of an image stands until it is opened.
#[derive(Debug, Clone)]
pub(crate) struct BuildGate {
    token: String,
}

impl BuildGate {
    pub(crate) fn new() -> Self {
        Self { token: format!("gate-{}", Uuid::now_v7().simple()) }
    }

    /// The line of a Dockerfile that waits.
    pub(crate) fn line(&self) -> String {
        format!("RUN while ! test -e /{0}; do sleep 0.05; done", self.token)
    }

    /// A Dockerfile that waits, and then is that of the hello application.
    pub(crate) fn dockerfile(&self) -> String {
        format!(
            "FROM busybox:stable\n{}\nCOPY index.html /www/\n\
             CMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n",
            self.line()
        )
    }

    /// Waits until a build stands here.
    pub(crate) async fn reached(&self) {
        self.reached_by(1).await;
    }

    /// Waits until so many builds stand here.
    pub(crate) async fn reached_by(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let standing = self.processes().len();
            if standing == count {
                return;
            }
            assert!(Instant::now() < deadline, "{standing} builds stand at the gate");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The commands that stand here, by their numbers on this machine: not every builder runs them
    /// in containers that an engine would tell of.
    fn processes(&self) -> Vec<u32> {
        let numbers = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let begun = |of: &u32| self.is_of(*of) && !parent(*of).is_some_and(|of| self.is_of(of));
        numbers.filter(begun).collect()
    }

    fn is_of(&self, process: u32) -> bool {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        line.starts_with(b"/bin/sh\0-c\0") && String::from_utf8_lossy(&line).contains(&self.token)
    }

    /// Waits until a build stands here, and lets it go on.
    pub(crate) async fn open(&self, app: &App) {
        self.reached().await;
        for process in self.processes() {
            touch(app.docker(), &format!("/proc/{process}/root/{}", self.token)).await;
        }
    }
}

/// The number of the process that started another.
fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may hold anything, and the state.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// A `.paas.yaml` whose application is healthy once `/tmp/healthy` is there.
pub(crate) fn healthy_when_told(paas_yaml: &str) -> String {
    paas_yaml.replace(
        "{http: {port: 8080, path: /}}",
        "{command: [test, -e, /tmp/healthy]}\n          threshold: {failure: 1000}",
    )
}

impl App {
    /// Waits until so many containers of an environment run that a newer fence than `after` made,
    /// and gives them.
    pub(crate) async fn started(&self, environment: EnvironmentId, after: i64) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let label = format!("pierhead.dev/environment={environment}");
        loop {
            let filters = [("label", vec![label.as_str()])].into();
            let running = ListContainersOptionsBuilder::default().filters(&filters).build();
            let all = self.docker().list_containers(Some(running)).await.unwrap();
            let is_new = |labels: Option<&std::collections::HashMap<String, String>>| {
                labels
                    .and_then(|labels| labels.get("pierhead.dev/fence"))
                    .and_then(|fence| fence.parse::<i64>().ok())
                    .is_some_and(|fence| fence > after)
            };
            let new: Vec<String> = all
                .into_iter()
                .filter(|found| is_new(found.labels.as_ref()))
                .filter_map(|found| found.id)
                .collect();
            if !new.is_empty() {
                return new;
            }
            assert!(Instant::now() < deadline, "nothing was started");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl App {
    /// Tells a container that it is healthy, of a file that is [`healthy_when_told`].
    pub(crate) async fn tell_healthy(&self, container: &str) {
        let found = self.docker().inspect_container(container, None).await.unwrap();
        let process = found.state.and_then(|state| state.pid).expect("it runs");
        touch(self.docker(), &format!("/proc/{process}/root/tmp/healthy")).await;
    }
}

/// Makes a file in the root of a process of this machine, as root of a container may.
async fn touch(docker: &Docker, path: &str) {
    let body = ContainerCreateBody {
        image: Some("busybox:stable".to_owned()),
        cmd: Some(["touch", path].map(str::to_owned).to_vec()),
        host_config: Some(HostConfig { pid_mode: Some("host".to_owned()), ..Default::default() }),
        ..ContainerCreateBody::default()
    };
    let made = docker.create_container(None::<CreateContainerOptions>, body).await.unwrap();
    docker.start_container(&made.id, None).await.unwrap();
    let ended: Vec<_> = docker.wait_container(&made.id, None).collect().await;
    docker.remove_container(&made.id, None).await.unwrap();
    assert!(matches!(ended[..], [Ok(_)]), "{path}: {ended:?}");
}
