//! The tables of the configuration file, each with its defaults.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::Span;

const MIB: u64 = 1024 * 1024;

/// `PostgreSQL`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// A libpq connection URI.
    pub url: String,
    /// Most connections of one process.
    pub connections: NonZeroUsize,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: "postgres:///pierhead?host=/run/postgresql".to_owned(), connections: count(16) }
    }
}

/// Redis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedisConfig {
    /// `redis://…` or `redis+unix:///path`.
    pub url: String,
    /// Name of the queue; every installation that shares a Redis needs its own.
    pub queue: String,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self { url: "redis://127.0.0.1:6379".to_owned(), queue: "pierhead".to_owned() }
    }
}

/// The SSH server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SshConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The host people type, without port.
    pub host: String,
    /// The port people type.
    pub port: u16,
    /// The one user name.
    pub user: String,
    /// Most connections.
    pub connections: NonZeroUsize,
    /// Most connections from one address.
    pub connections_per_address: NonZeroUsize,
    /// Time to prove who one is.
    pub login_time: Span,
}

impl Default for SshConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 2222)),
            host: "localhost".to_owned(),
            port: 2222,
            user: "git".to_owned(),
            connections: count(500),
            connections_per_address: count(10),
            login_time: Span::seconds(30),
        }
    }
}

/// git, and what it accepts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GitConfig {
    /// The program.
    pub program: PathBuf,
    /// Folder of the hooks that repositories run.
    pub hooks_dir: PathBuf,
    /// Most bytes one push may carry.
    pub max_pack: u64,
    /// Most bytes a checkout may have.
    pub max_checkout: u64,
    /// Most files a checkout may have.
    pub max_files: u64,
    /// How long a clone, a fetch, or the objects of a push may take.
    pub time_limit: Span,
    /// How long the repository of a deleted project is kept.
    pub trash_time: Span,
}

impl Default for GitConfig {
    fn default() -> Self {
        Self {
            program: "/usr/bin/git".into(),
            hooks_dir: "/usr/lib/pierhead/hooks".into(),
            max_pack: 512 * MIB,
            max_checkout: 2048 * MIB,
            max_files: 200_000,
            time_limit: Span::seconds(3_600),
            trash_time: Span::seconds(7 * 86_400),
        }
    }
}

/// Pushes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PushConfig {
    /// How long a push follows its deployments.
    pub wait_limit: Span,
    /// Silence after which a follower sees a line.
    pub heartbeat: Span,
    /// Most refs of one push.
    pub max_refs: NonZeroUsize,
}

impl Default for PushConfig {
    fn default() -> Self {
        Self { wait_limit: Span::seconds(3600), heartbeat: Span::seconds(15), max_refs: count(50) }
    }
}

/// Workers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerConfig {
    /// Jobs run at the same time by one worker process.
    pub concurrency: NonZeroUsize,
    /// For how long a worker that falls silent keeps an environment.
    pub lease: Span,
    /// How long jobs may go on when the worker is stopped.
    pub drain_limit: Span,
    /// How long a job may wait for a worker.
    pub queue_limit: Span,
    /// How long putting an environment back is tried.
    pub put_back_limit: Span,
    /// Pause between two rounds of the janitor.
    pub janitor_interval: Span,
    /// Pause between two sweeps of the targets.
    pub sweep_interval: Span,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            concurrency: count(2),
            lease: Span::seconds(30),
            drain_limit: Span::seconds(120),
            queue_limit: Span::seconds(3600),
            put_back_limit: Span::seconds(600),
            janitor_interval: Span::seconds(15),
            sweep_interval: Span::seconds(60),
        }
    }
}

/// Limits of one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Longest time of one job.
    pub run_job: Span,
    /// Longest time of one image's build.
    pub image: Span,
    /// Longest time until what was started is healthy.
    pub rollout: Span,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            run_job: Span::seconds(1800),
            image: Span::seconds(900),
            rollout: Span::seconds(600),
        }
    }
}

/// The Docker target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DockerConfig {
    /// Addresses that networks of deployments are cut from, as `address/prefix length`.
    pub networks: String,
    /// How long a container without healthcheck must stay up.
    pub min_ready: Span,
    /// Prefix of labels on images, containers and networks.
    pub label_domain: String,
}

impl Default for DockerConfig {
    fn default() -> Self {
        Self {
            networks: "10.213.0.0/16".to_owned(),
            min_ready: Span::seconds(10),
            label_domain: "pierhead.dev".to_owned(),
        }
    }
}

/// The HTTP entrance of the Docker target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouterConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The port people type; 80 is left out of URLs.
    pub port: u16,
    /// Time an application has to begin its answer.
    pub response_limit: Span,
}

impl Default for RouterConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8080)),
            port: 8080,
            response_limit: Span::seconds(60),
        }
    }
}

/// Pages for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where people reach it; pushes name the page of their job when this is not empty.
    pub url: String,
    /// Whether all requests come through a proxy that says by `X-Forwarded-For` who they are of.
    pub behind_proxy: bool,
    /// Time after which somebody who does nothing is signed out.
    pub session_idle: Span,
    /// Time after which everybody is signed out.
    pub session_limit: Span,
    /// The file of the key by which secrets of second factors are sealed; made when it is missing.
    pub key: PathBuf,
}

impl WebConfig {
    /// Whether people reach it by TLS only.
    pub fn is_https(&self) -> bool {
        self.url.starts_with("https://")
    }
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8088)),
            url: String::new(),
            behind_proxy: false,
            session_idle: Span::seconds(12 * 3_600),
            session_limit: Span::seconds(7 * 86_400),
            key: PathBuf::from("/var/lib/pierhead-web/key"),
        }
    }
}

/// Keys that secrets are sealed with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SealConfig {
    /// The public key, with which every role may store a secret.
    pub public_key: PathBuf,
    /// The private keys, with which workers read them.
    pub private_keys: Vec<PathBuf>,
}

impl Default for SealConfig {
    fn default() -> Self {
        Self {
            public_key: "/var/lib/pierhead-seal/public.pem".into(),
            private_keys: vec!["/var/lib/pierhead-seal/private.pem".into()],
        }
    }
}

/// Logging.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Text for people, or JSON.
    pub format: LogFormat,
    /// Directives in the form of `tracing`, such as `info,russh=warn`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info,apalis=warn,russh=warn,kube_client=off,kube_runtime=off".to_owned(),
        }
    }
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A count that is written as a literal.
const fn count(number: usize) -> NonZeroUsize {
    match NonZeroUsize::new(number) {
        Some(count) => count,
        None => NonZeroUsize::MIN,
    }
}

impl SshConfig {
    /// What people type behind `ssh`: `git@example.org`, with `-p` unless the port is 22.
    pub fn address(&self) -> String {
        let Self { host, port, user, .. } = self;
        if *port == 22 { format!("{user}@{host}") } else { format!("-p {port} {user}@{host}") }
    }
}
