//! The page of a job in a real browser.

use std::process::Stdio;
use std::time::Duration;

use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::{Client, ClientBuilder, Locator};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::app::gate::BuildGate;
use crate::support::app::{App, PATIENCE};

/// A browser without a window, and the program that drives it.
struct Browser {
    client: Client,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    async fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .process_group(0)
            .spawn()
            .expect("chromedriver is installed; bin/test does it");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("chromedriver says its port");
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let profile = tempfile::tempdir().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let arguments = json!([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            folder
        ]);
        let wanted = json!({"goog:chromeOptions": {"args": arguments}});
        let Value::Object(wanted) = wanted else { unreachable!("it is an object") };
        let mut builder =
            ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let client = builder
            .capabilities(wanted)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        Self { client, driver, _profile: profile }
    }

    async fn text(&self, css: &str) -> String {
        loop {
            let element = self.client.find(Locator::Css(css)).await.unwrap();
            match element.text().await {
                // The page has put another in its place this moment.
                Err(CmdError::Standard(error))
                    if error.error == ErrorStatus::StaleElementReference => {}
                text => return text.unwrap(),
            }
        }
    }

    /// Waits until an element says something.
    async fn until_says(&self, css: &str, expected: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let text = self.text(css).await;
            if text.contains(expected) {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{css} says {text:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser is of the group that its driver leads, and does not end with it.
        let driver = self.driver.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(driver) = driver {
            kill_process_group(driver, Signal::KILL).unwrap();
        }
    }
}

#[tokio::test]
async fn the_page_follows_a_deployment_whose_pusher_hung_up() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let gate = BuildGate::new();
    copy.write("Dockerfile", &gate.dockerfile());
    copy.commit("Take a while").await;
    let push = copy.start_push(&["main"]);
    gate.reached().await;
    let browser = Browser::start().await;
    let port = app.process("web").port("web");
    let page = format!("http://127.0.0.1:{port}/jobs/{}", app.job(1).await.id);
    browser.client.goto(&page).await.unwrap();
    browser.until_says("#history", "building hello:production").await;
    assert_eq!(browser.text("#state").await, "running");
    // A page that was loaded again would have forgotten this.
    browser.client.execute("window.seen = true", vec![]).await.unwrap();
    push.kill().await;
    gate.open(&app).await;
    browser.until_says("#state", "live").await;
    browser.until_says("#history", &format!("http://{}:8080", copy.host())).await;
    assert_eq!(browser.text("#release").await, "v1");
    let seen = browser.client.execute("return window.seen", vec![]).await.unwrap();
    assert_eq!(seen, json!(true));
    drop(browser);
    app.stop().await;
}
