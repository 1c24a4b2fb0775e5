//! Releases that serve again.

use bollard::query_parameters::RemoveImageOptionsBuilder;
use insta::assert_snapshot;
use pierhead::domain::access::Role;
use pierhead::domain::job::Outcome;
use pierhead::projects::set_member;

use crate::support::app::developer::{Copy, Developer, redacted};
use crate::support::app::gate::{BuildGate, healthy_when_told};
use crate::support::app::typed::{administrate, typed};
use crate::support::app::{App, Settings};

/// Commits a page that says this.
async fn say(copy: &Copy, text: &str) {
    copy.write("index.html", &page(copy, text));
    copy.commit(text).await;
}

/// An application of which two releases have been live; each says which, and where it is from.
async fn with_two_releases(app: &App, ana: &Developer) -> Copy {
    app.project("shop").await;
    let copy = ana.hello("acme/shop").await;
    for text in ["first", "second"] {
        say(&copy, text).await;
        copy.push(&["main"]).await.assert_ok();
    }
    copy
}

/// Another test's image of the same content would be the same one.
fn page(copy: &Copy, text: &str) -> String {
    format!("{text} of {}", copy.path.display())
}

#[tokio::test]
async fn what_served_before_serves_again_without_a_build() {
    let app = App::start().await;
    let ana = app.developer("ana").await;
    let copy = with_two_releases(&app, &ana).await;
    let tip = copy.head().await;
    let back = ana.ssh(&["rollback", "shop", "production"]).await;
    back.assert_ok();
    let told = redacted(&back.stdout);
    // The port is another one in each test.
    let told: Vec<_> = told.lines().filter(|line| !line.contains("| undo: ")).collect();
    assert_snapshot!(told.join("\n"), @r#"
    pierhead · shop/production · rollback to v1, [id] "first" · job 3 · ana (SHA256:[key])
    check     v1 as it was stored: 1 pod, 1 image [time]
    image     1 image is there [time]
    release   v3: v1 again, 1 image changed since v2 [time]
    rollout   web 1/1 ready [time]
    route     acme-shop.localhost/ [time]
    live      http://acme-shop.localhost:8080   v3, [time] in all
    "#);
    back.assert_says("undo: ssh").assert_says("rollback acme/shop production v2");
    assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "first")));
    // The branch stays: the next push builds upon what is there.
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(tip));
    let releases = ana.ssh(&["releases", "shop", "production"]).await;
    let releases = releases.assert_ok().stdout.clone();
    let lines: Vec<&str> = releases.lines().collect();
    assert!(lines[0].starts_with("v3      live") && lines[0].contains("v1 again: "), "{releases}");
    let json = ana.ssh(&["releases", "shop", "production", "--json"]).await;
    let newest: serde_json::Value =
        serde_json::from_str(json.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&newest["source"], &newest["state"]), (&1.into(), &"live".into()));

    // Whoever goes back once more does not come to what they left.
    let nothing = ana.ssh(&["rollback", "shop", "production"]).await;
    nothing.assert_code(1).assert_says("`production` has nothing that served before");
    let serves = ana.ssh(&["rollback", "shop", "production", "v3"]).await;
    serves.assert_code(1).assert_says("v3 serves already");
    let unknown = ana.ssh(&["rollback", "shop", "production", "v9"]).await;
    unknown.assert_code(1).assert_says("`production` has no release v9");
    let forth = ana.ssh(&["rollback", "shop", "production", "v2"]).await;
    forth.assert_ok().assert_says("v4: v2 again, 1 image changed since v3");
    assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "second")));

    // The same at the server's terminal.
    let words = "admin rollback acme/shop production v3 --by ana@example.org";
    administrate(&app, words, "").await.assert_ok().assert_says("Job 5 makes v3 of acme/shop");
    app.ended(5).await;
    assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "first")));
    let list = administrate(&app, "admin list releases acme/shop production", "").await;
    list.assert_ok().assert_says("v5  live").assert_says("v3 again");

    // A push goes on where the branch is.
    say(&copy, "third").await;
    copy.push(&["main"]).await.assert_ok().assert_says("v6");
    let back = ana.ssh(&["rollback", "shop", "production", "v4"]).await;
    back.assert_ok().assert_says("v7: v4 again");
    assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "second")));
    // Further back than what it is one more of.
    let back = ana.ssh(&["rollback", "shop", "production"]).await;
    back.assert_ok().assert_says("v8: v1 again");
    assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "first")));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn variables_come_back_with_the_release_and_secrets_stay_hidden() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.empty("acme/shop").await;
    copy.write_hello("unused");
    let file = copy.paas_yaml().replace(
        "        listen: [8080]\n",
        "        listen: [8080]\n        variables: {TOKEN: '${TOKEN}', SAID: '${SAID}'}\n",
    );
    copy.write(".paas.yaml", &file);
    // It serves what it was given, and prints its secret.
    copy.write(
        "Dockerfile",
        "FROM busybox:stable\nCMD mkdir -p /www && echo \"$SAID\" > /www/index.html && \
         echo \"with $TOKEN\" && exec httpd -f -p 8080 -h /www\n",
    );
    copy.commit("Say it").await;
    let set = async |name: &str, value: &str| {
        typed(&ana, &format!("vars shop set {name}"), value.as_bytes()).await.assert_ok();
    };
    set("TOKEN --secret", "old-s3cret-of-shop").await;
    set("SAID", "one").await;
    copy.push(&["main"]).await.assert_ok();
    set("TOKEN --secret", "new-s3cret-of-shop").await;
    set("SAID", "two").await;
    ana.ssh(&["redeploy", "shop", "production"]).await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await.1.trim(), "two");

    ana.ssh(&["rollback", "shop", "production", "v1"]).await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await.1.trim(), "one");
    let stored = app.count("SELECT count(*) FROM history WHERE text LIKE '%s3cret-of-shop%'").await;
    assert_eq!(stored, 0);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn an_image_that_is_gone_is_told_and_what_serves_is_left_alone() {
    let app = App::start().await;
    let ana = app.developer("ana").await;
    let copy = with_two_releases(&app, &ana).await;
    let environment = app.environment("shop", "production").await.id;
    let before = app.objects_of(&environment.to_string()).await;
    let serving = app.images_of(environment).await;
    let all = app.images_built_for(environment).await;
    for image in all.iter().filter(|image| !serving.contains(image)) {
        let force = RemoveImageOptionsBuilder::default().force(true).build();
        app.docker().remove_image(image, Some(force), None).await.unwrap();
    }
    let commit = copy.git(&["rev-parse", "--short=7", "HEAD~1"]).await.stdout.trim().to_owned();
    let back = ana.ssh(&["rollback", "shop", "production", "v1"]).await;
    back.assert_code(1)
        .assert_says("hello:production of v1 is gone: cluster `docker` does not have ")
        .assert_says("choose a newer release, or push its commit")
        .assert_says(&format!("commit {commit} again"));
    let job = app.job(3).await;
    assert_eq!((job.state.outcome(), job.applying_since), (Some(Outcome::Failed), None));
    assert_eq!(app.objects_of(&environment.to_string()).await, before);
    assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "second")));
    assert_eq!(app.count("SELECT count(*) FROM releases").await, 2);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_rollback_comes_before_builds_that_wait_and_ends_those_before_it() {
    let app = App::start().await;
    let ana = app.developer("ana").await;
    let copy = with_two_releases(&app, &ana).await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    say(&copy, "third").await;
    let third = copy.start_push(&["main"]);
    gate.reached().await;
    let plain = gate.dockerfile().replace(&format!("{}\n", gate.line()), "");
    copy.write("Dockerfile", &plain);
    say(&copy, "fourth").await;
    let fourth = copy.start_push(&["main"]);
    app.until(4, "waited", |_| true).await;
    let rollback = async { ana.ssh(&["rollback", "shop", "production", "v1"]).await };
    let others = async {
        app.until(5, "waited", |_| true).await;
        say(&copy, "fifth").await;
        let fifth = copy.start_push(&["main"]);
        app.until(6, "waited", |_| true).await;
        gate.open(&app).await;
        fifth
    };
    let (rollback, fifth) = tokio::join!(rollback, others);
    third.finish().await.assert_ok();
    rollback.assert_ok().assert_says("v4: v1 again");
    fourth.finish().await.assert_code(1).assert_says("superseded by job 5");
    fifth.finish().await.assert_ok().assert_says("v5");
    assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "fifth")));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn of_rollbacks_that_wait_the_newest_runs_and_two_to_one_release_are_one_job() {
    let app = App::start().await;
    let (ana, bea) = (app.developer("ana").await, app.developer("bea").await);
    let copy = with_two_releases(&app, &ana).await;
    say(&copy, "third").await;
    copy.push(&["main"]).await.assert_ok();
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    say(&copy, "fourth").await;
    let fourth = copy.start_push(&["main"]);
    gate.reached().await;
    let both = async {
        let first = ["rollback", "acme/shop", "production", "v1"];
        tokio::join!(ana.ssh(&first), bea.ssh(&first))
    };
    let newest = async {
        app.until(5, "waited", |_| true).await;
        let noted = "SELECT count(*) FROM audit WHERE deed = 'rollback'";
        app.until_count(noted, 2).await;
        ana.ssh(&["rollback", "acme/shop", "production", "v2"]).await
    };
    let opened = async {
        // Whoever finds the job that they ask for has used up a number all the same.
        app.until(7, "waited", |_| true).await;
        gate.open(&app).await;
    };
    let ((one, other), newest, ()) = tokio::join!(both, newest, opened);
    fourth.finish().await.assert_ok();
    newest.assert_ok().assert_says("v5: v2 again");
    for of_first in [one, other] {
        of_first.assert_code(1).assert_says(" · job 5 · ").assert_says("superseded by job 7");
    }
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 6);
    assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "second")));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_rollback_that_is_cancelled_or_loses_its_worker_is_put_back() {
    let roles = Settings { roles: &["ssh", "worker", "router"], ..Settings::default() };
    let mut app = App::start_with(roles).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    let environment = app.environment("shop", "production").await.id;
    let plain = copy.paas_yaml();
    copy.write(".paas.yaml", &healthy_when_told(&plain));
    say(&copy, "first").await;
    let first = copy.start_push(&["main"]);
    let [container] = &app.started(environment, 0).await[..] else { panic!() };
    app.tell_healthy(container).await;
    first.finish().await.assert_ok();
    copy.write(".paas.yaml", &plain);
    say(&copy, "second").await;
    copy.push(&["main"]).await.assert_ok();

    // It stands there until somebody tells it that it is healthy.
    let back = ["rollback", "shop", "production", "v1"];
    let cancelled = async {
        app.started(environment, 2).await;
        ana.ssh(&["cancel", "3"]).await.assert_ok();
    };
    let (rollback, ()) = tokio::join!(ana.ssh(&back), cancelled);
    rollback.assert_code(1).assert_says("undone    v2 kept serving");
    let killed = async {
        app.started(environment, 3).await;
        app.take("worker").kill().await;
        assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "second")));
        app.spawn("worker").await;
    };
    let (rollback, ()) = tokio::join!(ana.ssh(&back), killed);
    rollback.assert_code(1).assert_says("its worker was lost").assert_says("v2 kept serving");
    assert_eq!(app.job(4).await.state.to_string(), "lost");
    assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "second")));
    let nothing = ana.ssh(&["rollback", "shop", "production", "v3"]).await;
    nothing.assert_code(1).assert_says("v3 never served");
    app.until_swept().await;
    app.stop().await;
}

