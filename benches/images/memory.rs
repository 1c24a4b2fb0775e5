//! The memory of a process that builds a large context and does nothing else.

use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use pierhead::builder::Builder;
use pierhead::config::DockerBuilds;

use crate::by_hand::context;
use crate::docker_host::DockerHost;

/// Names the folder to the process that is measured.
const ARGUMENT: &str = "--build-and-tell-memory=";

/// Builds in a process of its own, and prints what it needed.
pub(crate) fn measure() {
    for (name, with) in [("BuildKit", "buildkit"), ("classic", "classic")] {
        let folder = context(1_000);
        let argument = format!("{ARGUMENT}{with}:{}", folder.path().display());
        let output = Command::new(env::current_exe().unwrap()).arg(argument).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        writeln!(stdout(), "memory: a context of 1 GB, {name}: {}", said.trim()).unwrap();
    }
}

/// In the process that is measured: builds, and says how much memory it had at most.
pub(crate) async fn build_if_asked() -> bool {
    let mut arguments = env::args();
    let Some(asked) =
        arguments.find_map(|argument| argument.strip_prefix(ARGUMENT).map(str::to_owned))
    else {
        return false;
    };
    let (with, folder) = asked.split_once(':').unwrap();
    let with = match with {
        "classic" => DockerBuilds::Classic,
        _ => DockerBuilds::Buildkit,
    };
    let host = DockerHost::with(Builder::Docker(with), None).await;
    let (built, lines) = host.build(&host.plan("memory"), Path::new(folder)).await;
    built.unwrap_or_else(|error| panic!("{error}: {lines:?}"));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    writeln!(stdout(), "{}", most.trim()).unwrap();
    true
}
