//! Who gets in, and to what.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::app::{App, PATIENCE, Settings};

#[tokio::test]
async fn an_unknown_and_a_foreign_repository_answer_alike() {
    let app = App::start().await;
    app.project("shop").await;
    let eve = app.stranger("eve").await;
    let foreign = eve.hello("acme/shop").await.push(&["main"]).await;
    let unknown = eve.hello("acme/nothing").await.push(&["main"]).await;
    foreign.assert_code(128).assert_says("pierhead: repository not found");
    assert_eq!(foreign.stderr, unknown.stderr);
    let read = eve.clone_of("acme/shop", "clone", &[]).await.1;
    read.assert_code(128).assert_says("pierhead: repository not found");
    assert_eq!(eve.ssh(&["git-receive-pack 'acme/shop'"]).await.code, 128);
    assert_eq!(eve.ssh(&["git-upload-pack '../../etc'"]).await.code, 128);
    for words in
        ["jobs acme/shop", "attach 1", "logs 1", "cancel 1", "redeploy acme/shop production"]
            .into_iter()
            .chain(["vars acme/shop", "vars acme/shop set A", "vars acme/shop unset A"])
    {
        eve.ssh(&[words]).await.assert_code(128).assert_says("not found");
    }
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    app.stop().await;
}

#[tokio::test]
async fn a_key_that_nobody_registered_does_not_come_in() {
    let app = App::start().await;
    app.project("shop").await;
    let nobody = app.nobody("mallory").await;
    nobody.ssh(&["whoami"]).await.assert_code(255).assert_says("Permission denied (publickey)");
    nobody.hello("acme/shop").await.push(&["main"]).await.assert_code(128);
    let ana = app.developer("ana").await;
    let mut other_user = ana.command("ssh", std::path::Path::new("/"));
    other_user.args(ana.ssh_options()).args(["root@127.0.0.1", "whoami"]);
    let done = crate::support::app::developer::finish(other_user).await;
    done.assert_code(255).assert_says("Permission denied (publickey)");
    app.stop().await;
}

#[tokio::test]
async fn a_key_that_is_offered_but_does_not_sign_is_nobody() {
    let app = App::start().await;
    let (ana, eve) = (app.developer("ana").await, app.stranger("eve").await);
    // Only ana's public key is there: ssh offers it, is told that it would do, and cannot sign.
    let stolen = app.folder.path().join("stolen.pub");
    std::fs::write(&stolen, ana.public_key()).unwrap();
    let mut command = eve.command("ssh", std::path::Path::new("/"));
    let options = eve.ssh_options();
    command.args(["-i", stolen.to_str().unwrap()]).args(&options).args(["git@127.0.0.1", "whoami"]);
    let done = crate::support::app::developer::finish(command).await;
    done.assert_ok();
    assert!(done.stdout.starts_with("eve <eve@example.org>"), "{}", done.stdout);
    assert!(app.process("ssh").log().contains("eve came in"));
    assert!(!app.process("ssh").log().contains("ana came in"));

    let mut alone = eve.command("ssh", std::path::Path::new("/"));
    let others: Vec<_> = options.iter().filter(|o| !o.contains("id_ed25519")).collect();
    let others: Vec<_> = others.into_iter().filter(|o| *o != "-i").collect();
    alone.args(["-i", stolen.to_str().unwrap()]).args(others).args(["git@127.0.0.1", "whoami"]);
    crate::support::app::developer::finish(alone).await.assert_code(255);
    app.stop().await;
}

#[tokio::test]
async fn there_is_no_shell_no_terminal_and_no_tunnel() {
    let app = App::start().await;
    let ana = app.developer("ana").await;
    let greeting = ana.ssh(&[]).await;
    greeting.assert_code(1).assert_says("Hello ana").assert_says("redeploy <project>");
    ana.ssh(&["-tt"]).await.assert_code(255).assert_says("PTY allocation request failed");
    ana.ssh(&["sh"]).await.assert_code(127).assert_says("unknown command");
    ana.ssh(&["git-upload-archive 'acme/shop'"]).await.assert_code(127);
    ana.ssh(&["-s", "sftp"]).await.assert_code(255);
    let mut forward = ana.command("ssh", std::path::Path::new("/"));
    forward.args(ana.ssh_options()).args(["-W", "127.0.0.1:22", "git@127.0.0.1"]);
    let forward = crate::support::app::developer::finish(forward).await;
    forward.assert_code(255).assert_says("forwarding failed");
    app.stop().await;
}

#[tokio::test]
async fn a_key_that_is_revoked_after_the_login_commands_nothing() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    ana.ssh(&["whoami"]).await.assert_ok();
    app.execute("UPDATE ssh_keys SET revoked_at = now()").await;
    copy.push(&["main"]).await.assert_code(128).assert_says("Permission denied");
    app.stop().await;
}

#[tokio::test]
async fn a_viewer_reads_and_does_not_push() {
    let app = App::start().await;
    app.project("shop").await;
    let viewer = app.stranger("vic").await;
    pierhead::projects::set_member(
        &app.admin(),
        "acme".parse().unwrap(),
        viewer.email(),
        pierhead::domain::access::Role::Viewer,
    )
    .await
    .unwrap();
    viewer.ssh(&["jobs", "shop"]).await.assert_ok();
    let push = viewer.hello("acme/shop").await.push(&["main"]).await;
    push.assert_code(128).assert_says("you may look at `acme/shop`");
    app.stop().await;
}

#[tokio::test]
async fn who_does_not_log_in_in_time_is_hung_up_on_whatever_they_have_said() {
    let app = App::start_with(Settings::default().with("ssh", "login_time = \"300ms\"")).await;
    let door = SocketAddr::from(([127, 0, 0, 1], app.process("ssh").port("SSH")));
    for said in ["", "SSH-2.0-", "SSH-2.0-client\r\n"] {
        let mut line = TcpStream::connect(door).await.unwrap();
        line.write_all(said.as_bytes()).await.unwrap();
        let mut heard = Vec::new();
        let ended = tokio::time::timeout(PATIENCE, line.read_to_end(&mut heard)).await;
        assert!(ended.is_ok(), "{said:?} keeps the line open");
    }
    app.developer("ana").await.ssh(&["whoami"]).await.assert_ok();
    app.stop().await;
}
