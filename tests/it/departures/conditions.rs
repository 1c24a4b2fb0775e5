//! Conditions, and how they and libraries are merged.

use crate::departures::case::Case;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "F-03",
        "a definition under a condition builds on the library",
        "pods:\n  if{ENV=prod}: {web: {extends: base}}",
    )
    .with("libraries.pods.base = { replicas = 2, containers.app.image = 'nginx' }\n")
    .is(&[("/pods/0/name", r#""web""#), ("/pods/0/replicas", "2")]),
    Case::new(
        "F-03",
        "a condition between pods is no pod",
        "pods:
  web: {containers: {app: {image: nginx}}}
  if{ENV=prod}: {web: {replicas: 3}}",
    )
    .is(&[("/pods/0/replicas", "3"), ("/pods", WEB_THREE_TIMES)]),
    Case::new(
        "F-04",
        "conditions count inside the items of a list",
        "services:
  web:
    ports:
    - {listen: 80, target: 80}
    - listen: 443
      if{ENV=prod}: {target: 8443}
      if{ENV!=prod}: {target: 8080}
    - if{ENV=dev}: {listen: 9000, target: 9000}",
    )
    .is(&[(
        "/services/0/ports",
        r#"[{"listen":80,"target":80},{"listen":443,"target":8443}]"#,
    )]),
    Case::new(
        "F-05",
        "a condition refines its siblings, wherever it stands",
        "maps:\n  if{ENV=prod}: {texts: {b: 3}}\n  texts: {a: 1, b: 2}",
    )
    .is(&[("/maps/0/options", r#"{"a":"1","b":"3"}"#)]),
    Case::new(
        "F-05",
        "and the later of two wins",
        "maps: {texts: {'if{ENV=prod}': {a: 1}, 'if{N>9}': {a: 2}, a: 0}}",
    )
    .is(&[("/maps/0/options", r#"{"a":"2"}"#)]),
    Case::new(
        "F-06",
        "a list under a condition replaces the list",
        "pods:
  web:
    containers: {app: {image: nginx, listen: [1, 2, 3]}}
    if{ENV=prod}: {containers: {app: {listen: [9]}}}",
    )
    .is(&[("/pods/0/containers/0/listen", "[9]")]),
    Case::new(
        "F-06",
        "and the file's list that of the library",
        "pods: {web: {containers: {app: {extends: base, listen: [9]}}}}",
    )
    .with("libraries.containers.base = { image = 'nginx', listen = [1, 2, 3] }\n")
    .is(&[("/pods/0/containers/0/listen", "[9]")]),
    Case::new(
        "F-07",
        "conditions may have blanks, either quotes, short names and large letters",
        r#"maps:
  texts:
    if{ENV = prod}: {a: 1}
    IF{ENV='prod'}: {b: 1}
    if{ENV="prod"}: {c: 1}
    if{N  >=  10 }: {d: 1}
    if{U IS null}: {e: 1}
    if{ENV='prod"}: {f: 1}"#,
    )
    .is(&[("/maps/0/options", r#"{"a":"1","b":"1","c":"1","d":"1","e":"1"}"#)]),
    Case::new("F-07", "`==` is refused", "maps: {texts: {a: 1, 'if{ENV==prod}': {b: 1}}}")
        .fails(&["E-301 maps.texts"]),
    Case::new(
        "F-08",
        "conditions see the built-in variables",
        "maps: {texts: {'if{JOB_ENV_TAG=production-eu}': {a: 1}, 'if{JOB_PROJECT_NAME=storefront}': {b: 1}}}",
    )
    .is(&[("/maps/0/options", r#"{"a":"1","b":"1"}"#)]),
    Case::new(
        "F-09",
        "what is not defined is neither more nor less",
        "maps:
  texts:
    a: 0
    if{U<5}: {a: 1}
    if{U<=5}: {a: 2}
    if{U>5}: {a: 3}
    if{U>=}: {a: 4}",
    )
    .is(&[("/maps/0/options/a", r#""0""#)]),
    Case::new(
        "F-10",
        "the text 0 is not empty",
        "maps: {texts: {'if{Z is empty}': {a: 1}, 'if{Z isnot empty}': {b: 1}}}",
    )
    .is(&[("/maps/0/options", r#"{"b":"1"}"#)]),
    Case::new("F-11", "a condition over a single value is a fault", "maps: {texts: {a: 1, 'if{ENV=prod}': x}}")
        .fails(&["E-302 maps.texts"]),
    Case::new("F-12", "a condition that cannot be read is one", "maps: {texts: {a: 1, 'if{ENV}': {b: 1}}}")
        .fails(&["E-301 maps.texts"]),
    Case::new("F-12", "so is one of an unknown operator", "maps: {texts: {a: 1, 'if{ENV ~ x}': {b: 1}}}")
        .fails(&["E-301 maps.texts"]),
];

/// The pod `web`, of three replicas, and no other.
const WEB_THREE_TIMES: &str = r#"[{
    "name": "web", "replicas": 3, "oci_registry_config_name": {"default": "oci-registry-config-name"},
    "upgrade": {"strategy": "rolling-upgrade", "max_upgrading_pods": 1, "max_unavailable_pods": 0},
    "fs_group": null, "requires": [], "stateless": true, "restart_policy": null,
    "containers": [{
        "name": "app", "image": {"origin": "external", "name": "nginx", "tag": "latest"},
        "listen": [], "volumes": {}, "env": {}, "env_from": [], "healthcheck": null, "resources": []
    }]
}]"#;
