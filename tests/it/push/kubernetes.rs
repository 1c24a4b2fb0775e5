//! Pushes that end on a Kubernetes cluster, which `KUBECONFIG` names.

use serde_json::Value;

use crate::kubernetes::Ground;
use crate::support::app::developer::{Copy, Developer};
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};
use crate::support::environment_variable;
use crate::support::registry::{OwnRegistry, PASSWORD};

/// An installation whose project `shop` is deployed to a namespace of the cluster.
struct Harbour {
    app: App,
    ana: Developer,
    ground: Ground,
    _registry: OwnRegistry,
}

impl Harbour {
    /// Nothing without a cluster.
    async fn open(subject: &str) -> Option<Self> {
        Self::with(subject, Settings::default()).await
    }

    async fn with(subject: &str, settings: Settings) -> Option<Self> {
        let ground = Ground::open(subject).await?;
        let app = App::start_with(settings).await;
        app.project("shop").await;
        let registry = OwnRegistry::start().await;
        administrate(&app, &registry.set("shop"), PASSWORD).await.assert_ok();
        let kubeconfig = environment_variable("KUBECONFIG", "the kubeconfig of a cluster");
        let words = format!(
            "admin create cluster acme/shop main --environment production --kind kubernetes \
             --kubeconfig {kubeconfig} --namespace {}",
            ground.namespace
        );
        administrate(&app, &words, "").await.assert_ok();
        let ana = app.developer("ana").await;
        Some(Self { app, ana, ground, _registry: registry })
    }

    /// What a service answers, asked through the cluster.
    async fn ask(&self, service: &str, path: &str) -> Result<String, String> {
        let namespace = &self.ground.namespace;
        let path = format!("/api/v1/namespaces/{namespace}/services/{service}/proxy{path}");
        let request = hyper::Request::get(path).body(Vec::new()).unwrap();
        self.ground.admin.request_text(request).await.map_err(|error| error.to_string())
    }

    /// Names of all objects of a kind.
    async fn names(&self, api_version: &str, kind: &str) -> Vec<String> {
        let api = self.ground.api(api_version, kind);
        let all = api.list(&kube::api::ListParams::default()).await.unwrap().items.into_iter();
        all.map(|object| object.metadata.name.unwrap()).collect()
    }

    async fn object(&self, api_version: &str, kind: &str, name: &str) -> Value {
        serde_json::to_value(self.ground.api(api_version, kind).get(name).await.unwrap()).unwrap()
    }

    async fn close(self) {
        self.app.stop().await;
    }
}

fn write(copy: &Copy, said: &str, more: &str) {
    copy.write(
        "Dockerfile",
        "FROM busybox:stable\nCOPY index.html /www/\nCMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n",
    );
    copy.write("index.html", said);
    copy.write(
        ".paas.yaml",
        &format!(
            "paas: {{version: v1.1}}
images: {{hello: {{path: .}}}}
pods:
  web:
    replicas: 2
    containers:
      app:
        image: hello
        listen: [8080]
        healthcheck:
          initial-delay-seconds: 0
          period-seconds: 1
          probe: {{http: {{port: 8080, path: /}}}}
services:
  web: {{ports: [{{listen: 80, target: 8080}}]}}
{more}"
        ),
    );
}

#[tokio::test]
async fn a_push_is_served_by_a_cluster_and_the_next_one_replaces_it() {
    let Some(harbour) = Harbour::open("walk").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "maps: {gone: {a: b}}\n");
    copy.commit("First").await;
    let push = copy.push(&["main"]).await;
    push.assert_ok().assert_says("web 2/2 ready").assert_says("v1");
    assert_eq!(harbour.ask("web:80", "/").await, Ok("first".to_owned()));
    assert!(harbour.names("v1", "ConfigMap").await.contains(&"gone-map".to_owned()));

    write(
        &copy,
        "second",
        "ingresses: {web: {host: shop.example, service: {name: web, port: 80}}}\n",
    );
    copy.commit("Second").await;
    let push = copy.push(&["main"]).await;
    push.assert_ok().assert_says("http://shop.example").assert_says("v2");
    assert_eq!(harbour.ask("web:80", "/").await, Ok("second".to_owned()));
    assert!(!harbour.names("v1", "ConfigMap").await.contains(&"gone-map".to_owned()));
    assert_eq!(harbour.names("networking.k8s.io/v1", "Ingress").await, ["web-ingress"]);
    let web = harbour.object("apps/v1", "Deployment", "web-dplmt").await;
    let image = web["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
    assert!(image.contains("@sha256:"), "{image}");

    // What never serves changes nothing for those who ask.
    write(&copy, "third", "");
    copy.write(
        "Dockerfile",
        "FROM busybox:stable\nCMD [\"sh\", \"-c\", \"echo no luck; exit 3\"]\n",
    );
    copy.commit("Third").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("no luck").assert_says("v2 kept serving");
    assert_eq!(harbour.ask("web:80", "/").await, Ok("second".to_owned()));
    assert_eq!(harbour.names("networking.k8s.io/v1", "Ingress").await, ["web-ingress"]);
    harbour.close().await;
}
