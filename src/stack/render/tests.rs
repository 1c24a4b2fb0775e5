//! A deployment of several pods, rendered whole.

use uuid::Uuid;

use super::*;
use crate::domain::cluster::{ClusterKind, KubernetesOptions};
use crate::domain::ids::{ClusterId, EnvironmentId, Fence, JobNumber, ProjectId};
use crate::domain::pinned::Pinned;
use crate::domain::snapshot::Snapshot;
use crate::domain::stored_variables::StoredVariables;
use crate::paas::compiled::{Backend, ImageRef, Origin, PathRule, Port, Resource};
use crate::stack::Placed;

fn snapshot() -> Snapshot {
    Snapshot {
        account: "acme".parse().unwrap(),
        project: "shop".parse().unwrap(),
        environment: "production".parse().unwrap(),
        prefix: "blue".to_owned(),
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

fn rendered(deployment: &Deployment) -> Result<Stack, Vec<Unrenderable>> {
    let snapshot = snapshot();
    let owner = Owner {
        project: ProjectId::from(Uuid::from_u128(1)),
        environment: EnvironmentId::from(Uuid::from_u128(2)),
        fence: Fence(7),
        job: JobNumber(42),
        snapshot: &snapshot,
    };
    let references = ["web:production", "exporter:production", "volumes.assets"];
    let id = |reference: &str| {
        let name = reference.trim_end_matches(":production");
        Pinned::ImageId(format!("sha256:{name}"))
    };
    let images = references.map(|reference| (reference.to_owned(), id(reference))).into();
    render(deployment, &owner, &snapshot.clusters[0], &images, &Labels::new("pierhead.dev"))
}

fn faults(deployment: &Deployment) -> String {
    let faults = rendered(deployment).unwrap_err();
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

fn container(name: &str) -> compiled::Container {
    let tag = "production".to_owned();
    let image = ImageRef { origin: Origin::Built, name: name.to_owned(), tag };
    compiled::Container::new(name, image)
}

fn check(probe: compiled::Probe) -> Option<compiled::HealthCheck> {
    Some(compiled::HealthCheck {
        probe,
        initial_delay: 5,
        period: 10,
        success_threshold: 1,
        failure_threshold: 3,
    })
}

fn service(name: &str, listen: u16, target: u16) -> Service {
    Service {
        name: name.to_owned(),
        pod: "front".to_owned(),
        protocol: Protocol::Tcp,
        internal: true,
        ports: vec![Port { listen, target }],
    }
}

fn ingress(name: &str, host: &str, default: Option<(&str, u16)>) -> Ingress {
    let backend = |(name, port): (&str, u16)| Backend { name: name.to_owned(), port };
    Ingress { default_service: default.map(backend), ..Ingress::new(name, host) }
}

/// Two replicas of a pod with a sidecar, two services, one ingress.
fn shop() -> Deployment {
    let mut web = container("web");
    let public = compiled::EnvValue::Text("public".to_owned());
    web.env.insert("MODE".to_owned(), public);
    let resource = |kind: &str, require, limit| Resource {
        kind: kind.to_owned(),
        require,
        limit,
        automatic: false,
    };
    web.resources = vec![resource("cpu", 250, 500), resource("memory", 1 << 27, 1 << 28)];
    web.healthcheck =
        check(compiled::Probe::Http { port: 8080, path: "/healthz".to_owned(), secure: false });
    let mut ingress = ingress("site", "Shop.localhost", Some(("site", 80)));
    ingress.aliases = vec!["www.shop.localhost".to_owned(), "Shop.localhost".to_owned()];
    ingress.paths =
        vec![PathRule { path: "/metrics".to_owned(), service: "exporter".to_owned(), port: 9100 }];
    let front = Pod { replicas: 2, ..Pod::new("front", vec![web, container("exporter")]) };
    Deployment {
        prefix: "blue".to_owned(),
        services: vec![service("site", 80, 8080), service("exporter", 9100, 9100)],
        ingresses: vec![ingress],
        pods: vec![front],
        ..Deployment::new("shop", "production")
    }
}

#[test]
fn a_pod_becomes_groups_of_containers_that_share_a_network() {
    let stack = rendered(&shop()).unwrap();
    assert_eq!(stack.network, "acme-blue-shop-production-7-90d5b");
    assert_eq!(stack.size(), 2);
    insta::assert_json_snapshot!(stack.groups[1], @r#"
    {
      "pod": "front",
      "replica": 2,
      "aliases": [
        "front",
        "site",
        "blue-site",
        "exporter",
        "blue-exporter"
      ],
      "containers": [
        {
          "name": "acme-blue-shop-production_front_web_2_7-90d5b",
          "container": "web",
          "image": "sha256:web",
          "env": {
            "MODE": "public"
          },
          "mounts": [],
          "labels": {
            "pierhead.dev/container": "web",
            "pierhead.dev/pod": "front",
            "pierhead.dev/replica": "2"
          },
          "health": {
            "probe": {
              "kind": "http",
              "port": 8080,
              "path": "/healthz"
            },
            "initial_delay": {
              "secs": 5,
              "nanos": 0
            },
            "period": {
              "secs": 10,
              "nanos": 0
            },
            "successes": 1,
            "failures": 3
          },
          "resources": {
            "nano_cpus": 500000000,
            "memory": 268435456,
            "memory_reservation": 134217728
          }
        },
        {
          "name": "acme-blue-shop-production_front_exporter_2_7-90d5b",
          "container": "exporter",
          "image": "sha256:exporter",
          "env": {},
          "mounts": [],
          "labels": {
            "pierhead.dev/container": "exporter",
            "pierhead.dev/pod": "front",
            "pierhead.dev/replica": "2"
          },
          "health": null,
          "resources": {
            "nano_cpus": 0,
            "memory": 0,
            "memory_reservation": 0
          }
        }
      ]
    }
    "#);
}

#[test]
fn every_object_says_whose_it_is() {
    insta::assert_json_snapshot!(rendered(&shop()).unwrap().labels, @r#"
    {
      "pierhead.dev/account": "acme",
      "pierhead.dev/environment": "00000000-0000-0000-0000-000000000002",
      "pierhead.dev/environment-name": "production",
      "pierhead.dev/fence": "7",
      "pierhead.dev/job": "42",
      "pierhead.dev/project": "00000000-0000-0000-0000-000000000001",
      "pierhead.dev/project-name": "shop"
    }
    "#);
}

#[test]
fn routes_lead_to_the_target_ports_of_every_replica() {
    let stack = rendered(&shop()).unwrap();
    let paths = |stack: &Stack| -> Vec<String> {
        stack.entrances().iter().map(|(host, path)| format!("{host}{path}")).collect()
    };
    assert_eq!(
        paths(&stack),
        [
            "shop.localhost/",
            "shop.localhost/metrics",
            "www.shop.localhost/",
            "www.shop.localhost/metrics"
        ]
    );
    let placed = Placed { stack, subnet: "10.213.4.0/26".parse().unwrap() };
    let upstreams = |index: usize| placed.routes()[index].upstreams.clone();
    assert_eq!(
        upstreams(0),
        ["10.213.4.2:8080".parse().unwrap(), "10.213.4.3:8080".parse().unwrap()]
    );
    assert_eq!(upstreams(1)[0], "10.213.4.2:9100".parse().unwrap());
}

#[test]
fn everything_that_cannot_be_done_is_told_once_with_its_place() {
    let mut shop = shop();
    shop.services[0].internal = false;
    shop.services[1].protocol = Protocol::Https;
    let web = &mut shop.pods[0].containers[0];
    web.healthcheck =
        check(compiled::Probe::Http { port: 1, path: "/a b".to_owned(), secure: true });
    web.resources[0].kind = "gpu".to_owned();
    web.resources[1].limit = u64::MAX;
    web.image.tag = "other".to_owned();
    shop.pods[0].containers[1].name = "Web".to_owned();
    shop.ingresses.push(ingress("again", "shop.localhost", Some(("site", 80))));
    shop.ingresses.push(ingress("star", "*.localhost", Some(("site", 80))));
    insta::assert_snapshot!(faults(&shop), @r"
    services.site.internal: a Docker target has no services outside its network yet; use an ingress
    services.exporter.protocol: a Docker target cannot send people to a service that speaks HTTPS yet
    pods.front.containers.web.image: image `web:other` was neither built nor found
    pods.front.containers.web.healthcheck.probe.http.is-secure: a Docker target cannot ask over HTTPS yet; use a tcp or a command probe
    pods.front.containers.web.healthcheck.probe.http.path: `/a b` is not the path of a URL
    pods.front.containers.web.resources.gpu: a Docker target has no resource `gpu`; it has cpu and memory
    pods.front.containers.web.resources.memory: 18446744073709551615 is too much
    pods.front.containers.Web: this has the same name on the engine as an entry above
    ingresses.again: shop.localhost/ is already answered by an entry above
    ingresses.star.host: `*.localhost` is not a host name
    ");
}

#[test]
fn what_a_person_may_stumble_over_is_noted() {
    let mut shop = shop();
    shop.pods.push(Pod { name: "side".to_owned(), ..shop.pods[0].clone() });
    shop.ingresses.push(ingress("empty", "empty.localhost", None));
    shop.ingresses.push(ingress("lost", "lost.localhost", Some(("site", 81))));
    shop.services.push(Service { pod: "gone".to_owned(), ..service("gone", 1, 1) });
    shop.ingresses.push(ingress("gone", "gone.localhost", Some(("gone", 1))));
    insta::assert_snapshot!(notes(&shop).join("\n"), @"
    service site: other pods reach it at port 8080
    ingress empty: no service answers
    ingress lost: /: nothing answers at site:81
    ingress gone: /: nothing answers at gone:1
    ");
    assert_eq!(rendered(&shop).unwrap().entrances().len(), 4);
}

#[test]
fn a_volume_is_filled_once_for_all_that_mount_it() {
    let mount = |path: &str| compiled::Mount::Shared {
        volume: "assets".to_owned(),
        name: "assets-shop".to_owned(),
        mount_path: path.to_owned(),
    };
    let mut web = container("web");
    web.volumes.insert("files".to_owned(), mount("/srv"));
    let mut worker = container("exporter");
    worker.volumes.insert("data".to_owned(), mount("/data"));
    let pods = vec![Pod::new("front", vec![web, worker])];
    let mut deployment = Deployment { pods, ..Deployment::new("shop", "production") };
    let stack = rendered(&deployment).unwrap();
    insta::assert_json_snapshot!(stack.volumes, @r#"
    [
      {
        "key": "assets",
        "name": "acme-blue-shop-production_assets_7-90d5b",
        "image": "sha256:volumes.assets"
      }
    ]
    "#);
    insta::assert_json_snapshot!(stack.groups[0].containers[1].mounts, @r#"
    [
      {
        "volume": "acme-blue-shop-production_assets_7-90d5b",
        "folder": "/data"
      }
    ]
    "#);

    let web = &mut deployment.pods[0].containers[0];
    let lost = compiled::Mount::Shared {
        volume: "lost".to_owned(),
        name: "lost-shop".to_owned(),
        mount_path: "/lost".to_owned(),
    };
    web.volumes.insert("lost".to_owned(), lost);
    assert_eq!(
        faults(&deployment),
        "pods.front.containers.web.volumes.lost: the image of volume `lost` was not built\n"
    );
}
