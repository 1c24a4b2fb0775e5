//! `pierhead render`, as somebody without a server types it.

use std::fs;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;

/// Exit code, standard output, standard error.
fn run(args: &[&str], file: &str) -> (i32, String, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop");
    fs::create_dir(&path).unwrap();
    fs::write(path.join(".paas.yaml"), file).unwrap();
    let context = "project = 'Shop'\nenvironment = 'EU'\n\
                   [[clusters]]\nname = 'eu'\ntype = 'kubernetes'\nnamespace = 'shops'\n\
                   [[clusters]]\nname = 'us'\ntype = 'kubernetes'\nhierarchical-namespaces = true\n\
                   [[clusters]]\nname = 'home'\ntype = 'docker'\n";
    fs::write(path.join("context.toml"), context).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_pierhead"))
        .env_clear()
        .current_dir(&path)
        .arg("render")
        .args(args)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

const SITE: &str = "\
pods:
  web: {containers: {app: {image: nginx, version: '1.27', listen: [8080]}}}
services:
  web: {ports: [{listen: 80, target: 8080}]}
";

/// What every document of a stream is, and where.
fn objects(stream: &str) -> Vec<String> {
    let documents = stream.split("---\n").map(|text| {
        let object: Value = serde_saphyr::from_str(text).unwrap();
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
        format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
    });
    documents.collect()
}

#[test]
fn a_file_alone_is_enough() {
    let (code, stdout, stderr) = run(&[], SITE);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(objects(&stdout), ["Deployment shop/web-dplmt", "Service shop/web"]);
}

#[test]
fn a_cluster_says_where_objects_go() {
    let render = |args: &[&str]| {
        let args = [&["--context", "context.toml"], args].concat();
        let (code, stdout, stderr) = run(&args, SITE);
        assert_eq!((code, stderr.as_str()), (0, ""));
        objects(&stdout)[0].clone()
    };
    assert_eq!(render(&["--cluster", "eu"]), "Deployment shops/web-dplmt");
    assert_eq!(render(&["--cluster", "us"]), "SubnamespaceAnchor shop/shop-shop");
    let elsewhere = render(&["--cluster", "eu", "--namespace", "other"]);
    assert_eq!(elsewhere, "Deployment other/web-dplmt");
}

#[test]
fn what_cannot_be_rendered_for_is_told() {
    let refused = |args: &[&str]| {
        let (code, stdout, stderr) = run(args, SITE);
        assert_eq!((code, stdout.as_str()), (2, ""));
        stderr
    };
    assert_snapshot!(refused(&["--context", "context.toml"]), @"pierhead: the context has several Kubernetes clusters: name one with --cluster: eu, us");
    assert_snapshot!(refused(&["--context", "context.toml", "--cluster", "home"]), @"pierhead: cluster `home` of the context is no Kubernetes cluster");
    assert!(refused(&["--level", "one"]).contains("write 1.33 and the like"));
    assert!(refused(&["other.yaml"]).starts_with("other.yaml: error[E-101]: could not read it"));
}

#[test]
fn faults_are_told_and_nothing_is_printed() {
    let (code, stdout, stderr) = run(&[], &SITE.replace("listen: [8080]", "lisen: [8080]"));
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("error[E-201]"), "{stderr}");
    let file = SITE.replace("web: {containers", "web: {restart-policy: never, containers");
    let (code, stdout, stderr) = run(&[], &file);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_snapshot!(stderr, @".paas.yaml: error: pods.web.restart-policy: pods that serve are always started again; take this away, or make it a job");
}

/// The text between two lines of a document, each of which is there once.
fn block<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap();
    rest.split_once(end).unwrap().0
}

#[test]
fn the_example_of_the_documentation_is_what_the_command_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/kubernetes.md")).unwrap();
    let file = block(&page, "```yaml\n# .paas.yaml\n", "```\n");
    let printed = block(&page, "```console\n$ pierhead render --namespace shop\n", "```\n");
    let (code, stdout, stderr) = run(&["--namespace", "shop"], file);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout, printed, "write this into docs/kubernetes.md:\n{stdout}");
}
