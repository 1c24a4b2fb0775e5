//! A registry that asks who is there.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pierhead::domain::registry::{Registry, RegistryLogin};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::support::PATIENCE;

pub(crate) const PASSWORD: &str = "hunter2-of-registry";

/// Who may sign in, as the registry keeps it.
const USERS: &str = "pusher:$2y$04$abcdefghijklmnopqrstuurW3coLLAFNWRtvdTFmHcA0gYx5li0Wa\n";

/// A registry of this test on this machine.
pub(crate) struct OwnRegistry {
    program: Child,
    pub(crate) address: String,
    folder: TempDir,
}

impl OwnRegistry {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("users"), USERS).unwrap();
        let configuration = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: '{address}'}}\nauth: {{htpasswd: {{realm: test, path: {}}}}}\n",
            path("images"),
            path("users"),
        );
        fs::write(path("config.yml"), configuration).unwrap();
        let program = Command::new("docker-registry")
            .args(["serve", &path("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is installed");
        let mut registry = Self { program, address, folder };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(&registry.address).is_err() {
            let ended = registry.program.try_wait().unwrap();
            assert!(ended.is_none(), "the registry ended: {ended:?}");
            assert!(Instant::now() < deadline, "the registry does not answer");
            sleep(Duration::from_millis(20)).await;
        }
        registry
    }

    /// Takes an image of an engine, and gives its name here.
    pub(crate) fn take(&self, engine: &str, image: &str, name: &str) -> String {
        let name = format!("{}/{name}", self.address);
        let output = Command::new("skopeo")
            .args(["copy", "--src-daemon-host", engine, "--dest-tls-verify=false"])
            .args(["--dest-creds", &format!("pusher:{PASSWORD}")])
            .args([format!("docker-daemon:{image}"), format!("docker://{name}")])
            .output()
            .expect("skopeo is installed");
        assert!(output.status.success(), "{output:?}");
        name
    }

    /// Loses an image, which is named by its digest, as one that somebody cleaned up.
    pub(crate) fn forget(&self, image: &str) {
        let (name, digest) = image.split_once('@').unwrap();
        let repository = name.strip_prefix(&format!("{}/", self.address)).unwrap();
        let images = self.folder.path().join("images/docker/registry/v2/repositories");
        let revisions = images.join(repository).join("_manifests/revisions");
        fs::remove_dir_all(revisions.join(digest.replace(':', "/"))).unwrap();
    }

    /// What sets it for a project, below a path of its own; the password is typed.
    pub(crate) fn set(&self, project: &str) -> String {
        format!("admin set registry acme/{project} {}/{project} --username pusher", self.address)
    }

    /// Signed in with a password.
    pub(crate) fn with(&self, password: &str) -> Registry {
        let password = SecretString::from(password.to_owned());
        Registry {
            address: self.address.parse().unwrap(),
            login: Some(RegistryLogin { username: "pusher".to_owned(), password }),
            plain_http: true,
        }
    }
}

impl Drop for OwnRegistry {
    fn drop(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }
}
