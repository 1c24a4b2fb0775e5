//! What a `.paas.yaml` says is what a push does, and what is wrong with it is told alike everywhere.

use tokio::process::Command;

use crate::support::app::developer::finish;
use crate::support::app::{App, Settings};

#[tokio::test]
async fn a_rejected_push_tells_what_check_tells() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.write(
        ".paas.yaml",
        "secrets: {keys: {provider: map, options: {token: \"hunter2-${NOBODY}\"}}}\n\
         pods:\n  web:\n    replica: 2\n    containers:\n      app: {image: hello, listen: [99999]}\n",
    );
    copy.commit("Make three mistakes").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    let mut check = Command::new(env!("CARGO_BIN_EXE_pierhead"));
    check.env_clear().current_dir(&copy.path).arg("check");
    let check = finish(check).await;
    check.assert_code(1);
    let (faults, summary) = check.stdout.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(push.told().trim_end(), faults);
    assert_eq!(summary, ".paas.yaml has 3 faults");
    assert!(!push.told().contains("hunter2"), "{}", push.told());
    app.stop().await;
}

#[tokio::test]
async fn what_no_target_can_do_yet_is_refused_by_a_push_and_not_by_check() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let jobs = "jobs: {migrate: {pods: {run: {containers: {run: {image: hello}}}}}}\n";
    copy.write(".paas.yaml", &format!("{}{jobs}", copy.paas_yaml()));
    copy.commit("Migrate").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1)
        .assert_says("error[E-106]: jobs: `jobs` is not supported on Docker targets yet");
    app.stop().await;
}

#[tokio::test]
async fn conditions_and_the_platforms_definitions_decide_what_is_deployed() {
    let settings = Settings::default()
        .with("libraries.ingresses.front", "service = { name = \"web\", port = 80 }");
    let app = App::start_with(settings).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let more = format!(
        "  if{{MODE=extra}}:\n    more: {{extends: front, host: extra-{0}, aliases: [also-{0}]}}\n",
        copy.host()
    );
    copy.write(".paas.yaml", &format!("{}{more}", copy.paas_yaml()));
    copy.commit("One host or two").await;
    let extra = format!("extra-{}", copy.host());
    copy.push(&["main"]).await.assert_ok();
    assert_eq!(app.get(&extra, "/").await.0, 404);
    copy.commit("Again").await;
    copy.push(&["-o", "MODE=extra", "main"]).await.assert_ok();
    assert_eq!(app.get(&extra, "/").await.0, 200);
    assert_eq!(app.get(&format!("also-{}", copy.host()), "/").await.0, 200);
    app.stop().await;
}
