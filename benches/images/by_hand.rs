//! Docker's own client, and the folders that are built.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use uuid::Uuid;

/// Bytes of each large file.
const FILE: usize = 1_000_000;

/// With what `docker build` builds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum With {
    Buildkit,
    Classic,
}

/// With what docker's client can build here: for `BuildKit` it needs a plugin.
pub(crate) fn client() -> With {
    let output = Command::new("docker").args(["buildx", "version"]).output();
    match output {
        Ok(output) if output.status.success() => With::Buildkit,
        _ => With::Classic,
    }
}

/// Runs docker's client, and gives how long it took.
pub(crate) fn docker(args: &[&str], with: With) -> Duration {
    let buildkit = match with {
        With::Buildkit => "1",
        With::Classic => "0",
    };
    let mut command = Command::new("docker");
    command.env("DOCKER_HOST", crate::docker_host::address()).env("DOCKER_BUILDKIT", buildkit);
    let began = Instant::now();
    let output = command.args(args).output().expect("docker's client is installed");
    let took = began.elapsed();
    assert!(output.status.success(), "docker {args:?}: {output:?}");
    took
}

/// A folder with a Dockerfile, and so many large files that nobody has seen before.
pub(crate) fn context(files: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let own = Uuid::now_v7();
    fs::write(folder.path().join("Dockerfile"), "FROM busybox:stable\nCOPY . /app\n").unwrap();
    fs::write(folder.path().join("page.html"), own.to_string()).unwrap();
    let mut noise = Noise(own.as_u64_pair().1);
    for number in 0..files {
        write(&folder.path().join(format!("{number}.bin")), &noise.bytes(FILE));
    }
    folder
}

fn write(path: &Path, bytes: &[u8]) {
    let mut file = File::create(path).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
}

/// Bytes that do not compress (xorshift64).
struct Noise(u64);

impl Noise {
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let words = std::iter::repeat_with(|| {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.to_le_bytes()
        });
        words.flatten().take(count).collect()
    }
}
