//! A PostgreSQL database of its own for every test.

use std::time::Duration;

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use pierhead::db::feed::Feed;
use pierhead::db::migrate::migrate;
use pierhead::db::pool::{Db, connect};
use pierhead::tasks::{Tasks, blocking};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Begins the name of every test's database; its creation time follows.
const PREFIX: &str = "pierhead_test_";

/// Begins the name of migrated databases that are only copied; a hash of the migrations follows.
const TEMPLATE: &str = "pierhead_template_";

/// Age after which a test's database was left behind by a killed process.
const FORGOTTEN: Duration = Duration::from_secs(3_600);

/// Key of the lock under which templates are made and what was left behind is removed.
const LOCK: i64 = 0x7069_6572;

/// Connections of one test.
const CONNECTIONS: usize = 8;

/// An empty, migrated database; dropped with this value, whoever is still connected.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    name: String,
    url: String,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    datname: String,
}

/// The number that a query gives.
pub(crate) async fn count(db: &Db, sql: &'static str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let row: diesel::QueryResult<Row> =
        db.run(async move |connection| sql_query(sql).get_result(connection).await).await;
    row.unwrap().count
}

impl TestDatabase {
    /// Makes a database by copying a migrated one, which takes some 50 ms.
    pub(crate) async fn create() -> Self {
        blocking(|| aside(create(&server()))).await
    }

    /// Its connection URI.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A pool of connections to it.
    pub(crate) fn db(&self) -> Db {
        Db::open(&self.url, CONNECTIONS).unwrap()
    }

    /// Cuts every connection and refuses new ones, as a server does that is being restarted.
    pub(crate) async fn go_away(&self) {
        self.administrate(&[
            format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name),
            format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
                self.name
            ),
        ])
        .await;
    }

    /// Takes connections again.
    pub(crate) async fn come_back(&self) {
        self.administrate(&[format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)]).await;
    }

    async fn administrate(&self, statements: &[String]) {
        let mut admin = connect(&server()).await.unwrap();
        for statement in statements {
            run(&mut admin, statement).await;
        }
    }

    /// Listens to its bells.
    pub(crate) fn feed(&self, tasks: &Tasks) -> Feed {
        Feed::start(&self.url, tasks)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        aside(async {
            // A server that is gone has taken the database with it.
            if let Ok(mut admin) = connect(&server()).await {
                run(&mut admin, &drop).await;
            }
        });
    }
}

/// Runs something on threads of its own, whatever the runtime of the test is like.
fn aside<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| Runtime::new().unwrap().block_on(work));
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The connection URI of a server where tests may create databases.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration file")]
fn server() -> String {
    std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!(
            "set TEST_DATABASE_URL to a PostgreSQL server where databases may be created, such as \
             postgres:///postgres?host=/tmp/pg&user=postgres; bin/test starts one"
        )
    })
}

async fn create(server: &str) -> TestDatabase {
    let mut admin = connect(server).await.expect("the server at TEST_DATABASE_URL answers");
    run(&mut admin, &format!("SELECT pg_advisory_lock({LOCK})")).await;
    remove_forgotten(&mut admin).await;
    let template = template(&mut admin, server).await;
    run(&mut admin, &format!("SELECT pg_advisory_unlock({LOCK})")).await;
    let name = format!("{PREFIX}{}", Uuid::now_v7().simple());
    run(&mut admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    TestDatabase { url: with_database(server, &name), name }
}

/// The migrated database, made if it is not there; another one after each change of migrations.
async fn template(admin: &mut AsyncPgConnection, server: &str) -> String {
    let template = format!("{TEMPLATE}{}", hash_of_migrations());
    if names(admin, &template).await.contains(&template) {
        return template;
    }
    // Renamed when it is complete, so that a killed process leaves no half of one.
    let making = format!("{TEMPLATE}in_the_making");
    run(admin, &format!("DROP DATABASE IF EXISTS {making} WITH (FORCE)")).await;
    run(admin, &format!("CREATE DATABASE {making}")).await;
    migrate(&with_database(server, &making)).await.unwrap();
    run(admin, &format!("ALTER DATABASE {making} RENAME TO {template}")).await;
    template
}

async fn remove_forgotten(admin: &mut AsyncPgConnection) {
    let created = |id: Uuid| id.get_timestamp().map_or(0, |created| created.to_unix().0);
    let now = created(Uuid::now_v7());
    for name in names(admin, PREFIX).await {
        let id = name.strip_prefix(PREFIX).and_then(|id| Uuid::parse_str(id).ok());
        if id.is_none_or(|id| created(id) + FORGOTTEN.as_secs() < now) {
            run(admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

async fn names(admin: &mut AsyncPgConnection, prefix: &str) -> Vec<String> {
    let names: Vec<Name> =
        sql_query("SELECT datname::text FROM pg_database WHERE starts_with(datname, $1)")
            .bind::<Text, _>(prefix)
            .load(admin)
            .await
            .unwrap();
    names.into_iter().map(|name| name.datname).collect()
}

async fn run(admin: &mut AsyncPgConnection, statement: &str) {
    sql_query(statement).execute(admin).await.unwrap();
}

fn hash_of_migrations() -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let mut steps: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|step| step.unwrap().path().join("up.sql"))
        .filter(|step| step.is_file())
        .collect();
    steps.sort();
    let mut hash = Sha256::new();
    for step in steps {
        hash.update(step.to_string_lossy().as_bytes());
        hash.update(std::fs::read(step).unwrap());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The same URI with the name of another database.
fn with_database(url: &str, name: &str) -> String {
    let (rest, query) = match url.split_once('?') {
        Some((rest, query)) => (rest, format!("?{query}")),
        None => (url, String::new()),
    };
    let (scheme, place) = rest.split_once("://").expect("TEST_DATABASE_URL is a URI");
    let host = place.split_once('/').map_or(place, |(host, _)| host);
    format!("{scheme}://{host}/{name}{query}")
}

#[test]
fn the_name_of_the_database_is_replaced_wherever_it_stands() {
    let with = |url| with_database(url, "x");
    assert_eq!(with("postgres:///postgres?host=/tmp/pg"), "postgres:///x?host=/tmp/pg");
    assert_eq!(with("postgres://me@db:5433/postgres"), "postgres://me@db:5433/x");
    assert_eq!(with("postgres://db?user=me"), "postgres://db/x?user=me");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_test_has_its_own_database_and_leaves_none() {
    let all = futures::future::join_all((0..4).map(|_| TestDatabase::create())).await;
    let mut admin = connect(&server()).await.unwrap();
    let existing = names(&mut admin, PREFIX).await;
    assert!(all.iter().all(|database| existing.contains(&database.name)));

    let connected = connect(all[0].url()).await.unwrap();
    let gone: Vec<_> = all.iter().map(|database| database.name.clone()).collect();
    drop(all);
    let existing = names(&mut admin, PREFIX).await;
    assert!(gone.iter().all(|name| !existing.contains(name)));
    drop(connected);
}
