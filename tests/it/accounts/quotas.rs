//! What an account grants bounds each of its deployments.

use insta::assert_snapshot;

use crate::accounts::{admin, front_door, said};
use crate::support::app::App;

#[tokio::test]
async fn a_push_that_asks_for_more_than_the_account_grants_is_refused_with_its_line() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    admin(&app, "set account acme --quota cpu:compute:1 --quota memory:memory:1Gi:512Mi")
        .await
        .assert_ok();
    let copy = ana.hello("acme/shop").await;
    let wants = "image: hello\n        resources: [{type: cpu, require: 2, limit: 2}]";
    copy.write(".paas.yaml", &copy.paas_yaml().replace("image: hello", wants));
    copy.commit("Ask for two").await;
    let refused = copy.push(&["main"]).await;
    refused
        .assert_code(1)
        .assert_says("`cpu`: 2.000 × 1 asked, 1.000 left of the account quota (1.000)");
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 0);

    // The account's word counts when the push comes; a job keeps it, whatever is edited meanwhile.
    admin(&app, "set account acme --quota cpu:compute:2").await.assert_ok();
    copy.push(&["-o", "no-wait", "main"]).await.assert_ok();
    admin(&app, "set account acme --no-quota cpu --no-quota memory").await.assert_ok();
    let context = admin(&app, "job context 1").await;
    context.assert_ok().assert_says("capacity = \"2\"").assert_says("requires = \"512Mi\"");
    app.stop().await;
}

#[tokio::test]
async fn a_quota_that_cannot_be_one_is_told_and_stores_nothing() {
    let app = App::start_with(front_door()).await;
    let said = said(
        &app,
        &[
            "set account acme --quota cpu:compute:50%",
            "set account acme --quota cpu:disk:8",
            "set account acme --quota cpu:compute:1:2",
            "set account acme --quota memory:memory:lots",
            "set account acme --quota CPU:compute:1",
            "set account acme --quota cpu",
            "set account acme --no-quota cpu",
            "set account nobody --quota cpu:compute:1",
            "set account acme --namespace shop-",
            "set account acme --namespace-prefix Prod-",
            "list accounts",
        ],
    )
    .await;
    assert_snapshot!(said, @r#"
    $ set account acme --quota cpu:compute:50%
    pierhead: quota `cpu`: "50%" must be absolute
    $ set account acme --quota cpu:disk:8
    pierhead: quota `cpu`: `disk` is no category
    $ set account acme --quota cpu:compute:1:2
    pierhead: quota `cpu`: requires 2.000 exceeds capacity 1.000
    $ set account acme --quota memory:memory:lots
    pierhead: quota `memory`: "lots" is no memory quantity
    $ set account acme --quota CPU:compute:1
    pierhead: quota `CPU`: a resource is written with a-z, 0-9, and between them `.`, `/` and `-`
    $ set account acme --quota cpu
    error: invalid value 'cpu' for '--quota <TYPE:CATEGORY:CAPACITY[:REQUIRES]>': write TYPE:CATEGORY:CAPACITY[:REQUIRES], such as cpu:compute:8 or memory:memory:16Gi:8Gi

    For more information, try '--help'.
    $ set account acme --no-quota cpu
    pierhead: `quota cpu of acme` not found
    $ set account nobody --quota cpu:compute:1
    pierhead: `nobody` not found
    $ set account acme --namespace shop-
    pierhead: `shop-` cannot be a namespace: use a-z, 0-9 and `-` between them
    $ set account acme --namespace-prefix Prod-
    pierhead: `Prod-` cannot be the beginning of a namespace: use a-z, 0-9 and `-` between them
    $ list accounts
    acme  acme  acme
    "#);
    assert_eq!(app.count("SELECT count(*) FROM account_quotas").await, 0);
    app.stop().await;
}
