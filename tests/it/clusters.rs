//! Where projects deploy to, as administrators say it.

use insta::assert_snapshot;

use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};

#[tokio::test]
async fn a_cluster_is_added_and_changed_and_mistakes_are_told() {
    let app = App::start_with(Settings { roles: &[], ..Settings::default() }).await;
    app.project("shop").await;
    let k8s = "create cluster acme/shop far --environment staging --kind kubernetes";
    let mut said = String::new();
    for (words, typed) in [
        (k8s.to_owned(), ""),
        (format!("{k8s} --address http://k:6443"), ""),
        (format!("{k8s} --address https://me:pw@k:6443"), ""),
        (format!("{k8s} --address https://k:6443 --token /none"), ""),
        (format!("{k8s} --address https://k:6443 --client-key -"), ""),
        (format!("{k8s} --address https://k:6443 --namespace-manage always"), ""),
        (format!("{k8s} --address https://k:6443 --token -"), "hunter2-of-cluster\n"),
        (format!("{k8s} --address https://k:6443"), ""),
        (format!("{k8s} --address https://k:6443 --if-not-exists"), ""),
        ("set cluster acme/shop far --address https://other:6443".to_owned(), ""),
        (
            "set cluster acme/shop far --address https://o:6443 --token -".to_owned(),
            "hunter3-of-cluster\n",
        ),
        ("set cluster acme/shop far --namespace shop --tls-verify false".to_owned(), ""),
        ("set cluster acme/shop near --namespace shop".to_owned(), ""),
        ("create cluster acme/shop own --environment e --token -".to_owned(), "hunter2"),
        ("create cluster acme/shop own --environment e --tls-verify false".to_owned(), ""),
    ] {
        let done = administrate(&app, &format!("admin {words}"), typed).await;
        said.push_str(&format!("$ admin {words}\n{}\n", done.stderr));
    }
    assert_snapshot!(said);
    let stored = "SELECT count(*) FROM clusters WHERE name = 'far' AND address = 'https://o:6443' \
                  AND namespace = 'shop' AND NOT tls_verify AND credentials IS NOT NULL";
    assert_eq!(app.count(stored).await, 1);
    app.stop().await;
}
