//! kubectl, as somebody types it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use pierhead::manifests::Manifests;
use tempfile::TempDir;

/// kubectl, and the folder with what it applies.
pub(crate) struct Kubectl {
    folder: TempDir,
    selector: String,
}

impl Kubectl {
    /// Nothing where it is not installed.
    pub(crate) fn find(selector: String) -> Option<Self> {
        let found = Command::new("kubectl").args(["version", "--client"]).output();
        let is_found = found.is_ok_and(|output| output.status.success());
        is_found.then(|| Self { folder: tempfile::tempdir().unwrap(), selector })
    }

    /// Its own words about its version.
    pub(crate) fn version() -> String {
        let output = Command::new("kubectl").arg("version").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| line.contains("Version")).collect::<Vec<_>>().join(", ")
    }

    /// Writes objects where they can be applied.
    pub(crate) fn write(&self, manifests: &Manifests) -> PathBuf {
        let file = self.folder.path().join("objects.yaml");
        fs::write(&file, manifests.yaml()).unwrap();
        file
    }

    /// Applies what was written, and gives how long that took.
    pub(crate) fn apply(&self, file: &Path) -> Duration {
        let began = Instant::now();
        let output = Command::new("kubectl")
            .args(["apply", "--server-side", "--force-conflicts", "--field-manager=pierhead"])
            .arg("-f")
            .arg(file)
            .output()
            .unwrap();
        let took = began.elapsed();
        check(&output);
        took
    }

    /// Waits until all deployments serve, and gives how long that took.
    pub(crate) fn wait(&self, namespace: &str) -> Duration {
        let began = Instant::now();
        let output = Command::new("kubectl")
            .args(["rollout", "status", "deployment", "--timeout=300s"])
            .args(["--namespace", namespace, "--selector", &self.selector])
            .output()
            .unwrap();
        let took = began.elapsed();
        check(&output);
        took
    }
}

fn check(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}
