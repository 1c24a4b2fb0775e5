//! From nothing to a deployment that is watched, in a real browser.

use fantoccini::Locator;
use pierhead::domain::access::Standing;
use pierhead::people::create_user;
use pierhead::projects::{create_project, delete_project};
use serde_json::json;

use crate::support::app::gate::BuildGate;
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};
use crate::support::browser::Browser;
use crate::support::environment_variable;

/// The project that is made.
const CRANE: &str = "/admin/projects/wharf/crane";

const PASSWORD: &str = "an ocean liner at the pier";

/// Makes the first administrator with what the terminal says.
async fn first_run(app: &App, browser: &Browser, port: u16) {
    let printed = administrate(app, "admin first-run", "").await;
    printed.assert_ok();
    let (_, path) = printed.stdout.trim().split_once("/admin").unwrap();
    browser.open(port, &format!("/admin{path}")).await;
    browser.look("first-run").await;
    for (field, text) in [
        ("#name", "Ana"),
        ("#email", "ana@example.org"),
        ("#password", PASSWORD),
        ("#again", PASSWORD),
    ] {
        browser.fill(field, text).await;
    }
    browser.press("main button").await;
    assert_eq!(browser.path().await, "/admin");
}

async fn sign_in(browser: &Browser, port: u16) {
    browser.open(port, "/admin/keys").await;
    browser.look("sign-in").await;
    browser.fill("#email", "ana@example.org").await;
    browser.fill("#password", PASSWORD).await;
    browser.press("main button").await;
    assert_eq!(browser.path().await, "/admin/keys", "where she wanted to go");
}

/// An account, a project in it, and an engine to deploy it to.
async fn set_up(app: &App, browser: &Browser, port: u16) {
    browser.open(port, "/admin/accounts").await;
    browser.fill("#account", "wharf").await;
    browser.press("main form button").await;
    browser.fill("#project", "crane").await;
    browser.press("form[action$='/projects'] button").await;
    browser.until_says("h1", "crane").await;
    assert_eq!(browser.path().await, "/admin/projects/wharf/crane");
    browser.look("project-new").await;
    browser.press("main a[href$='/clusters']").await;
    let engine = environment_variable("TEST_DOCKER_HOST", "a Docker Engine's socket");
    browser.fill("#address", &engine).await;
    browser.fill("#namespace", &app.namespace()).await;
    browser.look("targets").await;
    browser.press("#docker button").await;
    browser.until_says(".done", "The target is there").await;
}

#[tokio::test]
async fn from_the_first_run_to_a_push_that_is_watched() {
    let app = App::start_with(Settings::default()).await;
    let port = app.process("web").port("web");
    let browser = Browser::start().await;
    first_run(&app, &browser, port).await;
    browser.press("#sign-out button").await;
    assert_eq!(browser.path().await, "/admin/sign-in");
    sign_in(&browser, port).await;

    let ana = app.nobody("ana").await;
    browser.fill("#key", ana.public_key().trim()).await;
    browser.press("form[enctype] button").await;
    browser.until_says(".fingerprint", &ana.fingerprint()).await;
    browser.look("keys").await;
    set_up(&app, &browser, port).await;

    // A push with that key, which takes a while.
    let copy = ana.hello("wharf/crane").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Take a while").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    browser.open(port, "/admin").await;
    browser.until_says("table", "wharf/crane").await;
    browser.look("overview").await;
    browser.press("tbody th a").await;
    browser.until_says("#state", "running").await;
    browser.client.execute("window.seen = true", vec![]).await.unwrap();
    browser.look("job-running").await;
    gate.open(&app).await;
    push.finish().await.assert_ok();
    browser.until_says("#state", "live").await;
    let seen = browser.client.execute("return window.seen", vec![]).await.unwrap();
    assert_eq!(seen, json!(true), "it was followed, and not loaded again");
    let cancel = browser.client.find_all(Locator::Css("#cancel")).await.unwrap();
    assert!(cancel.is_empty(), "what has ended is not cancelled");
    browser.look("job").await;

    // Once more, from the page; then the first again.
    browser.press("#project").await;
    browser.until_says(".cards", "v1 at").await;
    browser.look("project").await;
    browser.press("form[action$='/redeploy'] button").await;
    browser.until_says("#state", "live").await;
    assert_eq!(browser.text("#kind").await, "redeploy");
    browser.open(port, &format!("{CRANE}/environments/production")).await;
    browser.look("environment").await;
    browser.client.execute("document.querySelector('details').open = true", vec![]).await.unwrap();
    browser.press("form[action$='/rollback'] button").await;
    browser.until_says("#state", "live").await;
    assert_eq!(browser.text("#kind").await, "rollback");

    create_user(&app.admin(), "bea@example.org", "Bea", Standing::Person).await.unwrap();
    let raft = ("wharf".parse().unwrap(), "raft".parse().unwrap());
    create_project(&app.admin(), raft, "main").await.unwrap();
    delete_project(&app.admin(), "wharf/raft".parse().unwrap()).await.unwrap();
    for (name, place) in [
        ("no-such-page", "projects/wharf/nowhere"),
        ("diff", "projects/wharf/crane/environments/production/diff?from=v1&to=v3"),
        ("containers", "projects/wharf/crane/environments/production/containers"),
        ("output", "projects/wharf/crane/environments/production/output"),
        ("settings", "projects/wharf/crane/settings"),
        ("target", "projects/wharf/crane/clusters/docker"),
        ("variables", "projects/wharf/crane/variables"),
        ("accounts", "accounts"),
        ("account", "accounts/wharf"),
        ("tokens", "tokens"),
        ("password", "password"),
        ("second-factor", "second-factor"),
        ("people", "users"),
        ("all-targets", "clusters"),
        ("deleted", "deleted"),
        ("audit-log", "audit"),
        ("health", "health"),
    ] {
        browser.open(port, &format!("/admin/{place}")).await;
        browser.look(name).await;
    }
    browser.press("#sign-out button").await;
    browser.open(port, "/admin").await;
    assert_eq!(browser.path().await, "/admin/sign-in");
    browser.assert_nothing_found();
    drop(browser);
    app.stop().await;
}
