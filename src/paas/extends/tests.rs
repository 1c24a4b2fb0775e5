//! Files over libraries, and libraries that no file can build on.

use std::collections::BTreeMap;

use super::*;
use crate::paas::shape::{faults, parsed, shape};

/// A library of each kind; the first are those of paas-yaml.md §16.1.
const LIBRARIES: &str = r#"{
    "pods": {
        "node-base": {
            "replicas": "1",
            "upgrade": {"strategy": "recreate"},
            "containers": {
                "server": {"image": "base/node", "version": "20", "listen": ["8443"]}
            }
        },
        "with-sidecar": {
            "containers": {
                "metrics": {"extends": "sidecar-metrics"},
                "app": {"image": "app", "if{ENV=prod}": {"version": "${V}"}}
            }
        },
        "absent": {"if{ENV=dev}": {"replicas": 1}},
        "broken": {"if{ENV}": {"replicas": 1}}
    },
    "containers": {
        "sidecar-metrics": {"image": "base/statsd", "version": "1", "listen": ["8125"]},
        "plain": {"image": "x", "healthcheck": {"threshold": {"failure": "3"}}}
    },
    "services": {
        "public-tcp": {
            "internal": false, "protocol": "TCP", "ports": [{"listen": "7000", "target": "7000"}]
        }
    },
    "ingresses": {"le-site": {"meta": {"letsencrypt": true}}},
    "jobs": {
        "nightly": {
            "planning": "scheduled",
            "completions": {"time-limit": "1800", "shelf-life": "60"},
            "pods": {"inner": {"extends": "node-base"}}
        }
    }
}"#;

fn libraries() -> Libraries {
    serde_json::from_str(LIBRARIES).unwrap()
}

fn resolved(
    text: &str,
    version: Version,
    libraries: &Libraries,
) -> (Node, Result<(), Poisoned>, Reports) {
    let variables = BTreeMap::from([("ENV", "prod")]);
    let mut reports = Reports::default();
    let mut root = parsed(text);
    let conditions = Conditions::new(&variables);
    let result = resolve(&mut root, version, libraries, &conditions, &mut reports);
    assert!(reports.branches.is_empty());
    (root, result, reports)
}

/// What a file comes to.
fn whole(text: &str) -> String {
    let (root, result, reports) = resolved(text, Version::V1_1, &libraries());
    assert_eq!(result, Ok(()), "{}", faults(&reports));
    shape(&root)
}

/// What is wrong with a file.
fn refused(text: &str, version: Version) -> String {
    let (_, result, reports) = resolved(text, version, &libraries());
    assert_eq!(result, Err(Poisoned));
    faults(&reports)
}