#[tokio::test]
async fn a_release_beyond_the_quotas_of_today_does_not_serve_again() {
    let app = App::start().await;
    let ana = app.developer("ana").await;
    let copy = with_two_releases(&app, &ana).await;
    let words = "admin set account acme --quota cpu:compute:1";
    administrate(&app, words, "").await.assert_ok();
    let back = ana.ssh(&["rollback", "shop", "production"]).await;
    back.assert_code(1)
        .assert_says("v1 is beyond the account's quotas of today")
        .assert_says("| `cpu`: container web/app has no limit")
        .assert_says("choose another release, or push its commit");
    assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "second")));
    let again = "admin redeploy acme/shop production --by ana@example.org";
    administrate(&app, again, "").await.assert_ok().assert_says("Job 4 deploys acme/shop");
    app.ended(4).await;
    // That one was compiled with the quota.
    let narrower = "admin set account acme --quota cpu:compute:500m";
    administrate(&app, narrower, "").await.assert_ok();
    say(&copy, "third").await;
    copy.push(&["main"]).await.assert_ok();
    let back = ana.ssh(&["rollback", "shop", "production", "v3"]).await;
    back.assert_code(1).assert_says("`cpu`: 1.000 at most in all, the account grants 500m");
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_rollback_waits_for_no_build_of_another_environment() {
    let app = App::start_with(Settings::default().with("worker", "concurrency = 1")).await;
    let ana = app.developer("ana").await;
    let copy = with_two_releases(&app, &ana).await;
    let gate = BuildGate::new();
    app.project("slow").await;
    app.project("next").await;
    let slow = ana.hello("acme/slow").await;
    slow.write("Dockerfile", &gate.dockerfile());
    slow.commit("Slowly").await;
    let slow = slow.start_push(&["main"]);
    gate.reached().await;
    let next = ana.hello("acme/next").await.start_push(&["main"]);
    app.until(4, "waited", |_| true).await;
    let rollback = async { ana.ssh(&["rollback", "shop", "production"]).await };
    let opened = async {
        app.until(5, "waited", |_| true).await;
        gate.open(&app).await;
    };
    let (rollback, ()) = tokio::join!(rollback, opened);
    rollback.assert_ok().assert_says("v3: v1 again");
    slow.finish().await.assert_ok();
    next.finish().await.assert_ok();
    let order = "SELECT count(*) FROM job_runs AS back JOIN jobs AS of_back ON of_back.id = back.job_id, \
         job_runs AS build JOIN jobs AS of_build ON of_build.id = build.job_id \
         WHERE of_back.number = 5 AND of_build.number = 4 AND back.started_at < build.started_at";
    assert_eq!(app.count(order).await, 1);
    assert_eq!(app.get(&copy.host(), "/").await, (200, page(&copy, "first")));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn who_may_only_look_does_not_roll_back() {
    let app = App::start().await;
    let ana = app.developer("ana").await;
    with_two_releases(&app, &ana).await;
    let vic = app.stranger("vic").await;
    set_member(&app.admin(), "acme".parse().unwrap(), vic.email(), Role::Viewer).await.unwrap();
    vic.ssh(&["releases", "shop", "production"]).await.assert_ok();
    let refused = vic.ssh(&["rollback", "shop", "production", "v1"]).await;
    refused.assert_code(128).assert_says("you may look at `shop`, but not do this");
    app.execute(
        "UPDATE ssh_keys SET access = 'read' FROM users \
         WHERE users.id = user_id AND users.name = 'ana'",
    )
    .await;
    let refused = ana.ssh(&["rollback", "shop", "production", "v1"]).await;
    refused.assert_code(128).assert_says("may only read `shop`");
    assert_eq!(app.count("SELECT count(*) FROM jobs WHERE kind = 'rollback'").await, 0);
    app.stop().await;
}
