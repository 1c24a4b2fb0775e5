//! Files that containers see besides those of their images.

use crate::push::kubernetes::{CHECK, Harbour, RUNNER, serving};

const FILE: &str = "paas: {version: v1.1}
defaults: {storage-size: 64Mi}
images: {runner: {path: .}}
maps: {settings: {greeting: of a map}}
secrets: {keys: {provider: map, options: {key.txt: hunter2-of-a-secret}}}
volumes: {assets: {add: [assets/]}}
pods:
  web:
    containers:
      app:
        image: runner
        listen: [8080]
        volumes:
          data: {mount-path: /www/data, persistent: true, name: uploads}
          conf: {mount-path: /www/conf, from-map: settings}
          keys: {mount-path: /www/keys, from-secret: keys}
          assets: {mount-path: /www/assets, from: assets}
          own: {mount-path: /www/own, add: [own/]}
        variables: {RUN: APP}
        CHECK
      side:
        image: runner
        listen: [8081]
        volumes:
          data: {mount-path: /www/data, persistent: true, name: uploads}
          assets: {mount-path: /www/other, from: assets}
        variables: {RUN: SIDE}
services:
  web: {ports: [{listen: 80, target: 8080}, {listen: 81, target: 8081}]}
";

#[tokio::test]
async fn a_pod_of_several_containers_reads_files_of_every_kind() {
    let Some(harbour) = Harbour::open("volumes").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    copy.write("Dockerfile", RUNNER);
    copy.write("assets/asset.txt", "of a shared volume");
    copy.write("own/own.txt", "of the image");
    let side = serving("side")
        .replace("8080", "8081")
        .replace("httpd", "echo of a disk > /www/data/from-side; httpd");
    let file = FILE.replace("RUN: APP", &format!("RUN: {}", serving("app")));
    let file = file.replace("RUN: SIDE", &format!("RUN: {side}")).replace("CHECK", CHECK);
    copy.write(".paas.yaml", &file);
    for (subject, asset) in [("First", "of a shared volume"), ("Second", "of another one")] {
        copy.write("assets/asset.txt", asset);
        harbour.push(&copy, subject).await.assert_ok().assert_says("web 1/1 ready");
        for (port, path, said) in [
            (80, "/", "app"),
            (81, "/", "side"),
            (80, "/data/from-side", "of a disk"),
            (80, "/conf/greeting", "of a map"),
            (80, "/keys/key.txt", "hunter2-of-a-secret"),
            (80, "/assets/asset.txt", asset),
            (81, "/other/asset.txt", asset),
            (80, "/own/own.txt", "of the image"),
        ] {
            let answer = harbour.ask(&format!("web:{port}"), path).await;
            assert_eq!(answer, Ok(said.to_owned()), "{port}{path}");
        }
    }
    assert_eq!(harbour.names("apps/v1", "StatefulSet").await, ["web-sfset"]);
    assert_eq!(harbour.names("v1", "PersistentVolumeClaim").await, ["uploads"]);
    harbour.close().await;
}
