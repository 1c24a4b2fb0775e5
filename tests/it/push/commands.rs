//! Commands over SSH.

use insta::assert_snapshot;

use crate::support::app::App;
use crate::support::app::developer::{finish, redacted};
use crate::support::app::gate::BuildGate;

#[tokio::test]
async fn jobs_logs_and_attach_show_the_same_history() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    ana.ssh(&["jobs", "shop"]).await.assert_ok().assert_says("nothing was deployed yet");
    let push = copy.push(&["main"]).await;
    push.assert_ok();
    let logs = ana.ssh(&["logs", "1"]).await;
    logs.assert_ok();
    let remote = push.remote().join("\n");
    assert_eq!(logs.stdout.trim_end(), remote);
    let attach = ana.ssh(&["attach", "1"]).await;
    attach.assert_ok();
    assert_eq!(attach.stdout, logs.stdout);
    let step = ana.ssh(&["logs", "1", "--step", "check"]).await;
    assert_snapshot!(redacted(&step.stdout), @"check     .paas.yaml: 1 pod, 1 image [time]");
    let jobs = ana.ssh(&["jobs", "acme/shop"]).await;
    jobs.assert_ok().assert_says("live").assert_says("Say hello");
    let json = ana.ssh(&["jobs", "shop", "--json"]).await;
    let job: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&job["number"], &job["outcome"]), (&1.into(), &"live".into()));
    ana.ssh(&["logs", "7"]).await.assert_code(128).assert_says("`job 7` not found");
    ana.ssh(&["logs", "one"]).await.assert_code(2).assert_says("pierhead: invalid value 'one'");
    app.stop().await;
}

#[tokio::test]
async fn help_is_what_was_asked_for() {
    let app = App::start().await;
    let ana = app.developer("ana").await;
    let help = ana.ssh(&["help"]).await;
    help.assert_ok();
    assert_eq!(help.stderr, "");
    let greeting = ana.ssh(&[]).await.assert_code(1).stderr.clone();
    assert!(greeting.ends_with(&help.stdout), "{greeting}");
    ana.ssh(&["help", "logs"]).await.assert_ok().assert_says(" logs [OPTIONS] <JOB>");
    app.stop().await;
}

#[tokio::test]
async fn a_reader_hangs_up_and_another_attaches() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Slowly").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    push.kill().await;
    let mut attach = ana.command("ssh", std::path::Path::new("/"));
    attach.args(ana.ssh_options()).args(["git@127.0.0.1", "attach", "1", "--json"]);
    let (attach, ()) = tokio::join!(finish(attach), gate.open(&app));
    attach.assert_ok();
    let last: serde_json::Value =
        serde_json::from_str(attach.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["end"]["outcome"], "live");
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(copy.head().await));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn redeploy_builds_the_tip_again_with_its_variables() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    // Nobody else's image of the same content may lend its layers.
    let text = copy.path.display().to_string();
    copy.write("index.html", &text);
    copy.commit("Say where").await;
    let nothing = ana.ssh(&["redeploy", "shop", "production"]).await;
    nothing.assert_code(1).assert_says("nothing was deployed here yet");
    copy.push(&["-o", "GREETING=x", "main"]).await.assert_ok();
    let again = ana.ssh(&["redeploy", "shop", "production"]).await;
    again.assert_ok().assert_says("v2: nothing changed since v1");
    let unknown = ana.ssh(&["redeploy", "shop", "staging"]).await;
    unknown.assert_code(1).assert_says("has no environment `staging`; it has production");
    assert_eq!(app.get(&copy.host(), "/").await, (200, text));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn json_and_quiet_pushes_say_what_their_readers_need() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let push = copy.push(&["-o", "json", "main", "main:topic"]).await;
    push.assert_ok();
    let lines: Vec<serde_json::Value> =
        push.remote().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs: Vec<i64> = lines.iter().filter_map(|line| line["seq"].as_i64()).collect();
    assert_eq!(seqs, (1..=i64::try_from(seqs.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(lines.iter().filter(|line| line["ref"] == "refs/heads/topic").count(), 1);
    let refused = copy.push(&["-o", "json", "--delete", "main"]).await;
    let lines = refused.assert_code(1).remote().join("\n");
    assert_snapshot!(lines, @r#"{"aside":"rejected","text":"`main` is the default branch and cannot be deleted"}"#);
    copy.commit("Again").await;
    let quiet = copy.push(&["-o", "quiet", "main"]).await;
    assert_snapshot!(quiet.assert_ok().told(), @r#"
    pierhead · shop/production · [id] "Again" · job 2 · ana (SHA256:[key])
    live      http://acme-shop.localhost:8080   v2, [time] in all
    "#);
    app.stop().await;
}