#[test]
fn own_values_win_mappings_merge_and_lists_are_replaced() {
    insta::assert_snapshot!(whole(
        "pods: {api: {extends: node-base, replicas: 2, containers: {server: {version: 3, listen: [1, 2]}, extra: {image: y}}}}"
    ), @r#"{pods: {api: {replicas: 2, upgrade: {strategy: "recreate"}, containers: {server: {image: "base/node", version: 3, listen: [1, 2]}, extra: {image: y}}, extends: node-base}}}"#);
    insta::assert_snapshot!(whole(
        "services: {gateway: {extends: public-tcp, pod: api}}\ningresses: {promo: {extends: le-site, meta: {a: b}}}"
    ), @r#"{services: {gateway: {internal: false, protocol: "TCP", ports: [{listen: "7000", target: "7000"}], extends: public-tcp, pod: api}}, ingresses: {promo: {meta: {letsencrypt: true, a: b}, extends: le-site}}}"#);
}

#[test]
fn nothing_in_the_file_takes_an_inherited_value_away() {
    assert_eq!(
        whole("ingresses: {a: {extends: le-site, meta: }}"),
        "{ingresses: {a: {meta: ~, extends: le-site}}}"
    );
    assert_eq!(
        whole("services: {a: {extends: ~, pod: x}}"),
        "{services: {a: {extends: ~, pod: x}}}"
    );
    assert_eq!(
        whole("pods: {a: {extends: with-sidecar, containers: {metrics: {extends: }, app: }}}"),
        "{pods: {a: {containers: {metrics: {extends: ~}, app: ~}, extends: with-sidecar}}}"
    );
}

#[test]
fn containers_follow_the_pod_that_they_are_merged_into() {
    insta::assert_snapshot!(whole("pods: {a: {extends: with-sidecar}}"), @r#"{pods: {a: {containers: {metrics: {image: "base/statsd", version: "1", listen: ["8125"], extends: "sidecar-metrics"}, app: {image: "app", version: "${V}"}}, extends: with-sidecar}}}"#);
    // The file's own choice wins over that of the library's pod.
    insta::assert_snapshot!(whole(
        "pods: {a: {extends: with-sidecar, containers: {metrics: {extends: plain}}}}"
    ), @r#"{pods: {a: {containers: {metrics: {image: "x", healthcheck: {threshold: {failure: "3"}}, extends: plain}, app: {image: "app", version: "${V}"}}, extends: with-sidecar}}}"#);
    assert_eq!(whole("pods: {a: {extends: absent}}"), "{pods: {a: {extends: absent}}}");
}

#[test]
fn what_is_inside_jobs_follows_the_job() {
    insta::assert_snapshot!(whole(
        "jobs: {dump: {extends: nightly, completions: {shelf-life: }, pods: {own: {containers: {aa: {extends: sidecar-metrics}}}}}}"
    ), @r#"{jobs: {dump: {planning: "scheduled", completions: {time-limit: "1800", shelf-life: ~}, pods: {inner: {replicas: "1", upgrade: {strategy: "recreate"}, containers: {server: {image: "base/node", version: "20", listen: ["8443"]}}, extends: "node-base"}, own: {containers: {aa: {image: "base/statsd", version: "1", listen: ["8125"], extends: sidecar-metrics}}}}, extends: nightly}}}"#);
}

#[test]
fn names_that_are_none_or_unknown_are_refused_all_at_once() {
    insta::assert_snapshot!(refused(
        "pods:\n  a: {extends: node-bas}\n  b:\n    extends: [node-base]\n    containers:\n      cc: {extends: node-base}\n\
         services: {a: {extends: ''}}\njobs:\n  a:\n    extends: {x: y}\n    pods: {b: {extends: X}}\n",
        Version::V1_1,
    ), @r#"
    10:5 E-401 jobs.a.extends: expected a name, not a mapping
    11:25 E-402 jobs.a.pods.b.extends: no "X" in the pods library; available: node-base, with-sidecar, absent, broken
    2:16 E-402 pods.a.extends: no "node-bas" in the pods library; available: node-base, with-sidecar, absent, broken
    4:5 E-401 pods.b.extends: expected a name, not a list
    6:21 E-402 pods.b.containers.cc.extends: no "node-base" in the containers library; available: sidecar-metrics, plain
    7:25 E-402 services.a.extends: no "" in the services library; available: public-tcp
    "#);
    let (_, _, reports) = resolved("pods: {a: {extends: node-bas}}", Version::V1_1, &libraries());
    assert_eq!(reports.errors.faults[0].hint.as_deref(), Some("did you mean \"node-base\"?"));

    let mut large = Libraries::default();
    let text = "pods: {a: {extends: nothing}}";
    let message = |libraries: &Libraries| faults(&resolved(text, Version::V1_1, libraries).2);
    assert!(message(&large).ends_with("in the pods library; it is empty"));
    large.pods.extend((0..25).map(|n| (format!("n{n}"), Value::Null)));
    assert!(message(&large).ends_with("n18, n19 and 5 more"));
}

#[test]
fn conditions_of_the_library_need_the_newer_version_too() {
    assert_eq!(
        refused("pods: {a: {extends: broken}}", Version::V1_1),
        "1:21 E-301 pods.a: cannot read condition \"if{ENV}\""
    );
    assert_eq!(
        refused("pods: {a: {extends: with-sidecar}}", Version::V1),
        "1:21 E-104 pods.a.containers.app: condition \"if{ENV=prod}\" needs `paas.version: v1.1`"
    );
    // That there are no jobs is said later.
    let text = "jobs: {a: {extends: x}}";
    assert_eq!(resolved(text, Version::V1, &libraries()).1, Ok(()));
}

#[test]
fn what_is_inherited_stands_where_its_name_does() {
    let text = "pods:\n  a:\n    containers: {server: {version: 3}}\n    extends: node-base\n";
    let (root, _, _) = resolved(text, Version::V1_1, &libraries());
    let pod = root.entry("pods").and_then(|pods| pods.value.entry("a")).unwrap();
    let server = pod.value.entry("containers").and_then(|all| all.value.entry("server")).unwrap();
    let line = |key| server.value.entry(key).unwrap().value.place.line;
    let replicas = pod.value.entry("replicas").unwrap().key.place;
    assert_eq!((replicas.line, replicas.column, replicas.length), (4, 14, 9));
    assert_eq!((pod.key.place.line, server.key.place.line), (2, 3));
    assert_eq!((line("version"), line("image")), (3, 4));
}

#[test]
fn files_grow_only_so_far() {
    let entries = (0..2_000).map(|n| (format!("e{n}"), Value::Text("x".to_owned()))).collect();
    let mut libraries = Libraries::default();
    libraries.pods.insert("large".to_owned(), Value::Mapping(entries));
    let pods =
        |count| -> String { (0..count).map(|n| format!("  p{n}: {{extends: large}}\n")).collect() };
    let (root, result, _) = resolved(&format!("pods:\n{}", pods(499)), Version::V1_1, &libraries);
    assert_eq!(result, Ok(()));
    assert_eq!(root.size(), 2 + 499 * 2_002);
    let (_, result, reports) =
        resolved(&format!("pods:\n{}", pods(1_000)), Version::V1_1, &libraries);
    assert_eq!(result, Err(Poisoned));
    assert_eq!(
        faults(&reports),
        "501:19 E-105 pods.p499.extends: what the file extends adds more than 1000000 values to it"
    );
}

#[test]
fn libraries_that_no_file_can_build_on_are_found() {
    let mut good = libraries();
    good.pods.shift_remove("broken");
    assert_eq!(check_libraries(&good), [""; 0]);
    let bad = serde_json::from_str(
        r#"{
            "images": {
                "a": {"path": " "}, "b": {"tag": "x"}, "c": {"path": ["x"]}, "d": {"path": "/x"},
                "e": "x"
            },
            "pods": {
                "a": {"extends": "b"}, "b": [], "c": {"containers": {"x": {"extends": "y"}}},
                "d": {"if{A=1}": {"extends": "c"}}, "e": {"extends": null}
            },
            "services": {"a": {"if{A}": {}, "ports": [{"if{A is x}": {"if{A=1}": "x"}}]}},
            "jobs": {"a": {"extends": ["x"]}, "if{x": null}
        }"#,
    );
    insta::assert_snapshot!(check_libraries(&bad.unwrap()).join("\n"), @r#"
    pods.b: it must be a mapping
    pods.a: it extends another of the pods
    pods.d: it extends another of the pods
    services.a: cannot read condition "if{A}"
    services.a.ports[0]: condition "if{A is x}": `is` accepts only `null` or `empty`
    services.a.ports[0]: condition "if{A=1}" must contain a mapping or a list
    jobs.if{x: it must be a mapping
    jobs.a: it extends another of the jobs
    images.e: it must be a mapping
    images.a: it needs a `path`
    images.b: it needs a `path`
    images.c: it needs a `path`
    "#);
}
