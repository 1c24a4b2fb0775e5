//! What commands of a build are given, and what they do not reach.

use std::os::unix::fs::symlink;

use pierhead::building::Materials;
use tokio::sync::mpsc;

use crate::building::processes;
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
async fn arguments_of_a_build_are_in_no_command_line_and_steer_no_builder() {
    for program in ["buildah", "podman"] {
        let Some(host) = DockerHost::beside(program).await else { continue };
        let root =
            folder(&[("Dockerfile", &host.dockerfile("ARG WORD\nRUN sleep 1; echo $WORD\n"))]);
        let mut build = host.plan("arguing");
        build.args.insert("WORD".to_owned(), format!("word-{}", host.environment));
        let (sender, mut lines) = mpsc::channel::<String>(100);
        let materials = Materials::of(root.path(), LIMITS);
        let looking = async {
            let word = &build.args["WORD"];
            let mut seen = 0_usize;
            while let Some(line) = lines.recv().await {
                seen += processes(word);
                if line.ends_with(word.as_str()) {
                    return seen;
                }
            }
            panic!("the argument was not given")
        };
        let building = host.target.builder.build(host.engine(), &build, &materials, &sender);
        let (built, seen) = tokio::join!(building, looking);
        built.unwrap();
        assert_eq!(seen, 0, "{host:?}");

        build.args.insert("LD_PRELOAD".to_owned(), "/x.so".to_owned());
        let (result, _) = host.build(&build, root.path()).await;
        assert_eq!(
            result.unwrap_err().to_string(),
            "build argument `LD_PRELOAD` is reserved for the builder"
        );
    }
}
