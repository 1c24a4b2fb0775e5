//! What is elsewhere may be anything, and lead anywhere.

use std::time::Duration;

use pierhead::tasks::Tasks;
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;

use crate::sources::https_server::{HttpsServer, Manner, TOKEN};
use crate::sources::ssh_server::SshServer;
use crate::sources::{Elsewhere, admin, set_with_new_key, settings};
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};
use crate::support::soon;
use crate::support::upstream::Upstream;

const JOBS: &str = "SELECT count(*) FROM jobs";

#[tokio::test]
async fn a_host_key_that_changed_is_not_trusted_until_it_is_pinned() {
    let app = App::start_with(settings()).await;
    app.project_without_target("shop").await;
    let elsewhere = Elsewhere::new(&app).await;
    elsewhere.greet("hello").await;
    let mut server = SshServer::start().await;
    let url = server.url("localhost", &elsewhere.path);
    let file = app.folder.path().join("host_keys");
    std::fs::write(&file, format!("localhost {}", server.host_key())).unwrap();
    let pin = format!(" --host-key {}", file.display());
    server.allow(&set_with_new_key(&app, &url, &pin).await);
    let first = server.fingerprint();
    admin(&app, "test source acme/shop").await.assert_ok().assert_says("no rule speaks of it");

    server.change_host_key().await;
    let refused = admin(&app, "test source acme/shop").await;
    let told = format!("shows another host key, {},", server.fingerprint());
    refused.assert_code(1).assert_says(&told).assert_says(&format!("is pinned ({first})"));
    // Somebody has seen that it is right.
    std::fs::write(&file, server.host_key()).unwrap();
    admin(&app, &format!("set source acme/shop {url}{pin}")).await.assert_ok();
    admin(&app, "test source acme/shop").await.assert_ok();
    app.stop().await;
}

#[tokio::test]
async fn a_host_without_a_pinned_key_is_refused_where_that_is_set() {
    let settings = settings().with("sources", "first_host_key = \"refuse\"");
    let app = App::start_with(settings).await;
    app.project_without_target("shop").await;
    let elsewhere = Elsewhere::new(&app).await;
    let server = SshServer::start().await;
    let url = server.url("127.0.0.1", &elsewhere.path);
    server.allow(&set_with_new_key(&app, &url, "").await);
    let refused = admin(&app, "test source acme/shop").await;
    refused.assert_code(1).assert_says("is pinned, and sources.first_host_key takes none unseen");
    app.stop().await;
}

#[tokio::test]
async fn addresses_of_this_machine_are_not_connected_to() {
    let app = App::start_with(Settings::default()).await;
    app.project_without_target("shop").await;
    let (tasks, (told, mut connected)) = (Tasks::default(), mpsc::channel(8));
    let server = Upstream::raw(&tasks, move |_| {
        let told = told.clone();
        async move { told.send(()).await.unwrap() }
    })
    .await;
    let port = server.address.port();
    for (scheme, login) in [("ssh://git@", " --new-key"), ("https://", "")] {
        for (host, why) in [
            (
                "127.0.0.1",
                format!("127.0.0.1:{port} is not allowed: add 127.0.0.1:{port} to sources.allow"),
            ),
            ("localhost", ", an address of this machine: if that is right, add".to_owned()),
        ] {
            let url = format!("{scheme}{host}:{port}/shop.git");
            admin(&app, &format!("set source acme/shop {url}{login}")).await.assert_ok();
            admin(&app, "check source acme/shop").await.assert_code(1).assert_says(&why);
        }
    }
    assert!(connected.try_recv().is_err(), "it was connected to");
    tasks.stop();
    app.stop().await;
}

#[tokio::test]
async fn a_server_that_sends_on_is_not_followed() {
    let app = App::start_with(settings()).await;
    app.project_without_target("shop").await;
    let elsewhere = Elsewhere::new(&app).await;
    elsewhere.greet("hello").await;
    let (server, other) =
        (HttpsServer::start(&elsewhere.root()).await, HttpsServer::start(&elsewhere.root()).await);
    server.behave(Manner::Redirect(format!("{}/info/refs", other.url("shop.git"))));
    let words = format!("admin set source acme/shop {} --token -", server.url("shop.git"));
    administrate(&app, &words, TOKEN).await.assert_ok();
    let refused = admin(&app, "check source acme/shop").await;
    refused.assert_code(1).assert_says("sends on to another address, and that is not followed");
    assert_eq!(server.asked(), ["/shop.git/info/refs"]);
    assert_eq!(other.asked(), [""; 0]);
    app.stop().await;
}

