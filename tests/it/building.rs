//! Building images, with every builder there is.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use pierhead::building::{BuildError, ContextLimits, Materials};
use pierhead::domain::ids::ProjectId;
use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::docker_host::{DockerHost, LIMITS, folder};

#[tokio::test]
async fn a_build_tells_its_lines_and_the_id_of_the_image() {
    for host in DockerHost::for_each_builder().await {
        let text =
            host.dockerfile("ARG WHO\nCOPY . /\nRUN printf 'hello \\033[2J%s\\n' \"$WHO\"\n");
        let root = folder(&[("app/Dockerfile", &text)]);
        let mut build = host.plan("greeting");
        build.context.path = "app".to_owned();
        build.args.insert("WHO".to_owned(), "world".to_owned());
        let (id, lines) = host.build(&build, root.path()).await;

        let image = host.engine().image(&build.tag).await.unwrap().unwrap();
        assert_eq!(image.id, id.unwrap(), "{host:?}");
        assert_eq!(image.labels["pierhead.dev/fence"], "1");
        let says = |text: &str| lines.iter().any(|line| line.contains(text));
        for text in ["context: 1 file, 1 KiB", "hello world", " : COPY . /", "Step "] {
            assert!(says(text), "{host:?} {text}: {lines:?}");
        }
        assert!(!says("pierhead.dev/"), "{host:?}: {lines:?}");
        assert!(lines.iter().all(|line| !line.contains('\u{1b}') && !line.is_empty()), "{lines:?}");
    }
}

#[tokio::test]
async fn steps_are_counted_and_those_built_before_are_cached() {
    for host in DockerHost::for_each_builder().await {
        let run = format!("RUN echo {}\nCOPY . /src\n", host.environment);
        let root = folder(&[("Dockerfile", &host.dockerfile(&run)), ("a", "1")]);
        let build = host.plan("cached");
        let mut counted = Vec::new();
        for _ in 0..2 {
            let (sender, _lines) = mpsc::channel(1_000);
            let materials = Materials::of(root.path(), LIMITS);
            let builder = &host.target.builder;
            let built = builder.build(host.engine(), &build, &materials, &sender).await.unwrap();
            counted.push((built.steps.cached, built.steps.all));
        }
        assert_eq!(counted, [(0, 2), (2, 2)], "{host:?}");
    }
}

#[tokio::test]
async fn a_step_that_fails_is_told_in_the_builders_words() {
    for host in DockerHost::for_each_builder().await {
        let root = folder(&[("Dockerfile", &host.dockerfile("RUN echo oops; exit 3\n"))]);
        let (result, lines) = host.build(&host.plan("failing"), root.path()).await;
        assert_eq!(result.unwrap_err().to_string(), "`echo oops; exit 3` exited 3", "{host:?}");
        assert!(lines.contains(&"oops".to_owned()), "{host:?}: {lines:?}");
        let image = host.engine().image(&host.plan("failing").tag).await.unwrap();
        assert!(image.is_none(), "{host:?}");

        for (text, fault) in [
            ("FORM busybox:stable\n", "FORM|no FROM"),
            (
                "# only a comment\n",
                "no build stage|Dockerfile cannot be empty|no FROM|no stages|no instructions",
            ),
            ("FROM\n", "FROM"),
            ("FROM 127.0.0.1:1/none:1\n", "127.0.0.1:1"),
        ] {
            let root = folder(&[("Dockerfile", text)]);
            let (result, _) = host.build(&host.plan("failing"), root.path()).await;
            let words = result.unwrap_err().to_string();
            let is_told = fault.split('|').any(|fault| words.contains(fault));
            assert!(is_told, "{host:?} {text:?}: {words}");
        }
    }
}

