//! Commits that nobody made by hand.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;

use insta::assert_snapshot;
use tokio::io::AsyncWriteExt as _;

use crate::support::app::App;
use crate::support::app::developer::{Copy, finish};

/// Runs git in a working copy with this on its standard input, and gives what it printed.
async fn fed(copy: &Copy, args: &[&str], input: &str) -> String {
    let mut child = copy.command(args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Makes a commit of what `HEAD` has and one more folder, and gives its id.
async fn with_folder(copy: &Copy, folder: &str) -> String {
    let mut tree = copy.git(&["ls-tree", "HEAD"]).await.stdout;
    writeln!(tree, "040000 tree {folder}\tzzz").unwrap();
    let tree = fed(copy, &["mktree"], &tree).await;
    fed(copy, &["commit-tree", &tree], "Hostile").await
}

#[tokio::test]
async fn folders_without_end_are_refused_before_anybody_walks_them() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;

    // Ten folders in each of ten folders, twelve times: a few kilobytes, and not one file.
    let mut folder = fed(&copy, &["mktree"], "").await;
    for _ in 0..12 {
        let ten = (0..10).fold(String::new(), |mut tree, n| {
            writeln!(tree, "040000 tree {folder}\td{n}").unwrap();
            tree
        });
        folder = fed(&copy, &["mktree"], &ten).await;
    }
    let wide = with_folder(&copy, &folder).await;
    let push = copy.push(&[&format!("{wide}:refs/heads/main")]).await;
    push.assert_code(1);
    assert_snapshot!(push.refs().join("\n"), @"! [remote rejected] [id] -> main (the commit has more than 200000 files)");

    let path = "a/".repeat(3_000);
    let deep = format!(
        "commit refs/heads/deep\ncommitter a <a@b> 0 +0000\ndata 4\nDeep\n\
         from refs/heads/main\nM 644 inline {path}file\ndata 1\nx\n"
    );
    fed(&copy, &["fast-import", "--quiet"], &deep).await;
    let push = copy.push(&["deep:main"]).await;
    push.assert_code(1);
    assert_snapshot!(push.refs().join("\n"), @"! [remote rejected] deep -> main (the commit has more than 128 folders in each other)");

    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    copy.push(&["main"]).await.assert_ok();
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_commit_that_would_fill_the_memory_is_refused_before_it_is_read() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let tree = copy.git(&["rev-parse", "HEAD^{tree}"]).await.stdout.trim().to_owned();
    let commit = fed(&copy, &["commit-tree", &tree], &"x".repeat(2 * 1024 * 1024)).await;
    // Also where nothing is deployed: others descend from it later.
    for branch in ["main", "other"] {
        let push = copy.push(&[&format!("{commit}:refs/heads/{branch}")]).await;
        push.assert_code(1).assert_says("has 2048 KiB; at most 1024");
    }
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn what_a_pusher_writes_repaints_nobodys_terminal() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    let subject = format!("\u{1b}]0;pwned\u{7}\u{1b}[2Ja\u{202e}b\u{9b}31m {}", "c".repeat(500));
    copy.commit(&subject).await;
    let push = copy.push(&["main"]).await;
    push.assert_ok();
    let (jobs, logs) = (ana.ssh(&["jobs", "shop"]).await, ana.ssh(&["logs", "1"]).await);
    for text in [push.stderr, jobs.assert_ok().stdout.clone(), logs.assert_ok().stdout.clone()] {
        assert!(text.contains("ab31m ccc"), "{text:?}");
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{text:?}");
        assert!(text.lines().all(|line| line.len() < 300), "{text}");
    }
    for name in ["a\u{9b}31m", "a\u{202e}b"] {
        let push = copy.push(&[&format!("HEAD:refs/heads/{name}")]).await;
        push.assert_code(1).assert_says("is not a valid ref name");
    }
    let mut bytes = copy.command(&["push", "pierhead"]);
    bytes.arg(std::ffi::OsStr::from_bytes(b"HEAD:refs/heads/a\xff"));
    finish(bytes).await.assert_code(1).assert_says("is not a valid ref name");
    app.assert_nothing_left().await;
    app.stop().await;
}
