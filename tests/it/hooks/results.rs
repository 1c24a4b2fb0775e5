//! What hooks make, and what is said of those that fail.

use insta::{allow_duplicates, assert_snapshot};

use crate::hooks::{Runner, copy, defined, settings};
use crate::support::app::App;
use crate::support::app::typed::typed;

async fn a_red_suite_stops_a_push(runner: Runner) {
    if !runner.may_run() {
        return;
    }
    let app = App::start_with(settings(runner, &[]).await).await;
    let copy =
        copy(&app, "{test: {py: suite.py}, page: {make: {action: page, path: front}}}").await;
    copy.write(
        "front/Makefile",
        "page:\n\t@echo \"$$(id -u) makes a page\"\n\t@umask 077; echo green > ../index.html\n",
    );
    copy.write("suite.py", "print('1 passed')\nprint('1 failed: colour')\nraise SystemExit(3)\n");
    copy.commit("Break the suite").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    // Both runners say the same.
    allow_duplicates! {
        assert_snapshot!(push.told(), @r#"
        pierhead · shop/production · [id] "Break the suite" · job 1 · ana (SHA256:[key])
        checkout  [id]: 6 files, 1 KiB [time]
        check     .paas.yaml: 1 pod, 1 image [time]
        hooks     py suite.py
                  | 1 passed
                  | 1 failed: colour
        hooks     py suite.py exited 3: 1 failed: colour [time]
        help      ssh -p 2222 git@localhost logs 1 --step hooks
        "#);
        assert_snapshot!(push.refs().join("\n"), @"! [remote rejected] main -> main (hooks: py suite.py exited 3: 1 failed: colour, job 1)");
    }
    app.assert_nothing_left().await;
    copy.write("suite.py", "print('2 passed')\n");
    copy.commit("Mend it").await;
    let push = copy.push(&["main"]).await;
    let own = rustix::process::geteuid();
    let user = if own.is_root() { 65532 } else { own.as_raw() };
    push.assert_ok().assert_says("| 2 passed").assert_says(&format!("| {user} makes a page"));
    // Written by somebody else, and closed to others: the image's user reads it all the same.
    assert_eq!(app.get(&copy.host(), "/").await, (200, "green\n".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_red_suite_stops_a_push_and_a_green_one_is_built_in_a_container() {
    a_red_suite_stops_a_push(Runner::Container).await;
}

#[tokio::test]
async fn a_red_suite_stops_a_push_and_a_green_one_is_built_as_a_process() {
    a_red_suite_stops_a_push(Runner::Process).await;
}

/// Says more than is told again, and a secret.
const TALK: &str = "for n in range(60): print(f'line {n}.')\n\
    print('the token is hunter2-hunter2')\nraise SystemExit(1)\n";

async fn last_lines_are_told_again(runner: Runner) {
    if !runner.may_run() {
        return;
    }
    let app = App::start_with(settings(runner, &[]).await).await;
    let copy = copy(&app, "{test: {py: talk.py}}").await;
    typed(&copy.developer, "vars shop set TOKEN --secret", b"hunter2-hunter2").await.assert_ok();
    copy.write("talk.py", TALK);
    copy.commit("Talk").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("| the token is [secret TOKEN]");
    let (before, after) = push.stderr.split_once("hooks     py talk.py exited 1").unwrap();
    let count = |text: &str| text.lines().filter(|line| line.contains("| line ")).count();
    assert_eq!((count(before), count(after)), (60, 39), "{}", push.stderr);
    assert!(!after.contains("| line 20.") && after.contains("| line 21."), "{after}");
    let reason = "exited 1: the token is [secret TOKEN], job 1)";
    assert!(push.refs().join(" ").contains(reason), "{:?}", push.refs());
    let logs = copy.developer.ssh(&["logs", "1", "--json"]).await;
    assert!(!(push.stderr + &logs.stdout).contains("hunter2"), "{}", logs.stdout);
    // Whoever asked for few words reads the last ones, too.
    copy.write("talk.py", "print('few words')\nraise SystemExit(1)\n");
    copy.commit("Talk less").await;
    let push = copy.push(&["-o", "quiet", "main"]).await;
    push.assert_code(1).assert_says("| few words").assert_says("exited 1: few words");
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn what_a_container_said_last_is_told_again_without_secrets() {
    last_lines_are_told_again(Runner::Container).await;
}

#[tokio::test]
async fn what_a_cage_said_last_is_told_again_without_secrets() {
    last_lines_are_told_again(Runner::Process).await;
}

#[tokio::test]
async fn a_use_that_cannot_be_is_refused_before_anything_runs() {
    let settings = settings(Runner::Container, &[]).await;
    let settings = defined(settings, ("hooks.npm-22", Runner::Container), "npm").await;
    let settings = settings.with("hooks.npm-22", "actions = [\"ci\", \"run\"]");
    let app = App::start_with(settings).await;
    let copy = copy(&app, "{one: {pyy: x.py}}").await;
    copy.commit("Ask for what is not there").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1)
        .assert_says("hook `pyy` is not available")
        .assert_says("did you mean \"py\"?");
    for (builds, says) in [
        ("{one: {py: [x.py, 'a;b']}}", "no shell takes part here"),
        ("{one: {make: {action: all, path: ../..}}}", "is outside the repository"),
        ("{one: {make: {action: all, path: nowhere}}}", "has no folder `nowhere` to run in"),
        ("{one: {make: {action: all, env: x}}}", "no option `env`"),
        ("{one: {composer-php84: install}}", "available: make, npm-22, py"),
        ("{one: {npm-22: publish}}", "actions: ci, run"),
        // The kind has it, and the administrator does not allow it.
        ("{one: {npm-22: install}}", "no action `install`"),
        ("{one: {npm-22: [ci, --prefix=/]}}", "is not an option that npm hooks take"),
        ("{one: {npm-22: [ci, --no-audit]}}", "write `no-audit`, without dashes"),
    ] {
        copy.write(".paas.yaml", &format!("builds: {builds}\n{}", copy.paas_yaml()));
        copy.commit("Ask for something else").await;
        copy.push(&["main"]).await.assert_code(1).assert_says(says);
    }
    app.assert_nothing_left().await;
    app.stop().await;
}
