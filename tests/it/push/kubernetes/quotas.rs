//! What an account grants bounds its namespace, where the settings say so.

use serde_json::json;

use crate::push::kubernetes::{Harbour, page, write};
use crate::support::app::Settings;
use crate::support::app::typed::administrate;

#[tokio::test]
async fn what_an_account_grants_bounds_the_namespace_of_its_targets() {
    let settings = Settings::default().with("kubernetes.namespace", "quota = true");
    let Some(harbour) = Harbour::with("quota", settings).await else { return };
    let words = "set account acme --quota cpu:compute:2 --quota memory:memory:1Gi:512Mi";
    harbour.administrate(words, "").await;
    let target = administrate(&harbour.app, "admin test cluster acme/shop main", "").await;
    target.assert_ok();
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "bounded", "");
    // Both pods get a share, and those that replace them need room beside them.
    let half = "image: runner\n        resources: [{type: cpu, require: 100m, limit: 500m}, \
                {type: memory, require: 16Mi, limit: 64Mi}]";
    copy.write(".paas.yaml", &page("bounded").replace("image: runner", half));
    harbour.push(&copy, "Bounded").await.assert_ok();
    let quota = harbour.object("v1", "ResourceQuota", "paas-quota").await;
    let hard = json!({
        "requests.cpu": "2", "limits.cpu": "2", "requests.memory": "512Mi", "limits.memory": "1Gi",
    });
    assert_eq!(quota["spec"]["hard"], hard);
    assert_eq!(quota["metadata"]["labels"]["pierhead.dev/account"], "acme");
    let greedy = half.replace("500m", "1500m");
    copy.write(".paas.yaml", &page("bounded").replace("image: runner", &greedy));
    let push = harbour.serving("web:80", "bounded", harbour.push(&copy, "Greedy")).await;
    push.assert_code(1)
        .assert_says("`cpu`: 1.500 × 2 asked, 2.000 left of the account quota (2.000)");
    harbour.close().await;
}
