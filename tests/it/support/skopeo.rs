//! Images as an independent client sees them.

use std::fs;
use std::path::Path;
use std::process::Command;

use pierhead::domain::digest::Digest;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::registry::{OwnRegistry, PASSWORD};

/// An image that skopeo copied.
pub(crate) struct Copied {
    folder: TempDir,
    pub(crate) manifest: Value,
    pub(crate) config: Value,
}

impl Copied {
    /// Copies an image out of a registry.
    pub(crate) fn from_registry(registry: &OwnRegistry, name: &str) -> Self {
        let credentials = format!("pusher:{PASSWORD}");
        Self::copy(
            &format!("docker://{}/{name}", registry.address),
            &["--src-tls-verify=false", "--src-creds", &credentials],
        )
    }

    /// Copies an image out of an engine.
    pub(crate) fn from_engine(address: &str, id: &str) -> Self {
        Self::copy(&format!("docker-daemon:{id}"), &["--src-daemon-host", address])
    }

    fn copy(image: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let to = format!("dir:{}", folder.path().display());
        run(Command::new("skopeo").arg("copy").args(options).args([image, &to]));
        let read = |name: &str| -> Value {
            serde_json::from_slice(&fs::read(folder.path().join(name)).unwrap()).unwrap()
        };
        let manifest = read("manifest.json");
        let digest = manifest["config"]["digest"].as_str().unwrap().trim_start_matches("sha256:");
        let config = read(digest);
        Self { folder, manifest, config }
    }

    /// Changes what the image says of itself.
    pub(crate) fn retell(&mut self, tell: impl FnOnce(&mut Value)) {
        tell(&mut self.config);
        let config = serde_json::to_vec(&self.config).unwrap();
        let digest = Digest::of(&config);
        self.manifest["config"]["digest"] = digest.as_str().into();
        self.manifest["config"]["size"] = config.len().into();
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path(digest.hex()), config).unwrap();
        fs::write(path("manifest.json"), self.manifest.to_string()).unwrap();
    }

    /// Puts the image into a registry, and gives its digest there.
    pub(crate) fn put(&self, registry: &OwnRegistry, name: &str) -> String {
        let digest = self.folder.path().join("digest");
        let credentials = format!("pusher:{PASSWORD}");
        let from = format!("dir:{}", self.folder.path().display());
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["copy", "--dest-tls-verify=false", "--dest-creds", &credentials]);
        skopeo.arg("--digestfile").arg(&digest);
        run(skopeo.args([from, format!("docker://{}/{name}", registry.address)]));
        fs::read_to_string(digest).unwrap()
    }

    /// What is in its uppermost layer, as GNU tar lists it: mode, owner, path.
    pub(crate) fn uppermost(&self) -> String {
        let layers = self.manifest["layers"].as_array().unwrap();
        let digest = layers.last().unwrap()["digest"].as_str().unwrap();
        let path = self.folder.path().join(digest.trim_start_matches("sha256:"));
        let listing = list(&path);
        let line = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // Size and date vary with what tests write.
            format!("{} {} {}\n", words[0], words[1], words[5..].join(" "))
        };
        listing.lines().map(line).collect()
    }
}

/// A manifest in a registry, as it is there.
pub(crate) fn raw(registry: &OwnRegistry, name: &str) -> String {
    let credentials = format!("pusher:{PASSWORD}");
    let name = format!("docker://{}/{name}", registry.address);
    let options = ["inspect", "--raw", "--tls-verify=false", "--creds", &credentials, &name];
    run(Command::new("skopeo").args(options))
}

fn list(path: &Path) -> String {
    run(Command::new("tar").args(["--list", "--verbose", "--numeric-owner", "--file"]).arg(path))
}

fn run(command: &mut Command) -> String {
    let output = command.env("TZ", "UTC").output().expect("skopeo and tar are installed");
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
