//! The only reader of the configuration file and of the environment.
//!
//! `docs/config.example.toml` shows every key with its default, and a test keeps the two equal.
//! The environment wins over the file: `PIERHEAD_SSH_LISTEN` sets `ssh.listen`.

mod builder;
mod hook_environment;
mod hooks;
mod load;
mod platform;
mod sections;
mod sources;
mod span;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::manifests;
use crate::paas::Libraries;

pub use builder::{BuilderConfig, DockerBuilds, Isolation};
pub use hook_environment::HookEnvironment;
pub use hooks::{HookConfig, HookLimits, HooksConfig, Runner};
pub use load::{ConfigError, environment};
pub use platform::PlatformConfig;
pub use sections::{
    DatabaseConfig, DockerConfig, GitConfig, LimitsConfig, LogConfig, LogFormat, PushConfig,
    RedisConfig, RouterConfig, SealConfig, SshConfig, WebConfig, WorkerConfig,
};
pub use sources::{FirstHostKey, SourcesConfig};
pub use span::Span;

/// Every setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Holds repositories, workspaces and the host key.
    pub state_dir: PathBuf,
    /// Holds sockets; emptied at a restart.
    pub runtime_dir: PathBuf,
    /// Name of the deployment file at a repository's root.
    pub paas_file: String,
    /// `PostgreSQL`.
    pub database: DatabaseConfig,
    /// Redis.
    pub redis: RedisConfig,
    /// The SSH server.
    pub ssh: SshConfig,
    /// git, and what it accepts.
    pub git: GitConfig,
    /// Pushes.
    pub push: PushConfig,
    /// Workers.
    pub worker: WorkerConfig,
    /// Limits of one job.
    pub limits: LimitsConfig,
    /// The builders of images.
    pub builder: BuilderConfig,
    /// The Docker target.
    pub docker: DockerConfig,
    /// Kubernetes targets.
    pub kubernetes: manifests::Settings,
    /// The HTTP entrance of the Docker target.
    pub router: RouterConfig,
    /// Pages for people.
    pub web: WebConfig,
    /// Keys that secrets are sealed with.
    pub seal: SealConfig,
    /// Logging.
    pub log: LogConfig,
    /// What files may ask of the platform.
    pub platform: PlatformConfig,
    /// Sources of projects.
    pub sources: SourcesConfig,
    /// Build hooks.
    pub hooks: HooksConfig,
    /// Definitions that files build on.
    pub libraries: Libraries,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            state_dir: "/var/lib/pierhead".into(),
            runtime_dir: "/run/pierhead".into(),
            paas_file: ".paas.yaml".to_owned(),
            database: DatabaseConfig::default(),
            redis: RedisConfig::default(),
            ssh: SshConfig::default(),
            git: GitConfig::default(),
            push: PushConfig::default(),
            worker: WorkerConfig::default(),
            limits: LimitsConfig::default(),
            builder: BuilderConfig::default(),
            docker: DockerConfig::default(),
            kubernetes: manifests::Settings::default(),
            router: RouterConfig::default(),
            web: WebConfig::default(),
            seal: SealConfig::default(),
            log: LogConfig::default(),
            platform: PlatformConfig::default(),
            sources: SourcesConfig::default(),
            hooks: HooksConfig::default(),
            libraries: Libraries::default(),
        }
    }
}

impl Config {
    /// Folder of bare repositories.
    pub fn repositories(&self) -> PathBuf {
        self.state_dir.join("repositories")
    }

    /// Folder of workspaces, one a run.
    pub fn workspaces(&self) -> PathBuf {
        self.state_dir.join("workspaces")
    }

    /// Folder of images and caches of a builder beside the engine.
    pub fn builder_folder(&self) -> PathBuf {
        self.state_dir.join("builder")
    }

    /// Folder of what is known of images that files are put on.
    pub fn layers_folder(&self) -> PathBuf {
        self.state_dir.join("layers")
    }

    /// Folder of what hooks keep for the next push, by project and kind.
    pub fn hook_caches(&self) -> PathBuf {
        self.state_dir.join("hook-caches")
    }

    /// Folder of what forwards in hooks' cages.
    pub fn hook_gates(&self) -> PathBuf {
        self.state_dir.join("hook-gates")
    }

    /// The SSH server's private key.
    pub fn host_key(&self) -> PathBuf {
        self.state_dir.join("ssh_host_ed25519_key")
    }

    /// The socket that hooks talk to.
    pub fn hook_socket(&self) -> PathBuf {
        self.runtime_dir.join("hook.sock")
    }
}
