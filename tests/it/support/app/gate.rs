//! Builds and containers that wait until a test lets them go on.

use std::time::Duration;

use bollard::Docker;
use bollard::exec::{CreateExecOptions, StartExecOptions};
use bollard::query_parameters::ListContainersOptionsBuilder;
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
    pub(crate) async fn reached(&self, app: &App) {
        self.reached_by(app, 1).await;
    }

    /// Waits until so many builds stand here.
    pub(crate) async fn reached_by(&self, app: &App, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let standing = self.containers(app).await.len();
            if standing == count {
                return;
            }
            assert!(Instant::now() < deadline, "{standing} builds stand at the gate");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn containers(&self, app: &App) -> Vec<String> {
        let running = ListContainersOptionsBuilder::default().build();
        let all = app.docker().list_containers(Some(running)).await.unwrap();
        let here = |command: Option<&String>| command.is_some_and(|c| c.contains(&self.token));
        let standing = all.into_iter().filter(|found| here(found.command.as_ref()));
        standing.filter_map(|found| found.id).collect()
    }

    /// Waits until a build stands here, and lets it go on.
    pub(crate) async fn open(&self, app: &App) {
        self.reached(app).await;
        for container in self.containers(app).await {
            touch(app.docker(), &container, &format!("/{}", self.token)).await;
        }
    }
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

async fn touch(docker: &Docker, container: &str, path: &str) {
    let options =
        CreateExecOptions { cmd: Some(vec!["touch", path]), ..CreateExecOptions::default() };
    let exec = docker.create_exec(container, options).await.unwrap();
    let detached = StartExecOptions { detach: true, ..StartExecOptions::default() };
    docker.start_exec(&exec.id, Some(detached)).await.unwrap();
}
