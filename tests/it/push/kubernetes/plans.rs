//! Pushes that only ask what they would change on clusters.

use insta::assert_snapshot;
use k8s_openapi::api::core::v1::Namespace;
use serde_json::json;

use crate::push::kubernetes::{Harbour, kubeconfig, page, write};
use crate::support::app::developer::{Copy, Done};
use crate::support::app::typed::administrate;

/// What the page has besides.
const MORE: &str = "secrets: {keys: {provider: map, options: {a: s3cret-of-the-first}}}
maps: {settings: {a: plain-of-the-first}, old: {a: b}}
";

/// `pierhead diff` of somebody's own: exit code, standard output, standard error.
async fn diff(copy: &Copy) -> (i32, String, String) {
    let done = tokio::process::Command::new(env!("CARGO_BIN_EXE_pierhead"))
        .env_clear()
        .env("KUBECONFIG", kubeconfig())
        .current_dir(&copy.path)
        .args(["diff", "--context", "../context.toml"])
        .output()
        .await
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

/// What a plan said, with the digits of images and the names of registries replaced by words.
fn told(plan: &Done) -> String {
    let told = plan.told();
    let lines = told.lines().map(|line| match line.split_once("127.0.0.1:") {
        // What stands behind it, if it is not cut off.
        Some((before, after)) => {
            let behind = after.split_once(" → ").map(|(_, behind)| format!(" → {behind}"));
            format!("{before}[image]{}", behind.unwrap_or_default())
        }
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_plan_tells_what_a_push_would_change_on_a_cluster_and_changes_nothing() {
    let Some(harbour) = Harbour::open("plans").await else { return };
    harbour.app.rule("shop", "refs/tags/v*", "production").await;
    let copy = harbour.ana.empty("acme/shop").await;
    everything_would_be_new(&harbour, &copy).await;
    only_what_was_done_by_hand_would_change(&harbour, &copy).await;
    much_would_change(&harbour, &copy).await;
    what_was_planned_is_what_is_done(&harbour, &copy).await;
    harbour.close().await;
}

/// A plan where nothing is yet.
async fn everything_would_be_new(harbour: &Harbour, copy: &Copy) {
    write(copy, "first", MORE);
    copy.commit("First").await;
    let plan = copy.push(&["-o", "plan", "main"]).await;
    plan.assert_code(1);
    assert_eq!(plan.refs(), ["! [remote rejected] main -> main (plan only)"]);
    assert_snapshot!(told(&plan), @r#"
    pierhead · shop/production · [id] "First" · job 1 · ana (SHA256:[key])
    checkout  [id]: 2 files, 1 KiB [time]
    check     .paas.yaml: 1 pod, 1 image [time]
    image     runner:production built by this push [time]
    plan      6 created [time]
              | + Secret shop-production-registry
              | + Secret keys-secret
              | + ConfigMap settings-map
              | + ConfigMap old-map
              | + Deployment web-dplmt
              | + Service web
    ended     plan only: nothing was changed
    "#);
    assert_eq!(harbour.everything().await.len(), 0);
    assert_eq!(harbour.app.tip("shop", "refs/heads/main").await, None);
    assert_eq!(harbour.app.count("SELECT count(*) FROM releases").await, 0);
}

/// Plans of what serves, as it is and when somebody has changed it.
async fn only_what_was_done_by_hand_would_change(harbour: &Harbour, copy: &Copy) {
    copy.push(&["main"]).await.assert_ok().assert_says("v1");
    // The same commit under another name.
    copy.git(&["tag", "v1"]).await.assert_ok();
    let plan = copy.push(&["-o", "plan", "v1"]).await;
    plan.assert_code(1).assert_says("plan      nothing would change");
    // Without the server, with what it knows.
    let context = administrate(&harbour.app, "admin job context 2", "").await;
    copy.write("../context.toml", &context.assert_ok().stdout);
    let (code, lines, said) = diff(copy).await;
    assert_eq!((code, lines.as_str(), said.as_str()), (0, "", "nothing would change\n"));
    // By hand.
    let scale = json!({"spec": {"replicas": 3}});
    let scale = kube::api::Patch::Merge(scale);
    let workloads = harbour.ground.api("apps/v1", "Deployment");
    workloads.patch("web-dplmt", &kube::api::PatchParams::default(), &scale).await.unwrap();
    let plan = copy.push(&["-o", "plan", "v1"]).await;
    plan.assert_code(1).assert_says("| ~ Deployment web-dplmt  spec.replicas: 3 → 2");
    let (code, lines, said) = diff(copy).await;
    assert_eq!(lines, "~ Deployment web-dplmt  spec.replicas: 3 → 2\n");
    assert_eq!((code, said.as_str()), (1, "1 changed\n"));
    // What would not be as the file says, in the words of a plan.
    let ingress = "ingresses: {site: {host: plans.example, service: {name: web, port: 80}, \
                   meta: letsencrypt}}\n";
    write(copy, "first", &format!("{MORE}{ingress}"));
    let (code, _, said) = diff(copy).await;
    let noted = "note: ingresses.site: nobody issues its certificate";
    assert!(code == 1 && said.contains(noted), "{said}");
}

/// A plan of another file, with one more cluster.
async fn much_would_change(harbour: &Harbour, copy: &Copy) {
    let more = MORE.replace("of-the-first", "of-the-second").replace(", old: {a: b}", "");
    let job = "jobs: {seed: {pods: {run: {containers: {app: {image: runner, variables: {RUN: exit 0}}}}}}}\n";
    let api = "  api: {pod: web, ports: [{listen: 81, target: 8080}]}\npods:\n";
    let file = page("second").replace("  web: {ports: [{listen: 80, target: 8080}]}\npods:\n", api);
    copy.write(".paas.yaml", &format!("{file}{more}{job}"));
    copy.commit("Second").await;
    // One more cluster, on which nothing is yet: not even the namespace.
    let other = format!("{}-other", harbour.ground.namespace);
    let words = format!(
        "create cluster acme/shop other --environment production --kind kubernetes \
         --kubeconfig {} --namespace {other} --namespace-manage create",
        kubeconfig()
    );
    harbour.administrate(&words, "").await;
    let before = harbour.everything().await;
    let plan = copy.push(&["-o", "plan", "main"]).await;
    plan.assert_code(1);
    let said = told(&plan).replace(&harbour.ground.namespace, "[namespace]");
    assert_snapshot!(said, @r#"
    pierhead · shop/production · [id] "Second" · job 5 · ana (SHA256:[key])
    checkout  [id]: 2 files, 1 KiB [time]
    check     .paas.yaml: 1 pod, 1 job, 1 image [time]
    image     runner:production built by this push [time]
    plan      main: 1 created, 3 changed, 2 removed, 1 job runs [time]
              | ~ Secret keys-secret  data.a: changed
              | ~ ConfigMap settings-map  data.a: changed
              | ~ Deployment web-dplmt
              |     spec.replicas: 3 → 2
              |     spec.template.spec.containers[app].env.RUN: changed
              |     spec.template.spec.containers[app].image:
              |         [image]
              |         → built by this push
              |     spec.template.spec.containers[app].ports[api-81].containerPort: added, 8080
              |     spec.template.spec.containers[app].ports[api-81].name: added, api-81
              |     spec.template.spec.containers[app].ports[api-81].protocol: added, TCP
              |     spec.template.spec.containers[app].ports[web-80].containerPort:
              |         removed, 8080
              |     spec.template.spec.containers[app].ports[web-80].name: removed, web-80
              |     spec.template.spec.containers[app].ports[web-80].protocol: removed, TCP
              |   Job seed-run-job  runs
              | + Service api
              | - Service web
              | - ConfigMap old-map
    plan      other: 6 created, 1 job runs [time]
              | + Namespace [namespace]-other
              | + Secret shop-production-registry
              | + Secret keys-secret
              | + ConfigMap settings-map
              | + Deployment web-dplmt
              |   Job seed-run-job  runs
              | + Service api
    ended     plan only: nothing was changed
    "#);
    assert_eq!(harbour.everything().await, before);
    let namespaces = kube::Api::<Namespace>::all(harbour.ground.admin.clone());
    assert!(namespaces.get_opt(&other).await.unwrap().is_none());
    let secrets =
        "SELECT count(*) FROM history WHERE text LIKE '%s3cret%' OR text LIKE '%plain-of%'";
    assert_eq!(harbour.app.count(secrets).await, 0);
    harbour.app.execute("DELETE FROM clusters WHERE name = 'other'").await;
}

/// The push of what was planned.
async fn what_was_planned_is_what_is_done(harbour: &Harbour, copy: &Copy) {
    copy.push(&["main"]).await.assert_ok().assert_says("v2");
    let after = harbour.everything().await;
    let names = |all: &std::collections::BTreeMap<String, serde_json::Value>| {
        all.keys().cloned().collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(names(&after), @r#"
    ConfigMap settings-map
    Deployment web-dplmt
    Job seed-run-job
    Secret keys-secret
    Service api
    "#);
    copy.git(&["tag", "v2"]).await.assert_ok();
    let plan = copy.push(&["-o", "plan", "v2"]).await;
    plan.assert_code(1).assert_says("plan      nothing would change, 1 job runs");
}