#[tokio::test]
async fn the_image_has_what_is_not_ignored_and_links_that_are_not_followed() {
    for host in DockerHost::for_each_builder().await {
        let text = host.dockerfile(
            "COPY . /src\nWORKDIR /src\n\
             RUN find . | sort && readlink link && stat -c '%a %U' script data\n",
        );
        let root = folder(&[
            (".dockerignore", "Dockerfile\n.dockerignore\nnode_modules\n*.log\n!kept.log\n"),
            ("Dockerfile", &text),
            ("node_modules/a/b", ""),
            ("drop.log", ""),
            ("kept.log", ""),
            ("script", "#!/bin/sh"),
            ("data", ""),
        ]);
        symlink("/etc/shadow", root.path().join("link")).unwrap();
        for (file, mode) in [("script", 0o700), ("data", 0o600)] {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(root.path().join(file), mode).unwrap();
        }
        let (result, lines) = host.build(&host.plan("ignoring"), root.path()).await;
        result.unwrap();
        let output: Vec<&str> =
            lines.iter().map(String::as_str).filter(|line| !line.contains(" : ")).collect();
        let start = output.iter().position(|line| *line == ".");
        let start = start.unwrap_or_else(|| panic!("{host:?}: {lines:?}"));
        assert_eq!(
            output[start..start + 8],
            [
                ".",
                "./data",
                "./kept.log",
                "./link",
                "./script",
                "/etc/shadow",
                "755 root",
                "644 root"
            ],
            "{host:?}"
        );
    }
}

#[tokio::test]
async fn dates_of_files_stand_for_their_content() {
    for host in DockerHost::for_each_builder().await {
        let text = host.dockerfile("COPY a b /src/\nRUN stat -c 'date %n %Y' /src/*\n");
        let mut dates = Vec::new();
        for content in ["1", "2", "1"] {
            let root = folder(&[("Dockerfile", &text), ("a", content), ("b", "always")]);
            let materials = Materials { uses_cache: false, ..Materials::of(root.path(), LIMITS) };
            let (result, lines) = host.build_of(&host.plan("dated"), &materials).await;
            result.unwrap();
            let dated = lines.into_iter().filter(|line| line.starts_with("date "));
            dates.push(dated.collect::<Vec<_>>());
        }
        assert_eq!(dates[0], dates[2], "{host:?}");
        assert_ne!(dates[0][0], dates[1][0], "{host:?}");
        assert_eq!(dates[0][1], dates[1][1], "{host:?}");
    }
}

#[tokio::test]
async fn a_context_that_leads_out_of_the_repository_reaches_no_builder() {
    for host in DockerHost::for_each_builder().await {
        let outside = folder(&[("Dockerfile", &host.dockerfile("RUN echo reached\n"))]);
        let root = folder(&[("a", "")]);
        symlink(outside.path(), root.path().join("away")).unwrap();
        let mut build = host.plan("escaping");
        build.context.path = "away".to_owned();
        let (result, lines) = host.build(&build, root.path()).await;
        assert!(matches!(result, Err(BuildError::Context(_))), "{result:?}");
        assert_eq!(result.unwrap_err().to_string(), "`away` leads out of the repository");
        assert!(lines.is_empty(), "{lines:?}");
    }
}

#[tokio::test]
async fn half_a_context_and_a_huge_one_are_never_built() {
    for host in DockerHost::for_each_builder().await {
        let text = host.dockerfile("COPY . /src\nRUN echo reached\n");
        let root = folder(&[("Dockerfile", &text)]);
        fs::File::create(root.path().join("large")).unwrap().set_len(16 << 20).unwrap();
        let limits = ContextLimits { bytes: 1 << 20, files: 100 };
        let materials = Materials::of(root.path(), limits);
        let (result, lines) = host.build_of(&host.plan("huge"), &materials).await;
        assert_eq!(
            result.unwrap_err().to_string(),
            "the build context has more than 1048576 bytes of files; leave some out in \
             .dockerignore"
        );
        assert!(!lines.contains(&"reached".to_owned()), "{lines:?}");

        let pipe = root.path().join("zz-pipe");
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
        let (result, lines) = host.build(&host.plan("half"), root.path()).await;
        assert_eq!(
            result.unwrap_err().to_string(),
            "`zz-pipe` is neither a file nor a folder nor a link",
            "{host:?}"
        );
        assert!(!lines.contains(&"reached".to_owned()), "{lines:?}");
        for name in ["huge", "half"] {
            assert!(host.engine().image(&host.plan(name).tag).await.unwrap().is_none(), "{host:?}");
        }
    }
}

/// Processes of this machine whose command line has a text in it.
pub(crate) fn processes(text: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(text)).count()
}

