//! Hooks that are ended: by people, with their worker, or never begun.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use bollard::query_parameters::ListContainersOptionsBuilder;
use tokio::process::Command;
use uuid::Uuid;

use crate::hooks::{Runner, copy, processes, settings};
use crate::support::app::developer::{Copy, finish};
use crate::support::app::{App, PATIENCE, Settings};

const WAIT: &str = "import time\nprint('it waits')\ntime.sleep(1000)\n";

/// A project whose hook waits for ever, with a word by which its processes are known.
async fn waiting(app: &App) -> (Copy, String) {
    let word = format!("word-{}", Uuid::now_v7().simple());
    let copy = copy(app, &format!("{{wait: {{py: [wait.py, {word}]}}}}")).await;
    copy.write("wait.py", WAIT);
    copy.commit("Wait").await;
    (copy, word)
}

/// Asserts that the container of the first job's hook has nothing that it does not need.
async fn assert_caged(app: &App) {
    let label = format!("pierhead.dev/hook-of-job={}", app.job(1).await.id);
    let filters = HashMap::from([("label".to_owned(), vec![label])]);
    let options = ListContainersOptionsBuilder::default().filters(&filters).build();
    let containers = app.docker().list_containers(Some(options)).await.unwrap();
    let id = containers[0].id.clone().unwrap();
    let container = app.docker().inspect_container(&id, None).await.unwrap();
    let host = container.host_config.unwrap();
    assert_eq!(host.privileged, Some(false));
    assert_eq!(host.readonly_rootfs, Some(true));
    assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
    assert_eq!(host.security_opt, Some(vec!["no-new-privileges".to_owned()]));
    assert_eq!(host.network_mode.as_deref(), Some("none"));
    let bounds = (host.memory, host.memory_swap, host.nano_cpus, host.pids_limit);
    assert_eq!(bounds, (Some(1 << 30), Some(1 << 30), Some(1_000_000_000), Some(256)));
    let mounts = container.mounts.unwrap().into_iter();
    let mut seen: Vec<_> = mounts.filter_map(|mount| mount.destination).collect();
    seen.sort();
    assert_eq!(seen, ["/home/hook", "/workspace"]);
    assert!(!container.config.unwrap().user.unwrap().starts_with("0:"));
}

async fn a_cancelled_hook_ends(runner: Runner) {
    if !runner.may_run() {
        return;
    }
    let app = App::start_with(settings(runner, &[]).await).await;
    let (copy, word) = waiting(&app).await;
    let mut push = copy.start_push(&["main"]);
    push.until_says("it waits").await;
    assert!(!processes(&word).is_empty());
    if runner == Runner::Container {
        assert_caged(&app).await;
    }
    copy.developer.ssh(&["cancel", "1"]).await.assert_ok();
    push.finish().await.assert_code(1).assert_says("job 1: cancelled by ana");
    assert!(processes(&word).is_empty());
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_cancelled_hook_ends_with_its_container() {
    a_cancelled_hook_ends(Runner::Container).await;
}

#[tokio::test]
async fn a_cancelled_hook_ends_with_its_cage() {
    a_cancelled_hook_ends(Runner::Process).await;
}

/// Waits until a word is in the command lines of other processes only.
async fn until_others(word: &str, before: &BTreeSet<u32>) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let now = processes(word);
        if !now.is_empty() && now.is_disjoint(before) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{before:?} and {now:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_hook_ends_with_its_worker(runner: Runner) {
    if !runner.may_run() {
        return;
    }
    let settings = settings(runner, &[]).await;
    let settings = Settings { roles: &["ssh", "worker", "router"], ..settings };
    let mut app = App::start_with(settings).await;
    let (copy, word) = waiting(&app).await;
    let mut push = copy.start_push(&["main"]);
    push.until_says("it waits").await;
    let before = processes(&word);
    app.take("worker").kill().await;
    app.spawn("worker").await;
    // The next worker runs it once more, alone.
    until_others(&word, &before).await;
    copy.developer.ssh(&["cancel", "1"]).await.assert_ok();
    push.finish().await.assert_code(1).assert_says("cancelled by ana");
    assert!(processes(&word).is_empty());
    app.until_swept().await;
    app.stop().await;
}

#[tokio::test]
async fn a_hook_in_a_container_ends_with_its_worker() {
    a_hook_ends_with_its_worker(Runner::Container).await;
}

#[tokio::test]
async fn a_hook_in_a_cage_ends_with_its_worker() {
    a_hook_ends_with_its_worker(Runner::Process).await;
}

#[tokio::test]
async fn a_worker_whose_hooks_cannot_be_caged_does_not_start() {
    if !Runner::Process.may_run() {
        return;
    }
    let settings = settings(Runner::Process, &[]).await.with("hooks", "bwrap = \"/nowhere\"");
    let app = App::start_with(Settings { roles: &[], ..settings }).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_pierhead"));
    command.env_clear().env("PIERHEAD_CONFIG", app.configuration()).arg("worker");
    let done = finish(command).await;
    done.assert_says("has runner = \"process\", which this machine cannot do");
    done.assert_says("/nowhere cannot be started (setting hooks.bwrap): install bubblewrap");
    assert_ne!(done.code, 0);
    assert!(!Path::new("/nowhere").exists());
    app.stop().await;
}
