//! The two files of the specification.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::check::Desk;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paas/examples")
}

/// Checks one of the two files of the specification.
async fn example(name: &str) -> Value {
    let desk = Desk::new();
    let file = |ending: &str| examples().join(format!("{name}.{ending}")).display().to_string();
    let (text, context) = (file("paas.yaml"), file("context.toml"));
    let done = desk.run(&["check", "--context", &context, &text, "--json"]).await;
    assert_eq!(done.code, 0, "{}", done.told());
    done.json()
}

#[tokio::test]
async fn example_a_of_the_specification_comes_to_its_model() {
    let json = example("a").await;
    let model: Value =
        serde_json::from_str(include_str!("../../paas/examples/a.model.json")).unwrap();
    assert_eq!(json["model"], model);
    assert_eq!(json["faults"], Value::Array(Vec::new()));
    let warnings: Vec<_> =
        json["warnings"].as_array().unwrap().iter().map(|warning| &warning["code"]).collect();
    assert_eq!(warnings, ["W-05"]);
}

#[tokio::test]
async fn example_b_of_the_specification_comes_to_its_figures() {
    let model = example("b").await["model"].clone();
    let named = |list: &Value, name: &str| {
        let found = list.as_array().unwrap().iter().find(|item| item["name"] == name);
        found.cloned().unwrap_or_else(|| panic!("no {name} in {list}"))
    };
    let embedded = named(&model["images"], "python");
    assert_eq!(embedded["tag"], "def53-2d8d6-staging");
    let base =
        json!({"origin": "external", "name": "registry.example.org/python", "tag": "latest"});
    assert_eq!(embedded["base"], base);
    assert_eq!(embedded["volumes"]["source"]["paths"], json!(["blog", "manage.py"]));
    assert_eq!(embedded["volumes"]["source"]["mount_path"], "/app");
    let container = |pod: &str, name: &str| named(&named(&model["pods"], pod)["containers"], name);
    let (front, pg, queue) =
        (container("blog", "front"), container("database", "pg"), container("mailer", "queue"));
    let media = &front["volumes"]["media"];
    assert_eq!((&media["name"], &media["write_many"]), (&json!("media-def53-2d8d6"), &json!(true)));
    let data = &pg["volumes"]["data"];
    assert_eq!((&data["name"], &data["write_many"]), (&json!("data-3549b-d80dc"), &json!(false)));
    assert_eq!(front["volumes"]["theme"]["mount_path"], "/app-theme");
    assert_eq!(model["volumes"]["theme"]["paths"], json!(["theme/"]));
    let shares = json!([
        {"type": "cpu", "require": 40, "limit": 330, "automatic": true},
        {"type": "memory", "require": 21_474_836, "limit": 177_167_400, "automatic": true},
    ]);
    assert_eq!((&front["resources"], &queue["resources"]), (&shares, &shares));
    let map = named(&model["maps"], "blog-config");
    assert_eq!(map["options"]["feature-eu"], "on");
    assert_eq!(map["options"]["upstream"], "acme-database");
}
