//! The way out of real cages: bubblewrap's, and a container's.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptions, RemoveContainerOptionsBuilder,
    RemoveImageOptions, StartContainerOptions,
};
use futures::StreamExt as _;
use pierhead::docker::{Engine, GateContainer};
use pierhead::egress::{Listen, Proxy, Settings, gate, variables};
use pierhead::tasks::Tasks;
use rustix::process::{getgid, getuid};
use tempfile::TempDir;
use tokio::process::Command;
use uuid::Uuid;

use crate::egress::{localhost, rules};
use crate::support::upstream::Upstream;
use crate::support::{environment_variable, soon};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pierhead");
const INSIDE: &str = "127.0.0.1:3128";

/// A proxy on a socket that lets through a host of ours.
struct Outside {
    folder: TempDir,
    _proxy: Proxy,
    tasks: Tasks,
    host: String,
}

impl Outside {
    async fn start() -> Self {
        let tasks = Tasks::default();
        let upstream = Upstream::saying(&tasks, "out of the cage").await;
        let [host, address] = localhost(upstream.address);
        let folder = tempfile::Builder::new().prefix("ph").tempdir_in("/tmp").unwrap();
        let listen = Listen::Unix(folder.path().join("s"));
        let rules = rules(&[&host, &address]);
        let settings = Settings { rules, list: "the list".to_owned(), ..Settings::default() };
        let (proxy, _refused) = Proxy::start(&listen, settings).await.unwrap();
        Self { folder, _proxy: proxy, tasks, host }
    }

    fn socket(&self) -> String {
        self.folder.path().join("s").to_string_lossy().into_owned()
    }

    /// Runs a script in a cage of bubblewrap behind the forwarder: what it says, and its status.
    async fn bubblewrap(&self, script: &str) -> (String, Option<i32>) {
        let mut command = Command::new("bwrap");
        command.args(["--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"]);
        for folder in ["/usr", "/bin", "/lib", "/lib64", "/etc/alternatives"] {
            command.args(["--ro-bind-try", folder, folder]);
        }
        command.args([
            "--ro-bind",
            PROGRAM,
            "/cage/pierhead",
            "--ro-bind",
            &self.socket(),
            "/cage/s",
        ]);
        command.args([
            "/cage/pierhead",
            "hook-cage",
            "--socket",
            "/cage/s",
            "--listen",
            INSIDE,
            "--",
        ]);
        command.args(["bash", "-c", script]).env_clear().env("PATH", "/usr/bin:/bin");
        // `no_proxy` would keep curl from asking for the only host that a test has.
        let proxy = variables(INSIDE.parse().unwrap()).into_iter();
        command.envs(proxy.filter(|(name, _)| !name.eq_ignore_ascii_case("no_proxy")));
        let output = soon(command.stdin(Stdio::null()).kill_on_drop(true).output()).await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&text).into_owned(), output.status.code())
    }
}

#[tokio::test]
async fn a_program_in_bubblewrap_reaches_what_is_listed_and_nothing_else() {
    let outside = Outside::start().await;
    let host = &outside.host;
    let (said, status) = outside.bubblewrap(&format!("curl -sS http://{host}/; exit 7")).await;
    assert_eq!((said.as_str(), status), ("out of the cage", Some(7)));
    let (said, _) = outside.bubblewrap("curl -sS http://other.example.org/").await;
    assert_eq!(
        said,
        "pierhead: other.example.org:80 is not allowed: add other.example.org to the list\n"
    );
    // Around the proxy there is no way, not even to what it would lead to.
    let (said, status) =
        outside.bubblewrap(&format!("curl -sS --noproxy '*' http://{host}/")).await;
    assert_eq!(status, Some(7), "{said}");
    outside.tasks.stop();
}

