//! Rows of an installation that has been used for years.

use diesel::sql_query;
use diesel_async::RunQueryDsl as _;
use pierhead::db::models::job::Job;
use pierhead::db::pool::Db;

/// What copies Ana's shop and its one job, row by row, whatever columns there are.
const STATEMENTS: [&str; 12] = [
    "UPDATE users SET administrator = true, password_once = false",
    "INSERT INTO accounts SELECT (jsonb_populate_record(a, jsonb_build_object(
         'id', gen_random_uuid(), 'slug', 'account-' || n))).*
     FROM accounts a, generate_series(1, 99) n",
    "INSERT INTO projects SELECT (jsonb_populate_record(p, jsonb_build_object(
         'id', gen_random_uuid(), 'slug', 'project-' || n, 'account_id', a.id))).*
     FROM projects p, accounts a, generate_series(1, 100) n",
    "INSERT INTO environments SELECT (jsonb_populate_record(e, jsonb_build_object(
         'id', gen_random_uuid(), 'project_id', p.id))).*
     FROM environments e, projects p WHERE p.slug <> 'shop'",
    "INSERT INTO deploy_rules (id, project_id, ref_pattern, environment_id)
     SELECT gen_random_uuid(), project_id, 'refs/heads/main', id FROM environments",
    "INSERT INTO clusters (id, project_id, environment_id, name, kind, address, namespace)
     SELECT gen_random_uuid(), project_id, id, 'engine', 'docker', 'unix:///var/run/docker.sock',
            'n' || replace(id::text, '-', '')
     FROM environments",
    // Ended jobs, one of every environment and some more of the shop.
    "INSERT INTO jobs SELECT (jsonb_populate_record(j, jsonb_build_object(
         'id', gen_random_uuid(), 'number', nextval('job_numbers'), 'state', 'ended',
         'outcome', 'live', 'environment_id', e.id, 'ended_at', now()))).*
     FROM jobs j, environments e",
    "INSERT INTO jobs SELECT (jsonb_populate_record(j, jsonb_build_object(
         'id', gen_random_uuid(), 'number', nextval('job_numbers'), 'state', 'ended',
         'outcome', 'live', 'ended_at', now()))).*
     FROM jobs j, generate_series(1, 100) WHERE j.state = 'queued'",
    "INSERT INTO releases (id, environment_id, number, state, job_id, fence, commit_oid, model,
                           images, variables, objects, live_at)
     SELECT gen_random_uuid(), environment_id, 1, 'live', id, 1, new_oid, '{}', '{}', '{}', '{}', now()
     FROM (SELECT DISTINCT ON (environment_id) * FROM jobs WHERE state = 'ended') ended",
    "INSERT INTO history (job_id, seq, attempt, step, kind, text, date, extra, batch)
     SELECT id, n, 1, 'image', 'line', 'Step ' || n || ' of a build, as it is printed by a tool',
            now(), '{}', gen_random_uuid()
     FROM (SELECT id FROM jobs WHERE state = 'ended' ORDER BY number LIMIT 9000) picked,
          generate_series(1, 100) n",
    "INSERT INTO history (job_id, seq, attempt, step, kind, text, date, extra, batch)
     SELECT id, n, 1, 'image', 'line', 'Step ' || n || ' of a build, as it is printed by a tool',
            now(), '{}', gen_random_uuid()
     FROM (SELECT id FROM jobs WHERE state = 'ended' ORDER BY number DESC LIMIT 1) newest,
          generate_series(1, 100000) n",
    "INSERT INTO audit (id, date, door, who, origin, deed, subject, details)
     SELECT gen_random_uuid(), now() - n * interval '1 minute', 'ssh', 'ana@example.org', '192.0.2.1',
            'set-variable', 'acme/shop', '{\"variable\": \"TOKEN\"}'
     FROM generate_series(1, 100000) n",
];

/// Fills a database in which there is Ana's shop, and gives the job with the long History.
pub(crate) async fn fill(db: &Db) -> Job {
    for statement in STATEMENTS {
        execute(db, statement).await;
    }
    execute(
        db,
        "UPDATE environments e SET live_release = r.id FROM releases r
                 WHERE r.environment_id = e.id",
    )
    .await;
    execute(db, "UPDATE jobs SET last_seq = 100000 WHERE number = (SELECT max(number) FROM jobs)")
        .await;
    execute(db, "ANALYZE").await;
    #[derive(diesel::QueryableByName)]
    struct Newest {
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        id: uuid::Uuid,
    }
    let newest = "SELECT id FROM jobs ORDER BY number DESC LIMIT 1";
    let found: diesel::QueryResult<Job> = db
        .run(async move |connection| {
            let newest: Newest = sql_query(newest).get_result(connection).await?;
            Job::find(connection, newest.id.into()).await
        })
        .await;
    found.unwrap()
}

async fn execute(db: &Db, statement: &'static str) {
    let done: diesel::QueryResult<usize> =
        db.run(async move |connection| sql_query(statement).execute(connection).await).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}
