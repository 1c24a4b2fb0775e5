//! What a worker is given, asked for without one.

use std::time::Duration;

use pierhead::db::models::job::Job;
use pierhead::domain::cache::Cache;
use pierhead::git::bare_repository::Repositories;
use pierhead::jobs::{Claimed, Jobs};
use pierhead::people::identify;

use crate::support::app::developer::Developer;
use crate::support::app::{App, Settings};

const WITHOUT_WORKER: Settings =
    Settings { tables: Vec::new(), roles: &["ssh", "worker", "router"], redis: None };

fn jobs(app: &App) -> Jobs {
    let repositories = Repositories::new(app.state().join("repositories"));
    let (db, vital, lease) = (app.db.clone(), app.db.clone(), Duration::from_secs(60));
    Jobs::new(db, vital, repositories, lease, "ssh git@host".to_owned())
}

async fn redeployed(app: &App, jobs: &Jobs, by: &Developer) -> Job {
    let (project, environment) =
        (app.project_row("shop").await, app.environment("shop", "production").await);
    let identity = identify(&app.db, &by.fingerprint()).await.unwrap().unwrap();
    jobs.redeploy(&project, &environment, (&identity.user, &identity.fingerprint), Cache::Used)
        .await
        .unwrap()
        .job()
        .clone()
}

async fn claimed(jobs: &Jobs, bell: &Job) -> Claimed {
    jobs.claim(bell.id, "test").await.unwrap().expect("there is something to do")
}

#[tokio::test]
async fn a_redeploy_that_was_given_back_makes_room_for_the_next_one() {
    let mut app = App::start_with(WITHOUT_WORKER).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    ana.hello("acme/shop").await.push(&["main"]).await.assert_ok();
    app.take("worker").terminate().await;
    let jobs = jobs(&app);
    let first = redeployed(&app, &jobs, &ana).await;
    let run = claimed(&jobs, &first).await.run;
    let second = redeployed(&app, &jobs, &ana).await;
    assert_ne!(first.id, second.id);
    // Both are for the same tip, with the same variables.
    run.give_back().await.unwrap();
    let run = claimed(&jobs, &first).await.run;
    assert_eq!(run.job().id, second.id);
    assert_eq!(app.job(2).await.reason, "superseded by job 3");
    run.give_back().await.unwrap();
    assert_eq!(claimed(&jobs, &second).await.run.job().new_oid, run.job().new_oid);
    app.stop().await;
}

#[tokio::test]
async fn a_job_that_waited_behind_a_long_one_is_not_forgotten() {
    let mut app = App::start_with(WITHOUT_WORKER).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    ana.hello("acme/shop").await.push(&["main"]).await.assert_ok();
    app.take("worker").terminate().await;
    let jobs = jobs(&app);
    let job = redeployed(&app, &jobs, &ana).await;
    claimed(&jobs, &job).await.run.give_back().await.unwrap();
    let limit = Duration::from_secs(3_600);
    app.execute("UPDATE jobs SET created_at = now() - interval '2 hours' WHERE number = 2").await;
    jobs.end_forgotten(limit).await.unwrap();
    assert_eq!(app.job(2).await.reason, "");
    // Nothing was done there for as long.
    app.execute("UPDATE job_runs SET ended_at = now() - interval '2 hours'").await;
    jobs.end_forgotten(limit).await.unwrap();
    assert_eq!(app.job(2).await.reason, "not started in time");
    app.stop().await;
}
