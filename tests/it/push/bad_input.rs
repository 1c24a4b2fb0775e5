//! What a push may not be, and what the pusher is told.

use insta::assert_snapshot;

use crate::support::app::App;

#[tokio::test]
async fn a_file_that_is_no_yaml_or_is_missing_is_told_at_once() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.write(".paas.yaml", "pods: [\n  : }\n");
    copy.commit("Break the file").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    assert_snapshot!(push.refs().join("\n"), @"! [remote rejected] main -> main (.paas.yaml:1:7 mismatched bracket '[' closed by '}')");

    copy.git(&["rm", "-q", ".paas.yaml"]).await.assert_ok();
    copy.commit("Remove the file").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    assert_snapshot!(push.refs().join("\n"), @"! [remote rejected] main -> main (no .paas.yaml at the root of this commit)");
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn every_fault_of_a_file_is_shown_with_its_place() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.write(
        ".paas.yaml",
        "pods:\n  web:\n    replica: 2\n    containers:\n      app: {image: hello, listen: [99999]}\n\
         jobs: {run: {pods: {}}}\n",
    );
    copy.commit("Make three mistakes").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    assert_snapshot!(push.told(), @r#"
    .paas.yaml:3:5: error[E-201]: pods.web: unknown key "replica"
     3 |     replica: 2
       |     ^^^^^^^
    hint: did you mean "replicas"?
    .paas.yaml:5:36: error[E-204]: pods.web.containers.app.listen[0]: "99999" is more than
        65535
     5 |       app: {image: hello, listen: [99999]}
       |                                    ^^^^^
    .paas.yaml:6:1: error[E-106]: jobs: `jobs` is not supported on Docker targets yet
     6 | jobs: {run: {pods: {}}}
       | ^^^^
    "#);
    assert_snapshot!(push.refs().join("\n"), @r#"! [remote rejected] main -> main (.paas.yaml:3:5 unknown key "replica" (3 faults))"#);
    app.stop().await;
}

#[tokio::test]
async fn push_options_are_checked_before_anything_is_stored() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    for (option, told) in [
        ("nowait", "unknown push option `nowait`; did you mean `no-wait`?"),
        ("env=staging", "push option `env=` is not supported yet"),
        ("A=\u{1b}[2J", "push option 1 contains a control character"),
        ("JOB_ID=1", "`JOB_ID` is set by Pierhead"),
    ] {
        let push = copy.push(&["-o", option, "main"]).await;
        push.assert_code(1).assert_says(told).assert_says("(pre-receive hook declined)");
    }
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn bad_and_hidden_ref_names_are_rejected() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    for (name, told) in [
        ("refs/heads/-x", "`refs/heads/-x` is not a valid ref name"),
        ("refs/notes/x", "`refs/notes/x` is neither a branch nor a tag"),
        ("refs/pierhead/jobs/1", "deny updating a hidden ref"),
    ] {
        let push = copy.push(&[&format!("HEAD:{name}")]).await;
        push.assert_code(1).assert_says(told);
        let together = copy.push(&["HEAD:refs/heads/fine", &format!("HEAD:{name}")]).await;
        together.assert_code(1);
    }
    let many: Vec<String> = (0..51).map(|n| format!("HEAD:refs/heads/b{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    copy.push(&many).await.assert_code(1).assert_says("this push changes 51 refs; at most 50");
    assert_eq!(app.tip("shop", "refs/heads/b1").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_suspended_project_and_a_deleted_account_take_no_push() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    app.execute("UPDATE projects SET suspended_at = now()").await;
    copy.push(&["main"]).await.assert_code(1).assert_says("this project is suspended");
    let redeploy = ana.ssh(&["redeploy", "acme/shop", "production"]).await;
    redeploy.assert_code(1).assert_says("this project is suspended");
    app.execute("UPDATE accounts SET deleted_at = now()").await;
    copy.push(&["main"]).await.assert_code(1).assert_says("the account of this project is deleted");
    app.stop().await;
}

#[tokio::test]
async fn an_environment_without_a_cluster_refuses_the_job_and_keeps_it() {
    let app = App::start().await;
    app.project("shop").await;
    app.execute("DELETE FROM clusters").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1);
    assert_snapshot!(push.refs().join("\n"), @"! [remote rejected] main -> main (job 1: no cluster serves `production`)");
    let push = copy.push(&["-o", "no-wait", "main"]).await;
    push.assert_code(1);
    assert_snapshot!(push.refs().join("\n"), @"! [remote rejected] main -> main (job 2: no cluster serves `production`)");
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}
