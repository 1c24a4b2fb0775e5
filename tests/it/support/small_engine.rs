//! A Docker Engine of a test's own, on a small disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::ImportImageOptions;
use futures::StreamExt as _;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long an engine may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// An engine whose images are on a file system of a fixed size, in a network namespace of its own.
pub(crate) struct SmallEngine {
    pub(crate) docker: Docker,
    /// Where it answers.
    pub(crate) address: String,
    dockerd: Child,
    disk: PathBuf,
    _folder: TempDir,
}

/// Whether this process may make file systems and namespaces; a test that may not says so.
#[expect(clippy::print_stdout, reason = "whoever runs the tests is told")]
pub(crate) fn may_start() -> bool {
    let has_dockerd = Command::new("dockerd").arg("--version").output().is_ok();
    let may = rustix::process::geteuid().is_root() && has_dockerd;
    if !may {
        println!("not run: it takes root and dockerd to give an engine a disk of its own");
    }
    may
}

fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {errors}");
}

impl SmallEngine {
    /// Starts one with the base image of another engine.
    pub(crate) async fn start(mebibytes: u64, other: &Docker) -> Self {
        let folder = tempfile::Builder::new().prefix("ph").tempdir_in("/tmp").unwrap();
        let path = |name: &str| folder.path().join(name);
        let (file, disk, socket) = (path("disk.img"), path("disk"), path("s"));
        fs::File::create(&file).unwrap().set_len(mebibytes * 1024 * 1024).unwrap();
        fs::create_dir(&disk).unwrap();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        run("mkfs.ext4", &["-q", "-m", "0", &text(&file)]);
        run("mount", &["-o", "loop", &text(&file), &text(&disk)]);
        let address = format!("unix://{}", text(&socket));
        let log = fs::File::create(path("log")).unwrap();
        let dockerd = Command::new("unshare")
            .args(["--net", "dockerd", "--iptables=false", "--bridge=none", "--host", &address])
            .args(["--data-root", &text(&disk), "--exec-root", &text(&path("exec"))])
            .args(["--pidfile", &text(&path("pid"))])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let docker = connect(&socket, &path("log")).await;
        let engine = Self { docker, address, dockerd, disk, _folder: folder };
        engine.take_base(other).await;
        engine
    }

    async fn take_base(&self, other: &Docker) {
        let mut archive = Vec::new();
        let mut chunks = std::pin::pin!(other.export_image("busybox:stable"));
        while let Some(chunk) = chunks.next().await {
            archive.extend_from_slice(&chunk.unwrap());
        }
        let body = bollard::body_full(archive.into());
        let loaded: Vec<_> =
            self.docker.import_image(ImportImageOptions::default(), body, None).collect().await;
        assert!(loaded.iter().all(Result::is_ok), "{loaded:?}");
    }

    /// Takes room away until so many bytes are left; gives the file that holds it.
    pub(crate) fn leave_free(&self, bytes: u64) -> PathBuf {
        let facts = rustix::fs::statvfs(&self.disk).unwrap();
        let free = facts.f_bavail * facts.f_frsize;
        let path = self.disk.join("ballast");
        let file = fs::File::create(&path).unwrap();
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, free - bytes).unwrap();
        path
    }
}

async fn connect(socket: &Path, log: &Path) -> Docker {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let text = socket.to_string_lossy().into_owned();
        let docker = Docker::connect_with_unix(&text, 60, bollard::API_DEFAULT_VERSION);
        if let Ok(docker) = docker
            && let Ok(docker) = docker.negotiate_version().await
        {
            return docker;
        }
        let late = tokio::time::Instant::now() > deadline;
        assert!(!late, "{}", fs::read_to_string(log).unwrap_or_default());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Drop for SmallEngine {
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.dockerd);
        kill_process(pid, Signal::TERM).ok();
        self.dockerd.wait().ok();
        run("umount", &[&self.disk.to_string_lossy()]);
    }
}
