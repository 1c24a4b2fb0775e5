//! Build hooks in pushes, in a container and as a process: the same tests for both.

mod bounds;
mod endings;
mod escapes;
mod kept;
mod results;
mod tools;
mod ways_out;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptionsBuilder};
use futures::TryStreamExt as _;
use tokio::sync::OnceCell;

use crate::support::app::developer::Copy;
use crate::support::app::{App, Settings};
use crate::support::environment_variable;

/// What keeps hooks apart from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runner {
    Container,
    Process,
}

impl Runner {
    /// Whether the tests may use it: control groups are root's, unless systemd gave some away.
    fn may_run(self) -> bool {
        self == Self::Container || rustix::process::geteuid().is_root()
    }
}

/// The image of hooks; it has node, php, composer, python and make.
fn image() -> String {
    environment_variable("TEST_HOOKS_IMAGE", "the name of an image with node, php and python")
}

/// The engine that hooks in containers run on.
fn engine() -> Docker {
    let address = environment_variable("TEST_DOCKER_HOST", "a Docker Engine's socket");
    let socket = address.trim_start_matches("unix://");
    Docker::connect_with_unix(socket, 60, bollard::API_DEFAULT_VERSION).unwrap()
}

/// A hook that runs python, and another one that runs make, with these bounds.
async fn settings(runner: Runner, limits: &[&'static str]) -> Settings {
    let settings = Settings::default();
    let settings = defined(settings, ("hooks.py", runner), "exec").await;
    let settings = defined(settings, ("hooks.make", runner), "make").await;
    let settings = settings.with("hooks.py", "command = [\"python3\", \"-u\"]");
    limits.iter().fold(settings, |settings, line| settings.with("hooks.py.limits", line))
}

/// A hook of a kind.
async fn defined(
    settings: Settings,
    (table, runner): (&'static str, Runner),
    kind: &str,
) -> Settings {
    let settings = settings.with(table, &format!("kind = {kind:?}"));
    match runner {
        Runner::Container => settings.with(table, &format!("image = {:?}", image())),
        Runner::Process => settings
            .with(table, "runner = \"process\"")
            .with(table, &format!("root = {:?}", root().await)),
    }
}

/// The image's files in a folder, which is kept between runs of the tests.
async fn root() -> &'static Path {
    static ROOT: OnceCell<PathBuf> = OnceCell::const_new();
    ROOT.get_or_init(unpacked).await
}

async fn unpacked() -> PathBuf {
    let docker = engine();
    let id = docker.inspect_image(&image()).await.unwrap().id.unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let root = folder.join(format!("hooks-{}", id.trim_start_matches("sha256:")));
    if root.exists() {
        return root;
    }
    let body = ContainerCreateBody { image: Some(id), ..ContainerCreateBody::default() };
    let body = ContainerCreateBody { cmd: Some(vec!["true".to_owned()]), ..body };
    let made = docker.create_container(None::<CreateContainerOptions>, body).await.unwrap();
    let archive = folder.join(format!("hooks-{}.tar", std::process::id()));
    let mut file = tokio::fs::File::create(&archive).await.unwrap();
    let mut chunks = docker.export_container(&made.id);
    while let Some(chunk) = chunks.try_next().await.unwrap() {
        tokio::io::AsyncWriteExt::write_all(&mut file, &chunk).await.unwrap();
    }
    tokio::io::AsyncWriteExt::flush(&mut file).await.unwrap();
    let force = RemoveContainerOptionsBuilder::default().force(true).build();
    docker.remove_container(&made.id, Some(force)).await.unwrap();
    let new = folder.join(format!("hooks-{}.new", std::process::id()));
    fs::create_dir_all(&new).unwrap();
    let mut unpacking = tar::Archive::new(fs::File::open(&archive).unwrap());
    unpacking.set_preserve_permissions(true);
    unpacking.unpack(&new).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&new, &root).unwrap();
    fs::remove_file(archive).unwrap();
    root
}

/// A project with the hello application and these hooks.
async fn copy(app: &App, builds: &str) -> Copy {
    app.project("shop").await;
    let copy = app.developer("ana").await.empty("acme/shop").await;
    copy.write_hello("hello");
    copy.write(".paas.yaml", &format!("builds: {builds}\n{}", copy.paas_yaml()));
    copy
}

/// The processes of this machine that have a word in their command line.
fn processes(word: &str) -> BTreeSet<u32> {
    let has_word = |id: &u32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).split('\0').any(|own| own == word)
    };
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(has_word).collect()
}
