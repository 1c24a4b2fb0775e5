//! What a dump of the database tells of secrets: nothing.

use crate::secrets::{dump, write_shown};
use crate::support::app::process::Process;
use crate::support::app::typed::{administrate, typed};
use crate::support::app::{App, Settings};
use crate::support::registry::OwnRegistry;

fn apart() -> Settings {
    Settings { roles: &["ssh", "web", "worker", "router"], ..Settings::default() }
}

#[tokio::test]
async fn secrets_reach_the_container_and_no_row_of_the_database() {
    let app = App::start_with(apart()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    for (words, value) in [
        ("vars shop set DB_PASSWORD --secret", "hunter2-of-project"),
        ("vars shop set TOKEN --secret", "hunter2-unused"),
        ("vars shop production set TOKEN", "hunter2-of-environment"),
        ("vars shop set COLOUR", "red"),
        ("vars shop production set COLOUR", "blue"),
    ] {
        typed(&ana, words, value.as_bytes()).await.assert_ok();
    }
    let registry = OwnRegistry::start().await;
    let words = registry.set("shop");
    administrate(&app, &words, "hunter2-of-registry\n").await.assert_ok();
    let cluster = "admin create cluster acme/shop far --environment staging --kind kubernetes \
                   --address https://127.0.0.1:1 --token -";
    administrate(&app, cluster, "hunter2-of-cluster\n").await.assert_ok();

    let copy = ana.hello("acme/shop").await;
    let secrets =
        "secrets: {keys: {provider: map, options: {a: \"${DB_PASSWORD}\", b: hunter2-of-file}}}\n";
    write_shown(&copy, "${DB_PASSWORD} ${TOKEN} ${COLOUR} ${SIZE}", secrets);
    copy.commit("Show what it is given").await;
    let push = copy.push(&["-o", "SIZE=large", "main"]).await;
    push.assert_ok();
    let shown = "hunter2-of-project hunter2-of-environment blue large\n";
    assert_eq!(app.get(&copy.host(), "/").await, (200, shown.to_owned()));

    // A launch variable with the name of a secret wins, and is one.
    let again =
        copy.push(&["-o", "SIZE=large", "-o", "TOKEN=hunter2-of-launch", "main:next"]).await;
    again.assert_ok();
    app.rule("shop", "refs/heads/next", "production").await;
    copy.commit("Again").await;
    let again =
        copy.push(&["-o", "SIZE=large", "-o", "TOKEN=hunter2-of-launch", "HEAD:next"]).await;
    again.assert_ok().assert_says("1 variable changed since v1");
    let shown = "hunter2-of-project hunter2-of-launch blue large\n";
    assert_eq!(app.get(&copy.host(), "/").await, (200, shown.to_owned()));
    let redeployed = ana.ssh(&["redeploy", "shop", "production"]).await;
    redeployed.assert_ok().assert_says("nothing changed since v2");
    assert_eq!(app.get(&copy.host(), "/").await, (200, shown.to_owned()));

    let context = administrate(&app, "admin job context 2", "").await;
    context.assert_ok().assert_says("(give them with --var): DB_PASSWORD, TOKEN");
    context
        .assert_says(&format!("registry = \"{}/shop\"", registry.address))
        .assert_says("COLOUR = \"blue\"");
    let dump = dump(&app).await;
    assert!(dump.contains("blue") && dump.contains(&registry.address), "a dump has the rest");
    let said = format!("{push:?}{again:?}{redeployed:?}{context:?}");
    let logs: Vec<_> = app.processes.iter().map(Process::log).collect();
    for (what, text) in [("dump", dump), ("output", said), ("logs", logs.join("\n"))] {
        let found: Vec<_> = text.lines().filter(|line| line.contains("hunter2")).collect();
        assert_eq!(found, [""; 0], "{what}");
    }
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_value_in_another_row_does_not_open() {
    let app = App::start().await;
    app.project("shop").await;
    app.project("spy").await;
    let ana = app.developer("ana").await;
    typed(&ana, "vars shop set A --secret", b"hunter2-of-shop").await.assert_ok();
    typed(&ana, "vars spy set A --secret", b"hunter2-of-spy").await.assert_ok();
    app.execute(
        "UPDATE variables SET sealed = (SELECT sealed FROM variables JOIN projects p ON p.id = \
         project_id WHERE p.slug = 'shop') WHERE project_id = (SELECT id FROM projects WHERE slug = \
         'spy')",
    )
    .await;
    let copy = ana.hello("acme/spy").await;
    write_shown(&copy, "${A}", "");
    copy.commit("Look").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("the sealed variable of the project, `A` could not be opened");
    assert_eq!(app.count("SELECT count(*) FROM releases").await, 0);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_fault_that_only_the_value_makes_names_its_place_and_never_the_value() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    typed(&ana, "vars shop set LEVEL --secret", b"-98765432100").await.assert_ok();
    let copy = ana.hello("acme/shop").await;
    let file = copy
        .paas_yaml()
        .replace("services:", "if{LEVEL<5}: {pods: {web: {replica: 2}}}\nservices:");
    copy.write(".paas.yaml", &file);
    copy.commit("Depend on a secret").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("unknown key \"replica\"").assert_says("job 1");
    let logs = ana.ssh(&["logs", "1"]).await;
    let seen = format!("{push:?}{logs:?}{}", dump(&app).await);
    assert!(!seen.contains("987654321"), "{seen}");
    app.assert_nothing_left().await;
    app.stop().await;
}
