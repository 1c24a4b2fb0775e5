//! Projects whose images are in a registry.

use std::process::Command;

use hyper::Method;
use serde_json::Value;

use crate::docker_host::DockerHost;
use crate::support::app::developer::Done;
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};
use crate::support::registry::{OwnRegistry, PASSWORD};
use crate::support::stumbling::{At, Stumble, Stumbling};

/// What an independent client says of an image in a registry.
fn skopeo(registry: &OwnRegistry, name: &str) -> Value {
    let image = format!("docker://{}/{name}", registry.address);
    let output = Command::new("skopeo")
        .args(["inspect", "--tls-verify=false", "--creds", &format!("pusher:{PASSWORD}"), &image])
        .output()
        .expect("skopeo is installed");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn is_blob(method: &Method, path: &str) -> bool {
    method == Method::PATCH && path.contains("/blobs/uploads/")
}

fn is_manifest(method: &Method, path: &str) -> bool {
    method == Method::PUT && path.contains("/manifests/")
}

fn assert_refused(push: &Done, words: &str) {
    let refs = push.assert_code(1).refs().join("\n");
    assert!(refs.contains("! [remote rejected] main -> main (image: "), "{refs}");
    push.assert_says(words);
}

#[tokio::test]
async fn images_are_in_the_registry_and_run_by_their_digests_whoever_builds() {
    for program in ["docker", "buildah"] {
        if program == "buildah" && DockerHost::beside(program).await.is_none() {
            continue;
        }
        let registry = OwnRegistry::start().await;
        let app =
            App::start_with(Settings::default().with("builder", &format!("program = {program:?}")))
                .await;
        app.project("pushed").await;
        administrate(&app, &registry.set("pushed"), PASSWORD).await.assert_ok();
        let copy = app.developer("ana").await.hello("acme/pushed").await;
        let push = copy.push(&["main"]).await;
        push.assert_ok().assert_says("| pushed ");
        assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
        let image = skopeo(&registry, "pushed/acme/pushed/hello:production");
        let digest = image["Digest"].as_str().unwrap();
        let labels = image["Labels"].to_string();
        assert!(labels.contains("org.opencontainers.image.revision"), "{image}");
        assert!(labels.contains("pierhead.dev/project"), "{image}");
        let pinned = format!("{}/pushed/acme/pushed/hello@{digest}", registry.address);
        let environment = app.environment("pushed", "production").await.id;
        assert_eq!(app.images_of(environment).await, [pinned], "{program}");

        copy.write("other", "of no image");
        copy.commit("Nothing").await;
        copy.push(&["main"]).await.assert_ok();
        let again = skopeo(&registry, "pushed/acme/pushed/hello:production");
        assert_eq!(again["Layers"], image["Layers"], "{program}");
        app.assert_nothing_left().await;
        app.stop().await;
    }
}

#[tokio::test]
async fn a_registry_that_takes_nothing_is_named_and_what_serves_goes_on() {
    let registry = OwnRegistry::start().await;
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();

    administrate(&app, &registry.set("shop"), "wrong-password").await.assert_ok();
    copy.write_hello("second");
    copy.commit("Second").await;
    let image = format!("{}/shop/acme/shop/hello:production", registry.address);
    let push = copy.push(&["main"]).await;
    assert_refused(&push, &format!("cannot push `{image}`: "));
    push.assert_says("unauthorized");

    administrate(&app, "admin set registry acme/shop 127.0.0.1:1/x", "").await.assert_ok();
    let push = copy.push(&["main"]).await;
    assert_refused(&push, "cannot push `127.0.0.1:1/x/acme/shop/hello:production`: ");
    push.assert_says("connection refused");
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));

    administrate(&app, &registry.set("shop"), PASSWORD).await.assert_ok();
    copy.push(&["main"]).await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "second".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_name_in_a_registry_that_another_project_has_is_left_to_it() {
    let registry = OwnRegistry::start().await;
    let (first, second) = (App::start().await, App::start().await);
    for app in [&first, &second] {
        app.project("taken").await;
        administrate(app, &registry.set("taken"), PASSWORD).await.assert_ok();
    }
    first.developer("ana").await.hello("acme/taken").await.push(&["main"]).await.assert_ok();
    let name = "taken/acme/taken/hello:production";
    let before = skopeo(&registry, name);

    let copy = second.developer("eve").await.hello("acme/taken").await;
    let push = copy.push(&["main"]).await;
    assert_refused(&push, &format!("`{}/{name}` is another project's image", registry.address));
    push.assert_says("or choose another path by `admin set registry`");
    assert_eq!(skopeo(&registry, name), before);
    let elsewhere = registry.set("elsewhere").replace("acme/elsewhere", "acme/taken");
    administrate(&second, &elsewhere, PASSWORD).await.assert_ok();
    copy.push(&["main"]).await.assert_ok();
    for app in [first, second] {
        app.assert_nothing_left().await;
        app.stop().await;
    }
}

