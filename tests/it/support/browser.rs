//! A real browser, as people use it.

use std::process::Stdio;
use std::time::Duration;

use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::{Client, ClientBuilder, Locator};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::app::PATIENCE;

/// A browser without a window, and the program that drives it.
pub(crate) struct Browser {
    pub(crate) client: Client,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    pub(crate) async fn start() -> Self {
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

    /// What an element says.
    pub(crate) async fn text(&self, css: &str) -> String {
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
    pub(crate) async fn until_says(&self, css: &str, expected: &str) {
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

    /// Fills in a field.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.client.find(Locator::Css(css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses a button, or follows a link, and waits for the page that it leads to.
    pub(crate) async fn press(&self, css: &str) {
        // A page that is still there remembers this.
        self.client.execute("window.before = true", vec![]).await.unwrap();
        self.client.find(Locator::Css(css)).await.unwrap().click().await.unwrap();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let is_new = "return window.before !== true && document.readyState === 'complete'";
        while self.client.execute(is_new, vec![]).await.ok() != Some(json!(true)) {
            assert!(tokio::time::Instant::now() < deadline, "{css} leads nowhere");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Opens a page of a server on this machine.
    pub(crate) async fn open(&self, port: u16, path: &str) {
        self.client.goto(&format!("http://127.0.0.1:{port}{path}")).await.unwrap();
    }

    /// The path of the page that is open.
    pub(crate) async fn path(&self) -> String {
        self.client.current_url().await.unwrap().path().to_owned()
    }

    /// Keeps a picture of the page, for whoever looks at `target/tmp/pictures`.
    pub(crate) async fn picture(&self, name: &str) {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        std::fs::create_dir_all(&folder).unwrap();
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
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
