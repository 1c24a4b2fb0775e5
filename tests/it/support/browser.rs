//! A real browser, as people use it.

use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper::Method;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::{ParseError, Url};

use crate::support::app::PATIENCE;

/// A browser without a window, and the program that drives it.
pub(crate) struct Browser {
    pub(crate) client: Client,
    /// What was found of what keeps people out.
    found: Mutex<Vec<String>>,
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
            "--hide-scrollbars",
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
        Self { client, found: Mutex::default(), driver, _profile: profile }
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

    /// Asks the browser for something that `WebDriver` has no words for.
    async fn devtools(&self, cmd: &'static str, params: Value) -> Value {
        self.client.issue_cmd(Devtools { cmd, params }).await.unwrap()
    }

    /// Has the page as it is on a screen of this width, in this colour scheme.
    async fn view(&self, Screen { width, scheme, .. }: Screen) {
        let metrics = json!({
            "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// Looks at the page on a desk and on a phone, in light and in the dark: nothing may keep people
    /// out, nor be wider than the screen. Keeps a picture of each in `target/tmp/pictures`.
    pub(crate) async fn look(&self, name: &str) {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        std::fs::create_dir_all(&folder).unwrap();
        for screen in SCREENS {
            self.view(screen).await;
            let wide = "return document.documentElement.scrollWidth - window.innerWidth";
            let wide = self.client.execute(wide, vec![]).await.unwrap();
            let mut found = self.findings().await;
            if wide.as_i64().unwrap() > 0 {
                found.push(format!("{wide} pixels wider than the screen"));
            }
            let found = found.iter().map(|text| format!("{name} on a {}: {text}", screen.name));
            self.found.lock().unwrap().extend(found);
            let shot = json!({"format": "webp", "quality": 80, "captureBeyondViewport": true});
            let shot = self.devtools("Page.captureScreenshot", shot).await;
            let picture = Base64::decode_vec(shot["data"].as_str().unwrap()).unwrap();
            std::fs::write(folder.join(format!("{name}-{}.webp", screen.name)), picture).unwrap();
        }
        self.view(SCREENS[0]).await;
    }

    /// Nothing was found on any page that was looked at.
    pub(crate) fn assert_nothing_found(&self) {
        let found = self.found.lock().unwrap();
        assert!(found.is_empty(), "{}", found.join("\n\n"));
    }

    /// What axe-core finds of what keeps people out; nothing where it is not.
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration file")]
    #[expect(
        clippy::print_stderr,
        reason = "whoever reads the log must know that nothing was tried"
    )]
    async fn findings(&self) -> Vec<String> {
        let Ok(axe) = std::env::var("TEST_AXE") else {
            eprintln!("not tried: set TEST_AXE to the file axe.min.js; bin/test does");
            return Vec::new();
        };
        let axe = std::fs::read_to_string(axe).unwrap();
        self.client.execute(&axe, vec![]).await.unwrap();
        let run = "const done = arguments[0]; \
                   axe.run({resultTypes: ['violations']}).then(it => done(it.violations))";
        let found = self.client.execute_async(run, vec![]).await.unwrap();
        let nodes = |finding: &Value| {
            let nodes = finding["nodes"].as_array().unwrap().iter();
            nodes.map(|node| format!("{}: {}", node["html"], node["failureSummary"])).collect()
        };
        let found = found.as_array().unwrap().iter();
        found
            .map(|finding| {
                let nodes: Vec<String> = nodes(finding);
                format!("{}: {}\n{}", finding["id"], finding["help"], nodes.join("\n"))
            })
            .collect()
    }
}

/// What a page is looked at on.
#[derive(Debug, Clone, Copy)]
struct Screen {
    name: &'static str,
    width: u32,
    scheme: &'static str,
}

const SCREENS: [Screen; 2] = [
    Screen { name: "desk", width: 1280, scheme: "light" },
    Screen { name: "phone", width: 390, scheme: "dark" },
];

/// A command of the `DevTools` protocol, as chromedriver takes it.
#[derive(Debug)]
struct Devtools {
    cmd: &'static str,
    params: Value,
}

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _endpoint: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({"cmd": self.cmd, "params": self.params}).to_string()))
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