#[tokio::test]
async fn a_token_that_a_server_repeats_is_hidden() {
    let app = App::start_with(settings()).await;
    app.project_without_target("shop").await;
    let elsewhere = Elsewhere::new(&app).await;
    let server = HttpsServer::start(&elsewhere.root()).await;
    server.behave(Manner::Scold);
    let words = format!("admin set source acme/shop {} --token -", server.url("shop.git"));
    administrate(&app, &words, TOKEN).await.assert_ok();
    let refused = admin(&app, "check source acme/shop").await;
    refused
        .assert_code(1)
        .assert_says("no access for [secret source login], who came as Basic [secret");
    let stored = "SELECT count(*) FROM source_checks WHERE fault LIKE '%hunter2%'
        OR fault LIKE '%Z2l0Omh1bnRlcjI%'";
    assert_eq!(app.count(stored).await, 0);
    let kept = "SELECT count(*) FROM project_sources WHERE fault LIKE '%[secret source login]%'";
    assert_eq!(app.count(kept).await, 1);
    let log = app.process("worker").log();
    assert!(!log.contains("hunter2") && !log.contains("Z2l0Omh1bnRlcjI"), "{log}");
    app.stop().await;
}

#[tokio::test]
async fn a_repository_that_is_too_large_leaves_nothing() {
    let settings = settings().with("sources", "max_bytes = 262144");
    let app = App::start_with(settings).await;
    app.project("shop").await;
    let elsewhere = Elsewhere::new(&app).await;
    let bytes: Vec<u8> = (0..4 * 1024 * 1024).map(|_| rand::random()).collect();
    std::fs::write(elsewhere.copy.path.join("large"), bytes).unwrap();
    elsewhere.copy.commit("Large").await;
    elsewhere.publish(&["main"]).await;
    let server = SshServer::start().await;
    let url = server.url("127.0.0.1", &elsewhere.path);
    server.allow(&set_with_new_key(&app, &url, "").await);
    let refused = admin(&app, "check source acme/shop").await;
    refused
        .assert_code(1)
        .assert_says("which is the most that one check fetches (sources.max_bytes)");
    assert_eq!(app.count(JOBS).await, 0);
    let id = app.project_row("shop").await.id;
    let objects = app.state().join(format!("repositories/{id}.git/objects"));
    let kept: Vec<_> =
        std::fs::read_dir(objects).unwrap().map(|e| e.unwrap().file_name()).collect();
    let kept: Vec<_> = kept.iter().filter(|name| *name != "info" && *name != "pack").collect();
    assert!(kept.is_empty(), "{kept:?}");
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_and_hung_up_on() {
    let settings = settings().with("sources", "time_limit = \"2s\"");
    let app = App::start_with(settings).await;
    app.project_without_target("shop").await;
    let (tasks, (told, mut ended)) = (Tasks::default(), mpsc::channel(8));
    let server = Upstream::raw(&tasks, move |mut socket| {
        let told = told.clone();
        async move {
            let mut heard = Vec::new();
            // To its end: by then whoever came is gone.
            drop(socket.read_to_end(&mut heard).await);
            told.send(()).await.unwrap();
        }
    })
    .await;
    for (scheme, login) in [("ssh://git@", " --new-key"), ("https://", "")] {
        let url = format!("{scheme}127.0.0.1:{}/shop.git", server.address.port());
        admin(&app, &format!("set source acme/shop {url}{login}")).await.assert_ok();
        let begun = tokio::time::Instant::now();
        let refused = admin(&app, "check source acme/shop").await;
        refused.assert_code(1).assert_says("it took longer than 2 s (sources.time_limit)");
        assert!(begun.elapsed() < Duration::from_secs(10));
        soon(ended.recv()).await.unwrap();
    }
    app.assert_nothing_left().await;
    tasks.stop();
    app.stop().await;
}

#[tokio::test]
async fn a_look_that_a_worker_leaves_when_it_stops_is_taken_by_the_next() {
    let settings = settings().with("sources", "time_limit = \"3s\"");
    let settings = Settings { roles: &["ssh", "worker"], ..settings };
    let mut app = App::start_with(settings).await;
    app.project_without_target("shop").await;
    let (tasks, (told, mut connected)) = (Tasks::default(), mpsc::channel(8));
    let server = Upstream::raw(&tasks, move |mut socket| {
        let told = told.clone();
        async move {
            told.send(()).await.unwrap();
            // It answers nothing, until whoever came is gone.
            drop(socket.read_to_end(&mut Vec::new()).await);
        }
    })
    .await;
    let url = format!("https://127.0.0.1:{}/shop.git", server.address.port());
    admin(&app, &format!("set source acme/shop {url} --check-every 1h")).await.assert_ok();
    soon(connected.recv()).await.unwrap();
    app.take("worker").terminate().await;
    app.spawn("worker").await;
    soon(connected.recv()).await.unwrap();
    let ended = "SELECT count(*) FROM source_checks WHERE fault LIKE 'it took longer than 3 s%'";
    app.until_count(ended, 1).await;
    assert_eq!(app.count("SELECT count(*) FROM source_checks").await, 1);
    app.assert_nothing_left().await;
    tasks.stop();
    app.stop().await;
}
