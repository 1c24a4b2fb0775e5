//! Pushes that only ask what they would change.

use insta::assert_snapshot;
use pierhead::domain::ids::EnvironmentId;

use crate::support::app::App;
use crate::support::app::developer::{Copy, Done};
use crate::support::app::gate::BuildGate;
use crate::support::app::typed::typed;

/// What the hello application has besides.
const MORE: &str = "        listen: [8080]
        variables: {GREETING: plain-hello, PASSWORD: '${DB_PASSWORD}'}
";

const PLAN_ONLY: &str = "! [remote rejected] main -> main (plan only)";

/// What a plan said, with the name of the network and the ids of images replaced by words.
fn told(plan: &Done) -> String {
    let line = |line: &str| match (line.split_once("+ network "), line.split_once("sha256:")) {
        (Some((before, _)), _) => format!("{before}+ network [name]"),
        (None, Some((before, after))) => {
            format!("{before}sha256:[id]{}", after.get(12..).unwrap_or_default())
        }
        (None, None) => line.to_owned(),
    };
    plan.told().lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A plan where nothing is yet.
async fn everything_would_be_new(app: &App, copy: &Copy, environment: EnvironmentId) {
    let push = copy.push(&["-o", "plan", "main"]).await;
    push.assert_code(1);
    assert_eq!(push.refs(), [PLAN_ONLY]);
    assert_snapshot!(told(&push), @r#"
    pierhead · shop/production · [id] "With a secret" · job 1 · ana (SHA256:[key])
    checkout  [id]: 3 files, 1 KiB [time]
    check     .paas.yaml: 1 pod, 1 image [time]
    image     hello:production built by this push [time]
    plan      3 created [time]
              | + network [name]
              | + pod web
              | + route acme-shop.localhost/
    ended     plan only: nothing was changed
    "#);
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    assert_eq!(app.images_of(environment).await, [""; 0]);
    assert_eq!(app.objects_of(&environment.to_string()).await, []);
}

#[tokio::test]
async fn a_plan_tells_what_a_push_would_change_on_an_engine_and_changes_nothing() {
    let app = App::start().await;
    app.project("shop").await;
    app.rule("shop", "refs/tags/v*", "production").await;
    let ana = app.developer("ana").await;
    let secret = async |value: &'static str| {
        typed(&ana, "vars shop set DB_PASSWORD --secret", value.as_bytes()).await.assert_ok();
    };
    secret("s3cret-of-the-first").await;
    let copy = ana.hello("acme/shop").await;
    let file = copy.paas_yaml().replace("        listen: [8080]\n", MORE);
    copy.write(".paas.yaml", &file.replace("path: /}", "path: '/?${DB_PASSWORD}'}"));
    copy.commit("With a secret").await;
    let environment = app.environment("shop", "production").await;
    everything_would_be_new(&app, &copy, environment.id).await;
    copy.push(&["main"]).await.assert_ok().assert_says("v1: the first");
    // The same commit under another name.
    copy.git(&["tag", "v1"]).await.assert_ok();
    let push = copy.push(&["-o", "plan", "-o", "quiet", "v1"]).await;
    push.assert_code(1);
    assert_snapshot!(told(&push), @r#"
    pierhead · shop/production · [id] "With a secret" · job 3 · ana (SHA256:[key])
    plan      nothing would change [time]
    ended     plan only: nothing was changed
    "#);

    let file = file
        .replace("plain-hello", "plain-goodbye")
        .replace("  web:\n    c", "  web:\n    replicas: 2\n    c");
    let file = file.replace("path: /}", "path: '/?again=${DB_PASSWORD}'}");
    copy.write(".paas.yaml", &file.replace("host: ", "host: new-"));
    copy.commit("Change things").await;
    secret("s3cret-of-the-second").await;
    let before = app.objects_of(&environment.id.to_string()).await;
    let push = copy.push(&["-o", "plan", "main", "main:topic"]).await;
    push.assert_code(1);
    assert_snapshot!(push.refs().join("\n"), @r#"
    ! [remote rejected] main -> main (plan only)
    ! [remote rejected] main -> topic (plan only)
    "#);
    assert_snapshot!(told(&push), @r#"
    plan      would be stored: topic, not deployed: main deploys to production, tags/v* deploys…
    pierhead · shop/production · [id] "Change things" · job 4 · ana (SHA256:[key])
    checkout  [id]: 3 files, 1 KiB [time]
    check     .paas.yaml: 1 pod, 1 image [time]
    image     hello:production built by this push [time]
    plan      1 created, 1 changed, 1 removed [time]
              | ~ pod web
              |     containers.app.env.GREETING: changed
              |     containers.app.env.PASSWORD: changed
              |     containers.app.healthcheck.probe:
              |         GET /?[secret DB_PASSWORD] on port 8080
              |         → GET /?again=[secret DB_PASSWORD] on port 8080
              |     containers.app.image: sha256:[id] → built by this push
              |     replicas: 1 → 2
              | + route new-acme-shop.localhost/
              | - route acme-shop.localhost/
    ended     plan only: nothing was changed
    "#);
    assert_eq!(app.objects_of(&environment.id.to_string()).await, before);
    assert_eq!(app.tip("shop", "refs/heads/topic").await, None);
    assert_eq!(app.count("SELECT count(*) FROM history WHERE text LIKE '%s3cret%'").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM jobs WHERE outcome = 'planned'").await, 3);
    assert_eq!(app.count("SELECT count(*) FROM push_refs WHERE decision = 'planned'").await, 4);
    assert_eq!(app.count("SELECT count(*) FROM releases").await, 1);

    copy.push(&["main"]).await.assert_ok().assert_says("v2: 1 image, 2 variables changed since v1");
    copy.git(&["tag", "v2"]).await.assert_ok();
    let push = copy.push(&["-o", "plan", "v2"]).await;
    push.assert_code(1).assert_says("plan      nothing would change");
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_plan_waits_its_turn_and_no_deployment_ends_for_it() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("First").await;
    let first = copy.start_push(&["main"]);
    gate.reached().await;
    copy.write_hello("second");
    copy.commit("Second").await;
    let second = copy.start_push(&["main"]);
    app.until(3, "waited", |_| true).await;
    let plan = copy.start_push(&["-o", "plan", "main"]);
    app.until(4, "waited", |_| true).await;
    copy.write("index.html", "third");
    copy.commit("Third").await;
    let third = copy.start_push(&["main"]);
    app.until(5, "waited", |_| true).await;
    gate.open(&app).await;
    first.finish().await.assert_ok();
    second.finish().await.assert_code(1).assert_says("superseded by job 5");
    let plan = plan.finish().await;
    plan.assert_code(1).assert_says("containers.app.image: ").assert_says("built by this push");
    third.finish().await.assert_ok();
    let plan_ended = app.job(4).await.ended_at.unwrap();
    assert!(plan_ended < app.job(5).await.ended_at.unwrap());
    assert_eq!(app.get(&copy.host(), "/").await, (200, "third".to_owned()));

    let attach = ana.ssh(&["attach", "4"]).await;
    attach.assert_ok().assert_says("plan only: nothing was changed");
    ana.ssh(&["jobs", "acme/shop"]).await.assert_ok().assert_says("planned");
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_plan_fails_as_the_push_would() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    for options in [["plan", "no-wait"], ["skip", "plan"]] {
        let push = copy.push(&["-o", options[0], "-o", options[1], "main"]).await;
        push.assert_code(1).assert_says("exclude each other");
    }
    copy.write(".paas.yaml", "pods: {web: {replica: 2}}\n");
    copy.commit("Break the file").await;
    let push = copy.push(&["-o", "plan", "main"]).await;
    let real = copy.push(&["main"]).await;
    assert_eq!((push.code, push.refs(), push.told()), (1, real.refs(), real.told()));
    let file = copy.paas_yaml().replace("web: {ports", "web: {internal: false, ports");
    copy.write(".paas.yaml", &file);
    copy.commit("A service that an engine cannot have").await;
    let push = copy.push(&["-o", "plan", "main"]).await;
    push.assert_code(1);
    assert_snapshot!(push.refs().join("\n"), @r#"! [remote rejected] main -> main (plan: services.web.internal: a Docker target has no services outside its network yet; use an ingress, job 1)"#);
    assert_eq!(app.count("SELECT count(*) FROM releases").await, 0);
    app.assert_nothing_left().await;
    app.stop().await;
}
