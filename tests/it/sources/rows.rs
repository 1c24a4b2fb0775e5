//! Looks as rows: one at a time for a project, people first, and taken over when a worker is gone.

use diesel::QueryResult;
use pierhead::db::models::project::Project;
use pierhead::db::models::source_check::{self, NewCheck, Standing, Taken};
use pierhead::db::pool::Db;
use pierhead::domain::ids::{CheckId, ProjectId};
use pierhead::domain::source::{CheckPurpose, Checked};
use uuid::Uuid;

use crate::support::database::TestDatabase;
use crate::support::rows::Shop;

const LEASE: f64 = 60.0;

async fn ask(db: &Db, project: ProjectId, purpose: CheckPurpose) -> CheckId {
    let new = NewCheck {
        id: CheckId::from(Uuid::now_v7()),
        project_id: project,
        purpose,
        user_id: None,
        asked_by: "ana".to_owned(),
        fingerprint: String::new(),
    };
    let asked: QueryResult<CheckId> =
        db.run(async move |connection| source_check::ask(connection, &new).await).await;
    asked.unwrap()
}

async fn take(db: &Db, worker: &'static str, lease: f64) -> Option<Taken> {
    let taken: QueryResult<Option<Taken>> =
        db.run(async move |connection| source_check::take(connection, worker, lease).await).await;
    taken.unwrap()
}

async fn end(db: &Db, taken: &Taken, worker: &'static str) -> bool {
    let id = taken.id;
    let ended: QueryResult<bool> = db
        .transaction(async move |connection| {
            source_check::end(connection, (id, worker), &Ok(Checked::default())).await
        })
        .await;
    ended.unwrap()
}

#[tokio::test]
async fn a_project_is_looked_at_once_at_a_time_and_people_come_first() {
    let database = TestDatabase::create().await;
    let db = database.db();
    drop(Shop::new(db.clone()).await);
    let all: QueryResult<Vec<Project>> = db.run(async move |c| Project::all(c).await).await;
    let shop = all.unwrap()[0].id;
    let scheduled = ask(&db, shop, CheckPurpose::Schedule).await;
    let asked = ask(&db, shop, CheckPurpose::Deploy).await;
    assert_eq!(ask(&db, shop, CheckPurpose::Deploy).await, asked, "it is asked for already");

    let first = take(&db, "one", LEASE).await.unwrap();
    assert_eq!((first.id, first.attempt), (asked, 1));
    assert_eq!(take(&db, "two", LEASE).await, None, "the same project is looked at");
    // Asked for after it began: what it has seen may be old.
    let again = ask(&db, shop, CheckPurpose::Deploy).await;
    assert_ne!(again, asked);
    assert!(end(&db, &first, "one").await);
    let standing: QueryResult<Option<Standing>> =
        db.run(async move |connection| source_check::standing(connection, asked).await).await;
    assert_eq!(standing.unwrap(), Some(Standing::Ended(Ok(Checked::default()))));
    assert_eq!(take(&db, "two", LEASE).await.unwrap().id, again);
    assert_eq!(take(&db, "one", LEASE).await, None);
    assert_ne!(scheduled, again);
}

#[tokio::test]
async fn what_a_silent_worker_looked_at_is_taken_over_and_its_answer_not_heard() {
    let database = TestDatabase::create().await;
    let db = database.db();
    drop(Shop::new(db.clone()).await);
    let all: QueryResult<Vec<Project>> = db.run(async move |c| Project::all(c).await).await;
    let shop = all.unwrap()[0].id;
    ask(&db, shop, CheckPurpose::Deploy).await;
    let silent = take(&db, "silent", -1.0).await.unwrap();
    let next = take(&db, "next", LEASE).await.unwrap();
    assert_eq!((next.id, next.attempt), (silent.id, 2));
    assert!(!end(&db, &silent, "silent").await);
    assert!(end(&db, &next, "next").await);
}
