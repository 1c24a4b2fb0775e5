//! Who changed what, when and from where.

use insta::assert_snapshot;

use crate::accounts::{admin, front_door};
use crate::support::app::App;
use crate::support::app::typed::typed;
use crate::support::database::count;

/// What is noted, oldest first, without dates, ids and machines.
async fn noted(app: &App, words: &str) -> String {
    let done = admin(app, format!("audit --json {words}").trim_end()).await;
    let mut lines: Vec<String> = done
        .assert_ok()
        .stdout
        .lines()
        .map(|line| {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            let who = if text("who").starts_with("uid ") { "root".to_owned() } else { text("who") };
            let (deed, subject) = (text("deed"), text("subject"));
            let subject = if subject.starts_with("SHA256:") { "[key]".to_owned() } else { subject };
            let key = if entry["key"].is_null() { "" } else { " with a key" };
            format!("{who} by {}{key}: {deed} {subject}", text("door"))
        })
        .collect();
    lines.reverse();
    lines.join("\n")
}

#[tokio::test]
async fn every_change_is_noted_with_who_did_it_and_no_secret() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    typed(&ana, "vars shop set TOKEN --secret", b"hunter2-of-all").await.assert_ok();
    typed(&ana, "vars shop unset TOKEN", b"").await.assert_ok();
    ana.hello("acme/shop").await.push(&["-o", "no-wait", "main"]).await.assert_ok();
    ana.ssh(&["cancel", "1"]).await.assert_ok();
    for words in [
        "create user bea@example.org",
        "set user bea@example.org --administrator true",
        "set password bea@example.org",
        "create member acme bea@example.org --role viewer",
        "set account acme --suspended true --quota cpu:compute:4",
        "delete user bea@example.org",
    ] {
        admin(&app, words).await.assert_ok();
    }
    // What was not done is not noted.
    admin(&app, "create user bea@example.org").await.assert_code(1);
    ana.ssh(&["redeploy", "shop", "production"]).await.assert_code(1);
    assert_snapshot!(noted(&app, "").await, @"
    test by admin: create-account acme
    test by admin: create-project acme/shop
    test by admin: create-cluster acme/shop
    test by admin: create-user ana@example.org
    test by admin: create-key [key]
    test by admin: set-member acme
    ana@example.org by ssh with a key: set-variable acme/shop
    ana@example.org by ssh with a key: unset-variable acme/shop
    ana@example.org by ssh with a key: push acme/shop
    ana@example.org by ssh with a key: cancel acme/shop
    root by admin: create-user bea@example.org
    root by admin: change-user bea@example.org
    root by admin: reset-password bea@example.org
    root by admin: set-member acme
    root by admin: change-account acme
    root by admin: delete-user bea@example.org
    ");
    let hers = noted(&app, "--who ana@example.org --of acme/ --what cancel").await;
    assert_snapshot!(hers, @"ana@example.org by ssh with a key: cancel acme/shop");
    assert_snapshot!(noted(&app, "--what set-member --since 2026-01-01").await, @"
    test by admin: set-member acme
    root by admin: set-member acme
    ");
    assert_eq!(noted(&app, "--since 2126-01-01").await, "");

    let whole = admin(&app, "audit").await.assert_ok().stdout.clone();
    for secret in ["hunter2", "argon2"] {
        assert!(!whole.contains(secret), "{whole}");
    }
    for known in ["from 127.0.0.1", "\"TOKEN\""] {
        assert!(whole.contains(known), "{known} is not in\n{whole}");
    }
    app.stop().await;
}

#[tokio::test]
async fn nothing_is_taken_out_of_the_log_or_changed_in_it() {
    use diesel::sql_query;
    use diesel_async::RunQueryDsl as _;

    let app = App::start_with(front_door()).await;
    let before = count(&app.db, "SELECT count(*) FROM audit").await;
    assert!(before > 0);
    for statement in [
        "DELETE FROM audit",
        "UPDATE audit SET who = 'nobody'",
        "TRUNCATE audit",
        "SET session_replication_role = replica; DELETE FROM audit",
    ] {
        let mut connection = pierhead::db::pool::connect(app.database.url()).await.unwrap();
        let mut last = Ok(0);
        for part in statement.split("; ") {
            last = sql_query(part).execute(&mut connection).await;
        }
        let refused = last.unwrap_err().to_string();
        assert_eq!(refused, "the table audit is only appended to", "{statement}");
    }
    assert_eq!(count(&app.db, "SELECT count(*) FROM audit").await, before);
    app.stop().await;
}
