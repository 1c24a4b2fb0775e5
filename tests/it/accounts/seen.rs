//! What people see of their projects, and administrators of all.

use insta::assert_snapshot;

use crate::accounts::{admin, front_door, said};
use crate::support::app::App;

#[tokio::test]
async fn everybody_sees_their_own_projects_and_what_is_live_there() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    app.project_without_target("other").await;
    let (ana, eve) = (app.developer("ana").await, app.stranger("eve").await);
    admin(&app, "create account beta --owner eve@example.org").await.assert_ok();
    admin(&app, "create project beta/site").await.assert_ok();
    admin(&app, "set project acme/other --suspended true --prefix pre").await.assert_ok();
    let mut told = String::new();
    for (who, words) in [
        (&ana, "projects"),
        (&eve, "projects --json"),
        (&ana, "info shop"),
        (&ana, "info other --json"),
        (&eve, "info shop"),
        (&ana, "releases shop production"),
        (&ana, "releases shop nowhere"),
    ] {
        let done = who.ssh(&[words]).await;
        told.push_str(&format!("{} $ {words}\n{}{}", who.name, done.stdout, done.stderr));
    }
    assert_snapshot!(told, @r#"
    ana $ projects
    acme/other                                developer      suspended
    acme/shop                                 developer
    eve $ projects --json
    {"project":"beta/site","role":"owner","state":""}
    ana $ info shop
    acme/shop
    push to         ssh://git@localhost:2222/acme/shop
    default branch  main
    production      nothing is live
                    refs/heads/main deploys to docker (docker)
    ana $ info other --json
    {"default_branch":"main","environments":[],"prefix":"pre","project":"acme/other","source":null,"suspended":true,"url":"ssh://git@localhost:2222/acme/other"}
    eve $ info shop
    pierhead: `shop` not found
    ana $ releases shop production
    there is no release yet: push
    ana $ releases shop nowhere
    pierhead: `acme/shop` has no environment `nowhere`; it has production
    "#);
    app.stop().await;
}

#[tokio::test]
async fn administrators_list_everything_there_is() {
    let app = App::start_with(front_door()).await;
    app.developer("ana").await;
    for words in [
        "create user bea@example.org --administrator",
        "create project acme/shop",
        "create cluster acme/shop here --environment production",
        "create account beta",
        "set account beta --name Beta --namespace team --namespace-prefix b-",
        "create project beta/site",
        "create cluster beta/site here --environment production",
        "create rule acme/shop refs/tags/v* --environment staging --protected",
        "delete project acme/shop",
    ] {
        admin(&app, words).await.assert_ok();
    }
    admin(&app, "restore project acme/shop").await.assert_ok();
    let said = said(
        &app,
        &[
            "list users",
            "list accounts",
            "list members acme",
            "list members nobody",
            "list projects",
            "list clusters beta/site",
            "list rules acme/shop",
            "list rules acme/shop --json",
        ],
    )
    .await;
    assert_snapshot!(said, @r#"
    $ list users
    ana@example.org  ana
    bea@example.org  bea  administrator
    $ list accounts
    acme  acme  acme
    beta  Beta  b-team
    $ list members acme
    ana@example.org  developer  ana
    $ list members nobody
    pierhead: `nobody` not found
    $ list projects
    acme/shop  main
    beta/site  main
    $ list clusters beta/site
    here  production  docker  unix:///var/run/docker.sock  b-team
    $ list rules acme/shop
    refs/heads/main  production  0
    refs/tags/v*     staging     0  protected
    $ list rules acme/shop --json
    {"environment":"production","pattern":"refs/heads/main","priority":0,"protected":false}
    {"environment":"staging","pattern":"refs/tags/v*","priority":0,"protected":true}
    "#);
    app.stop().await;
}
