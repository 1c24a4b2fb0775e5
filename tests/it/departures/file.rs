//! The file itself: versions, single values, names.

use crate::departures::case::Case;

pub(super) const CASES: &[Case] = &[
    Case::new("F-01", "a file without a version is of v1.1", "").is(&[("/version", r#""v1.1""#)]),
    Case::new("F-01", "so is one that leaves it empty", "paas: {version: }")
        .is(&[("/version", r#""v1.1""#)]),
    Case::new("F-01", "a bare number is a version", "paas: {version: 1.1}")
        .is(&[("/version", r#""v1.1""#)]),
    Case::new("F-01", "with and without a fraction", "paas: {version: 1}")
        .is(&[("/version", r#""v1""#)]),
    Case::new("F-01", "and in its other spelling", "paas: {version: 1.0}")
        .is(&[("/version", r#""v1""#)]),
    Case::new("F-01", "no third number is one", "paas: {version: v1.1.0}")
        .fails(&["E-103 paas.version"]),
    Case::new("F-02", "no condition chooses the version", "if{ENV=prod}: {paas: {version: v1}}")
        .fails(&["E-305 paas.version"]),
    Case::new(
        "F-02",
        "not even one that does not hold",
        "paas: {version: v1.1, 'if{ENV=dev}': {version: v1}}",
    )
    .fails(&["E-305 paas.version"]),
    Case::new("F-20", "a text may have any character", "maps: {texts: {motto: Fast & simple}}")
        .is(&[("/maps/0/options/motto", r#""Fast & simple""#)]),
    Case::new(
        "F-21",
        "`pc` is the per cent sign",
        "paas: {quotas: [{category: memory, type: memory, capacity: 1000, requires: 10pc}]}
pods: {web: {containers: {app: {image: x, resources: [{type: memory, require: 5pc}]}}}}",
    )
    .is(&[("/pods/0/containers/0/resources/0/require", "50")]),
    Case::new(
        "F-22",
        "a name may be a word of the grammar",
        "maps: {pods: {a: 1}}\npods: {image: {containers: {version: {image: nginx}}}}",
    )
    .is(&[
        ("/maps/0/name", r#""pods""#),
        ("/pods/0/name", r#""image""#),
        ("/pods/0/containers/0/name", r#""version""#),
    ]),
    Case::new(
        "F-23",
        "a section with nothing under it is an empty one",
        "paas:\ndefaults: ~\nmaps:\nsecrets: null\nimages:\nbuilds:\nvolumes:\njobs:\nservices:\n\
         ingresses:\nenhancements:",
    )
    .is(&[("/maps", "[]"), ("/jobs", "[]"), ("/hooks", "[]"), ("/volumes", "{}")]),
    Case::new(
        "F-23",
        "a key with nothing behind it is absent",
        "pods: {web: {replicas: , upgrade: ~, containers: {app: {image: x, listen: null}}}}",
    )
    .is(&[
        ("/pods/0/replicas", "1"),
        ("/pods/0/upgrade/strategy", r#""rolling-upgrade""#),
        ("/pods/0/containers/0/listen", "[]"),
    ]),
    Case::new("F-23", "the section of pods must have one", "pods:").fails(&["E-202"]),
    Case::new(
        "F-26",
        "an ingress needs no certificate",
        "services: {web: {ports: [{listen: 80, target: 80}]}}
ingresses: {site: {host: a.example, service: {name: web, port: 80}}}
pods: {web: {containers: {app: {image: nginx, listen: [80]}}}}",
    )
    .is(&[("/ingresses/0/tls_secret", "null")]),
    Case::new(
        "F-26",
        "but `tls` needs its secret",
        "ingresses: {site: {host: a.example, tls: {}}}",
    )
    .fails(&["E-202 ingresses.site.tls"]),
    Case::new(
        "F-27",
        "a boolean in quotes is the boolean",
        "services:
  one: {pod: web, internal: 'false', ports: [{listen: 80, target: 80}]}
  two: {pod: web, internal: \"true\", ports: [{listen: 80, target: 80}]}
  three: {pod: web, internal: '0', ports: [{listen: 80, target: 80}]}
  four: {pod: web, internal: 1, ports: [{listen: 80, target: 80}]}",
    )
    .is(&[
        ("/services/0/internal", "false"),
        ("/services/1/internal", "true"),
        ("/services/2/internal", "false"),
        ("/services/3/internal", "true"),
    ]),
    Case::new(
        "F-28",
        "numbers and dates keep their text",
        "maps: {texts: {a: 8.10, b: 8.0, c: 2024-01-01, d: 0x1F, e: 1_000, f: 007, g: yes}}
pods: {web: {containers: {app: {image: php, version: 8.10}}}}",
    )
    .is(&[
        (
            "/maps/0/options",
            r#"{"a":"8.10","b":"8.0","c":"2024-01-01","d":"0x1F","e":"1_000","f":"007","g":"yes"}"#,
        ),
        ("/pods/0/containers/0/image/tag", r#""8.10""#),
    ]),
    Case::new(
        "F-29",
        "numbers in quotes are numbers",
        "jobs:
  dump:
    completions: {count: '2', time-limit: \"300\", shelf-life: '60'}
    pods: {run: {containers: {app: {image: x, listen: ['8080']}}}}",
    )
    .is(&[
        ("/jobs/0/completions/count", "2"),
        ("/jobs/0/time_limit", "300"),
        ("/jobs/0/shelf_life", "60"),
        ("/jobs/0/pods/0/containers/0/listen", "[8080]"),
    ]),
    Case::new(
        "F-29",
        "every number has its range",
        "pods:
  web:
    replicas: -1
    upgrade: {max-upgrading-pods: -1}
    containers:
      app:
        image: x
        listen: [0, 65536]
        healthcheck: {initial-delay-seconds: -1, period-seconds: 0, probe: {tcp: {port: 80}}}
jobs: {dump: {completions: {count: 0}, pods: {run: {containers: {app: {image: x}}}}}}",
    )
    .fails(&[
        "E-204 pods.web.replicas",
        "E-204 pods.web.upgrade.max-upgrading-pods",
        "E-204 pods.web.containers.app.listen[0]",
        "E-204 pods.web.containers.app.listen[1]",
        "E-204 pods.web.containers.app.healthcheck.initial-delay-seconds",
        "E-204 pods.web.containers.app.healthcheck.period-seconds",
        "E-204 jobs.dump.completions.count",
    ]),
];
