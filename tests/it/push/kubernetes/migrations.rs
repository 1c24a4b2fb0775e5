//! Jobs before the deployment.

use crate::push::kubernetes::{Harbour, page, write};

/// A migration that ends in some way, and reads a secret and a map.
fn migrating(end: &str, secret: &str) -> String {
    format!(
        "secrets: {{db: {{provider: map, options: {{password: {secret}}}}}}}
maps: {{db: {{host: database.{secret}}}}}
jobs:
  migrate:
    planning: before-deployment
    pods:
      schema:
        containers:
          sql:
            image: runner
            variables:
              RUN: \"test $HOST = database.$PASSWORD && echo moving $HOST && {end}\"
              from-maps: {{HOST: db.host}}
              from-secrets: {{PASSWORD: db.password}}
"
    )
}

#[tokio::test]
async fn a_migration_that_fails_has_changed_nothing_and_the_next_one_passes() {
    let Some(harbour) = Harbour::open("migrations").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", &migrating("true", "before-v1"));
    harbour
        .push(&copy, "First")
        .await
        .assert_ok()
        .assert_says("migrate/schema 1/1 ready, web 2/2 ready");
    let (mut before, pods) = (harbour.everything().await, harbour.ground.pods("web").await);
    let generation = harbour.generation("web-dplmt").await;
    let names: Vec<_> = before.keys().cloned().collect();
    assert!(before.contains_key("Secret db-secret") && before.contains_key("ConfigMap db-map"));
    let copies = |name: &String| name.starts_with("Secret db-secret-");
    assert!(!before.keys().any(copies), "{before:?}");

    write(&copy, "second", &migrating("exit 5", "after-v2"));
    let failing = harbour.push(&copy, "Second");
    let push = harbour.serving("web:80", "first", failing).await;
    push.assert_code(1).assert_says("Job migrate-schema-job: ended with code 5");
    push.assert_says("| .paas.yaml:22 (jobs.migrate.pods.schema.containers.sql), cluster main");
    push.assert_says("| moving database.").assert_says("v1 kept serving");
    assert_eq!(push.stderr.matches("moving database.").count(), 1, "{}", push.stderr);
    let mut after = harbour.everything().await;
    // It ran, and is there to be looked at.
    assert_ne!(before.remove("Job migrate-schema-job"), after.remove("Job migrate-schema-job"));
    assert_eq!(before, after);
    assert_eq!(harbour.generation("web-dplmt").await, generation);
    assert_eq!(harbour.ground.pods("web").await, pods);
    let secret = harbour.object("v1", "Secret", "db-secret").await;
    assert_eq!(secret["data"]["password"], "YmVmb3JlLXYx");

    write(&copy, "third", &migrating("true", "after-v2"));
    harbour.push(&copy, "Third").await.assert_ok().assert_says("v3");
    assert_eq!(harbour.ask("web:80", "/").await, Ok("third".to_owned()));
    let left: Vec<_> = harbour.everything().await.into_keys().collect();
    assert_eq!(left, names);
    harbour.close().await;
}

#[tokio::test]
async fn the_first_migration_fails_and_nothing_is_left() {
    let Some(harbour) = Harbour::open("first").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", &migrating("exit 5", "before-v1"));
    let push = harbour.push(&copy, "First").await;
    push.assert_code(1).assert_says("ended with code 5").assert_says("nothing served before");
    let left: Vec<_> = harbour.everything().await.into_keys().collect();
    assert_eq!(left, [""; 0]);
    copy.write(".paas.yaml", &page("first"));
    harbour.push(&copy, "Without it").await.assert_ok();
    harbour.close().await;
}
