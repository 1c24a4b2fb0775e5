//! When refs move, and when they do not.

use insta::assert_snapshot;

use crate::support::app::App;
use crate::support::app::gate::BuildGate;

#[tokio::test]
async fn a_branch_without_a_rule_is_stored_and_said_so() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let push = copy.push(&["main:feature/cart", "main:refs/tags/v1"]).await;
    push.assert_ok();
    assert_snapshot!(push.told(), @"
    stored    feature/cart, not deployed: main deploys to production
    stored    v1, not deployed: main deploys to production
    ");
    assert_eq!(app.tip("shop", "refs/heads/feature/cart").await, Some(copy.head().await));
    let deleted = copy.push(&["--delete", "feature/cart"]).await;
    deleted.assert_ok().assert_says("deleted   feature/cart");
    assert_eq!(app.tip("shop", "refs/heads/feature/cart").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn skip_stores_and_no_wait_moves_the_branch_at_once() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let skip = copy.push(&["-o", "skip", "main"]).await;
    skip.assert_ok().assert_says("stored    main, not deployed: -o skip");
    assert_eq!(app.get(&copy.host(), "/").await.0, 404);

    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    let commit = copy.commit("Take a while").await;
    let push = copy.push(&["-o", "no-wait", "main"]).await;
    push.assert_ok();
    assert_snapshot!(push.told(), @"queued    main to production, job 1   follow: ssh -p 2222 git@localhost attach 1");
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(commit));
    gate.open(&app).await;
    let job = app.ended(1).await;
    assert_eq!(job.state.to_string(), "live");
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_forced_push_deploys_the_older_commit_unless_the_rule_protects_the_branch() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let first = copy.head().await;
    copy.write("index.html", "second");
    copy.commit("Second").await;
    copy.push(&["main"]).await.assert_ok();
    copy.git(&["reset", "-q", "--hard", &first]).await.assert_ok();
    copy.push(&["main"]).await.assert_code(1).assert_says("non-fast-forward");
    copy.push(&["--force", "main"]).await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(first.clone()));

    app.execute("UPDATE deploy_rules SET protected = true").await;
    copy.git(&["commit", "-q", "--amend", "-m", "Rewritten"]).await.assert_ok();
    let push = copy.push(&["--force", "main"]).await;
    push.assert_code(1).assert_says("`main` is protected: it cannot be forced");
    assert_eq!(app.tip("shop", "refs/heads/main").await, Some(first));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_atomic_is_not_offered() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["--dry-run", "main"]).await.assert_ok();
    let atomic = copy.push(&["--atomic", "main", "main:other"]).await;
    atomic.assert_code(128).assert_says("the receiving end does not support --atomic push");
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_mirror_with_other_refs_is_rejected_as_a_whole() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.git(&["update-ref", "refs/notes/x", "HEAD"]).await.assert_ok();
    let push = copy.push(&["--mirror"]).await;
    push.assert_code(1).assert_says("is neither a branch nor a tag");
    assert_eq!(app.tip("shop", "refs/heads/main").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_shallow_clone_pushes_what_it_has_and_is_refused_where_history_is_missing() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    copy.commit("Second").await;
    copy.push(&["main"]).await.assert_ok();
    let (shallow, cloned) = ana.clone_of("acme/shop", "shallow", &["--depth=1"]).await;
    cloned.assert_ok();
    shallow.write("index.html", "from a shallow clone");
    shallow.commit("Third").await;
    shallow.push(&["main"]).await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "from a shallow clone".to_owned()));

    app.project("other").await;
    shallow.git(&["remote", "add", "other", &ana.url("acme/other")]).await.assert_ok();
    let push = shallow.git(&["push", "other", "main"]).await;
    push.assert_code(1).assert_says("shallow update not allowed");
    assert_eq!(app.tip("other", "refs/heads/main").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn the_default_branch_cannot_be_deleted_and_none_while_it_deploys() {
    let app = App::start().await;
    app.project("shop").await;
    app.rule("shop", "refs/heads/next", "staging").await;
    app.cluster("shop", "staging", "staging").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let deletion = copy.push(&["--delete", "main"]).await;
    deletion.assert_code(1).assert_says("`main` is the default branch and cannot be deleted");

    let first = copy.head().await;
    copy.push(&["-o", "skip", "main:next"]).await.assert_ok();
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.write(".paas.yaml", &copy.paas_yaml().replace("host: ", "host: next."));
    copy.commit("Take a while").await;
    let push = copy.start_push(&["main:next"]);
    gate.reached().await;
    let deletion = copy.push(&["--delete", "next"]).await;
    deletion.assert_code(1);
    assert_snapshot!(deletion.refs().join("\n"), @"! [remote rejected] next (job 2 is deploying it)");
    assert_eq!(app.tip("shop", "refs/heads/next").await, Some(first));
    gate.open(&app).await;
    push.finish().await.assert_ok();
    assert_eq!(app.tip("shop", "refs/heads/next").await, Some(copy.head().await));
    let deletion = copy.push(&["--delete", "next"]).await;
    deletion.assert_ok().assert_says("deleted   next; what is live keeps serving");
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn three_branches_deploy_together_and_the_one_that_fails_stays() {
    let app = App::start().await;
    app.project_without_target("shop").await;
    for name in ["one", "two", "three"] {
        app.cluster("shop", name, name).await;
        app.rule("shop", &format!("refs/heads/{name}"), name).await;
    }
    let copy = app.developer("ana").await.hello("acme/shop").await;
    for name in ["one", "two", "three"] {
        copy.git(&["checkout", "-q", "-b", name, "main"]).await.assert_ok();
        copy.write("index.html", name);
        copy.write(".paas.yaml", &copy.paas_yaml().replace("host: ", &format!("host: {name}.")));
        if name == "two" {
            copy.write("Dockerfile", "FROM busybox:stable\nRUN exit 7\n");
        }
        copy.commit(name).await;
    }
    let push = copy.push(&["one", "two", "three"]).await;
    push.assert_code(1);
    let mut refs = push.refs();
    refs.sort();
    assert_snapshot!(refs.join("\n"), @"
    ! [remote rejected] two -> two (image: hello:two: `exit 7` exited 7, job 2)
    * [new branch]      one -> one
    * [new branch]      three -> three
    ");
    // Each line says whose it is.
    assert!(push.remote().iter().any(|line| line.starts_with("two ") && line.contains("exited 7")));
    for name in ["one", "three"] {
        let host = format!("{name}.{}", copy.host());
        assert_eq!(app.get(&host, "/").await, (200, name.to_owned()));
        assert!(app.tip("shop", &format!("refs/heads/{name}")).await.is_some());
    }
    assert_eq!(app.tip("shop", "refs/heads/two").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn of_two_refs_for_one_environment_the_better_ranked_deploys() {
    let app = App::start().await;
    app.project("shop").await;
    app.rule("shop", "refs/heads/rel*", "production").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let push = copy.push(&["main", "main:release"]).await;
    push.assert_code(1);
    let mut refs = push.refs();
    refs.sort();
    assert_snapshot!(refs.join("\n"), @"
    ! [remote rejected] main -> release (production is deployed from main in this push; push it alone or with -o skip)
    * [new branch]      main -> main
    ");
    assert_eq!(app.tip("shop", "refs/heads/release").await, None);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn an_annotated_tag_deploys_the_commit_it_names() {
    let app = App::start().await;
    app.project("shop").await;
    app.rule("shop", "refs/tags/v*", "production").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.git(&["tag", "-a", "v1", "-m", "First"]).await.assert_ok();
    copy.push(&["v1"]).await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    let tag = copy.git(&["rev-parse", "v1"]).await.stdout.trim().to_owned();
    assert_eq!(app.tip("shop", "refs/tags/v1").await, Some(tag));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn what_was_pushed_is_cloned_and_fetched_back() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    let (clone, cloned) = ana.clone_of("acme/shop.git", "clone", &[]).await;
    cloned.assert_ok();
    assert_eq!(clone.head().await, copy.head().await);
    let refs = clone.git(&["ls-remote", "pierhead"]).await;
    assert!(!refs.assert_ok().stdout.contains("refs/pierhead"), "{}", refs.stdout);
    copy.commit("More").await;
    copy.push(&["main"]).await.assert_ok();
    clone.git(&["pull", "-q", "--ff-only", "pierhead", "main"]).await.assert_ok();
    assert_eq!(clone.head().await, copy.head().await);
    app.stop().await;
}

#[tokio::test]
async fn a_branch_that_cannot_be_there_beside_another_is_not_deployed() {
    let app = App::start().await;
    app.project("shop").await;
    app.rule("shop", "refs/heads/main/*", "staging").await;
    app.cluster("shop", "staging", "staging").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();
    copy.write(".paas.yaml", &copy.paas_yaml().replace("host: ", "host: next."));
    copy.commit("Next").await;
    for options in [&["main:main/next"][..], &["-o", "no-wait", "main:main/next"]] {
        let push = copy.push(options).await;
        push.assert_code(1).assert_says("`refs/heads/main` is in the way");
        assert_eq!(app.get(&format!("next.{}", copy.host()), "/").await.0, 404);
    }
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_protected_branch_is_neither_forced_nor_deleted() {
    let app = App::start().await;
    app.project("shop").await;
    app.rule("shop", "refs/heads/next", "production").await;
    app.execute("UPDATE deploy_rules SET protected = true").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["-o", "skip", "main:next"]).await.assert_ok();
    // Deleted and made anew, it would lose its commits as well.
    for options in [&["--delete", "next"][..], &["-o", "skip", "--delete", "next"]] {
        let push = copy.push(options).await;
        push.assert_code(1).assert_says("`next` is protected: it cannot be deleted");
    }
    assert_eq!(app.tip("shop", "refs/heads/next").await, Some(copy.head().await));
    app.stop().await;
}
