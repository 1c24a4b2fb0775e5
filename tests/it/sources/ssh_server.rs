//! OpenSSH's own server, with one repository after the other behind it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::support::PATIENCE;

/// A server on this machine that lets the user of the test in.
pub(super) struct SshServer {
    folder: TempDir,
    program: Child,
    port: u16,
    user: String,
}

impl SshServer {
    /// Starts one that lets nobody in yet.
    pub(super) async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("sshd").tempdir_in("/tmp").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let user = Command::new("/usr/bin/id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap().trim().to_owned();
        fs::write(folder.path().join("authorized_keys"), "").unwrap();
        // Where its unprivileged part lives; made by the system where the server runs by itself.
        fs::create_dir_all("/run/sshd").unwrap_or_default();
        make_key(&folder.path().join("host_key"));
        let program = spawn(folder.path(), port);
        let mut server = Self { folder, program, port, user };
        server.until_ready().await;
        server
    }

    /// The address of a repository.
    pub(super) fn url(&self, host: &str, repository: &Path) -> String {
        format!("ssh://{}@{host}:{}{}", self.user, self.port, repository.display())
    }

    /// Whoever has the private half comes in from now on.
    pub(super) fn allow(&self, public_key: &str) {
        fs::write(self.folder.path().join("authorized_keys"), public_key).unwrap();
    }

    /// What `ssh-keyscan` would print.
    pub(super) fn host_key(&self) -> String {
        fs::read_to_string(self.folder.path().join("host_key.pub")).unwrap()
    }

    /// Its fingerprint.
    pub(super) fn fingerprint(&self) -> String {
        let key = self.host_key();
        pierhead::domain::ssh_key::SshKey::parse(&key).unwrap().fingerprint
    }

    /// Another server takes its place, or somebody who listens in between.
    pub(super) async fn change_host_key(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
        for name in ["host_key", "host_key.pub"] {
            fs::remove_file(self.folder.path().join(name)).unwrap();
        }
        make_key(&self.folder.path().join("host_key"));
        self.program = spawn(self.folder.path(), self.port);
        self.until_ready().await;
    }

    async fn until_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.program.try_wait().unwrap();
            assert!(ended.is_none(), "the SSH server ended: {ended:?}");
            assert!(Instant::now() < deadline, "the SSH server does not answer");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        self.program.kill().unwrap_or_default();
        drop(self.program.wait());
    }
}

fn make_key(path: &PathBuf) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "host", "-f"])
        .arg(path)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

fn spawn(folder: &Path, port: u16) -> Child {
    let path = |name: &str| folder.join(name).display().to_string();
    let configuration = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\n\
         PidFile none\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         PermitRootLogin prohibit-password\nAcceptEnv GIT_PROTOCOL\nLogLevel ERROR\n",
        path("host_key"),
        path("authorized_keys"),
    );
    fs::write(path("sshd_config"), configuration).unwrap();
    Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f", &path("sshd_config")])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("OpenSSH's server is installed")
}
