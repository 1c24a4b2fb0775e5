//! What hooks keep for the next push of their project.

use crate::hooks::{Runner, copy, defined, settings};
use crate::support::app::App;
use crate::support::app::developer::Copy;

/// Says what it finds, keeps a file of a size, and fails when it is told to.
const KEEP: &str = "import os\n\
    kind = os.environ['KIND']\n\
    print(kind, 'found', sorted(os.listdir('/cache')))\n\
    open(f'/cache/{kind}', 'wb').write(b'x' * int(open('size').read()))\n\
    raise SystemExit(int(open('code').read()))\n";

const BUILDS: &str = "{keep: {npm-22: install, pip: install}}";

/// Pushes with a size of what is kept and the code of the last hook, which only 0 lets go on.
async fn push(copy: &Copy, args: &[&str], (size, code): (&str, &str)) -> String {
    copy.write("size", size);
    copy.write("code", code);
    copy.commit("Keep something").await;
    copy.push(args).await.stderr
}

fn assert_found(said: &str, npm: &str, pip: &str) {
    for (kind, found) in [("npm", npm), ("pip", pip)] {
        let line = format!("{kind} found {found}");
        assert!(found.is_empty() || said.contains(&line), "{line}:\n{said}");
    }
}

async fn what_hooks_keep_is_their_projects(runner: Runner) {
    if !runner.may_run() {
        return;
    }
    let mut settings = settings(runner, &[]).await;
    for (table, kind) in [("hooks.npm-22", "npm"), ("hooks.pip", "pip")] {
        settings = defined(settings, (table, runner), kind).await;
        settings = settings.with(table, "command = [\"python3\", \"keep.py\"]");
        settings = settings.with(table, "cache = 1048576");
        settings = settings.with(table, &format!("env = {{ KIND = {kind:?} }}"));
    }
    let app = App::start_with(settings).await;
    let copy = copy(&app, BUILDS).await;
    copy.write("keep.py", KEEP);
    assert_found(&push(&copy, &["main"], ("1", "0")).await, "[]", "[]");
    // Each kind has its own, and so has each project.
    assert_found(&push(&copy, &["main"], ("1", "1")).await, "['npm']", "");
    app.project("other").await;
    let other = copy.developer.empty("acme/other").await;
    other.write(".paas.yaml", &format!("builds: {BUILDS}\n{}", other.paas_yaml()));
    other.write("keep.py", KEEP);
    assert_found(&push(&other, &["main"], ("1", "1")).await, "[]", "");
    // Another order of the two shows that what failed has not taken anything away.
    let redeployed = copy.developer.ssh(&["redeploy", "acme/shop", "production"]).await;
    redeployed.assert_ok();
    assert_found(&redeployed.stdout, "['npm']", "['pip']");
    let words = ["redeploy", "acme/shop", "production", "--no-cache"];
    let redeployed = copy.developer.ssh(&words).await;
    redeployed.assert_ok();
    assert_found(&redeployed.stdout, "[]", "[]");
    let said = push(&copy, &["-o", "no-cache", "main"], ("1500000", "1")).await;
    assert_found(&said, "[]", "");
    assert!(said.contains("| cache dropped: it held more than 1 MiB"), "{said}");
    assert_found(&push(&copy, &["main"], ("1", "1")).await, "[]", "");
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn what_hooks_in_containers_keep_is_their_projects() {
    what_hooks_keep_is_their_projects(Runner::Container).await;
}

#[tokio::test]
async fn what_hooks_in_cages_keep_is_their_projects() {
    what_hooks_keep_is_their_projects(Runner::Process).await;
}
