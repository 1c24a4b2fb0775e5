//! Pods: what they run, mount and are replaced by.

use serde_json::json;

use super::*;
use crate::domain::pinned::Pinned;
use crate::manifests::Update;
use crate::paas::compiled::{HealthCheck, Import, Probe, SharedVolume, Strategy};

#[test]
fn pods_are_replaced_only_when_they_changed_where_that_is_wanted() {
    let mut pod = web();
    pod.containers[0].env_from.push(Import::Map("site".to_owned()));
    let mut scene = Scene::new(vec![pod]);
    let mode = IndexMap::from([("MODE".to_owned(), text("a"))]);
    scene.deployment.maps.push(Map { name: "site".to_owned(), options: mode });
    scene.settings.rollout.force = false;
    let template = |scene: &Scene| scene.at("web-dplmt", "/spec/template/metadata");
    assert_eq!(template(&scene)["labels"], json!({"name": "web", "vname": "web-v3"}));
    scene.pinned = [("nginx:1".to_owned(), Pinned::Digest("nginx@sha256:1".to_owned()))].into();
    let before = template(&scene);
    assert_eq!(before["labels"], json!({"name": "web"}));
    assert_eq!(before["annotations"]["pierhead.dev/content"].as_str().unwrap().len(), 16);
    scene.owner.release = ReleaseNumber(4);
    scene.owner.fence = Fence(8);
    assert_eq!(template(&scene), before);
    scene.deployment.maps[0].options.insert("MODE".to_owned(), text("b"));
    assert_ne!(template(&scene), before);
}

