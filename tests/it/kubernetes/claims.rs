//! Claims keep their data unless they are reset.

use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};
use pierhead::kubernetes::{
    ApplyOptions, Change, Claims, Ended, JobEnded, ObjectRef, Patience, SuccessCodes,
};
use serde_json::json;

use crate::kubernetes::{Ground, claim, deployment, job, options, script, with_claim};

#[tokio::test]
async fn a_claim_that_is_there_stays_and_grows_if_its_class_lets_it() {
    let Some(ground) = Ground::open("claim").await else { return };
    let first = ground.apply(&claim("data", "1Gi")).await.unwrap();
    assert_eq!(first.change, Change::Created);
    let same = ground.apply(&claim("data", "1024Mi")).await.unwrap();
    assert_eq!((same.change, same.warnings), (Change::Unchanged, Vec::new()));
    // Only a bound claim may grow.
    let user = with_claim(deployment("web", script("sleep 600")), "data");
    assert!(matches!(ground.roll_out(&user, &Patience::default()).await, Ended::Done));

    let classes: Api<StorageClass> = Api::all(ground.admin.clone());
    let classes = classes.list(&ListParams::default()).await.unwrap();
    let grows = classes.items.iter().any(|class| {
        let default = class.annotations().get("storageclass.kubernetes.io/is-default-class");
        default.is_some_and(|is| is == "true") && class.allow_volume_expansion == Some(true)
    });
    let larger = ground.apply(&claim("data", "2Gi")).await.unwrap();
    if grows {
        assert_eq!((larger.change, larger.warnings), (Change::Changed, Vec::new()));
    } else {
        let expected = "PersistentVolumeClaim data stays at 1Gi and does not grow to 2Gi: ";
        assert_eq!(larger.change, Change::Unchanged);
        assert!(larger.warnings[0].starts_with(expected), "{:?}", larger.warnings);
    }
    let mut other = claim("data", "1Gi");
    other["spec"]["accessModes"] = json!(["ReadWriteMany"]);
    let warnings = ground.apply(&other).await.unwrap().warnings;
    assert!(warnings[0].contains("ReadWriteOnce and does not get ReadWriteMany"), "{warnings:?}");
    assert_eq!(ground.found(&other).await["metadata"]["uid"], first.stored["metadata"]["uid"]);
}

#[tokio::test]
async fn a_reset_loses_the_data_though_pods_use_them() {
    let Some(ground) = Ground::open("reset").await else { return };
    let wanted = claim("data", "1Gi");
    let first = ground.apply(&wanted).await.unwrap();
    let writer = with_claim(deployment("web", script("echo old > /data/file; sleep 600")), "data");
    assert!(matches!(ground.roll_out(&writer, &Patience::default()).await, Ended::Done));

    let resetting = ApplyOptions { claims: Claims::Reset, ..options() };
    let reset = ground.cluster.apply(&wanted, &resetting).await.unwrap();
    assert_eq!(reset.change, Change::Replaced);
    assert_ne!(reset.stored["metadata"]["uid"], first.stored["metadata"]["uid"]);
    assert_eq!(ground.found(&writer).await["spec"]["replicas"], 0, "nothing old runs on new data");

    let look = with_claim(job("look", script("test ! -e /data/file"), json!({})), "data");
    ground.apply(&look).await.unwrap();
    let name = ObjectRef::of(&look);
    let ended = ground
        .cluster
        .wait_job(&name, &SuccessCodes::default(), &Patience::default(), |_| {})
        .await
        .unwrap();
    assert!(matches!(ended, JobEnded::Succeeded { translated: None }), "{ended:?}");
    // Applying brings the pods back.
    assert!(matches!(ground.roll_out(&writer, &Patience::default()).await, Ended::Done));
}
