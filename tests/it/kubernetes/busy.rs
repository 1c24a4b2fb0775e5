//! An API server that turns requests away is asked again when it says.

use std::time::{Duration, Instant};

use pierhead::kubernetes::{
    Access, Change, Cluster, Ended, Limits, ObjectRef, OldPods, Patience, Verification,
};
use serde_json::json;

use crate::kubernetes::{Ground, deployment, map, options, soon, waiting};
use crate::support::busy::Busy;

#[tokio::test]
async fn an_overloaded_api_server_is_asked_again_when_it_says() {
    let Some(ground) = Ground::open("busy").await else { return };
    let busy = Busy::before(ground.admin.clone()).await;
    let access = Access {
        address: busy.address.clone(),
        verification: Verification::Off,
        ..ground.access.clone()
    };
    let cluster = Cluster::connect(&access, Limits::default()).unwrap();
    let settings = map("settings-map", json!({"a": "1"}));
    busy.turn_away(2);
    let began = Instant::now();
    let applied = soon(cluster.apply(&settings, &options())).await.unwrap();
    assert_eq!((applied.change, busy.turned_away()), (Change::Created, 2));
    assert!(began.elapsed() >= Duration::from_secs(2), "it said: in a second");

    // Where objects are followed too.
    let web = deployment("web", waiting());
    ground.apply(&web).await.unwrap();
    busy.turn_away(6);
    let (name, patience) = (ObjectRef::of(&web), Patience::default());
    let ended = soon(cluster.wait_rollout(&name, OldPods::Roll, &patience, |_| {})).await;
    assert!(matches!(ended, Ok(Ended::Done)), "{ended:?}");
    assert_eq!(busy.turned_away(), 6);

    let limits = Limits { patience: Duration::from_millis(500), ..Limits::default() };
    let impatient = Cluster::connect(&access, limits).unwrap();
    // What was followed before may still ask.
    busy.turn_away(1_000);
    let given_up = impatient.apply(&settings, &options()).await.unwrap_err().to_string();
    assert_eq!(
        given_up.replace(&busy.address, "[address]"),
        "the cluster at [address] is overloaded or not ready (status 429): it gives no reason; try \
         again later, or see that it runs well"
    );
}
