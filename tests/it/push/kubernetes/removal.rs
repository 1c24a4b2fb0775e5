//! What a push leaves out goes away, and nothing of others does.

use serde_json::json;

use crate::push::kubernetes::{CHECK, Harbour, page, serving, write};

/// Beside the page: a second container, a second variable, a second service and what they read.
fn more() -> String {
    page("first").replace(
        "        variables: {RUN",
        "        variables: {GONE: yes-it-is, from-maps: {ALSO: gone.a}, RUN",
    ) + &format!(
        "      side: {{image: runner, listen: [8081], variables: {{RUN: {}}}}}
  worker:
    containers: {{app: {{image: runner, listen: [8080], variables: {{RUN: {}}}, {CHECK}}}}}
maps: {{gone: {{a: b}}}}
secrets: {{gone: {{provider: map, options: {{a: hunter2}}}}}}
jobs: {{nightly: {{schedule: '0 3 * * *', pods: {{gone: {{containers: {{app: {{image: runner}}}}}}}}}}}}
ingresses: {{gone: {{host: gone.example, service: {{name: gone, port: 81}}}}}}
",
        serving("side").replace("8080", "8081"),
        serving("worker"),
    )
}

#[tokio::test]
async fn what_is_left_out_goes_and_what_others_have_under_similar_names_stays() {
    let Some(harbour) = Harbour::open("removal").await else { return };
    let neighbour = harbour.ana.empty("acme/quay").await;
    harbour.project("quay").await;
    neighbour.write("Dockerfile", crate::push::kubernetes::RUNNER);
    let others = page("quay").replace("  web:", "  web-2:") + "maps: {gone-2: {a: b}}\n";
    neighbour.write(".paas.yaml", &others);
    harbour.push(&neighbour, "First").await.assert_ok();
    // By hand, with a label that ours have too.
    harbour
        .create(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"},
            "metadata": {"name": "gone-3-map", "labels": {"name": "gone"}},
        }))
        .await;
    let of_others = harbour.everything().await;

    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "");
    let gone = "  gone: {pod: web, ports: [{listen: 81, target: 8081}]}\npods:\n";
    copy.write(".paas.yaml", &more().replace("pods:\n  web", &format!("{gone}  web")));
    harbour.push(&copy, "First").await.assert_ok().assert_says("worker 1/1 ready");
    assert_eq!(harbour.ask("gone:81", "/").await, Ok("side".to_owned()));
    let web = harbour.ground.pods("web").await;

    write(&copy, "second", "");
    harbour.push(&copy, "Second").await.assert_ok();
    assert_eq!(harbour.ask("web:80", "/").await, Ok("second".to_owned()));
    assert!(harbour.ground.pods("web").await.iter().all(|pod| !web.contains(pod)));
    let mut left = harbour.everything().await;
    let deployment = &left["Deployment web-dplmt"]["spec"]["template"]["spec"];
    assert_eq!(deployment["containers"].as_array().unwrap().len(), 1);
    let variables = deployment["containers"][0]["env"].as_array().unwrap();
    assert_eq!(variables.iter().map(|it| &it["name"]).collect::<Vec<_>>(), ["RUN"]);
    for name in ["Deployment web-dplmt", "Service web"] {
        assert!(left.remove(name).is_some(), "{name}");
    }
    assert_eq!(left, of_others);

    // A name that somebody else has is refused, and neither is changed.
    let all = harbour.everything().await;
    neighbour.write(".paas.yaml", &page("taken"));
    let push = harbour.push(&neighbour, "Under a name of shop").await;
    push.assert_code(1).assert_says("web-dplmt belongs to another owner");
    push.assert_says("rename yours").assert_says("v1 kept serving");
    assert_eq!(harbour.everything().await, all);
    assert_eq!(harbour.ask("web-2:80", "/").await, Ok("quay".to_owned()));
    assert_eq!(harbour.ask("web:80", "/").await, Ok("second".to_owned()));
    harbour.close().await;
}
