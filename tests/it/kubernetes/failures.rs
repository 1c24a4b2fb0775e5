//! What fails is explained in one line, with what to do.

use std::time::{Duration, Instant};

use pierhead::kubernetes::{Digest, Ended, Patience};
use serde_json::{Value, json};

use crate::kubernetes::{
    Ground, PAUSE, claim, deployment, script, stateful_set, waiting, with_claim,
};

fn impatient() -> Patience {
    Patience {
        limit: Duration::from_secs(15),
        refusal: Duration::from_secs(3),
        crashes: 2,
        ..Patience::default()
    }
}

/// The headline without what differs from run to run.
fn headline(digest: &Digest) -> String {
    let pods = digest.troubles.iter().map(|trouble| trouble.pod.as_str());
    pods.fold(digest.to_string(), |text, pod| text.replace(pod, "[pod]"))
}

#[tokio::test]
async fn a_container_that_ends_again_and_again_is_told_with_its_last_lines() {
    let Some(ground) = Ground::open("crash").await else { return };
    let mut crashing = deployment("web", script("echo it breaks; exit 7"));
    // A container that runs for a moment is ready for a moment.
    crashing["spec"]["minReadySeconds"] = 5.into();
    let patience = Patience { limit: Duration::from_secs(90), ..impatient() };
    let digest = ground.failure(&crashing, &patience).await;
    assert_eq!(
        headline(&digest),
        "Deployment web: container `app` ends with code 7 (3 times); its last lines say why"
    );
    let output = digest.output.as_ref().expect("its last lines");
    assert_eq!(
        (output.container.as_str(), &output.lines[..]),
        ("app", &["it breaks".to_owned()][..])
    );
    assert_eq!((digest.ready, digest.wanted, digest.exit_code()), (0, 1, Some(7)));
    let happenings: Vec<_> = digest.happenings.iter().map(|it| it.reason.as_str()).collect();
    assert!(happenings.contains(&"BackOff"), "{happenings:?}");
}

#[tokio::test]
async fn an_image_that_there_is_not_ends_the_wait_early() {
    let Some(ground) = Ground::open("image").await else { return };
    let absent = deployment("web", json!({"name": "app", "image": "127.0.0.1:5000/none:1"}));
    let started = Instant::now();
    let digest = ground.failure(&absent, &Patience::default()).await;
    let expected = "Deployment web: the image `127.0.0.1:5000/none:1` cannot be pulled: ";
    assert!(headline(&digest).starts_with(expected), "{digest}");
    assert!(headline(&digest).contains("not found"), "{digest}");
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());

    let nameless = deployment("web", json!({"name": "app", "image": "127.0.0.1:5000/Not:1"}));
    assert_eq!(
        headline(&ground.failure(&nameless, &Patience::default()).await),
        "Deployment web: `127.0.0.1:5000/Not:1` is not the name of an image; correct it"
    );
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_waited_for() {
    let Some(ground) = Ground::open("away").await else { return };
    // Nothing listens there.
    let away = deployment("web", json!({"name": "app", "image": "127.0.0.1:9/app:1"}));
    let digest = ground.failure(&away, &impatient()).await;
    let headline = headline(&digest);
    assert!(
        headline.starts_with("Deployment web: 0 of 1 ready after 15 s: the image"),
        "{headline}"
    );
    assert!(headline.contains("connection refused"), "{headline}");
}

#[tokio::test]
async fn a_secret_that_there_is_not_ends_the_wait_early() {
    let Some(ground) = Ground::open("config").await else { return };
    let mut container = waiting();
    container["envFrom"] = json!([{"secretRef": {"name": "key-secret"}}]);
    let digest = ground.failure(&deployment("web", container), &Patience::default()).await;
    assert_eq!(
        headline(&digest),
        "Deployment web: container `app` lacks something: secret \"key-secret\" not found; declare \
         it, or create it"
    );
}

#[tokio::test]
async fn a_healthcheck_that_never_passes_is_told_with_its_answer() {
    let Some(ground) = Ground::open("probe").await else { return };
    let mut container = script("echo starting; sleep 600");
    container["readinessProbe"] =
        json!({"exec": {"command": ["sh", "-c", "echo no; exit 1"]}, "periodSeconds": 1});
    let digest = ground.failure(&deployment("web", container), &impatient()).await;
    assert_eq!(
        headline(&digest),
        "Deployment web: 0 of 1 ready after 15 s: container `app` runs and is not ready: Readiness \
         probe failed: no; correct the healthcheck or what it asks"
    );
    assert_eq!(digest.output.unwrap().lines, ["starting"]);
}

#[tokio::test]
async fn a_deadline_of_the_deployment_itself_ends_the_wait() {
    let Some(ground) = Ground::open("deadline").await else { return };
    let mut container = script("sleep 600");
    container["readinessProbe"] = json!({"exec": {"command": ["false"]}, "periodSeconds": 1});
    let mut serves = deployment("web", waiting());
    serves["spec"]["progressDeadlineSeconds"] = 3.into();
    let ended = ground.roll_out(&serves, &Patience::default()).await;
    assert!(matches!(ended, Ended::Done), "{ended:?}");
    let mut late = deployment("web", container);
    late["spec"]["progressDeadlineSeconds"] = 3.into();
    let digest = ground.failure(&late, &Patience::default()).await;
    assert!(headline(&digest).starts_with("Deployment web: 0 of 1 ready after 3 s: "), "{digest}");
    // The cluster goes on for a while to speak of the deadline of what it was.
    let ended = ground.roll_out(&serves, &Patience::default()).await;
    assert!(matches!(ended, Ended::Done), "{ended:?}");
}

#[tokio::test]
async fn a_volume_that_does_not_come_is_told_with_its_reason() {
    let Some(ground) = Ground::open("volume").await else { return };
    let mut volume = claim("data", "1Gi");
    volume["spec"]["storageClassName"] = "none".into();
    ground.apply(&volume).await.unwrap();
    let digest =
        ground.failure(&with_claim(deployment("web", waiting()), "data"), &impatient()).await;
    let headline = headline(&digest);
    let expected = "Deployment web: 0 of 1 ready after 15 s: pod [pod] waits for its volume: ";
    assert!(headline.starts_with(expected), "{headline}");
}

#[tokio::test]
async fn a_pod_that_no_node_takes_is_told_with_what_is_short() {
    let Some(ground) = Ground::open("full").await else { return };
    let mut container = waiting();
    container["resources"] = json!({"requests": {"cpu": "4000"}});
    let digest = ground.failure(&deployment("web", container), &impatient()).await;
    let headline = headline(&digest);
    assert!(
        headline.contains("no node takes pod [pod]: ") && headline.contains("Insufficient cpu"),
        "{headline}"
    );
}

#[tokio::test]
async fn pods_that_a_quota_refuses_end_the_wait_early() {
    let Some(ground) = Ground::open("quota").await else { return };
    let quota = |hard: Value| json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": hard}});
    ground.create(quota(json!({"pods": "0"}))).await;
    for workload in
        [deployment("web", waiting()), stateful_set("db", 1, json!({"name": "a", "image": PAUSE}))]
    {
        let started = Instant::now();
        let digest = ground
            .failure(&workload, &Patience { limit: Duration::from_secs(90), ..impatient() })
            .await;
        let headline = headline(&digest);
        assert!(
            headline.contains("its pods do not fit the quota of the namespace (few, "),
            "{headline}"
        );
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    }
}
