//! Pushes that end on a Kubernetes cluster, which `KUBECONFIG` names.

mod adoption;
mod away;
mod breaks;
mod entrances;
mod hierarchy;
mod jobs;
mod lost;
mod migrations;
mod plans;
mod quotas;
mod refusals;
mod removal;
mod rollbacks;
mod rules;
mod targets;
mod tried;
mod volumes;
mod walk;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use pierhead::kubernetes::Limits;
use serde_json::{Value, json};

use crate::kubernetes::Ground;
use crate::rendering::levels::Levels;
use crate::support::app::developer::{Copy, Developer, Done};
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};
use crate::support::environment_variable;
use crate::support::registry::{OwnRegistry, PASSWORD};

/// An image whose containers run what the variable `RUN` says, and end when they are told to.
const RUNNER: &str = "FROM busybox:stable
CMD [\"sh\", \"-c\", \"trap 'exit 0' TERM; eval \\\"$RUN\\\" & wait $!\"]
";

/// A healthcheck of what answers HTTP.
const CHECK: &str = "healthcheck: {initial-delay-seconds: 0, period-seconds: 1, \
                     threshold: {failure: 3}, probe: {http: {port: 8080, path: /}}}";

/// Kinds of what a deployment makes, but for claims.
const KINDS: [(&str, &str); 8] = [
    ("v1", "Secret"),
    ("v1", "ConfigMap"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "Ingress"),
];

/// An installation whose project `shop` is deployed to a namespace of the cluster.
struct Harbour {
    app: App,
    ana: Developer,
    ground: Ground,
    registry: OwnRegistry,
    levels: Levels,
}

impl Harbour {
    /// Nothing without a cluster.
    async fn open(subject: &str) -> Option<Self> {
        Self::with(subject, Settings::default()).await
    }

    /// The same where nothing is waited for as long as that.
    async fn impatient(subject: &str, limit: &str) -> Option<Self> {
        let settings = Settings::default().with("limits", &format!("rollout = \"{limit}\""));
        Self::with(subject, settings).await
    }

    async fn with(subject: &str, settings: Settings) -> Option<Self> {
        Some(Self::on(Ground::open(subject).await?, settings).await)
    }

    /// The same while no other test uses the cluster.
    async fn alone(subject: &str) -> Option<Self> {
        let ground = Ground::alone(subject, Limits::default()).await?;
        Some(Self::on(ground, Settings::default()).await)
    }

    async fn on(ground: Ground, settings: Settings) -> Self {
        let app = App::start_with(settings).await;
        let registry = OwnRegistry::start().await;
        let ana = app.developer("ana").await;
        let harbour = Self { app, ana, ground, registry, levels: Levels::read() };
        harbour.project("shop").await;
        harbour
    }

    /// A project with a registry, which is deployed to the namespace.
    async fn project(&self, name: &str) {
        self.project_without_registry(name).await;
        administrate(&self.app, &self.registry.set(name), PASSWORD).await.assert_ok();
    }

    async fn project_without_registry(&self, name: &str) {
        self.app.project_without_target(name).await;
        let words = format!(
            "create cluster acme/{name} main --environment production --kind kubernetes \
             --kubeconfig {} --namespace {}",
            kubeconfig(),
            self.ground.namespace
        );
        self.administrate(&words, "").await;
    }

    async fn administrate(&self, words: &str, typed: &str) {
        administrate(&self.app, &format!("admin {words}"), typed).await.assert_ok();
    }

    /// What a service answers, asked through the cluster.
    async fn ask(&self, service: &str, path: &str) -> Result<String, String> {
        self.ground.asked("services", service, path).await
    }

    async fn asked(&self, kind: &str, name: &str, path: &str) -> Result<String, String> {
        self.ground.asked(kind, name, path).await
    }

    /// Asks a service again and again while something happens; every answer must be this one.
    async fn serving<T>(&self, service: &str, said: &str, meanwhile: impl Future<Output = T>) -> T {
        self.answering(service, &[said], meanwhile).await
    }

    /// The same where every answer must be one of some. What is over soon is followed by more
    /// questions, so that each use asks as often at least.
    async fn answering<T>(
        &self,
        service: &str,
        said: &[&str],
        meanwhile: impl Future<Output = T>,
    ) -> T {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let mut asked = 0;
        let mut ask = async || {
            tick.tick().await;
            let answer = self.ask(service, "/").await;
            let is_one = answer.as_ref().is_ok_and(|answer| said.contains(&answer.as_str()));
            assert!(is_one, "{answer:?} after {asked} answers");
            asked += 1;
            asked
        };
        let mut meanwhile = std::pin::pin!(meanwhile);
        let done = loop {
            tokio::select! {
                done = &mut meanwhile => break done,
                _ = ask() => {}
            }
        };
        while ask().await < 50 {}
        done
    }

    /// Commits everything and pushes it; the cluster must not warn of anything, and clusters of all
    /// versions must know what becomes of the file.
    async fn push(&self, copy: &Copy, subject: &str) -> Done {
        copy.commit(subject).await;
        let push = copy.push(&["main"]).await;
        let warned = push.remote().into_iter().find(|line| line.contains("warning:"));
        assert_eq!(warned, None, "{}", push.stderr);
        self.check_levels(copy, &push).await;
        push
    }

    async fn check_levels(&self, copy: &Copy, push: &Done) {
        let told = push.told();
        let job = told.lines().find_map(|line| line.split_once(" · job ")?.1.split_once(' '));
        let is_compiled = told.lines().any(|line| line.starts_with("check     .paas.yaml:"));
        let Some((number, _)) = job.filter(|_| is_compiled) else { return };
        let context = format!("admin job context {number}");
        let context = administrate(&self.app, &context, "").await;
        let text = fs::read_to_string(copy.path.join(".paas.yaml")).unwrap();
        let checked = self.levels.check(number, &text, &context.assert_ok().stdout);
        if let Err(faults) = checked {
            assert_ne!(push.code, 0, "it was deployed: {faults}");
        }
    }

    /// Names of all objects of a kind.
    async fn names(&self, api_version: &str, kind: &str) -> Vec<String> {
        self.ground.names(api_version, kind).await
    }

    /// Everything that is deployed, by kind and name: whose it is, and what it says.
    async fn everything(&self) -> BTreeMap<String, Value> {
        self.ground.everything().await
    }

    /// How often a Deployment was changed.
    async fn generation(&self, name: &str) -> Option<i64> {
        self.object("apps/v1", "Deployment", name).await["metadata"]["generation"].as_i64()
    }

    async fn object(&self, api_version: &str, kind: &str, name: &str) -> Value {
        self.ground.object(api_version, kind, name).await
    }

    /// Makes something by hand.
    async fn create(&self, object: Value) {
        self.ground.create(object).await;
    }

    async fn close(self) {
        self.app.stop().await;
    }
}

impl Ground {
    /// What a service or a pod answers, asked through the cluster.
    async fn asked(&self, kind: &str, name: &str, path: &str) -> Result<String, String> {
        let namespace = &self.namespace;
        let path = format!("/api/v1/namespaces/{namespace}/{kind}/{name}/proxy{path}");
        let request = hyper::Request::get(path).body(Vec::new()).unwrap();
        let answer = self.admin.request_text(request).await;
        answer.map(|text| text.trim_end().to_owned()).map_err(|error| error.to_string())
    }

    /// Names of all objects of a kind.
    async fn names(&self, api_version: &str, kind: &str) -> Vec<String> {
        let api = self.api(api_version, kind);
        let all = api.list(&kube::api::ListParams::default()).await.unwrap().items.into_iter();
        // Every namespace has one of those.
        let all = all.map(|object| object.metadata.name.unwrap());
        all.filter(|name| name != "kube-root-ca.crt").collect()
    }

    /// Everything that is deployed, by kind and name: whose it is, and what it says.
    async fn everything(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        for (api_version, kind) in KINDS {
            for name in self.names(api_version, kind).await {
                let object = self.object(api_version, kind, &name).await;
                let metadata = &object["metadata"];
                // Credentials of images are always today's, and stay.
                if metadata["labels"]["pierhead.dev/pull-secret"] == "true" {
                    continue;
                }
                let said = json!({
                    "uid": metadata["uid"], "labels": metadata["labels"],
                    "spec": object["spec"], "data": object["data"],
                });
                all.insert(format!("{kind} {name}"), said);
            }
        }
        all
    }

    async fn object(&self, api_version: &str, kind: &str, name: &str) -> Value {
        serde_json::to_value(self.api(api_version, kind).get(name).await.unwrap()).unwrap()
    }
}

fn kubeconfig() -> String {
    environment_variable("KUBECONFIG", "the kubeconfig of a cluster")
}

/// A working copy whose two pods say something, and whatever else is written there.
fn write(copy: &Copy, said: &str, more: &str) {
    copy.write("Dockerfile", RUNNER);
    copy.write(".paas.yaml", &format!("{}{more}", page(said)));
}

/// The file of a page on two pods.
fn page(said: &str) -> String {
    format!(
        "paas: {{version: v1.1}}
images: {{runner: {{path: .}}}}
services:
  web: {{ports: [{{listen: 80, target: 8080}}]}}
pods:
  web:
    replicas: 2
    containers:
      app:
        image: runner
        listen: [8080]
        variables: {{RUN: {}}}
        {CHECK}
",
        serving(said)
    )
}

/// A value of `RUN` that answers this.
fn serving(said: &str) -> String {
    format!("\"mkdir -p /www; echo {said} > /www/index.html; httpd -f -p 8080 -h /www\"")
}
