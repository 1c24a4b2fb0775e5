//! `pierhead admin job context`: any compile of a server, repeated without it.

use std::fs;

use insta::assert_snapshot;
use pierhead::db::models::release::Release;
use pierhead::domain::sealed::{Place, ReleasePart, Sealed};
use serde::Deserialize as _;

use crate::check::{Desk, WRONG};
use crate::support::app::secrets::keyring;
use crate::support::app::{App, Settings};

#[tokio::test]
async fn the_context_of_a_job_compiles_to_its_release_without_the_server() {
    let settings = Settings::default()
        .with("platform", "features = [\"block-storage\"]")
        .with("platform", "storage_size = \"3Gi\"")
        .with("hooks.npm", "kind = \"npm\"")
        .with("hooks.npm", "image = \"node:22\"")
        .with("libraries.pods.z", "replicas = 1")
        .with("libraries.pods.a", "\"if{A=b}\" = { replicas = 1 }");
    let app = App::start_with(settings).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let text = fs::read_to_string(copy.path.join(".paas.yaml")).unwrap();
    copy.write(
        ".paas.yaml",
        &text.replace("app:", "app:\n        variables: {COLOUR: \"${COLOUR}\"}"),
    );
    copy.commit("Take a colour").await;
    copy.push(&["-o", "COLOUR=red", "main"]).await.assert_ok();

    let id = app.job(1).await.id;
    let release = app.db.run(async move |c| Release::of_job(c, id).await).await.unwrap().unwrap();
    let desk = Desk::new();
    desk.write(".paas.yaml", &fs::read_to_string(copy.path.join(".paas.yaml")).unwrap());
    let mut contexts = Vec::new();
    for job in ["1", &id.to_string()] {
        let config = app.configuration().display().to_string();
        let done = desk.run(&["--config", &config, "admin", "job", "context", job]).await;
        contexts.push(done.stdout);
    }
    assert_eq!(contexts[0], contexts[1]);
    let context = contexts.pop().unwrap();
    let namespace = &app.job(1).await.snapshot.clusters[0].namespace;
    assert_snapshot!(context.replace(namespace, "[namespace]"), @r#"
    project = "shop"
    environment = "production"
    features = ["block-storage"]
    default-backend = false
    tree = [
        ".paas.yaml",
        "Dockerfile",
        "index.html",
    ]

    [variables]
    COLOUR = "red"

    [platform-defaults]
    storage-size = "3Gi"

    [[clusters]]
    name = "docker"
    type = "docker"
    namespace = "[namespace]"
    hierarchical-namespaces = false

    [hooks]
    npm = "npm"

    [libraries.pods.a."if{A=b}"]
    replicas = "1"

    [libraries.pods.z]
    replicas = "1"
    "#);
    desk.write("context.toml", &context);
    let done = desk.run(&["check", "--context", "context.toml", "--json"]).await;
    let place = Place::release(release.environment_id, release.job_id, ReleasePart::Model);
    let sealed = Sealed::deserialize(&release.model).unwrap();
    let model = keyring().opener.open(&sealed, &place).unwrap();
    let model: serde_json::Value = serde_json::from_slice(&model).unwrap();
    assert_eq!(done.json()["model"], model);

    copy.write(".paas.yaml", WRONG);
    copy.commit("Make three mistakes").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    desk.write(".paas.yaml", WRONG);
    let checked = desk.run(&["check"]).await;
    let checked: Vec<_> = checked.stdout.lines().filter(|line| line.contains(" | ")).collect();
    assert_eq!(checked.len(), 6);
    let pushed = push.remote();
    let pushed: Vec<_> = pushed.iter().filter(|line| line.contains(" | ")).collect();
    for (checked, pushed) in checked.iter().zip(pushed) {
        assert!(pushed.ends_with(checked.trim_end()), "{pushed:?} {checked:?}");
    }
    app.stop().await;
}
