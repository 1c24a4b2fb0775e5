//! Settings of the builders of images.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::platform::Platform;

const MIB: u64 = 1024 * 1024;

/// The builders of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuilderConfig {
    /// Who builds: `docker`, `buildah`, `podman`, or the path of a program with Buildah's command line.
    pub program: String,
    /// The engine that builds images for Kubernetes clusters; each engine builds its own.
    pub engine: String,
    /// With what an engine builds.
    pub docker: DockerBuilds,
    /// What keeps commands of Buildah's builds apart from the machine.
    pub isolation: Isolation,
    /// Frontends that the first line of a Dockerfile may name, besides `docker/dockerfile:1`.
    pub frontends: Vec<String>,
    /// What images in registries are built for, such as `linux/arm64`; empty: what the engine runs.
    pub platforms: Vec<Platform>,
    /// Images of one job that are built at the same time.
    pub parallel: NonZeroUsize,
    /// Bytes of an engine's disk that stay free: less, and nothing is built.
    pub keep_free: u64,
    /// Folder of the images of the platform's library; empty: there is none.
    pub library: PathBuf,
    /// What images of shared volumes are based on: anything with `sh` and `cp`.
    pub volume_base: String,
    /// Whom the files belong to that an application may write, as `uid:gid`.
    pub writer: String,
    /// Whether steps that were built before are taken from the cache.
    pub cache: bool,
}

impl Default for BuilderConfig {
    fn default() -> Self {
        Self {
            program: "docker".to_owned(),
            engine: "unix:///var/run/docker.sock".to_owned(),
            docker: DockerBuilds::Auto,
            isolation: Isolation::Containers,
            frontends: Vec::new(),
            platforms: Vec::new(),
            parallel: NonZeroUsize::MIN.saturating_add(1),
            keep_free: 256 * MIB,
            library: PathBuf::new(),
            volume_base: "busybox:stable".to_owned(),
            writer: "1000:1000".to_owned(),
            cache: true,
        }
    }
}

/// With what an engine builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DockerBuilds {
    /// `BuildKit` where the engine has it, else its classic builder.
    #[default]
    Auto,
    /// `BuildKit`.
    Buildkit,
    /// The classic builder.
    Classic,
}

/// What keeps commands of a build apart from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Containers, by an OCI runtime.
    #[default]
    Containers,
    /// A folder as root, which whoever wrote a Dockerfile can leave: they may do what the worker
    /// may. For machines that run no containers, and people who are trusted with the machine.
    Chroot,
}
