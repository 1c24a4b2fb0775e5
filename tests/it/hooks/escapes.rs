//! Hooks that try to leave their cage: every attempt fails and says so.

use std::fs;

use bollard::models::{ContainerConfig, ContainerCreateBody};
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, CreateContainerOptions, RemoveContainerOptionsBuilder,
    RemoveImageOptions,
};
use uuid::Uuid;

use crate::hooks::{Runner, copy, engine, image, settings};
use crate::support::app::typed::typed;
use crate::support::app::{App, Settings};
use crate::support::environment_variable;

/// Tries everything, and says what came of it.
const ATTEMPTS: &str = r#"
import ctypes, os, socket, sys
state, engine, worker = sys.argv[1:4]
libc = ctypes.CDLL(None, use_errno=True)

def attempt(what, act):
    try:
        act()
    except (OSError, ValueError) as error:
        print(f"refused {what}: {error}")
    else:
        print(f"ESCAPED {what}")

def call(name, *arguments):
    def act():
        if getattr(libc, name)(*arguments) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return act

def connect(host, port):
    def act():
        with socket.create_connection((host, port), timeout=2): pass
    return act

def unix(path):
    def act():
        with socket.socket(socket.AF_UNIX) as client: client.connect(path)
    return act

attempt("a file of the host", lambda: open(f"{state}/../secret-of-the-host").read())
attempt("the worker's folder", lambda: os.listdir(state))
attempt("other workspaces", lambda: os.listdir(f"{state}/workspaces"))
attempt("another project's cache", lambda: os.listdir(f"{state}/hook-caches"))
attempt("the repository", lambda: os.listdir(".git"))
attempt("the shadow file", lambda: open("/etc/shadow").read())
attempt("the home of root", lambda: os.listdir("/root/.ssh"))
for path in ["/var/run/docker.sock", "/run/docker.sock", engine, f"{state}/../run/hook.sock"]:
    attempt(f"the socket {os.path.basename(path)}", unix(path))
