//! Dockerfiles that no builder builds: each is told in a clear line, and leaves nothing.

use std::collections::HashMap;

use bollard::query_parameters::ListImagesOptionsBuilder;

use crate::docker_host::DockerHost;
use crate::support::app::{App, Settings};

/// Dockerfiles, and what their rejection says; either of several texts.
const REFUSED: [(&str, &str); 9] = [
    (
        "# syntax=evil/front:1\nFROM busybox:stable\n",
        "line 1 of the Dockerfile: the frontend `evil/front:1` is not one of those",
    ),
    ("FROM\n", "FROM"),
    (
        "FROM --platform=linux/s390x busybox:stable\n",
        "`FROM --platform=linux/s390x`: images are built for linux/",
    ),
    (
        "ARG TARGETARCH\nFROM busybox-$TARGETARCH\n",
        "`FROM busybox-$TARGETARCH`: name images without quotes",
    ),
    ("# nothing\n", "no build stage|no instructions|no stages|no FROM"),
    ("FROM nobody-has/this:1\n", "cannot get image `nobody-has/this:1`"),
    ("FROM busybox:stable AS a\nFROM nobody-has/that:1\nCOPY --from=a / /\n", "nobody-has/that:1"),
    ("FROM busybox:stable\nCOPY not-there /\n", "not-there"),
    ("FROM busybox:stable\nRUN exit 7\n", "`exit 7` exited 7"),
];

async fn refuses(settings: Settings) {
    let app = App::start_with(settings).await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    for (dockerfile, says) in REFUSED {
        copy.write("Dockerfile", dockerfile);
        copy.commit("Build what cannot be built").await;
        let push = copy.push(&["main"]).await;
        push.assert_code(1).assert_says("image     hello:production: ");
        let is_told = says.split('|').any(|says| push.stderr.contains(says));
        assert!(is_told, "{says:?} is not in\n{}", push.stderr);
    }
    app.assert_nothing_left().await;
    let environment = app.environment("shop", "production").await.id;
    let label = format!("pierhead.dev/environment={environment}");
    let filters = HashMap::from([("label", vec![label.as_str()])]);
    let options = ListImagesOptionsBuilder::default().all(true).filters(&filters).build();
    let images = app.docker().list_images(Some(options)).await.unwrap();
    assert!(images.is_empty(), "{images:?}");
    copy.write("Dockerfile", "FROM busybox:stable\nCOPY index.html /www/\nCMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n");
    copy.commit("Build what can be built").await;
    copy.push(&["main"]).await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn buildkit_refuses_in_a_clear_line() {
    refuses(Settings::default().with("builder", "docker = \"buildkit\"")).await;
}

#[tokio::test]
async fn the_classic_builder_refuses_in_a_clear_line() {
    refuses(Settings::default().with("builder", "docker = \"classic\"")).await;
}

#[tokio::test]
async fn buildah_refuses_in_a_clear_line() {
    if DockerHost::beside("buildah").await.is_some() {
        refuses(Settings::default().with("builder", "program = \"buildah\"")).await;
    }
}
