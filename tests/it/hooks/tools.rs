//! Real tools, in both cages of one push; what they made is in the image.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptions, RemoveContainerOptionsBuilder,
};
use futures::StreamExt as _;

use crate::hooks::{Runner, copy, defined, image};
use crate::support::app::developer::{Copy, Done};
use crate::support::app::{App, Settings};

/// Hooks of both runners, and their kinds.
const HOOKS: [(&str, Runner, &str); 10] = [
    ("hooks.composer-c", Runner::Container, "composer"),
    ("hooks.composer-p", Runner::Process, "composer"),
    ("hooks.npm-c", Runner::Container, "npm"),
    ("hooks.npm-p", Runner::Process, "npm"),
    ("hooks.pip-c", Runner::Container, "pip"),
    ("hooks.pip-p", Runner::Process, "pip"),
    ("hooks.make-c", Runner::Container, "make"),
    ("hooks.make-p", Runner::Process, "make"),
    ("hooks.console-c", Runner::Container, "symfony"),
    ("hooks.console-p", Runner::Process, "symfony"),
];

/// The hosts that the tools of the image use when nobody says otherwise.
const HOSTS: &str = "import subprocess, urllib.parse\n\
    from pip._internal.models.index import PyPI\n\
    npm = subprocess.check_output(['npm', 'config', 'get', 'registry'], text=True)\n\
    print(urllib.parse.urlsplit(npm.strip()).hostname, PyPI.netloc, PyPI.file_storage_domain)\n";

const BUILDS: &str = "{in-c: {composer-c: {action: install, path: c}, npm-c: {action: ci, path: c}, \
    pip-c: {action: install, arguments: [r, requirements.txt, target, python], path: c}, \
    make-c: {action: made.txt, path: c}, console-c: {action: 'cache:warmup', path: c}}, \
    in-p: {composer-p: {action: install, path: p}, npm-p: {action: ci, path: p}, \
    pip-p: {action: install, arguments: [r, requirements.txt, target, python], path: p}, \
    make-p: {action: made.txt, path: p}, console-p: {action: 'cache:warmup', path: p}}}";

/// What each of them makes, and what it says.
const MADE: [(&str, &str); 5] = [
    ("vendor/acme/greeting/greeting.txt", "hello"),
    ("node_modules/is-number/package.json", "\"is-number\""),
    ("python/docopt.py", "Pythonic command-line"),
    ("made.txt", "made"),
    ("var/cache/warm", "warm"),
];

/// Runs something in a container of an image, and gives what it says.
async fn output(app: &App, image: &str, command: &[&str], host: HostConfig) -> String {
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        entrypoint: Some(command.iter().map(|word| (*word).to_owned()).collect()),
        host_config: Some(HostConfig { network_mode: Some("none".to_owned()), ..host }),
        ..ContainerCreateBody::default()
    };
    let docker = app.docker();
    let id = docker.create_container(None::<CreateContainerOptions>, body).await.unwrap().id;
    let all =
        AttachContainerOptionsBuilder::default().stdout(true).stderr(true).stream(true).build();
    let attached = docker.attach_container(&id, Some(all)).await.unwrap();
    docker.start_container(&id, None).await.unwrap();
    let said: Vec<LogOutput> = attached.output.map(Result::unwrap).collect().await;
    let force = RemoveContainerOptionsBuilder::default().force(true).build();
    docker.remove_container(&id, Some(force)).await.unwrap();
    said.into_iter().map(|output| output.to_string()).collect()
}