attempt("the network", connect("1.1.1.1", 443))
attempt("the metadata address", connect("169.254.169.254", 80))
attempt("the gateway", connect("172.17.0.1", 22))
attempt("a name", lambda: socket.getaddrinfo("npm.example.org", 443))
attempt("a raw socket", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt("a program of the system", lambda: open("/usr/bin/evil", "w"))
attempt("the root folder", lambda: os.mkdir("/evil"))
attempt("a new root", lambda: os.chroot("/workspace"))
attempt("being root", lambda: os.setuid(0))
attempt("another user", lambda: os.chown("index.html", 0, 0))
attempt("a device", lambda: os.mknod("sda", 0o60600, os.makedev(8, 0)))
attempt("a mount", call("mount", b"none", b"/tmp", b"tmpfs", 0, None))
attempt("a namespace", call("unshare", 0x10000000))
attempt("the worker's process", lambda: os.kill(int(worker), 0))
attempt("the kernel's settings", lambda: open("/proc/sys/kernel/core_pattern", "w").write("x"))
attempt("the bounds", lambda: open("/sys/fs/cgroup/memory/memory.limit_in_bytes", "w").write("-1"))
print("environment", sorted(os.environ))
# For what comes after it.
os.symlink("/", "planted")
os.remove("index.html")
os.symlink(f"{state}/../secret-of-the-host", "index.html")
"#;

/// Puts a link to a file of the host where the image's recipe was.
const PLANT: &str = "import os, sys\n\
    os.remove('Dockerfile')\n\
    os.symlink(f'{sys.argv[1]}/../secret-of-the-host', 'Dockerfile')\n\
    print('planted')\n";

async fn every_attempt_fails(runner: Runner) {
    if !runner.may_run() {
        return;
    }
    let settings = settings(runner, &[]).await.with("hooks.py", "expose_variables = true");
    let app = App::start_with(settings).await;
    fs::write(app.folder.path().join("secret-of-the-host"), "hunter2-hunter2").unwrap();
    let worker = app.process("worker").id();
    let engine = environment_variable("TEST_DOCKER_HOST", "a Docker Engine's socket");
    let (state, engine) = (app.state().display().to_string(), engine.replace("unix://", ""));
    let builds = format!("{{try: {{py: [try.py, '{state}', '{engine}', '{worker}']}}}}");
    let copy = copy(&app, &builds).await;
    let secret = typed(&copy.developer, "vars shop set TOKEN --secret", b"hunter2-hunter2").await;
    secret.assert_ok();
    copy.write("try.py", ATTEMPTS);
    copy.commit("Try everything").await;
    let push = copy.push(&["-o", "COLOUR=green", "main"]).await;
    let lines: Vec<_> = push.stderr.lines().filter(|line| line.contains("ESCAPED")).collect();
    assert!(lines.is_empty(), "{lines:#?}");
    let logs = copy.developer.ssh(&["logs", "1", "--step", "hooks"]).await;
    let count = logs.stdout.lines().filter(|line| line.contains("| refused ")).count();
    assert_eq!(count, 27, "{}", logs.stdout);
    assert!(!logs.stdout.contains("hunter2"));
    for name in ["DATABASE", "PIERHEAD", "REDIS", "TEST_", "SSH", "TOKEN"] {
        assert!(!logs.stdout.contains(&format!("'{name}")), "{}", logs.stdout);
    }
    assert!(logs.stdout.contains("'COLOUR'"), "{}", logs.stdout);
    // A link it planted is a link in the image's files, and leads nowhere there.
    push.assert_code(1).assert_says("image     hello:production");
    assert!(!push.stderr.contains("hunter2"));
    let after = format!("{builds}, again: {{make: {{action: all, path: planted/etc}}}}}}");
    let after = after.replacen("}}, again", "}, again", 1);
    copy.write(".paas.yaml", &format!("builds: {after}\n{}", copy.paas_yaml()));
    copy.commit("Use the link").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("has no folder `planted/etc` to run in");
    // What a step reads itself is not read through a link either.
    copy.write(".paas.yaml", &format!("builds: {builds}\n{}", copy.paas_yaml()));
    copy.write("try.py", PLANT);
    copy.commit("Plant a Dockerfile").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("planted");
    let logs = copy.developer.ssh(&["logs", "3", "--json"]).await;
    assert!(!(push.stderr + &logs.stdout).contains("hunter2"), "{}", logs.stdout);
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn every_attempt_to_leave_a_container_fails() {
    every_attempt_fails(Runner::Container).await;
}

#[tokio::test]
async fn every_attempt_to_leave_a_cage_fails() {
    every_attempt_fails(Runner::Process).await;
}

/// Looks for a variable where others would.
const LOOK: &str = "import glob, os\n\
    lines = [open(path).read() for path in glob.glob('/proc/[0-9]*/cmdline')]\n\
    print('the variable is', len(os.environ['NPM_TOKEN']), 'long')\n\
    print('a command line has it:', any(os.environ['NPM_TOKEN'] in line for line in lines))\n\
    print('it sees', sum('bwrap' in line for line in lines), 'bwrap')\n";

#[tokio::test]
async fn no_command_line_of_a_cage_has_its_variables() {
    if !Runner::Process.may_run() {
        return;
    }
    let env = "env = { NPM_TOKEN = \"hunter2-hunter2\", \"QUOTE'D\" = \"a\\nb\" }";
    let app = App::start_with(settings(Runner::Process, &[]).await.with("hooks.py", env)).await;
    let copy = copy(&app, "{try: {py: look.py}}").await;
    copy.write("look.py", LOOK);
    copy.commit("Look").await;
    let push = copy.push(&["main"]).await;
    push.assert_ok().assert_says("| the variable is 15 long");
    push.assert_says("| a command line has it: False").assert_says("| it sees 1 bwrap");
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn volumes_of_a_hooks_image_are_not_on_the_disk() {
    let image = with_volume().await;
    let settings = Settings::default()
        .with("hooks.py", "kind = \"exec\"")
        .with("hooks.py", "command = [\"python3\", \"-u\"]")
        .with("hooks.py", &format!("image = {image:?}"))
        .with("hooks.py.limits", "memory = 67108864");
    let app = App::start_with(settings).await;
    let copy = copy(&app, "{try: {py: try.py}}").await;
    copy.write(
        "try.py",
        "print([line.split()[2] for line in open('/proc/mounts') if line.split()[1] == '/kept'])\n\
         kept = open('/kept/much', 'wb')\n\
         while True: kept.write(b'x' * (1 << 20))\n",
    );
    copy.commit("Write to a volume").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("| ['tmpfs']");
    push.assert_says("was ended for wanting more than 64 MiB of memory");
    app.assert_nothing_left().await;
    app.stop().await;
    let docker = engine();
    docker.remove_image(&image, None::<RemoveImageOptions>, None).await.unwrap();
}

/// The image of hooks with a volume.
async fn with_volume() -> String {
    let docker = engine();
    let body = ContainerCreateBody { image: Some(image()), ..ContainerCreateBody::default() };
    let body = ContainerCreateBody { cmd: Some(vec!["true".to_owned()]), ..body };
    let made = docker.create_container(None::<CreateContainerOptions>, body).await.unwrap();
    let name = format!("hooks-with-volume-{}", Uuid::now_v7().simple());
    let options = CommitContainerOptionsBuilder::default()
        .container(&made.id)
        .repo(&name)
        .changes("VOLUME /kept");
    let config = ContainerConfig::default();
    docker.commit_container(options.build(), config).await.unwrap();
    let force = RemoveContainerOptionsBuilder::default().force(true).build();
    docker.remove_container(&made.id, Some(force)).await.unwrap();
    name
}
