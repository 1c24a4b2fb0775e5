//! Releases that serve again on a cluster.

use crate::push::kubernetes::{Harbour, RUNNER, page};
use crate::push::looks::Onlooker;
use crate::support::app::typed::typed;

/// A page on two pods, and work that counts on their disk how often it was done.
fn file(said: &str) -> String {
    let disk = "volumes: {data: {mount-path: /www/data, persistent: true, name: shared, \
                storage-size: 64Mi, write-many: true}}";
    let serving = page(said)
        .replace("        listen", &format!("        {disk}\n        listen"))
        .replace("; httpd", &format!("; echo this is {said}; httpd"));
    format!(
        "{serving}jobs:
  count:
    pods:
      run:
        containers:
          app: {{image: runner, {disk}, variables: {{RUN: echo {said} >> /www/data/done}}}}
"
    )
}

#[tokio::test]
async fn a_release_serves_again_its_work_is_not_done_twice_and_one_whose_image_is_gone_does_not() {
    let Some(harbour) = Harbour::open("rollbacks").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    copy.write("Dockerfile", RUNNER);
    copy.write(".paas.yaml", &file("first"));
    harbour.push(&copy, "First").await.assert_ok();
    let image = async || {
        let set = harbour.object("apps/v1", "StatefulSet", "web-sfset").await;
        set["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    };
    let first = image().await;
    // Another image, and a set that the first release has not.
    copy.write("Dockerfile", &format!("{RUNNER}LABEL of=second\n"));
    let with_map = format!("{}maps: {{late: {{a: b}}}}\n", file("second"));
    copy.write(".paas.yaml", &with_map);
    harbour.push(&copy, "Second").await.assert_ok();
    let second = image().await;
    assert_ne!(second, first);
    assert_eq!(harbour.names("v1", "ConfigMap").await, ["late-map"]);

    let back = harbour.ana.ssh(&["rollback", "shop", "production"]).await;
    back.assert_ok().assert_says("v3: v1 again, ").assert_says("web 2/2 ready");
    assert!(!back.stdout.contains("warning:"), "{}", back.stdout);
    assert_eq!(harbour.ask("web:80", "/").await, Ok("first".to_owned()));
    assert_eq!(image().await, first);
    assert_eq!(harbour.names("v1", "ConfigMap").await, [""; 0]);
    // Neither was it done again, nor is the disk another one.
    let done = harbour.ask("web:80", "/data/done").await;
    assert_eq!(done, Ok("first\nsecond".to_owned()));

    let ps = harbour.ana.ssh(&["ps", "shop", "production"]).await;
    ps.assert_ok().assert_says("web[0]/app  ").assert_says("web[1]/app  ").assert_says("running");
    let tail = harbour.ana.ssh(&["tail", "shop", "production"]).await;
    tail.assert_ok().assert_says("web[0]/app | this is first");
    Onlooker::new(&harbour.ana, &["tail", "shop", "production", "web", "-f"])
        .reads("web[1]/app | this is first")
        .await;
    let diff = harbour.ana.ssh(&["diff", "shop", "production", "v2", "v3"]).await;
    diff.assert_ok()
        .assert_says("main: 1 changed, 1 removed")
        .assert_says("- ConfigMap late-map")
        .assert_says("~ StatefulSet web-sfset")
        .assert_says("env.RUN: changed");

    let before = harbour.everything().await;
    harbour.registry.forget(&second);
    let gone = harbour.ana.ssh(&["rollback", "shop", "production", "v2"]).await;
    gone.assert_code(1)
        .assert_says("of v2 is gone: its registry does not have ")
        .assert_says("choose a newer release, or push its commit");
    assert_eq!(harbour.everything().await, before);
    assert_eq!(harbour.ask("web:80", "/").await, Ok("first".to_owned()));
    harbour.close().await;
}

#[tokio::test]
async fn who_looks_on_while_a_release_comes_sees_all_that_it_prints_but_its_secrets() {
    let Some(harbour) = Harbour::open("onlookers").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    let talking =
        |page: &str, words: &str| page.replace("; httpd", &format!("; echo {words}; httpd"));
    copy.write("Dockerfile", RUNNER);
    copy.write(".paas.yaml", &talking(&page("first"), "here is first"));
    harbour.push(&copy, "First").await.assert_ok();
    let words = ["tail", "shop", "production", "-f", "-n", "10"];
    let mut onlooker = Onlooker::new(&harbour.ana, &words);
    onlooker.reads("here is first").await;
    let token =
        typed(&harbour.ana, "vars shop set TOKEN --secret", b"onlookers-must-not-see").await;
    token.assert_ok();
    let second = talking(&page("second"), "this is ${TOKEN}");
    let another = "  more:
    containers:
      app: {image: runner, variables: {RUN: echo here is more; sleep 1000}}
";
    copy.write(".paas.yaml", &format!("{second}{another}"));
    copy.commit("Second").await;
    copy.push(&["main"]).await.assert_ok();
    let read = onlooker.reads("this is ").await;
    let line = read.last().unwrap();
    assert!(line.ends_with("/app | this is [secret TOKEN]"), "{line}");
    // It has a pod that was not there when somebody began to look.
    let read = onlooker.reads("here is more").await;
    assert!(read.last().unwrap().starts_with("more["), "{read:?}");
    harbour.close().await;
}
