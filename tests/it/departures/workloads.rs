//! Pods, their volumes, services and ingresses.

use crate::departures::case::Case;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "F-24",
        "a volume that says it is not persistent is a fault",
        "pods: {web: {containers: {app: {image: x, volumes: {data: {persistent: false, mount-path: /d}}}}}}",
    )
    .fails(&["E-204 pods.web.containers.app.volumes.data.persistent"]),
    Case::new(
        "F-25",
        "a probe of no kind is a fault",
        "pods: {web: {containers: {app: {image: x, listen: [80], healthcheck: {initial-delay-seconds: 1, period-seconds: 1, probe: {}}}}}}",
    )
    .fails(&["E-216 pods.web.containers.app.healthcheck.probe"]),
    Case::new(
        "F-25",
        "so is one of two",
        "pods:
  web:
    containers:
      app:
        image: x
        healthcheck: {initial-delay-seconds: 1, period-seconds: 1, probe: {tcp: {port: 1}, command: [x]}}",
    )
    .fails(&["E-216 pods.web.containers.app.healthcheck.probe"]),
    Case::new(
        "F-25",
        "the port of a probe is the only one the container listens on",
        "pods:
  web:
    containers:
      aa: {image: x, listen: [80], healthcheck: {initial-delay-seconds: 1, period-seconds: 1, probe: {tcp: }}}
      bb: {image: x, listen: [81], healthcheck: {initial-delay-seconds: 1, period-seconds: 1, probe: {http: {path: /}}}}",
    )
    .is(&[
        ("/pods/0/containers/0/healthcheck/type", r#""tcp""#),
        ("/pods/0/containers/0/healthcheck/port", "80"),
        ("/pods/0/containers/1/healthcheck/port", "81"),
    ]),
    Case::new(
        "F-25",
        "of several it must say which",
        "pods: {web: {containers: {app: {image: x, listen: [80, 81], healthcheck: {initial-delay-seconds: 1, period-seconds: 1, probe: {tcp: {}}}}}}}",
    )
    .fails(&["E-208 pods.web.containers.app.healthcheck.probe.tcp"]),
    Case::new(
        "F-46",
        "definitions of one persistent volume agree",
        "pods:
  web: {containers: {app: {image: x, volumes: {data: {persistent: true, mount-path: /d, name: data, storage-size: 1Gi}}}}}
  api: {containers: {app: {image: x, volumes: {data: {persistent: true, mount-path: /d, name: data, storage-size: 2Gi}}}}}",
    )
    .fails(&["E-811 pods.api.containers.app.volumes.data"]),
    Case::new(
        "F-47",
        "a service finds its pod, or says so",
        "services: {shop: {ports: [{listen: 80, target: 80}]}}",
    )
    .warns(&["E-815 services.shop"]),
    Case::new(
        "F-47",
        "an ingress finds its service and the port",
        "services: {web: {ports: [{listen: 80, target: 80}]}}
ingresses:
  one: {host: a.example, service: {name: wbe, port: 80}}
  two: {host: b.example, service: {name: web, port: 81}}
pods: {web: {containers: {app: {image: x, listen: [80]}}}}",
    )
    .warns(&["E-817 ingresses.one.service.name", "E-817 ingresses.two.service.port"]),
    Case::new(
        "F-48",
        "a reference to a secret is split at its first dot",
        "pods: {web: {containers: {app: {image: x, variables: {from-secrets: {KEY: certs.tls.key}}}}}}",
    )
    .is(&[("/pods/0/containers/0/env/KEY", r#"{"secret":"certs","key":"tls.key"}"#)]),
    Case::new(
        "F-48",
        "and has a key",
        "pods: {web: {containers: {app: {image: x, variables: {from-secrets: {KEY: certs}}}}}}",
    )
    .fails(&["E-204 pods.web.containers.app.variables.from-secrets.KEY"]),
    Case::new(
        "F-49",
        "only pods with persistent volumes are replaced as they are deleted",
        "pods: {web: {upgrade: {strategy: on-delete}, containers: {app: {image: x}}}}",
    )
    .fails(&["E-812 pods.web.upgrade.strategy"]),
    Case::new(
        "F-49",
        "and they may be",
        "pods:
  web:
    upgrade: {strategy: on-delete}
    containers: {app: {image: x, volumes: {data: {persistent: true, mount-path: /d}}}}",
    )
    .is(&[("/pods/0/stateless", "false"), ("/pods/0/upgrade/strategy", r#""on-delete""#)]),
    Case::new(
        "F-52",
        "a service listens on a port once",
        "services: {web: {ports: [{listen: 80, target: 80}, {listen: 80, target: 81}]}}",
    )
    .fails(&["E-213 services.web.ports[1].listen"]),
    Case::new(
        "F-55",
        "a size that every cluster defines need not be defined for all",
        "defaults: {clusters: {eu west: {storage-size: 1Gi}}}
pods: {web: {containers: {app: {image: x, volumes: {data: {persistent: true, mount-path: /d}}}}}}",
    )
    .with("clusters = [{ name = 'eu west', type = 'kubernetes' }]\n")
    .is(&[("/pods/0/containers/0/volumes/data/storage_size", r#"{"default":"storage-size"}"#)]),
    Case::new("F-55", "only what a target needs must be there", PERSISTENT)
        .with("clusters = [{ name = 'home', type = 'docker' }]\n")
        .warns(&[]),
    Case::new("F-55", "and that for each of them", PERSISTENT)
        .with("clusters = [{ name = 'home', type = 'docker' }, { name = 'eu', type = 'kubernetes' }]\n")
        .fails(&["E-601 pods.web.containers.app.volumes.data"]),
    Case::new(
        "F-56",
        "names are those that can be deployed",
        "pods: {web-: {containers: {app: {image: x}}}}",
    )
    .fails(&["E-818 pods.web-"]),
    Case::new(
        "F-56",
        "with the prefix, in small letters",
        "pods: {Web: {containers: {app: {image: x}}}, web: {containers: {app: {image: x}}}}",
    )
    .with("prefix = 'acme'\n")
    .fails(&["E-818 pods.web"]),
    Case::new("F-59", "an ingress that nobody answers is told", "ingresses: {site: {host: a.example}}")
        .warns(&["E-816 ingresses.site"]),
    Case::new("F-59", "unless the platform answers", "ingresses: {site: {host: a.example}}")
        .with("default-backend = true\n")
        .warns(&[]),
    Case::new(
        "F-60",
        "annotations are in the model as they stand, for the target to put its own over them",
        "services: {web: {ports: [{listen: 80, target: 80}]}}
ingresses:
  site:
    host: a.example
    service: {name: web, port: 80}
    provider: traefik
    meta: {annotations: {kubernetes.io/ingress.class: other}}",
    )
    .is(&[
        ("/ingresses/0/provider", r#""traefik""#),
        ("/ingresses/0/meta", r#"{"annotations":{"kubernetes.io/ingress.class":"other"}}"#),
    ]),
];

/// A file whose volume leaves its size to the target.
const PERSISTENT: &str = "pods: {web: {containers: {app: {image: x, volumes: {data: {persistent: true, mount-path: /d}}}}}}";