#[test]
fn images_are_named_by_their_content() {
    let built = ImageRef { origin: Origin::Built, name: "app".to_owned(), tag: "eu".to_owned() };
    let pod = Pod::new("web", vec![Container::new("app", built), container("side")]);
    let mut scene = Scene::new(vec![pod]);
    let image = |scene: &Scene, index: usize| {
        let container = scene.at("web-dplmt", &format!("{POD}/containers/{index}"));
        format!("{} {}", container["image"], container["imagePullPolicy"])
    };
    assert_eq!(image(&scene, 0), r#""shop/app:eu" "Always""#);
    assert_eq!(image(&scene, 1), r#""nginx:1" "Always""#);
    scene.is_strict = true;
    scene.pinned = [("app:eu".to_owned(), Pinned::ImageId("sha256:1".to_owned()))].into();
    insta::assert_snapshot!(scene.faults(), @r"
    pods.web.containers.app.image: image `app:eu` is in no registry, from which nodes could pull it
    pods.web.containers.side.image: image `nginx:1` was neither built nor found
    ");
    let digest = |name: &str| Pinned::Digest(format!("r.example/{name}@sha256:1"));
    scene.pinned =
        [("app:eu".to_owned(), digest("app")), ("nginx:1".to_owned(), digest("nginx"))].into();
    assert_eq!(image(&scene, 0), r#""r.example/app@sha256:1" "IfNotPresent""#);
}

#[test]
fn a_volume_is_there_once_and_names_of_others_stay_apart() {
    let one = with_mounts("one", [("conf", map("conf", "a", "/a")), ("x", map("x", "a", "/x"))]);
    let two = with_mounts("two", [("conf", map("conf", "a", "/a"))]);
    let three = with_mounts("three", [("conf", map("conf", "b", "/b"))]);
    let scene = Scene::new(vec![Pod::new("web", vec![one, two, three])]);
    let name = |container: usize, mount: usize| {
        let mount = format!("{POD}/containers/{container}/volumeMounts/{mount}/name");
        scene.at("web-dplmt", &mount)
    };
    assert_eq!((name(0, 0), name(0, 1)), (json!("conf-volume"), json!("x-volume")));
    assert_eq!((name(1, 0), name(2, 0)), (json!("conf-volume"), json!("three-conf-volume")));
    let volumes = scene.at("web-dplmt", &format!("{POD}/volumes"));
    assert_eq!(volumes.as_array().unwrap().len(), 3);
}

#[test]
fn what_pods_serve_through_is_known() {
    let disk = with_mounts("db", [("data", disk("data"))]);
    let mut scene = Scene::new(vec![web(), stateful("db", disk)]);
    let rollout = |scene: &Scene, name: &str| match scene.get(name).duty {
        Duty::Rollout(rollout) => (rollout.update, rollout.keeps_serving),
        duty @ (Duty::Plain | Duty::Claim { .. } | Duty::Copy | Duty::Work(_)) => {
            panic!("{duty:?}")
        }
    };
    assert_eq!(rollout(&scene, "web-dplmt"), (Update::Rolling, true));
    assert_eq!(rollout(&scene, "db-sfset"), (Update::Rolling, false));
    assert_eq!(
        scene.at("db-sfset", "/spec/updateStrategy"),
        json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
    );
    scene.deployment.pods[0].upgrade.max_upgrading_pods = 0;
    assert_eq!(rollout(&scene, "web-dplmt"), (Update::Rolling, false));
    assert_eq!(
        scene.at("web-dplmt", "/spec/strategy/rollingUpdate"),
        json!({"maxSurge": 0, "maxUnavailable": 1})
    );
    scene.deployment.pods[1].replicas = 2;
    assert_eq!(rollout(&scene, "db-sfset"), (Update::Rolling, true));
    for pod in &mut scene.deployment.pods {
        pod.upgrade.strategy = Strategy::Recreate;
    }
    assert_eq!(scene.at("web-dplmt", "/spec/strategy"), json!({"type": "Recreate"}));
    assert_eq!(rollout(&scene, "db-sfset"), (Update::Recreate, false));
    scene.deployment.pods[1].upgrade.strategy = Strategy::OnDelete;
    assert_eq!(rollout(&scene, "db-sfset"), (Update::OnDelete, false));
}

#[test]
fn pods_without_a_check_must_stay_up() {
    let mut pod = web();
    let scene = Scene::new(vec![pod.clone()]);
    let seconds = |scene: &Scene| scene.at("web-dplmt", "/spec/minReadySeconds");
    assert_eq!(seconds(&scene), json!(10));
    pod.containers[0].healthcheck = Some(HealthCheck {
        probe: Probe::Tcp { port: 80 },
        initial_delay: 0,
        period: 1,
        success_threshold: 2,
        failure_threshold: 3,
    });
    let scene = Scene::new(vec![pod.clone()]);
    assert_eq!(seconds(&scene), Json::Null);
    let probe =
        |kind: &str| scene.at("web-dplmt", &format!("{POD}/containers/0/{kind}/successThreshold"));
    assert_eq!((probe("livenessProbe"), probe("readinessProbe")), (json!(1), json!(2)));
}

#[test]
fn user_namespaces_and_images_as_volumes_are_for_newer_clusters() {
    let mut deployment = Scene::new(vec![web()]).deployment;
    let files = SharedVolume {
        name: "assets-shop".to_owned(),
        paths: Vec::new(),
        local_path: "/".to_owned(),
        mount_path: "/mnt".to_owned(),
    };
    deployment.volumes.insert("assets".to_owned(), files);
    let mount = Mount::Shared {
        volume: "assets".to_owned(),
        name: "assets-shop".to_owned(),
        mount_path: "/srv".to_owned(),
    };
    deployment.pods[0].containers[0].volumes.insert("x".to_owned(), mount);
    let mut scene = Scene { deployment, ..Scene::new(Vec::new()) };
    scene.settings.pods.shared_volume_limit = Some("1Gi".to_owned());
    let mut at = |level: &str| {
        scene.target.level = level.parse().unwrap();
        let spec = scene.at("web-dplmt", POD);
        format!("{} {}", spec["hostUsers"], spec["volumes"])
    };
    let copied = r#"[{"emptyDir":{"sizeLimit":"1Gi"},"name":"assets-shop-volume"}]"#;
    let mounted = r#"[{"image":{"pullPolicy":"Always","reference":"shop/assets-shop:eu"},"name":"assets-shop-volume"}]"#;
    assert_eq!(at("1.34"), format!("null {copied}"));
    assert_eq!(at("1.35"), format!("null {mounted}"));
    assert_eq!(at("1.36"), format!("false {mounted}"));
    scene.settings.pods.early_image_volumes = true;
    scene.settings.pods.early_user_namespaces = true;
    let mut at = |level: &str| {
        scene.target.level = level.parse().unwrap();
        let spec = scene.at("web-dplmt", POD);
        format!("{} {}", spec["hostUsers"], spec["volumes"])
    };
    assert_eq!(at("1.32"), format!("null {copied}"));
    assert_eq!(at("1.33"), format!("false {mounted}"));
}

#[test]
fn nothing_is_late_before_its_pods_had_to_stay_up_long_enough() {
    let db = with_mounts("db", [("data", disk("data"))]);
    let mut scene = Scene::new(vec![web(), stateful("db", db)]);
    scene.settings.rollout.min_ready_s = 30;
    scene.settings.rollout.deadline_s = 5;
    let deadline = |scene: &Scene, name: &str| {
        let Duty::Rollout(rollout) = scene.get(name).duty else { panic!("{name} is waited for") };
        rollout.deadline_s
    };
    assert_eq!(scene.at("web-dplmt", "/spec/progressDeadlineSeconds"), json!(31));
    assert_eq!(scene.at("db-sfset", "/spec/minReadySeconds"), json!(30));
    assert_eq!(["web-dplmt", "db-sfset"].map(|name| deadline(&scene, name)), [31, 31]);
    scene.settings.rollout.deadline_s = 600;
    assert_eq!(["web-dplmt", "db-sfset"].map(|name| deadline(&scene, name)), [600, 600]);
}
