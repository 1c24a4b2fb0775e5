//! The connection to a cluster is tried by a worker, for who is on the page.

use std::net::SocketAddr;

use pierhead::domain::access::Standing;
use pierhead::people::create_user;

use crate::push::kubernetes::{Harbour, kubeconfig};
use crate::support::signed_in::Visitor;

#[tokio::test]
async fn a_cluster_is_added_and_tried_on_the_page() {
    let Some(harbour) = Harbour::open("tried").await else { return };
    let app = &harbour.app;
    create_user(&app.admin(), "root@example.org", "root", Standing::Administrator).await.unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], app.process("web").port("web")));
    let mut root = Visitor::signed_in(address, &app.db, "root@example.org").await;
    let targets = "/admin/projects/acme/shop/clusters";
    let tried = root.post(&format!("{targets}/main/test"), &[]).await;
    assert_eq!(tried.status, 200, "{}", tried.page());
    let says = format!("{} can be deployed to.", harbour.ground.namespace);
    assert!(tried.page().contains(&says), "{}", tried.page());

    let text = std::fs::read_to_string(kubeconfig()).unwrap();
    let form = [
        ("kind", "kubernetes"),
        ("name", "other"),
        ("environment", "staging"),
        ("namespace", "nobody-made-this"),
        ("kubeconfig", text.as_str()),
        ("namespace_manage", "never"),
        ("adoption", "never"),
    ];
    let added = root.post(targets, &form).await;
    assert_eq!(added.status, 303, "{}", added.page());
    let tried = root.post(&format!("{targets}/other/test"), &[]).await;
    let says = "namespace nobody-made-this: make it first";
    assert!(tried.page().contains(says), "{}", tried.page());
    harbour.close().await;
}
