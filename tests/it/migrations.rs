//! The tables as migrations make them: what diesel is told of them is true, and every step can be
//! taken back.

use std::collections::BTreeSet;

use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl as _};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
use pierhead::db::pool::connect;

use crate::support::database::TestDatabase;

const SCHEMA: &str = include_str!("../../src/db/schema.rs");

/// Every table, in the words in which diesel is told of it.
const TABLES: &str = "
    SELECT format(E'diesel::table! {\\n    %s (%s) {\\n%s\\n    }\\n}', t.relname, k.names, c.lines)
    FROM pg_class t, LATERAL (
        SELECT string_agg(a.attname, ', ' ORDER BY array_position(i.indkey::int2[], a.attnum)) AS names
        FROM pg_index i JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = t.oid AND i.indisprimary
    ) k, LATERAL (
        SELECT string_agg(format(CASE WHEN attnotnull THEN '        %s -> %s,'
            ELSE '        %s -> Nullable<%s>,' END, attname, initcap(typname)), E'\\n' ORDER BY attnum) AS lines
        FROM pg_attribute JOIN pg_type y ON y.oid = atttypid
        WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped
    ) c
    WHERE t.relnamespace = 'public'::regnamespace AND t.relkind = 'r' AND t.relname NOT LIKE '\\_\\_diesel%'
    ORDER BY t.relname";

/// Every foreign key of one column, in diesel's words.
const FOREIGN_KEYS: &str = "
    SELECT format('diesel::joinable!(%s -> %s (%s));', conrelid::regclass, confrelid::regclass, attname)
    FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'f' AND cardinality(conkey) = 1";

/// Everything that a migration may make, one object a row.
const OBJECTS: &str = "
    WITH ours AS (
        SELECT oid, relname, relkind FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '\\_\\_diesel%'
    )
    SELECT format('%s %s', relkind, relname) FROM ours
    UNION ALL
    SELECT format('%s.%s %s %s %s %s', relname, attname, format_type(atttypid, atttypmod),
        attnotnull, attidentity, pg_get_expr(adbin, adrelid))
    FROM ours JOIN pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relkind IN ('r', 'v', 'm')
    UNION ALL
    SELECT format('%s: %s', relname, pg_get_constraintdef(c.oid))
    FROM ours JOIN pg_constraint c ON conrelid = ours.oid
    UNION ALL SELECT pg_get_indexdef(oid) FROM ours WHERE relkind = 'i'
    UNION ALL SELECT format('%s: %s', relname, pg_get_viewdef(oid)) FROM ours WHERE relkind IN ('v', 'm')
    UNION ALL SELECT pg_get_triggerdef(t.oid) FROM ours JOIN pg_trigger t ON tgrelid = ours.oid
        WHERE NOT tgisinternal
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT format('type %s', typname) FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e')
    UNION ALL SELECT format('extension %s', extname) FROM pg_extension";

/// An installation from before accounts had quotas and keys an end.
const BEFORE: [&str; 5] = [
    "INSERT INTO users (id, email, name, administrator, disabled_at) VALUES
        (gen_random_uuid(), 'ana@example.org', 'ana', true, NULL),
        (gen_random_uuid(), 'bea@example.org', 'bea', false, now())",
    "INSERT INTO ssh_keys (id, user_id, name, algorithm, public_key, fingerprint)
        SELECT gen_random_uuid(), id, name, 'ssh-ed25519', 'x', 'SHA256:' || name FROM users",
    "INSERT INTO accounts (id, slug, name, deleted_at) VALUES
        (gen_random_uuid(), 'acme', 'Acme', NULL), (gen_random_uuid(), 'gone', 'Gone', now())",
    "INSERT INTO account_members (account_id, user_id, role)
        SELECT accounts.id, users.id, 'developer' FROM accounts, users",
    "INSERT INTO projects (id, account_id, slug, name, prefix)
        SELECT gen_random_uuid(), id, 'shop', 'shop', 'pre' FROM accounts",
];

/// All that it had, one row a line, in the words of before and of afterwards.
const KEPT: &str = "
    SELECT format('%s %s %s %s', email, name, administrator, disabled_at IS NULL) FROM users
    UNION ALL
    SELECT format('%s %s %s', fingerprint, user_id, revoked_at IS NULL) FROM ssh_keys
    UNION ALL SELECT format('%s %s %s', slug, name, deleted_at IS NULL) FROM accounts
    UNION ALL SELECT format('%s %s %s', account_id, user_id, role) FROM account_members
    UNION ALL SELECT format('%s %s %s %s', id, account_id, slug, prefix) FROM projects";

