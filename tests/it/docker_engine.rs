//! The driver of the Docker Engine: builds and images.

use std::fs;
use std::time::Duration;

use pierhead::docker::{BuildError, Engine, EngineError, PullError};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::docker_host::{DockerHost, LIMITS, folder};

#[tokio::test]
async fn a_build_tells_its_lines_and_the_id_of_the_image() {
    let host = DockerHost::connect().await;
    let root = folder(&[(
        "app/Dockerfile",
        "FROM busybox:stable\nARG WHO\nRUN printf 'hello \\033[2J%s\\n' \"$WHO\"\n",
    )]);
    let mut build = host.plan("greeting");
    build.context.path = "app".to_owned();
    build.args.insert("WHO".to_owned(), "world".to_owned());
    let (id, lines) = host.build(&build, root.path()).await;

    assert_eq!(lines[0], "context: 1 file, 1 KiB");
    let image = host.engine().image(&build.tag).await.unwrap().unwrap();
    assert_eq!(image.id, id.unwrap());
    assert_eq!(image.labels["pierhead.dev/fence"], "1");
    assert!(lines.contains(&"hello world".to_owned()), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains('\u{1b}') && !line.is_empty()), "{lines:?}");
}

#[tokio::test]
async fn a_step_that_fails_is_told_in_the_engines_words() {
    let host = DockerHost::connect().await;
    let root = folder(&[("Dockerfile", "FROM busybox:stable\nRUN echo oops; exit 3\n")]);
    let (result, lines) = host.build(&host.plan("failing"), root.path()).await;
    insta::assert_snapshot!(
        result.unwrap_err(),
        @"`echo oops; exit 3` exited 3"
    );
    assert!(lines.contains(&"oops".to_owned()), "{lines:?}");

    let root = folder(&[("Dockerfile", "FORM busybox:stable\n")]);
    let (result, _) = host.build(&host.plan("failing"), root.path()).await;
    let text = result.unwrap_err().to_string();
    assert!(text.contains("unknown instruction: FORM"), "{text}");
}

#[tokio::test]
async fn the_image_has_what_is_not_ignored_and_links_that_are_not_followed() {
    let host = DockerHost::connect().await;
    let root = folder(&[
        (".dockerignore", "Dockerfile\n.dockerignore\nnode_modules\n*.log\n!kept.log\n"),
        (
            "Dockerfile",
            "FROM busybox:stable\nCOPY . /src\nWORKDIR /src\n\
             RUN find . | sort && readlink link && stat -c '%a %U' script data\n",
        ),
        ("node_modules/a/b", ""),
        ("drop.log", ""),
        ("kept.log", ""),
        ("script", "#!/bin/sh"),
        ("data", ""),
    ]);
    std::os::unix::fs::symlink("/etc/shadow", root.path().join("link")).unwrap();
    for (file, mode) in [("script", 0o700), ("data", 0o600)] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(root.path().join(file), mode).unwrap();
    }
    let (result, lines) = host.build(&host.plan("ignoring"), root.path()).await;
    result.unwrap();
    let output: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| !line.contains(" : ")).collect();
    let start = output.iter().position(|line| *line == ".").unwrap();
    assert_eq!(
        output[start..start + 8],
        [".", "./data", "./kept.log", "./link", "./script", "/etc/shadow", "755 root", "644 root"]
    );
}

#[tokio::test]
async fn a_context_that_leads_out_of_the_repository_reaches_no_engine() {
    let host = DockerHost::connect().await;
    let outside = folder(&[("Dockerfile", "FROM busybox:stable\nRUN echo reached\n")]);
    let root = folder(&[("a", "")]);
    std::os::unix::fs::symlink(outside.path(), root.path().join("away")).unwrap();
    let mut build = host.plan("escaping");
    build.context.path = "away".to_owned();
    let (result, lines) = host.build(&build, root.path()).await;
    assert!(matches!(result, Err(BuildError::Context(_))), "{result:?}");
    assert_eq!(result.unwrap_err().to_string(), "`away` leads out of the repository");
    assert!(lines.is_empty(), "{lines:?}");
}

#[tokio::test]
async fn half_a_context_is_never_built() {
    let host = DockerHost::connect().await;
    let root = folder(&[("Dockerfile", "FROM busybox:stable\nRUN echo reached\n")]);
    fs::File::create(root.path().join("large")).unwrap().set_len(16 << 20).unwrap();
    let pipe = root.path().join("zz-pipe");
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
    let (result, lines) = host.build(&host.plan("half"), root.path()).await;
    assert_eq!(
        result.unwrap_err().to_string(),
        "`zz-pipe` is neither a file nor a folder nor a link"
    );
    assert!(lines.is_empty(), "{lines:?}");
}

#[tokio::test]
async fn a_build_that_is_dropped_leaves_no_container() {
    let host = DockerHost::connect().await;
    let marker = format!("sleep 3{:04}", host.environment.uuid().as_u128() % 10_000);
    let root =
        folder(&[("Dockerfile", &format!("FROM busybox:stable\nRUN echo it runs; {marker}\n"))]);
    let running = async || {
        let all = bollard::query_parameters::ListContainersOptionsBuilder::default().all(true);
        let containers = host.docker.list_containers(Some(all.build())).await.unwrap();
        let commands = containers.into_iter().filter_map(|container| container.command);
        commands.filter(|command| command.contains(&marker)).count()
    };

    let (sender, mut lines) = mpsc::channel(100);
    let build = host.plan("endless");
    let begun = async {
        while let Some(line) = lines.recv().await {
            if line == "it runs" {
                break;
            }
        }
    };
    tokio::select! {
        result = host.engine().build(&build, root.path(), LIMITS, &sender) => panic!("{result:?}"),
        () = begun => {}
    }

    let gone = async {
        while running().await > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(30), gone).await.expect("the build's container goes away");
}

#[tokio::test]
async fn a_context_of_a_hundred_megabytes_is_built() {
    let host = DockerHost::connect().await;
    let root = folder(&[("Dockerfile", "FROM busybox:stable\nCOPY Dockerfile /\n")]);
    fs::File::create(root.path().join("large")).unwrap().set_len(100 << 20).unwrap();
    host.build(&host.plan("large"), root.path()).await.0.unwrap();
}

#[tokio::test]
async fn an_image_that_no_registry_gives_is_told_by_name() {
    let host = DockerHost::connect().await;
    let (sender, _lines) = mpsc::channel(100);
    // Nothing listens on port 1.
    let result = host.target.stock_image("127.0.0.1:1/none:1", host.project, &sender).await;
    let error = result.unwrap_err().to_string();
    assert!(error.starts_with("cannot get image `127.0.0.1:1/none:1`: "), "{error}");
    assert!(error.contains("connection refused"), "{error}");
    let pulled = host.engine().pull("NOT/A NAME", &sender).await;
    assert!(matches!(pulled, Err(PullError::Refused { .. })), "{pulled:?}");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_told_from_one_that_refuses() {
    let nowhere = Engine::connect("unix:///nonexistent/docker.sock").await.unwrap_err();
    assert!(matches!(nowhere, EngineError::Away(_)), "{nowhere:?}");
    let elsewhere = Engine::connect("tcp://10.0.0.1:2375").await.unwrap_err();
    assert_eq!(
        elsewhere.to_string(),
        "`tcp://10.0.0.1:2375` is not the address of a Docker Engine on this machine"
    );
}
