//! What commands of a build are given, and what they do not reach.

use std::os::unix::fs::symlink;

use pierhead::building::Materials;
use tokio::sync::mpsc;

use crate::docker_host::{DockerHost, LIMITS, folder};

#[tokio::test]
async fn what_is_mounted_leads_nowhere_but_into_the_build() {
    let outside = folder(&[("secret", "of-the-machine")]);
    let away = outside.path().display();
    for host in DockerHost::for_each_builder().await {
        if host.is_classic() {
            continue;
        }
        for (link, command) in [
            ("l", "--mount=type=bind,source=l,target=/x cat /x/secret".to_owned()),
            ("l", "--mount=source=l/secret,target=/x cat /x".to_owned()),
            ("l", format!("--mount=type=cache,id=../../../../../..{away},target=/x cat /x/secret")),
            ("l", "--mount=type=bind,from=linked,source=/l,target=/x cat /x/secret".to_owned()),
        ] {
            let linked = format!("AS linked\nRUN ln -s {away} /l\nFROM busybox:stable\n");
            let text = host.dockerfile("").trim_end().to_owned();
            let text = format!("{text} {linked}RUN {command} 2>&1 || true\n");
            let root = folder(&[("Dockerfile", &text)]);
            symlink(outside.path(), root.path().join(link)).unwrap();
            let (result, lines) = host.build(&host.plan("reaching"), root.path()).await;
            let reached = lines.iter().any(|line| line == "of-the-machine");
            assert!(!reached, "{host:?} {command}: {result:?} {lines:?}");
        }
    }
}

#[tokio::test]
async fn what_is_mounted_of_the_context_is_seen() {
    for host in DockerHost::for_each_builder().await {
        if host.is_classic() {
            continue;
        }
        let text = host.dockerfile(
            "RUN --mount=type=bind,source=inner,target=/x cat /x/word\n\
             RUN --mount=source=inner/word,target=/w cat /w\n",
        );
        let root = folder(&[("Dockerfile", &text), ("inner/word", "mounted\n")]);
        let (result, lines) = host.build(&host.plan("mounting"), root.path()).await;
        result.unwrap_or_else(|error| panic!("{host:?}: {error}: {lines:?}"));
        assert_eq!(lines.iter().filter(|line| *line == "mounted").count(), 2, "{host:?} {lines:?}");
    }
}

#[tokio::test]
async fn arguments_of_a_build_steer_nothing_that_the_builder_starts() {
    for program in ["buildah", "podman"] {
        let Some(host) = DockerHost::beside(program).await else { continue };
        let text = host.dockerfile("ARG XTABLES_LIBDIR\nRUN sleep 1; echo $XTABLES_LIBDIR\n");
        let root = folder(&[("Dockerfile", &text)]);
        let mut build = host.plan("arguing");
        for name in ["XTABLES_LIBDIR", "GIT_CONFIG_COUNT", "LD_PRELOAD", "PATH"] {
            build.args.insert(name.to_owned(), format!("/word-{}", host.environment));
        }
        let (sender, mut lines) = mpsc::channel::<String>(100);
        let materials = Materials::of(root.path(), LIMITS);
        let looking = async {
            let word = &build.args["XTABLES_LIBDIR"];
            let mut steered = Vec::new();
            while let Some(line) = lines.recv().await {
                steered.extend(steered_by(word));
                if line.ends_with(word.as_str()) {
                    return steered;
                }
            }
            panic!("the argument was not given")
        };
        let building = host.target.builder.build(host.engine(), &build, &materials, &sender);
        let (built, steered) = tokio::join!(building, looking);
        built.unwrap();
        assert_eq!(steered, Vec::<String>::new(), "{host:?}");
    }
}

/// Programs with a text in their environment, but for the command of the build itself.
fn steered_by(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let steered = entries.filter_map(|entry| {
        let read = |name: &str| std::fs::read(entry.path().join(name)).ok();
        let is_steered = String::from_utf8_lossy(&read("environ")?).contains(text);
        let name = String::from_utf8_lossy(&read("comm")?).trim().to_owned();
        (is_steered && !matches!(name.as_str(), "sh" | "sleep" | "echo")).then_some(name)
    });
    steered.collect()
}
