//! The vectors of paas-yaml.md §15 that concern whole files, and the worked example of §9.6.

use crate::departures::case::Case;

/// The account's memory.
const MEMORY_1GI: &str = "quotas = [{ category = 'memory', type = 'memory', capacity = '1Gi' }]\n";

pub(super) const CASES: &[Case] = &[
    Case::new(
        "§15 conditions",
        "those that are no conditions",
        "maps: {texts: {a: 1, 'if{ENV is foo}': {b: 1}, 'if{ENV}': {b: 1}, 'if{ENV=prod}': text}}",
    )
    .fails(&["E-303 maps.texts", "E-301 maps.texts", "E-302 maps.texts"]),
    Case::new("§15 substitution", "a variable's name has its case", "maps: {texts: {a: '${FOO}'}}")
        .fails(&["E-501 maps.texts.a"]),
    Case::new("§15 substitution", "and no dash", "maps: {texts: {a: '${foo-x}'}}")
        .warns(&["W-08 maps.texts.a"]),
    Case::new(
        "§15 quotas",
        "a third of a gibibyte",
        "paas: {quotas: [{category: memory, type: memory, capacity: 33%}]}",
    )
    .with(MEMORY_1GI)
    .is(&[("/pods/0/containers/0/resources/0/limit", "354334801")]),
    Case::new(
        "§15 quotas",
        "what two of 125Mi leave of 256Mi",
        "paas: {quotas: [{category: memory, type: memory, capacity: 256Mi}]}
pods:
  one: {replicas: 2, containers: {app: {image: x, resources: [{type: memory, require: 125Mi}]}}}
  two: {containers: {app: {image: x, resources: [{type: memory, require: 32Mi}]}}}",
    )
    .with(MEMORY_1GI)
    .fails(&["E-712 pods.two.containers.app.resources[0].require"]),
    Case::new(
        "§15 accepted",
        "numbers in quotes, labels of nodes, clusters with blanks, one setting of an ingress",
        "defaults: {clusters: {my cluster: {storage-size: 1Gi}}}
secrets: {x1: {provider: map, options: {}}}
pods: {web: {requires: [x86_64], containers: {app: {image: x, listen: ['8080']}}}}
jobs: {dump: {completions: {shelf-life: 'null'}, pods: {run: {containers: {app: {image: x}}}}}}
ingresses: {site: {host: a.example, meta: letsencrypt}}",
    )
    .is(&[
        ("/pods/0/requires", r#"["x86_64"]"#),
        ("/pods/0/containers/0/listen", "[8080]"),
        ("/jobs/0/shelf_life", "null"),
        ("/secrets/0/options", "{}"),
        ("/ingresses/0/meta", r#"{"letsencrypt":true}"#),
        ("/defaults/clusters/my cluster/storage-size", r#""1Gi""#),
    ]),
    Case::new(
        "§15 rejected",
        "names of other characters, lone values, keys of another place",
        "paas: {requires: [set_1]}
defaults: {clusters: {my_cluster: {storage-size: 1Gi}}}
maps: {m.1: {a: 1}, a: {a: 1}}
volumes: {files: {add: [front]}}
jobs: {dump: {shelf-life: 60, pods: {run: {containers: {app: {image: x}}}}}}
pods:
  web:
    replicas: ${N}
    containers:
      app:
        image: x
        listen: 8080
        volumes:
          one: {from: files, mount-path: /a, writables: [x]}
          two: {from-map: texts, mount-path: /a, name: x}
services: {web: {protocol: Tcp, ports: [{listen: 80, target: 80}]}}",
    )
    .fails(&[
        "E-204 paas.requires[0]",
        "E-204 defaults.clusters.my_cluster",
        "E-204 maps.m.1",
        "E-204 maps.a",
        "E-201 jobs.dump",
        "E-204 pods.web.replicas",
        "E-203 pods.web.containers.app.listen",
        "E-201 pods.web.containers.app.volumes.one",
        "E-201 pods.web.containers.app.volumes.two",
        "E-204 services.web.protocol",
    ]),
    Case::new(
        "§15 rejected",
        "an image without a tag is of the environment's",
        "images: {img: {path: docker}}\npods: {web: {containers: {app: {image: img}}}}",
    )
    .is(&[("/images/0/tag", r#""production-eu""#)]),
    Case::new(
        "§9.6",
        "the worked example",
        "paas: {quotas: [{category: compute, type: cpu, capacity: 2, requires: 1.5}]}
pods:
  aa: {replicas: 2, containers: {a1: {image: x}}}
  bb: {containers: {b1: {image: x, resources: [{type: cpu, require: 100m}]}}}
  cc:
    containers:
      c1: {image: x}
      c2: {image: x, resources: [{type: cpu, require: 100m}]}
      c3: {image: x, resources: [{type: cpu, require: 100m}]}",
    )
    .is(&[
        ("/pods/0/containers/0/resources", AUTOMATIC),
        ("/pods/2/containers/0/resources", AUTOMATIC),
        (
            "/pods/1/containers/0/resources",
            r#"[{"type":"cpu","require":100,"limit":100,"automatic":false}]"#,
        ),
    ]),
];

const AUTOMATIC: &str = r#"[{"type":"cpu","require":68,"limit":561,"automatic":true}]"#;
