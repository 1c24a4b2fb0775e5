//! What never serves changes nothing for those who ask.

use crate::push::kubernetes::{Harbour, write};

#[tokio::test]
async fn what_crashes_or_is_never_ready_is_put_back_and_no_request_fails() {
    let Some(harbour) = Harbour::impatient("breaks", "20s").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "maps: {kept: {a: b}}\n");
    harbour.push(&copy, "First").await.assert_ok();
    let (before, pods) = (harbour.everything().await, harbour.ground.pods("web").await);
    for (said, words, place) in [
        (
            "no luck; exit 3",
            "container `app` ends with code 3",
            "| .paas.yaml:9 (pods.web.containers.app), cluster main",
        ),
        (
            "much luck; touch /www/ok; httpd -f -p 8081 -h /www",
            "container `app` is ended for its healthcheck",
            "| .paas.yaml:13 (pods.web.containers.app.healthcheck), cluster main",
        ),
    ] {
        write(&copy, said, "maps: {new: {a: b}}\n");
        let push = harbour.serving("web:80", "first", harbour.push(&copy, said)).await;
        push.assert_code(1).assert_says(words).assert_says(place).assert_says("v1 kept serving");
        assert_eq!(harbour.everything().await, before);
        assert_eq!(harbour.ground.pods("web").await, pods);
    }
    harbour.close().await;
}
