//! `pierhead schema`: the JSON Schema of the language, and what it takes and refuses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use pierhead::paas::{self, Context};
use serde_json::Value;

/// The schema for editors that are not told by the program.
const COMMITTED: &str = "docs/paas-yaml.schema.json";

/// How a file says where an editor finds the schema.
const COMMENT: &str = "# yaml-language-server: $schema=";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder whose names end so.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.to_str().unwrap().ends_with(ending)).collect();
    files.sort();
    files
}

/// Every project that shows how it is done, by its file.
fn examples() -> Vec<PathBuf> {
    let projects = files("examples", "").into_iter().map(|folder| folder.join(".paas.yaml"));
    let files: Vec<_> = projects.filter(|file| file.exists()).collect();
    assert!(!files.is_empty());
    files
}

/// A file as an editor reads it: YAML 1.2, numbers and booleans told from texts.
fn read(text: &str) -> Value {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&paas::schema()).unwrap()
}

/// Why a file is refused, one line a reason.
fn reasons(validator: &Validator, text: &str) -> Vec<String> {
    let file = read(text);
    let errors = validator.iter_errors(&file);
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn it_is_a_schema() {
    let schema = paas::schema();
    let problem = jsonschema::draft202012::meta::validate(&schema).err();
    assert_eq!(problem.map(|problem| problem.to_string()), None);
}

#[test]
fn it_takes_every_file_that_compiles() {
    let validator = validator();
    let mut all = examples();
    all.extend(files("tests/paas/valid", ".yaml"));
    all.extend(files("tests/paas/examples", ".paas.yaml"));
    for file in all {
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(reasons(&validator, &text), [""; 0], "{}", file.display());
    }
}

#[test]
fn the_program_prints_it_and_the_document_has_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_pierhead")).arg("schema").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let committed = fs::read(root().join(COMMITTED)).unwrap_or_default();
    let is_same = output.stdout == committed;
    assert!(is_same, "the language changed: cargo run -- schema > {COMMITTED}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed, paas::schema());
}

#[test]
fn examples_tell_editors_where_it_is() {
    let schema = root().join(COMMITTED).canonicalize().unwrap();
    for file in examples() {
        let text = fs::read_to_string(&file).unwrap();
        let told = text.lines().next().and_then(|line| line.strip_prefix(COMMENT));
        let told = told.unwrap_or_else(|| panic!("{} begins without {COMMENT}", file.display()));
        let path = file.parent().unwrap().join(told).canonicalize();
        assert_eq!(path.ok().as_ref(), Some(&schema), "{}", file.display());
    }
}

/// A file with this pod beside what else is written.
fn with_pod(pod: &str, rest: &str) -> String {
    format!("pods: {{web: {pod}}}\n{rest}\n")
}

/// A file whose only container holds this too.
fn with_container(keys: &str) -> String {
    with_pod(&format!("{{containers: {{app: {{image: nginx, {keys}}}}}}}"), "")
}

/// A file with this beside a pod.
fn with(rest: &str) -> String {
    with_pod("{containers: {app: {image: nginx}}}", rest)
}

#[test]
fn it_refuses_what_does_not_compile() {
    let validator = validator();
    // The conditions of the table hold.
    let mut context = Context::default();
    context.variables.add("A", "b").unwrap();
    let long =
        "pods: {web: {containers: {app: {image: nginx}}}, w: {containers: {app: {image: a}}}}";
    let wrong = [
        ("{}".to_owned(), "\"pods\" is a required property"),
        ("[]".to_owned(), "[] is not of type \"object\""),
        ("pods: {}".to_owned(), "/pods: {} has less than 1 property"),
        ("pods:".to_owned(), "/pods: null is not of type \"object\""),
        (long.to_owned(), "/pods: \"w\" does not match"),
        (with("pod: {}"), "('pod' was unexpected)"),
        (with("paas: {version: v2}"), "/paas/version: \"v2\" is not one of"),
        (with("paas: {requires: []}"), "/paas/requires: [] has less than 1 item"),
        (with("paas: {requires: [set_1]}"), "/paas/requires/0: \"set_1\" does not match"),
        (with("paas: {quotas: [{category: disk, type: a1, capacity: 1}]}"), "category: \"disk\""),
        (
            with("paas: {quotas: [{category: memory, type: a1, capacity: 1 Gi}]}"),
            "\"1 Gi\" does not",
        ),
        (with("defaults: {clusters: {my_cluster: {}}}"), "\"my_cluster\" does not match"),
        (with("maps: {m.1: {a: b}}"), "\"m.1\" does not match"),
        (with("maps: {m1: {}}"), "/maps/m1: {} has less than 1 property"),
        (with("maps: {m1: {\"if{A=b}\": c}}"), "/maps/m1/if{A=b}: \"c\" is not of types"),
        (with("secrets: {s1: {provider: map, options: x}}"), "/secrets/s1/options: \"x\" is not"),
        (with("builds: {step: {}}"), "/builds/step: {} has less than 1 property"),
        (with("volumes: {v1: {add: [a], writables: [b]}}"), "('writables' was unexpected)"),
        (with("services: {web: {ports: [{listen: 0, target: 80}]}}"), "0 is less than the minimum"),
        (with("services: {web: {ports: [{listen: 80}]}}"), "\"target\" is a required property"),
        (
            with("services: {web: {protocol: Tcp, ports: [{listen: 1, target: 1}]}}"),
            "\"Tcp\" is not",
        ),
        (with("ingresses: {site: {}}"), "/ingresses/site: \"host\" is a required property"),
        (with("ingresses: {site: {host: a, tls: {}}}"), "\"secret\" is a required property"),
        (with("jobs: {j1: {}}"), "/jobs/j1: \"pods\" is a required property"),
        (with("jobs: {j1: {extends: j0, shelf-life: 1}}"), "('shelf-life' was unexpected)"),
        (with("jobs: {j1: {extends: j0, completions: {mode: all}}}"), "\"all\" is not one of"),
        (with("if{A=b}: {pod: {}}"), "/if{A=b}: Additional properties are not allowed"),
        (with("if{A=b}: [a]"), "/if{A=b}: [\"a\"] is not of type \"object\""),
        (with_pod("{}", ""), "/pods/web: \"containers\" is a required property"),
        (with_pod("{extends: base, containers: [a]}", ""), "[\"a\"] is not of types"),
        (with_pod("{extends: base, replicas: \"${N}\"}", ""), "\"${N}\" does not match"),
        (with_pod("{containers: {app: }}", ""), "/containers/app: null is not of type"),
        (with_pod("{containers: {app: {image: }}}", ""), "/app/image: null is not of types"),
        (with_pod("{replicas: -1, containers: {app: {image: a}}}", ""), "-1 is less than"),
        (with_container("listen: 8080"), "/listen: 8080 is not of types"),
        (with_container("listen: [\"65536\"]"), "\"65536\" does not match"),
        (with_container("listen: {a: [80]}"), "/listen: Additional properties are not allowed"),
        (with_container("variables: {}"), "/variables: {} has less than 1 property"),
        (with_container("variables: {A: [b]}"), "/variables/A: [\"b\"] is not of types"),
        (
            with_container("healthcheck: {probe: {tcp: }}"),
            "\"initial-delay-seconds\" is a required",
        ),
        (
            with_container("volumes: {data: {persistent: true}}"),
            "not valid under any of the schemas",
        ),
        (with_container("volumes: {data: {mount-path: /x}}"), "not valid under any of the schemas"),
        (
            with_container("volumes: {v1: {mount-path: /x, from: ab, writables: [a]}}"),
            "not valid under any of the schemas",
        ),
        (with_container("resources: [{type: cpu, require: 1..5}]"), "\"1..5\" does not match"),
    ];
    for (text, reason) in wrong {
        let reasons = reasons(&validator, &text);
        assert!(reasons.iter().any(|found| found.contains(reason)), "{text}: {reasons:?}");
        assert!(paas::compile(text.as_bytes(), &context).is_err(), "{text}");
    }
}

#[test]
fn a_probe_is_one() {
    let validator = validator();
    let reasons = |probe: &str| {
        let check = format!("{{initial-delay-seconds: 0, period-seconds: 1, probe: {probe}}}");
        reasons(&validator, &with_container(&format!("healthcheck: {check}")))
    };
    for one in ["{tcp: }", "{tcp: {port: 80}}", "{http: {path: /}, command: }", "{command: [a, 1]}"]
    {
        assert_eq!(reasons(one), [""; 0], "{one}");
    }
    for other in ["{}", "{http: }", "{tcp: , http: {path: /}}", "{command: []}", "a"] {
        assert!(!reasons(other).is_empty(), "{other}");
    }
}

#[test]
fn what_may_be_completed_may_be_incomplete() {
    let validator = validator();
    let right = [
        "if{A=b}: {pods: {web: {containers: {app: {image: a1}}}}}".to_owned(),
        "IF{A = b}: {services: {web: {pod: web}}}\npods: {web: {replicas: 2}}".to_owned(),
        "pods: {\"if{A=b}\": {web: {replicas: 3}}, web: {containers: {app: {version: 1.10}}}}"
            .to_owned(),
        with_pod("{extends: base}", ""),
        with_pod("{extends: base, containers: {server: {version: 3}}}", ""),
        with_pod("{containers: {app: {extends: base, \"if{A=b}\": {listen: [80]}}}}", ""),
        with("ingresses: {site: {extends: base}, other: {\"if{A=b}\": {host: a}}}"),
        with("ingresses: {site: {host: a, aliases: {\"if{A=b}\": [a], \"if{B is null}\": [b]}}}"),
        with("ingresses: {site: {host: a, aliases: {\"if{A=b}\": {\"if{B=c}\": [b]}}}}"),
        with("services: {web: {ports: [{listen: 80, \"if{A=b}\": {target: 80}}]}}"),
        with("jobs: {j1: {extends: nightly, pods: {dump: {containers: {pg: {version: 1}}}}}}"),
        with("maps: {m1: {\"if{A=b}\": {\"if{B=c}\": {a: b}}}}"),
        with("secrets: {s1: {\"if{A=b}\": {provider: map}, options: {}}}"),
        with_container(
            "volumes: {data: {mount-path: /x, \"if{A=b}\": {persistent: true, name: a}}}",
        ),
        with_container("volumes: {\"if{A=b}\": {data: {storage-size: 1Gi}}}"),
        with_container("variables: {\"if{A=b}\": {C: d}}"),
        with_container("healthcheck: {\"if{A=b}\": {probe: {tcp: }}, period-seconds: 1}"),
    ];
    for text in right {
        assert_eq!(reasons(&validator, &text), [""; 0], "{text}");
    }
}

#[test]
fn values_may_be_quoted_or_not() {
    let validator = validator();
    let right = [
        with("paas: {version: 1.1}"),
        with("paas: {version: \"1\", requires: , quotas: ~}"),
        with("defaults: {clusters: {my cluster: {storage-size: 5}}}"),
        with("services: {web: {internal: \"false\", ports: [{listen: \"080\", target: 80}]}}"),
        with("services: {web: {internal: 0, ports: [{listen: 80, target: 65535}]}}"),
        with("jobs: {j1: {extends: j0, completions: {shelf-life: \"null\"}}}"),
        with("jobs: {j1: {extends: j0, completions: {shelf-life: }}}"),
        with("ingresses: {site: {host: a, meta: letsencrypt}}"),
        with("images: {php: , node: {variables: {A: , B: 1, C: true}}}"),
        with("secrets: {x1: {provider: map, options: {}}}\nenhancements: []"),
        with_pod("{requires: [x86_64], containers: {app: {image: \"${IMAGE}\"}}}", ""),
        with_container("variables: {\"A_${B}\": \"${C}\", yes: no}, listen: [\"8080\", 65535]"),
        with_container("resources: [{type: cpu, require: 0.2, limit: 20%}]"),
    ];
    for text in right {
        assert_eq!(reasons(&validator, &text), [""; 0], "{text}");
    }
}