/// What it got: nobody may less than before, and nobody more.
const GOT: &str = "
    SELECT format('%s %s %s', access, all_projects, expires_at IS NULL) FROM ssh_keys
    UNION SELECT format('%s %s', deleted_at IS NULL, count(*)) FROM projects
        GROUP BY deleted_at IS NULL
    UNION SELECT format('%s quotas', count(*)) FROM account_quotas";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    format: String,
}

async fn ask(connection: &mut AsyncPgConnection, question: &str) -> Vec<String> {
    let question = format!("SELECT format FROM ({question}) AS rows (format)");
    let rows: Vec<Row> = sql_query(question).load(connection).await.unwrap();
    rows.into_iter().map(|row| row.format).collect()
}

async fn objects(connection: &mut AsyncPgConnection) -> BTreeSet<String> {
    ask(connection, OBJECTS).await.into_iter().collect()
}

#[track_caller]
fn assert_same(found: &BTreeSet<String>, expected: &BTreeSet<String>, when: &str) {
    let more: Vec<_> = found.difference(expected).collect();
    let less: Vec<_> = expected.difference(found).collect();
    let lines = |of: Vec<&String>| of.into_iter().cloned().collect::<Vec<_>>().join("\n");
    let is_same = more.is_empty() && less.is_empty();
    assert!(is_same, "{when}\ntoo much:\n{}\nmissing:\n{}", lines(more), lines(less));
}

#[tokio::test]
async fn diesel_is_told_what_the_tables_are() {
    let database = TestDatabase::create().await;
    let mut connection = connect(database.url()).await.unwrap();
    let tables = ask(&mut connection, TABLES).await;
    let told = SCHEMA.split("\n\n").filter(|part| part.starts_with("diesel::table!"));
    let told: BTreeSet<_> = told.map(|table| table.trim_end().to_owned()).collect();
    assert_same(&told, &tables.iter().cloned().collect(), "in src/db/schema.rs");

    let keys = ask(&mut connection, FOREIGN_KEYS).await;
    for line in SCHEMA.lines().filter(|line| line.starts_with("diesel::joinable!")) {
        assert!(keys.iter().any(|key| key == line), "there is no such foreign key: {line}");
    }
    let (_, together) =
        SCHEMA.split_once("diesel::allow_tables_to_appear_in_same_query!(").unwrap();
    assert_eq!(together.matches(",\n").count(), tables.len(), "every table, together with all");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_is_undone_by_its_way_back() {
    let database = TestDatabase::create().await;
    let mut look = connect(database.url()).await.unwrap();
    let migrated = objects(&mut look).await;
    let steps = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let steps = || FileBasedMigrations::from_path(steps).unwrap();
    let mut harness = AsyncMigrationHarness::new(connect(database.url()).await.unwrap());

    harness.revert_all_migrations(steps()).unwrap();
    let nothing = BTreeSet::from(["extension plpgsql".to_owned()]);
    assert_same(&objects(&mut look).await, &nothing, "after all ways back");
    while harness.has_pending_migration(steps()).unwrap() {
        let before = objects(&mut look).await;
        let step = harness.run_next_migration(steps()).unwrap().to_string();
        let after = objects(&mut look).await;
        harness.revert_last_migration(steps()).unwrap();
        assert_same(&objects(&mut look).await, &before, &format!("after the way back of {step}"));
        harness.run_next_migration(steps()).unwrap();
        assert_same(&objects(&mut look).await, &after, &format!("after {step}, again"));
    }
    assert_same(&objects(&mut look).await, &migrated, "after all migrations, again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_from_before_quotas_keeps_all_that_it_had() {
    let database = TestDatabase::create().await;
    let mut look = connect(database.url()).await.unwrap();
    let steps = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let steps = || FileBasedMigrations::from_path(steps).unwrap();
    let mut harness = AsyncMigrationHarness::new(connect(database.url()).await.unwrap());
    while harness.revert_last_migration(steps()).unwrap().to_string() != "20261201000000" {}
    for statement in BEFORE {
        sql_query(statement).execute(&mut look).await.unwrap();
    }
    let mut before = ask(&mut look, KEPT).await;
    before.sort();
    assert_eq!(before.len(), 12);
    harness.run_pending_migrations(steps()).unwrap();
    let mut after = ask(&mut look, KEPT).await;
    after.sort();
    assert_eq!(after, before);
    let got: BTreeSet<String> = ask(&mut look, GOT).await.into_iter().collect();
    let got: Vec<&str> = got.iter().map(String::as_str).collect();
    assert_eq!(got, ["0 quotas", "deploy t t", "t 2"]);
}
