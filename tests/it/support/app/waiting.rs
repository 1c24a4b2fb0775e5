//! Waits for what can be seen from outside.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::support::app::{App, PATIENCE};

impl App {
    /// Waits until there is a file or folder.
    pub(crate) async fn until_there(&self, path: &Path) {
        until(&format!("{} is there", path.display()), || path.exists()).await;
    }

    /// Waits until there is no file or folder any more.
    pub(crate) async fn until_not_there(&self, path: &Path) {
        until(&format!("{} is gone", path.display()), || !path.exists()).await;
    }

    /// Waits until the entrance knows no application of this host.
    pub(crate) async fn until_gone_from_the_entrance(&self, host: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.get(host, "/").await.0 == 200 {
            assert!(Instant::now() < deadline, "{host} never went");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn until(what: &str, is: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < deadline, "it never was that {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
