//! An API server that goes away in the middle of a rollout.

use std::time::Duration;

use crate::kubernetes::absence::{Stopped, api_server};
use crate::push::kubernetes::{Harbour, write};

/// How long it is away: seconds, 4 unless `TEST_AWAY_SECONDS` says otherwise.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration file")]
fn away() -> Duration {
    let asked = std::env::var("TEST_AWAY_SECONDS").ok();
    let seconds = asked.map_or(4, |it| it.parse().expect("TEST_AWAY_SECONDS is a number"));
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_rollout_goes_on_when_an_api_server_that_was_away_is_back() {
    let Some(harbour) = Harbour::alone("away").await else { return };
    let Some(pid) = api_server() else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    write(&copy, "first", "");
    copy.commit("First").await;
    let mut push = copy.start_push(&["main"]);
    push.until_says("web 0/2 ready").await;
    let stopped = Stopped::new(pid);
    tokio::time::timeout(away(), std::future::pending::<()>()).await.unwrap_err();
    drop(stopped);
    push.finish().await.assert_ok().assert_says("web 2/2 ready").assert_says("v1");
    assert_eq!(harbour.ask("web:80", "/").await, Ok("first".to_owned()));
    harbour.close().await;
}
