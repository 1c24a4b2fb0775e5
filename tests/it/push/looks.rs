//! What people see of what runs: releases compared, containers, and what these print.

use std::path::Path;
use std::time::Duration;

use bollard::query_parameters::RestartContainerOptions;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::support::PATIENCE;
use crate::support::app::developer::Developer;
use crate::support::app::typed::{administrate, typed};
use crate::support::app::{App, Settings};

/// Somebody who looks on, until they are dropped.
pub(super) struct Onlooker {
    _ssh: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Onlooker {
    pub(super) fn new(developer: &Developer, words: &[&str]) -> Self {
        let mut command = developer.command("ssh", Path::new("/"));
        command.args(developer.ssh_options()).arg("git@127.0.0.1").args(words);
        let mut ssh = command.spawn().unwrap();
        let lines = BufReader::new(ssh.stdout.take().unwrap()).lines();
        Self { _ssh: ssh, lines }
    }

    /// Waits until they read a line with this, and gives all up to it.
    pub(super) async fn reads(&mut self, text: &str) -> Vec<String> {
        let reading = async {
            let mut read = Vec::new();
            while let Some(line) = self.lines.next_line().await.unwrap() {
                read.push(line);
                if read.last().is_some_and(|line| line.contains(text)) {
                    return read;
                }
            }
            panic!("{text} was never told: {read:?}")
        };
        let patience: Duration = PATIENCE * 3;
        tokio::time::timeout(patience, reading)
            .await
            .unwrap_or_else(|_| panic!("{text} is not told"))
    }
}

#[tokio::test]
async fn who_may_look_sees_what_runs_what_it_prints_and_what_differs() {
    // Apart: the front door has no way to an engine, and no key.
    let roles = Settings { roles: &["ssh", "worker", "router"], ..Settings::default() };
    let mut app = App::start_with(roles).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let nothing = ana.ssh(&["ps", "shop", "production"]).await;
    nothing.assert_code(1).assert_says("nothing is live in `production`");
    let token = typed(&ana, "vars shop set TOKEN --secret", b"hunter2-of-tail").await;
    token.assert_ok();
    let copy = ana.hello("acme/shop").await;
    let file = |more: &str| {
        let variables = format!("        variables: {{TOKEN: '${{TOKEN}}'{more}}}\n");
        let listen = "        listen: [8080]\n";
        copy.paas_yaml().replace(listen, &format!("{listen}{variables}"))
    };
    copy.write(".paas.yaml", &file(""));
    // It tells of every request.
    copy.write(
        "Dockerfile",
        "FROM busybox:stable\nCOPY index.html /www/\n\
         CMD echo \"with $TOKEN\"; exec httpd -f -vv -p 8080 -h /www\n",
    );
    copy.commit("Talk").await;
    copy.push(&["main"]).await.assert_ok();

    let ps = ana.ssh(&["ps", "shop", "production"]).await;
    ps.assert_ok().assert_says("web[1]/app  ").assert_says("  running  ").assert_says("since 20");
    let ps = ana.ssh(&["ps", "shop", "production", "--json"]).await;
    let container: Value = serde_json::from_str(ps.assert_ok().stdout.trim()).unwrap();
    assert_eq!((&container["cluster"], &container["ready"]), (&"docker".into(), &true.into()));
    let tail = ana.ssh(&["tail", "shop", "production", "web", "-n", "1000"]).await;
    tail.assert_ok().assert_says("web[1]/app | with [secret TOKEN]");
    let nope = ana.ssh(&["tail", "shop", "production", "nope"]).await;
    nope.assert_code(1).assert_says("v1 has no pod `nope`; it has web");

    let mut onlooker = Onlooker::new(&ana, &["tail", "shop", "production", "-f"]);
    onlooker.reads("with [secret TOKEN]").await;
    app.get(&copy.host(), "/first-marker").await;
    onlooker.reads("first-marker").await;
    // The next release is followed as soon as it serves.
    copy.write(".paas.yaml", &file(", MOTD: hi"));
    copy.write("index.html", "second");
    copy.commit("Second").await;
    copy.push(&["main"]).await.assert_ok();
    onlooker.reads("with [secret TOKEN]").await;
    app.get(&copy.host(), "/second-marker").await;
    onlooker.reads("second-marker").await;
    // A container that is started again goes on where it was read to.
    let environment = app.environment("shop", "production").await.id;
    let [container] = &app.started(environment, 1).await[..] else { panic!() };
    app.docker().restart_container(container, None::<RestartContainerOptions>).await.unwrap();
    let read = onlooker.reads("with [secret TOKEN]").await;
    assert!(!read.join("\n").contains("second-marker"), "{read:?}");
    drop(onlooker);
    // Nobody keeps what nobody reads.
    app.until_count("SELECT count(*) FROM questions", 0).await;
    app.until_count("SELECT count(*) FROM answers", 0).await;

    let diff = ana.ssh(&["diff", "shop", "production", "v1"]).await;
    diff.assert_ok()
        .assert_says("docker: 1 changed")
        .assert_says("containers.app.env.MOTD: added")
        .assert_says("containers.app.image: sha256:");
    assert!(!diff.stdout.contains("hunter2") && !diff.stdout.contains("hi"), "{}", diff.stdout);
    assert!(diff.stdout.starts_with("v1      replaced"), "{}", diff.stdout);
    let same = ana.ssh(&["diff", "shop", "production", "v2", "v2"]).await;
    same.assert_ok().assert_says("docker: nothing differs");
    let unknown = ana.ssh(&["diff", "shop", "production", "v7"]).await;
    unknown.assert_code(1).assert_says("`production` has no release v7");
    let info = ana.ssh(&["info", "shop"]).await;
    info.assert_ok()
        .assert_says("v2 at ")
        .assert_says("refs/heads/main deploys to docker (docker)");

    // The same at the server's terminal.
    let admin = async |words: &str| administrate(&app, &format!("admin {words}"), "").await;
    admin("ps acme/shop production").await.assert_ok().assert_says("web[1]/app  ");
    let tail = admin("tail acme/shop production web").await;
    tail.assert_ok().assert_says("web[1]/app | with [secret TOKEN]");
    admin("diff acme/shop production v1").await.assert_ok().assert_says("docker: 1 changed");
    let unknown = admin("tail acme/shop production nope").await;
    unknown.assert_code(1).assert_says("v2 has no pod `nope`; it has web");

    app.take("worker").terminate().await;
    let silent = ana.ssh(&["ps", "shop", "production"]).await;
    silent.assert_code(1).assert_says("no worker answers");
    app.stop().await;
}
