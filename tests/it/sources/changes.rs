//! Branches elsewhere that are forced, deleted, or lead to the same place.

use pierhead::domain::job::{JobState, Outcome};

use crate::sources::https_server::{HttpsServer, TOKEN};
use crate::sources::{Elsewhere, admin, settings};
use crate::support::app::App;
use crate::support::app::typed::administrate;

/// An installation whose `acme/shop` comes from a repository elsewhere.
async fn shop() -> (App, Elsewhere, HttpsServer) {
    let app = App::start_with(settings()).await;
    app.project("shop").await;
    let elsewhere = Elsewhere::new(&app).await;
    let server = HttpsServer::start(&elsewhere.root()).await;
    let words = format!("admin set source acme/shop {} --token -", server.url("shop.git"));
    administrate(&app, &words, TOKEN).await.assert_ok();
    (app, elsewhere, server)
}

async fn check(app: &App) -> String {
    admin(app, "check source acme/shop").await.assert_ok().stdout.clone()
}

#[tokio::test]
async fn a_forced_branch_deploys_its_tip_and_a_protected_one_does_not() {
    let (app, elsewhere, _server) = shop().await;
    let first = elsewhere.greet("first").await;
    elsewhere.greet("second").await;
    assert!(check(&app).await.ends_with(": job 1 deploys it to production\n"));
    app.ended(1).await;

    elsewhere.copy.git(&["reset", "-q", "--hard", &first]).await.assert_ok();
    elsewhere.publish(&["--force", "main"]).await;
    assert!(check(&app).await.ends_with(": job 2 deploys it to production\n"));
    let job = app.ended(2).await;
    assert!(job.forced);
    assert_eq!(job.state, JobState::Ended(Outcome::Live), "{}", job.reason);
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(first.clone()));
    assert_eq!(app.get(&elsewhere.copy.host(), "/").await, (200, "first".to_owned()));

    let rule = "create rule acme/shop refs/heads/main --environment production --protected";
    admin(&app, rule).await.assert_ok();
    elsewhere.copy.git(&["commit", "-q", "--amend", "-m", "other"]).await.assert_ok();
    elsewhere.publish(&["--force", "main"]).await;
    let told = check(&app).await;
    assert!(told.ends_with(": not deployed: it drops commits, and its rule is protected\n"));
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(first));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_branch_that_is_deleted_there_is_forgotten_here_and_keeps_serving() {
    let (app, elsewhere, _server) = shop().await;
    app.rule("shop", "refs/heads/topic/*", "staging").await;
    app.cluster("shop", "staging", "staging").await;
    elsewhere.greet("main").await;
    elsewhere.copy.git(&["checkout", "-q", "-b", "topic/a"]).await.assert_ok();
    let file = elsewhere.copy.paas_yaml().replace(&elsewhere.copy.host(), "topic.localhost");
    elsewhere.copy.write(".paas.yaml", &file);
    elsewhere.copy.commit("Elsewhere").await;
    elsewhere.publish(&["topic/a"]).await;
    check(&app).await;
    app.ended(1).await;
    app.ended(2).await;
    assert!(app.tip("shop", "refs/heads/topic/a").await.is_some());
    elsewhere.publish(&["--delete", "topic/a"]).await;
    let told = check(&app).await;
    assert!(told.contains("topic/a: gone there, and here; what is live keeps serving\n"), "{told}");
    assert_eq!(app.tip("shop", "refs/heads/topic/a").await, None);

    // The default branch stays, whatever becomes of it there.
    elsewhere.publish(&["HEAD:refs/heads/other"]).await;
    elsewhere.publish(&["--delete", "main"]).await;
    let told = check(&app).await;
    assert!(told.contains("main: gone there, kept here: it is the default branch\n"), "{told}");
    assert!(told.contains("1 other ref: no rule speaks of it\n"), "{told}");
    assert!(app.tip("shop", "refs/heads/main").await.is_some());
    assert_eq!(app.get(&elsewhere.copy.host(), "/").await.0, 200);
    app.stop().await;
}

#[tokio::test]
async fn of_two_branches_for_one_environment_the_better_rule_deploys() {
    let (app, elsewhere, _server) = shop().await;
    app.rule("shop", "refs/heads/rel*", "production").await;
    elsewhere.greet("main").await;
    elsewhere.copy.git(&["checkout", "-q", "-b", "release"]).await.assert_ok();
    elsewhere.copy.commit("Release").await;
    elsewhere.publish(&["release"]).await;
    let told = check(&app).await;
    assert!(told.contains(": job 1 deploys it to production\n"), "{told}");
    let stored = "stored, not deployed: main deploys to the same environment\n";
    assert!(told.contains(stored), "{told}");
    app.ended(1).await;
    let told = check(&app).await;
    assert_eq!(told.matches(": nothing new").count(), 2, "{told}");
    app.stop().await;
}

#[tokio::test]
async fn a_commit_that_cannot_be_deployed_has_a_history_that_says_why() {
    let (app, elsewhere, _server) = shop().await;
    elsewhere.copy.write(".paas.yaml", "paas: {version: v9}\n");
    elsewhere.copy.commit("Break it").await;
    elsewhere.publish(&["main"]).await;
    check(&app).await;
    let job = app.ended(1).await;
    assert_eq!(job.state, JobState::Ended(Outcome::Failed));
    let logs = elsewhere.copy.developer.ssh(&["logs", "1"]).await;
    logs.assert_says(".paas.yaml:1:17");
    assert_eq!(app.tip("shop", "refs/heads/main").await, None, "it moves when it serves");
    // Somebody asks: it is tried again, with what there is by now.
    assert!(check(&app).await.ends_with(": job 2 deploys it to production\n"));
    app.ended(2).await;
    elsewhere.greet("mended").await;
    assert!(check(&app).await.ends_with(": job 3 deploys it to production\n"));
    assert_eq!(app.ended(3).await.state, JobState::Ended(Outcome::Live));
    app.assert_nothing_left().await;
    app.stop().await;
}