#[tokio::test]
async fn a_registry_that_stumbles_is_pushed_to_again_and_the_push_says_so() {
    let server = Stumbling::start().await;
    let app = App::start().await;
    app.project("shop").await;
    administrate(&app, &server.registry.set("shop"), PASSWORD).await.assert_ok();
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let unavailable = "received unexpected HTTP status: 503 Service Unavailable";
    // Layers are sent again by the engine itself.
    server.stumble(Stumble { at: is_blob, status: 503, times: 1 });
    let push = copy.push(&["main"]).await;
    push.assert_ok().assert_says(":production: Retrying in 5 seconds");
    assert!(!push.stderr.contains("Retrying in 4"), "{}", push.stderr);

    let stumbles: [(u16, usize, At, &str); 5] = [
        // The image's configuration: its layers are there.
        (503, 2, is_blob, unavailable),
        (503, 3, is_manifest, unavailable),
        (500, 1, is_manifest, "received unexpected HTTP status: 500 Internal Server Error"),
        (429, 2, is_manifest, "toomanyrequests: slow down"),
        // Nobody signs in where it is not said how. The first to ask is who looks whose the name is.
        (503, 2, |_, path| path == "/v2/", "unauthorized: authentication required"),
    ];
    for (status, times, at, words) in stumbles {
        copy.write("other", &format!("{status} {times}"));
        copy.commit("Of no layer").await;
        server.stumble(Stumble { at, status, times });
        let push = copy.push(&["main"]).await;
        push.assert_ok().assert_says("| pushed ");
        push.assert_says(&format!("| trying again in 1 s: {words}"));
        assert_eq!(server.stumbled(), times, "{words}");
    }
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_registry_that_does_not_stop_stumbling_is_given_up_and_what_serves_goes_on() {
    let server = Stumbling::start().await;
    let app = App::start().await;
    app.project("shop").await;
    administrate(&app, &server.registry.set("shop"), PASSWORD).await.assert_ok();
    let copy = app.developer("ana").await.hello("acme/shop").await;
    copy.push(&["main"]).await.assert_ok();

    copy.write_hello("second");
    copy.commit("Second").await;
    server.stumble(Stumble { at: is_manifest, status: 503, times: usize::MAX });
    let push = copy.push(&["main"]).await;
    let image = format!("{}/shop/acme/shop/hello:production", server.registry.address);
    let words = "received unexpected HTTP status: 503";
    assert_refused(&push, &format!("cannot push `{image}`: {words}"));
    for pause in [1, 2, 4] {
        push.assert_says(&format!("| trying again in {pause} s: {words}"));
    }
    assert_eq!(server.stumbled(), 4, "one time, and three again");
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hello".to_owned()));

    server.stumble(Stumble { at: is_manifest, status: 503, times: 0 });
    copy.push(&["main"]).await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "second".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}
