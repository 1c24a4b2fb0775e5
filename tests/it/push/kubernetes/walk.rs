//! The way of a project: deployed, replaced, and kept when what comes next never serves.

use crate::push::kubernetes::{Harbour, write};

#[tokio::test]
async fn a_push_is_served_by_a_cluster_and_the_next_one_replaces_it() {
    let Some(harbour) = Harbour::open("walk").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "maps: {gone: {a: b}}\n");
    let push = harbour.push(&copy, "First").await;
    push.assert_ok().assert_says("web 2/2 ready").assert_says("v1");
    assert_eq!(harbour.ask("web:80", "/").await, Ok("first".to_owned()));
    assert_eq!(harbour.names("v1", "ConfigMap").await, ["gone-map"]);

    write(
        &copy,
        "second",
        "ingresses: {web: {host: shop.example, service: {name: web, port: 80}}}\n",
    );
    let push = harbour.push(&copy, "Second").await;
    push.assert_ok().assert_says("http://shop.example").assert_says("v2");
    assert_eq!(harbour.ask("web:80", "/").await, Ok("second".to_owned()));
    assert_eq!(harbour.names("v1", "ConfigMap").await, [""; 0]);
    assert_eq!(harbour.names("networking.k8s.io/v1", "Ingress").await, ["web-ingress"]);
    let web = harbour.object("apps/v1", "Deployment", "web-dplmt").await;
    let image = web["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
    assert!(image.contains("@sha256:"), "{image}");
    harbour.close().await;
}
