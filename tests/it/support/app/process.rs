//! One process of Pierhead.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pierhead::tasks::Tasks;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::support::app::PATIENCE;

/// A process under test. Dropped, it is killed; a failing test shows what it logged.
pub(crate) struct Process {
    pub(crate) role: &'static str,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    ports: watch::Receiver<HashMap<String, u16>>,
}

impl Process {
    /// Starts a role and waits until it listens.
    pub(crate) async fn start(role: &'static str, configuration: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pierhead"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .arg("--config")
            .arg(configuration)
            .arg(role)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (told, ports) = watch::channel(HashMap::new());
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let kept = log.clone();
        let reading = async move {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((before, address)) = line.rsplit_once(" listens on ") {
                    let what = before.rsplit(' ').next().unwrap().to_owned();
                    let port = address.rsplit(':').next().unwrap().parse().unwrap();
                    told.send_modify(|ports| _ = ports.insert(what, port));
                }
                if line.contains("worker waits for jobs") {
                    told.send_modify(|ports| _ = ports.insert("worker".to_owned(), 0));
                }
                kept.lock().unwrap().push(line);
            }
        };
        drop(Tasks::default().start(reading));
        let mut process = Self { role, child, log, ports };
        process.until_ready().await;
        process
    }

    async fn until_ready(&mut self) {
        let needed: &[&str] = match self.role {
            "serve" => &["SSH", "router", "web", "worker"],
            "ssh" => &["SSH"],
            "router" => &["router"],
            "web" => &["web"],
            "worker" => &["worker"],
            other => panic!("there is no role {other}"),
        };
        let ready = |ports: &HashMap<String, u16>| needed.iter().all(|n| ports.contains_key(*n));
        let mut ports = self.ports.clone();
        let waited = tokio::time::timeout(PATIENCE, ports.wait_for(ready)).await;
        if !matches!(waited, Ok(Ok(_))) {
            panic!("{} did not start:\n{}", self.role, self.log());
        }
    }

    /// The port that one of its parts listens on.
    pub(crate) fn port(&self, what: &str) -> u16 {
        *self.ports.borrow().get(what).unwrap_or_else(|| panic!("{what} does not listen"))
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Waits until it has logged something.
    pub(crate) async fn until_logged(&self, text: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !self.log().contains(text) {
            assert!(
                tokio::time::Instant::now() < deadline,
                "never logged {text:?}:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Its number on this machine.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(i32::try_from(self.id()).unwrap()).unwrap(), signal).unwrap();
    }

    /// Ends it without any chance to clean up.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn terminate(mut self) {
        self.signal(Signal::TERM);
        let waited = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = waited.unwrap_or_else(|_| panic!("did not stop:\n{}", self.log())).unwrap();
        assert!(status.success(), "stopped with {status}:\n{}", self.log());
    }
}

#[expect(clippy::print_stderr, reason = "the test runner shows it when a test has failed")]
impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {} logged:\n{}", self.role, self.log());
        }
    }
}

/// Runs something to its end on a thread of its own, whatever the runtime of the test is like.
pub(crate) fn run_as(work: impl Future<Output = ()> + Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(work));
    });
}