fn write_all(copy: &Copy, folder: &str) {
    let write = |name: &str, text: &str| copy.write(&format!("{folder}/{name}"), text);
    write(
        "composer.json",
        r#"{"repositories": [{"type": "path", "url": "greeting", "options": {"symlink": false}}, {"packagist.org": false}], "require": {"acme/greeting": "1.0.0"}}"#,
    );
    write("greeting/composer.json", r#"{"name": "acme/greeting", "version": "1.0.0"}"#);
    write("greeting/greeting.txt", "hello\n");
    write(
        "package.json",
        r#"{"name": "shop", "version": "1.0.0", "dependencies": {"is-number": "7.0.0"}}"#,
    );
    write(
        "package-lock.json",
        r#"{"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {"": {"name": "shop", "version": "1.0.0", "dependencies": {"is-number": "7.0.0"}}, "node_modules/is-number": {"version": "7.0.0", "integrity": "sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng=="}}}"#,
    );
    // What it is built from is all that there is of it: what is kept is a build, too.
    write("requirements.txt", "docopt==0.6.2\n");
    write("Makefile", "made.txt: Makefile\n\techo made > $@\n");
    write(
        "bin/console",
        "<?php\nif ($argv[1] !== 'cache:warmup') { exit(1); }\nmkdir('var/cache', 0700, true);\nfile_put_contents('var/cache/warm', \"warm\\n\");\n",
    );
}

/// Milliseconds that each hook of a job took.
async fn took(copy: &Copy, job: &str) -> BTreeMap<String, u64> {
    let logs = copy.developer.ssh(&["logs", job, "--step", "hooks", "--json"]).await;
    let rows =
        logs.stdout.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
    let results = rows.filter(|row| row["kind"] == "result");
    results
        .map(|row| {
            let hook = row["text"].as_str().unwrap().split(' ').next().unwrap().to_owned();
            (hook, row["ms"].as_u64().unwrap())
        })
        .collect()
}

async fn timed(copy: &Copy, args: &[&str]) -> (Done, Duration) {
    let began = std::time::Instant::now();
    let push = copy.push(args).await;
    (push, began.elapsed())
}

#[tokio::test]
async fn what_real_tools_make_in_both_cages_is_in_the_image() {
    if !Runner::Process.may_run() {
        return;
    }
    let tools = App::start().await;
    let hosts = output(&tools, &image(), &["python3", "-c", HOSTS], HostConfig::default()).await;
    tools.stop().await;
    let hosts: Vec<&str> = hosts.split_whitespace().collect();
    let mut settings =
        Settings::default().with("hooks", "ca_file = \"/etc/ssl/certs/ca-certificates.crt\"");
    for (table, runner, kind) in HOOKS {
        settings = defined(settings, (table, runner), kind).await;
        if ["npm", "pip"].contains(&kind) {
            settings = settings.with(table, &format!("network = {hosts:?}"));
        }
    }
    let app = App::start_with(settings).await;
    let copy = copy(&app, BUILDS).await;
    for folder in ["c", "p"] {
        write_all(&copy, folder);
    }
    copy.write(
        "Dockerfile",
        "FROM busybox:stable\nCOPY c /www/c\nCOPY p /www/p\nCOPY index.html /www/\n\
         CMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n",
    );
    copy.commit("Use every tool").await;
    let (push, first) = timed(&copy, &["main"]).await;
    push.assert_ok();
    for folder in ["c", "p"] {
        for (path, says) in MADE {
            let (status, text) = app.get(&copy.host(), &format!("/{folder}/{path}")).await;
            assert_eq!((status, text.contains(says)), (200, true), "{folder}/{path}: {text}");
        }
    }
    // The image starts without anything to write to, and has what a hook warmed.
    let environment = app.environment("shop", "production").await.id;
    let running = app.started(environment, 0).await;
    let inspected = app.docker().inspect_container(&running[0], None).await.unwrap();
    let image = inspected.image.unwrap();
    let read_only = HostConfig { readonly_rootfs: Some(true), ..HostConfig::default() };
    let warm = output(&app, &image, &["cat", "/www/p/var/cache/warm"], read_only).await;
    assert_eq!(warm, "warm\n");

    copy.write("index.html", "again");
    copy.commit("Push again").await;
    let (push, second) = timed(&copy, &["main"]).await;
    push.assert_ok();
    let logs = async |job: &str| {
        let logs = copy.developer.ssh(&["logs", job, "--step", "hooks"]).await;
        logs.assert_ok();
        logs
    };
    let downloads = |logs: &Done| logs.stdout.matches("Downloading docopt").count();
    // The caches belong to the project: whichever of the two came first has filled it.
    assert_eq!(downloads(&logs("1").await), 1);
    assert_eq!(downloads(&logs("2").await), 0);
    copy.write("index.html", "anew");
    copy.commit("Push anew").await;
    let (push, third) = timed(&copy, &["-o", "no-cache", "main"]).await;
    push.assert_ok();
    assert_eq!(downloads(&logs("3").await), 2);
    let mut table = String::new();
    let all = [took(&copy, "1").await, took(&copy, "2").await, took(&copy, "3").await];
    for (hook, first) in &all[0] {
        table +=
            &format!("{hook:<12} {first:>6} ms {:>6} ms {:>6} ms\n", all[1][hook], all[2][hook]);
    }
    table += &format!("{:<12} {first:>9.1?} {second:>9.1?} {third:>9.1?}\n", "whole push");
    let title = "hooks        first push     second  no cache\n";
    std::io::stderr().write_all(format!("{title}{table}").as_bytes()).unwrap();
    app.assert_nothing_left().await;
    app.stop().await;
}
