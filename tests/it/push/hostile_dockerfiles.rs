//! Dockerfiles that want what is not theirs, or that nobody wrote by hand.

use crate::docker_host::DockerHost;
use crate::support::app::{App, Settings};

#[tokio::test]
async fn another_projects_image_is_not_reached_however_it_is_written() {
    is_not_reached(Settings::default(), "vault").await;
}

#[tokio::test]
async fn another_projects_image_is_not_reached_by_buildah() {
    if DockerHost::beside("buildah").await.is_some() {
        let settings = Settings::default().with("builder", "program = \"buildah\"");
        is_not_reached(settings, "safe").await;
    }
}

/// The image of this project is one that no other test has on the engine, which they share.
async fn is_not_reached(settings: Settings, vault: &str) {
    let image = format!("acme/{vault}/hello:production");
    let app = App::start_with(settings).await;
    app.project(vault).await;
    app.project("thief").await;
    let ana = app.developer("ana").await;
    let victim = ana.hello(&format!("acme/{vault}")).await;
    victim.write("index.html", "the secret of the vault");
    victim.commit("Keep a secret").await;
    victim.push(&["main"]).await.assert_ok();

    let thief = ana.hello("acme/thief").await;
    let backslashed = image.replace("acme", "ac\\me");
    let copy = format!("COPY --from={image} /www /www");
    for first_lines in [
        format!("FROM {image}"),
        format!("\u{feff}FROM {image}"),
        format!("FROM {backslashed}"),
        format!("FROM busybox:stable\nCOPY --from=\"{image}\" /www /www"),
        format!("FROM busybox:stable\nRUN true \\\n  # a comment\n{copy}"),
        format!("FROM busybox:stable\nRUN true \\\u{c}\n{copy}"),
        format!("# a = b\n# escape=`\nFROM busybox:stable\nRUN true # `\n{copy}"),
    ] {
        thief.write("Dockerfile", &format!("{first_lines}\nRUN cat /www/index.html\n"));
        thief.commit("Steal").await;
        let push = thief.push(&["main"]).await;
        push.assert_code(1);
        assert!(!push.stderr.contains("the secret"), "{first_lines:?}\n{}", push.stderr);
        let refused = ["is not on this engine under that name", "name images without quotes"];
        assert!(refused.iter().any(|text| push.stderr.contains(text)), "{}", push.stderr);
    }
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_dockerfile_as_deep_as_it_is_long_is_an_error_and_nothing_else() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let deep = format!("FROM {}x{}\n", "${A:-".repeat(100_000), "}".repeat(100_000));
    copy.write("Dockerfile", &deep);
    copy.commit("Nest").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("name images without quotes, escapes and values");
    copy.write_hello("hello");
    copy.commit("Say hello again").await;
    copy.push(&["main"]).await.assert_ok();
    app.assert_nothing_left().await;
    app.stop().await;
}
