//! People, accounts and projects go, come back, and are forgotten. Nothing is undeployed.

use insta::assert_snapshot;

use crate::accounts::{admin, front_door, said};
use crate::support::app::App;

#[tokio::test]
async fn who_is_shut_out_is_told_so_and_what_they_were_comes_back_with_them() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;

    admin(&app, "set user ana@example.org --disabled true").await.assert_ok();
    copy.push(&["main"]).await.assert_code(128).assert_says("pierhead: your user is disabled");
    ana.ssh(&[]).await.assert_code(128).assert_says("pierhead: your user is disabled");
    admin(&app, "set user ana@example.org --disabled false").await.assert_ok();
    ana.ssh(&["jobs", "shop"]).await.assert_ok();

    admin(&app, "delete user ana@example.org").await.assert_ok();
    copy.push(&["main"]).await.assert_code(128).assert_says("pierhead: your user is deleted");
    let refused = [
        "create user ana@example.org",
        "create member acme ana@example.org",
        "set user ana@example.org --name Eve",
        "delete user ana@example.org",
        "list members acme",
        "restore user ana@example.org",
        "purge user ana@example.org",
    ];
    assert_snapshot!(said(&app, &refused).await, @"
    $ create user ana@example.org
    pierhead: `ana@example.org` is deleted: `admin restore user` brings them back, `admin purge user` frees the address
    $ create member acme ana@example.org
    pierhead: nobody has the address `ana@example.org`
    $ set user ana@example.org --name Eve
    pierhead: nobody has the address `ana@example.org`
    $ delete user ana@example.org
    pierhead: nobody has the address `ana@example.org`
    $ list members acme
    $ restore user ana@example.org
    ana@example.org is back, with keys and memberships.
    $ purge user ana@example.org
    pierhead: `ana@example.org` is not deleted: `admin delete user` comes first
    ");
    ana.ssh(&["jobs", "shop"]).await.assert_ok();
    copy.push(&["-o", "skip", "main"]).await.assert_ok();

    admin(&app, "delete user ana@example.org").await.assert_ok();
    admin(&app, "purge user ana@example.org").await.assert_ok();
    ana.ssh(&["whoami"]).await.assert_code(255).assert_says("Permission denied (publickey)");
    assert_eq!(app.count("SELECT count(*) FROM ssh_keys").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM pushes WHERE user_id IS NULL").await, 1);
    app.stop().await;
}

#[tokio::test]
async fn a_deleted_account_or_project_takes_no_push_and_what_it_deployed_goes_on() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let host = copy.host();
    assert_eq!(app.get(&host, "/").await.0, 200);

    admin(&app, "delete account acme").await.assert_ok();
    copy.commit("More").await;
    let refused = copy.push(&["main"]).await;
    refused.assert_code(1).assert_says("the account of this project is deleted");
    assert_eq!(app.get(&host, "/").await.0, 200);
    assert_eq!(
        ana.ssh(&["projects"]).await.stdout.trim(),
        "no project yet; ask an administrator for one"
    );
    let refused = ["create account acme", "create project acme/next", "purge project acme/shop"];
    assert_snapshot!(said(&app, &refused).await, @"
    $ create account acme
    pierhead: `acme` is deleted: `admin restore` brings it back, `admin purge` frees the name
    $ create project acme/next
    pierhead: `acme` not found
    $ purge project acme/shop
    pierhead: `acme/shop` is not deleted: `admin delete` comes first
    ");
    admin(&app, "restore account acme").await.assert_ok();

    admin(&app, "delete project acme/shop").await.assert_ok();
    copy.push(&["main"]).await.assert_code(128).assert_says("repository not found");
    ana.ssh(&["logs", "1"]).await.assert_code(128).assert_says("not found");
    assert_eq!(app.get(&host, "/").await.0, 200);
    // The name is free, and who takes it gets a repository of their own.
    admin(&app, "create project acme/shop").await.assert_ok();
    copy.push(&["-o", "skip", "main"]).await.assert_ok();
    let taken = admin(&app, "restore project acme/shop").await;
    taken.assert_code(1).assert_says("`acme/shop` exists");

    let purged = admin(&app, "purge project acme/shop").await;
    purged.assert_ok().assert_says("has no routes of it any more");
    app.until_gone_from_the_entrance(&host).await;
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM projects").await, 1);
    app.stop().await;
}

#[tokio::test]
async fn a_project_with_a_job_under_way_is_not_deleted_and_neither_is_its_target() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    copy.push(&["-o", "no-wait", "main"]).await.assert_ok();
    let refused = ["delete project acme/shop", "delete cluster acme/shop docker"];
    assert_snapshot!(said(&app, &refused).await, @"
    $ delete project acme/shop
    pierhead: job 1 is under way: wait for its end, or cancel it
    $ delete cluster acme/shop docker
    pierhead: job 1 is under way: wait for its end, or cancel it
    ");
    ana.ssh(&["cancel", "1"]).await.assert_ok();
    let done = [
        "delete cluster acme/shop docker",
        "delete cluster acme/shop docker",
        "delete rule acme/shop refs/heads/main",
        "delete rule acme/shop refs/heads/main",
        "delete member acme ana@example.org",
        "delete member acme ana@example.org",
        "delete project acme/shop",
        "delete project acme/shop",
    ];
    assert_snapshot!(said(&app, &done).await, @"
    $ delete cluster acme/shop docker
    Cluster docker of acme/shop is deleted. What runs there goes on.
    $ delete cluster acme/shop docker
    pierhead: `cluster docker of acme/shop` not found
    $ delete rule acme/shop refs/heads/main
    refs/heads/main of acme/shop is stored from now on, and not deployed.
    $ delete rule acme/shop refs/heads/main
    pierhead: `rule refs/heads/main of acme/shop` not found
    $ delete member acme ana@example.org
    ana@example.org is no member of acme any more.
    $ delete member acme ana@example.org
    pierhead: `member ana@example.org of acme` not found
    $ delete project acme/shop
    Project acme/shop is deleted. What it deployed goes on.
    $ delete project acme/shop
    pierhead: `acme/shop` not found
    ");
    app.stop().await;
}

#[tokio::test]
async fn the_repository_of_a_deleted_project_comes_back_with_it_until_its_time_is_over() {
    let app = App::start().await;
    app.project_without_target("shop").await;
    let ana = app.developer("ana").await;
    ana.hello("acme/shop").await.push(&["main"]).await.assert_ok();
    let id = app.project_row("shop").await.id;
    let repositories = app.state().join("repositories");
    let (place, trash) =
        (repositories.join(format!("{id}.git")), repositories.join(format!("trash/{id}.git")));

    admin(&app, "delete project acme/shop").await.assert_ok();
    app.until_there(&trash).await;
    assert!(!place.exists());
    let restored = admin(&app, "restore project acme/shop").await;
    restored.assert_ok().assert_says("acme/shop is back, with its repository");
    let (copy, cloned) = ana.clone_of("acme/shop", "again", &[]).await;
    cloned.assert_ok();
    assert!(copy.path.join("index.html").exists());

    admin(&app, "delete project acme/shop").await.assert_ok();
    app.until_there(&trash).await;
    app.execute("UPDATE repository_trash SET since = now() - interval '169 hours'").await;
    app.until_not_there(&trash).await;
    assert!(!place.exists());
    app.until_count("SELECT count(*) FROM repository_trash", 0).await;
    let restored = admin(&app, "restore project acme/shop").await;
    restored.assert_ok().assert_says("Its repository is gone by now: push again.");
    app.stop().await;
}
