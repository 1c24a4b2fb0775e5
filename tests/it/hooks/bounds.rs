//! Hooks that take more than they may: each is ended, with all that it started, and told.

use uuid::Uuid;

use crate::hooks::{Runner, copy, processes, settings};
use crate::support::app::App;

const LIMITS: [&str; 6] = [
    "time = \"4s\"",
    "memory = 268435456",
    "pids = 64",
    "disk = 67108864",
    "files = 2000",
    "output = 1048576",
];

/// What a hook does, and what is said of it.
const GREEDY: [(&str, &str, &str); 8] = [
    (
        "a fork bomb",
        "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass\n",
        "was ended after 4s, the longest it may take",
    ),
    (
        "one that does not hear",
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1000)\n",
        "was ended after 4s, the longest it may take",
    ),
    ("much output", "while True: print('x' * 60000)\n", "was ended for printing more than 1 MiB"),
    (
        "output without an end of a line",
        "import sys\nwhile True: sys.stdout.write('x' * 60000)\n",
        "was ended for printing more than 1 MiB",
    ),
    (
        "many files",
        "import os, time\nos.mkdir('d')\nfor n in range(10**7): open(f'd/{n}', 'w').close()\n",
        "was ended for making more than 2000 files",
    ),
    (
        "large files",
        "for n in range(10**4): open(f'f{n}', 'wb').write(b'x' * (1 << 24))\n",
        "was ended for writing more than 64 MiB",
    ),
    (
        "much memory",
        "x = b'x' * (1 << 30)\nprint(len(x))\n",
        "was ended for wanting more than 256 MiB of memory",
    ),
    (
        // So deep that a path to it would be too long.
        "folders in folders",
        "import os\nfor n in range(5000):\n  os.mkdir('d')\n  os.chdir('d')\n",
        "more than 128 folders in each other",
    ),
];

async fn greedy_hooks_are_ended(runner: Runner) {
    if !runner.may_run() {
        return;
    }
    let app = App::start_with(settings(runner, &LIMITS).await).await;
    let word = format!("word-{}", Uuid::now_v7().simple());
    let copy = copy(&app, &format!("{{try: {{py: [try.py, {word}]}}}}")).await;
    // A daemon ends with the hook that started it.
    let daemon = "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0: time.sleep(1000)\n";
    copy.write("try.py", &format!("{daemon}print('started a daemon')\n"));
    copy.commit("Leave a daemon").await;
    copy.push(&["main"]).await.assert_ok().assert_says("started a daemon");
    assert!(processes(&word).is_empty(), "the daemon is still there");
    for (what, script, says) in GREEDY {
        copy.write("try.py", script);
        copy.commit(what).await;
        let push = copy.push(&["main"]).await;
        push.assert_code(1).assert_says(says);
        assert!(processes(&word).is_empty(), "{what} is still there");
        // What runs beside it goes on.
        assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()), "{what}");
        app.assert_nothing_left().await;
    }
    app.stop().await;
}

#[tokio::test]
async fn greedy_hooks_are_ended_in_a_container() {
    greedy_hooks_are_ended(Runner::Container).await;
}

#[tokio::test]
async fn greedy_hooks_are_ended_as_a_process() {
    greedy_hooks_are_ended(Runner::Process).await;
}

async fn a_hook_leaves_room_on_the_disk(runner: Runner) {
    if !runner.may_run() {
        return;
    }
    // More than any disk has.
    let settings = settings(runner, &[]).await.with("hooks", "keep_free = 4611686018427387904");
    let app = App::start_with(settings).await;
    let copy = copy(&app, "{try: {py: try.py}}").await;
    copy.write("try.py", "print('it ran')\n");
    copy.commit("Run a hook").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("MiB left (setting hooks.keep_free)");
    assert!(!push.stderr.contains("it ran"), "{}", push.stderr);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_hook_in_a_container_leaves_room_on_the_disk() {
    a_hook_leaves_room_on_the_disk(Runner::Container).await;
}

#[tokio::test]
async fn a_hook_in_a_cage_leaves_room_on_the_disk() {
    a_hook_leaves_room_on_the_disk(Runner::Process).await;
}