#[tokio::test]
async fn a_command_in_a_cage_ends_as_shells_tell_it() {
    let outside = Outside::start().await;
    let run = async |command: &[&str]| {
        let mut forwarder = Command::new(PROGRAM);
        forwarder.args([
            "hook-cage",
            "--socket",
            &outside.socket(),
            "--listen",
            "127.0.0.1:0",
            "--",
        ]);
        soon(forwarder.args(command).status()).await.unwrap().code()
    };
    assert_eq!(run(&["sh", "-c", "exit 3"]).await, Some(3));
    assert_eq!(run(&["sh", "-c", "kill -KILL $$"]).await, Some(137));
    // A signal to the forwarder is the command's.
    assert_eq!(
        run(&["sh", "-c", "trap 'exit 9' TERM; kill $PPID; while :; do :; done"]).await,
        Some(9)
    );
    assert_eq!(run(&["/nonexistent"]).await, Some(127));
    assert_eq!(run(&["/etc"]).await, Some(126));
    outside.tasks.stop();
}

#[tokio::test]
async fn a_container_reaches_what_is_listed_through_the_one_beside_it() {
    let outside = Outside::start().await;
    let docker_host = environment_variable("TEST_DOCKER_HOST", "a Docker Engine");
    let engine = Engine::connect(&docker_host).await.unwrap();
    let packed = gate(Path::new(PROGRAM)).unwrap();
    let tag = Uuid::now_v7().simple().to_string();
    let image = format!("pierhead-test-gate:{tag}");
    engine.import(packed.archive, "pierhead-test-gate", &tag).await.unwrap();
    let user = format!("{}:{}", getuid().as_raw(), getgid().as_raw());
    let gate = engine
        .start_gate(&GateContainer {
            name: &format!("gate-{tag}"),
            image: &image,
            command: &packed.command,
            socket: &outside.folder.path().join("s"),
            at: packed.socket,
            user: &user,
            labels: HashMap::new(),
        })
        .await
        .unwrap();

    let docker = bollard::Docker::connect_with_unix(
        docker_host.trim_start_matches("unix://"),
        60,
        bollard::API_DEFAULT_VERSION,
    )
    .unwrap();
    let docker = docker.negotiate_version().await.unwrap();
    let host = &outside.host;
    let port = host.rsplit(':').next().unwrap();
    let script = format!(
        "wget -qO- http://{host}/; echo; wget -qO- http://other.example.org/; ip route; \
         unset http_proxy; wget -qO- http://127.0.0.1:{port}/"
    );
    let hook = ContainerCreateBody {
        image: Some("busybox:stable".to_owned()),
        cmd: Some(vec!["sh".to_owned(), "-c".to_owned(), script]),
        env: Some(vec![format!("http_proxy=http://{INSIDE}")]),
        host_config: Some(HostConfig {
            network_mode: Some(format!("container:{gate}")),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let hook = docker.create_container(None::<CreateContainerOptions>, hook).await.unwrap().id;
    let options =
        AttachContainerOptionsBuilder::default().stdout(true).stderr(true).stream(true).build();
    let mut attached = docker.attach_container(&hook, Some(options)).await.unwrap();
    docker.start_container(&hook, None::<StartContainerOptions>).await.unwrap();
    let (mut said, mut complained) = (String::new(), String::new());
    soon(async {
        while let Some(output) = attached.output.next().await {
            let output = output.unwrap();
            let is_error = matches!(output, LogOutput::StdErr { .. });
            let text = String::from_utf8_lossy(&output.into_bytes()).into_owned();
            if is_error { complained += &text } else { said += &text }
        }
    })
    .await;
    for id in [&hook, &gate] {
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        docker.remove_container(id, Some(options)).await.unwrap();
    }
    docker.remove_image(&image, None::<RemoveImageOptions>, None).await.unwrap();
    // There is no route that could be printed.
    assert_eq!(said, "out of the cage\n", "{complained}");
    assert!(complained.contains("403"), "{complained}");
    assert!(complained.contains("refused") || complained.contains("can't connect"), "{complained}");
    outside.tasks.stop();
}
