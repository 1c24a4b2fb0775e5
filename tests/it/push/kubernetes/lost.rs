//! A worker that is killed while it waits for a rollout.

use crate::push::kubernetes::{Harbour, write};
use crate::support::app::Settings;

#[tokio::test]
async fn a_worker_killed_while_it_waits_is_taken_over_and_the_old_release_put_back() {
    let settings = Settings { roles: &["ssh", "worker"], ..Settings::default() };
    let Some(mut harbour) = Harbour::with("lost", settings).await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "maps: {kept: {a: b}}\n");
    harbour.push(&copy, "First").await.assert_ok();
    let (before, pods) = (harbour.everything().await, harbour.ground.pods("web").await);
    write(&copy, "never; touch /www/ok; httpd -f -p 8081 -h /www", "maps: {new: {a: b}}\n");
    copy.commit("Never ready").await;
    let mut push = copy.start_push(&["main"]);
    push.until_says("web 0/2 ready").await;
    harbour.app.take("worker").kill().await;
    assert!(harbour.names("v1", "ConfigMap").await.contains(&"new-map".to_owned()));
    harbour.app.spawn("worker").await;
    let push = harbour.serving("web:80", "first", push.finish()).await;
    push.assert_code(1).assert_says("its worker was lost").assert_says("v1 restored");
    assert_eq!(harbour.everything().await, before);
    assert_eq!(harbour.ground.pods("web").await, pods);
    harbour.close().await;
}
