//! Pushes to a registry on this machine.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pierhead::domain::registry::Registry;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::by_hand::{With, context, docker};
use crate::docker_host::DockerHost;
use crate::numbers::Numbers;

/// How long a registry may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A registry that takes everything from everyone.
struct OpenRegistry {
    program: Child,
    address: String,
    _folder: TempDir,
}

impl OpenRegistry {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let images = folder.path().join("images");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{address}'}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n",
            images.display()
        );
        let file = folder.path().join("config.yml");
        fs::write(&file, text).unwrap();
        let program = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is installed");
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(&address).is_err() {
            assert!(Instant::now() < deadline, "the registry does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { program, address, _folder: folder }
    }
}

impl Drop for OpenRegistry {
    fn drop(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }
}

/// Pushes images of 100 files of 1 MB, with both and in turns.
pub(crate) async fn pushes(numbers: &mut Numbers, rounds: usize) {
    let host = DockerHost::connect().await;
    let server = OpenRegistry::start();
    let registry =
        Registry { address: server.address.parse().unwrap(), login: None, plain_http: true };
    for round in 0..=rounds {
        let mut times = Vec::new();
        for turn in 0..2 {
            let (built, lines) = host.build(&host.plan("pushed"), context(100).path()).await;
            let id = built.unwrap_or_else(|error| panic!("{error}: {lines:?}"));
            let is_ours = (round + turn) % 2 == 0;
            let took = match is_ours {
                true => ours(&host, &id, &registry).await,
                false => by_hand(&id, &registry),
            };
            times.push((is_ours, took));
        }
        // In the first round the base is pushed too.
        for (is_ours, took) in times.into_iter().filter(|_| round > 0) {
            let name = if is_ours { "push: Pierhead" } else { "push: docker push" };
            numbers.add(name, took);
        }
    }
}

async fn ours(host: &DockerHost, id: &str, registry: &Registry) -> Duration {
    let (sender, _lines) = mpsc::channel(100);
    let began = Instant::now();
    host.engine().push(id, "bench/ours:1", registry, &sender).await.unwrap();
    began.elapsed()
}

fn by_hand(id: &str, registry: &Registry) -> Duration {
    let name = registry.address.repository("bench/by-hand:1");
    docker(&["tag", id, &name], With::Classic);
    docker(&["push", "-q", &name], With::Classic)
}