#[tokio::test]
async fn a_build_that_is_dropped_leaves_nothing_that_runs() {
    for host in DockerHost::for_each_builder().await {
        let marker = format!("sleep 3{:06}", host.environment.uuid().as_u128() % 1_000_000);
        let text = host.dockerfile(&format!("RUN echo it runs; {marker}\n"));
        let root = folder(&[("Dockerfile", &text)]);
        let (sender, mut lines) = mpsc::channel(100);
        let build = host.plan("endless");
        let begun = async {
            while let Some(line) = lines.recv().await {
                if line == "it runs" {
                    break;
                }
            }
        };
        let materials = Materials::of(root.path(), LIMITS);
        let builder = &host.target.builder;
        tokio::select! {
            result = builder.build(host.engine(), &build, &materials, &sender) => {
                panic!("{host:?}: {result:?}")
            }
            () = begun => {}
        }
        let gone = async {
            while processes(&marker) > 0 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        let gone = timeout(Duration::from_secs(30), gone).await;
        gone.unwrap_or_else(|_elapsed| panic!("{host:?}: the command of the build still runs"));
        host.assert_builder_is_idle();
    }
}

#[tokio::test]
async fn a_context_of_a_hundred_megabytes_is_built() {
    for host in DockerHost::for_each_builder().await {
        let root = folder(&[("Dockerfile", &host.dockerfile("COPY large /\n"))]);
        fs::File::create(root.path().join("large")).unwrap().set_len(100 << 20).unwrap();
        host.build(&host.plan("large"), root.path()).await.0.unwrap();
    }
}

#[tokio::test]
async fn the_frontend_that_builders_are_is_left_out_and_another_is_refused() {
    for host in DockerHost::for_each_builder().await {
        let text = host.dockerfile("RUN echo built\n");
        let root = folder(&[("Dockerfile", &format!("# syntax=docker/dockerfile:1.7\n{text}"))]);
        host.build(&host.plan("front"), root.path()).await.0.unwrap();
        let root = folder(&[("Dockerfile", &format!("# syntax=evil/front:1\n{text}"))]);
        let (result, lines) = host.build(&host.plan("front"), root.path()).await;
        assert_eq!(
            result.unwrap_err().to_string(),
            "line 1 of the Dockerfile: the frontend `evil/front:1` is not one of those that the \
             setting `builder.frontends` allows"
        );
        assert!(lines.is_empty(), "{lines:?}");
    }
}

#[tokio::test]
async fn a_secret_is_shown_to_its_command_and_to_nobody_else() {
    let secrets =
        BTreeMap::from([("token".to_owned(), SecretString::from("s3cr3t-of-the-test".to_owned()))]);
    for host in DockerHost::for_each_builder().await {
        let text = host.dockerfile(
            "RUN --mount=type=secret,id=token wc -c < /run/secrets/token\n\
             RUN test ! -s /run/secrets/token && echo it is gone\n",
        );
        let root = folder(&[("Dockerfile", &text)]);
        let of = Materials::of(root.path(), LIMITS);
        let materials = Materials { secrets: &secrets, uses_cache: false, ..of };
        let (result, lines) = host.build_of(&host.plan("secretive"), &materials).await;
        if host.is_classic() {
            assert!(matches!(result, Err(BuildError::SecretMount)), "{result:?}");
            continue;
        }
        let id = result.unwrap_or_else(|error| panic!("{host:?}: {error}: {lines:?}"));
        assert!(lines.contains(&"18".to_owned()), "{host:?}: {lines:?}");
        assert!(lines.contains(&"it is gone".to_owned()), "{host:?}: {lines:?}");
        let image = host.docker.inspect_image(&id).await.unwrap();
        let history = host.docker.image_history(&id).await.unwrap();
        assert!(!format!("{image:?}{history:?}{lines:?}").contains("s3cr3t"), "{host:?}");
    }
}

#[tokio::test]
async fn what_came_of_a_secret_is_given_to_no_other_project() {
    for host in DockerHost::for_each_builder().await {
        if host.is_classic() {
            continue;
        }
        let word = host.environment;
        let text = host.dockerfile(&format!(
            "RUN --mount=type=secret,id=token echo {word}; tr a-z b-za < /run/secrets/token; echo\n"
        ));
        let root = folder(&[("Dockerfile", &text)]);
        let of = Materials::of(root.path(), LIMITS);
        for (project, secret, shown) in
            [(1, "kd93hs8w2", "le93it8x2"), (2, "pw0dk3ms9", "qx0el3nt9")]
        {
            let secrets = BTreeMap::from([("token".to_owned(), SecretString::from(secret))]);
            let project = ProjectId::from(Uuid::from_u128(project));
            let materials = Materials { project, secrets: &secrets, ..of };
            let mut build = host.plan("given");
            // Storages of Buildah are told apart by this.
            build.tag = format!("pierhead-test/{project}/given:1");
            let (result, lines) = host.build_of(&build, &materials).await;
            result.unwrap_or_else(|error| panic!("{host:?}: {error}: {lines:?}"));
            assert!(lines.contains(&shown.to_owned()), "{host:?}: {lines:?}");
            assert!(!lines.join("\n").contains(&project.to_string()), "{lines:?}");
        }
    }
}

#[tokio::test]
async fn commands_get_no_rights_that_they_ask_for() {
    for host in DockerHost::for_each_builder().await {
        for flags in ["--security=insecure", "--network=host"] {
            let command =
                "sh -c 'ls -d /sys/class/net/docker0 || true; grep CapEff /proc/self/status'";
            let text = host.dockerfile(&format!("RUN {flags} {command}\n"));
            let root = folder(&[("Dockerfile", &text)]);
            let (result, lines) = host.build(&host.plan("greedy"), root.path()).await;
            // Refused, or not heard.
            let got = lines.iter().any(|line| {
                line == "/sys/class/net/docker0" || line.to_lowercase().contains("ffffffff")
            });
            assert!(!got, "{host:?} {flags}: {result:?} {lines:?}");
        }
    }
}

#[tokio::test]
async fn caches_of_commands_are_those_of_an_account() {
    for host in DockerHost::for_each_builder().await {
        if host.is_classic() {
            continue;
        }
        let target = host.environment;
        let seen = async |account: &str, round: usize| {
            let text = host.dockerfile(&format!(
                "RUN --mount=type=cache,target=/{target} echo {round} {account} >> /{target}/log \
                 && sed 's/^/cache: /' /{target}/log\n"
            ));
            let root = folder(&[("Dockerfile", &text)]);
            let mut build = host.plan("caching");
            build.account = format!("{account}-{target}");
            // Without a cache for steps, BuildKit has none for commands either.
            let materials = Materials::of(root.path(), LIMITS);
            let (result, lines) = host.build_of(&build, &materials).await;
            result.unwrap_or_else(|error| panic!("{host:?}: {error}: {lines:?}"));
            lines.into_iter().filter(|line| line.starts_with("cache: ")).collect::<Vec<_>>()
        };
        assert_eq!(seen("one", 1).await, ["cache: 1 one"], "{host:?}");
        assert_eq!(seen("two", 2).await, ["cache: 2 two"], "{host:?}");
        assert_eq!(seen("one", 3).await, ["cache: 1 one", "cache: 3 one"], "{host:?}");
    }
}

#[tokio::test]
async fn a_base_of_the_same_job_is_the_one_that_is_used() {
    for host in DockerHost::for_each_builder().await {
        let base = folder(&[("Dockerfile", &host.dockerfile("RUN echo ours > /whose\n"))]);
        let mut plan = host.plan("base");
        plan.tag.clone_from(&plan.own_tag);
        host.build(&plan, base.path()).await.0.unwrap();
        // Another job has taken over the name that the Dockerfile says.
        let other = folder(&[("Dockerfile", &host.dockerfile("RUN echo theirs > /whose\n"))]);
        let mut taken = host.plan("base");
        taken.own_tag = taken.own_tag.replace("-job42", "-job43");
        host.build(&taken, other.path()).await.0.unwrap();

        let text = format!("FROM {}\nRUN cat /whose\n", taken.tag);
        let root = folder(&[("Dockerfile", &text)]);
        let mut build = host.plan("upon");
        build.pins.insert(taken.tag, plan.tag);
        let (result, lines) = host.build(&build, root.path()).await;
        result.unwrap_or_else(|error| panic!("{host:?}: {error}: {lines:?}"));
        assert!(lines.contains(&"ours".to_owned()), "{host:?}: {lines:?}");
    }
}
