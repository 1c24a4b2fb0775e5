//! OpenSSH's server with one bare repository behind it, on a port of its own.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::geteuid;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::Instant;

use crate::support::app::PATIENCE;

/// Where sshd wants an empty folder when root runs it; systemd makes it at the service's start.
const SEPARATION: &str = "/run/sshd";

/// Dropped, it ends.
#[derive(Debug)]
pub(crate) struct PlainServer {
    folder: TempDir,
    port: u16,
    _sshd: Child,
    made_separation: bool,
}

impl PlainServer {
    /// Starts a server that one key may come in to.
    pub(crate) async fn start(public_key: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("phs").tempdir_in("/tmp").unwrap();
        let at = |name: &str| folder.path().join(name);
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(at("key")));
        run(Command::new("git").args(["init", "-q", "--bare"]).arg(at("hello.git")));
        fs::write(at("authorized_keys"), public_key).unwrap();
        let port = free_port();
        let configuration = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nUseDNS no\nPrintMotd no\n",
            at("key").display(),
            at("authorized_keys").display()
        );
        fs::write(at("sshd_config"), configuration).unwrap();
        let made_separation = geteuid().is_root() && fs::create_dir(SEPARATION).is_ok();
        let sshd = tokio::process::Command::new("/usr/sbin/sshd")
            .args(["-D", "-f"])
            .arg(at("sshd_config"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("openssh-server is installed");
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(Instant::now() < deadline, "sshd did not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { folder, port, _sshd: sshd, made_separation }
    }

    /// The port it listens on.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The address of its repository, for whoever runs this program.
    pub(crate) fn url(&self) -> String {
        let user = Command::new("id").arg("-un").output().unwrap();
        let user = String::from_utf8(user.stdout).unwrap();
        let repository: PathBuf = self.folder.path().join("hello.git");
        format!("ssh://{}@127.0.0.1:{}{}", user.trim(), self.port, repository.display())
    }
}

impl Drop for PlainServer {
    fn drop(&mut self) {
        if self.made_separation {
            // Another sshd may have come to need it.
            fs::remove_dir(Path::new(SEPARATION)).unwrap_or_default();
        }
    }
}

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
