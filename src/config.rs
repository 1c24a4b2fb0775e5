//! The only reader of the configuration file and of the environment.
//!
//! `docs/config.example.toml` shows every key with its default, and a test keeps the two equal.
//! The environment wins over the file: `PIERHEAD_SSH_LISTEN` sets `ssh.listen`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::domain::nearest::nearest;

mod hook_environment;
mod span;

pub use hook_environment::HookEnvironment;
pub use span::Span;

/// Prefix of the variables that are read.
const PREFIX: &str = "PIERHEAD_";

/// Variables without that prefix that are read too.
const URLS: [&str; 2] = ["DATABASE_URL", "REDIS_URL"];

/// Variables with that prefix that are no settings: they name the file, or are set by the server
/// for the hooks that git starts.
const OTHERS: [&str; 3] = ["PIERHEAD_CONFIG", "PIERHEAD_SESSION", "PIERHEAD_SOCKET"];

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
    /// The Docker target.
    pub docker: DockerConfig,
    /// The HTTP entrance of the Docker target.
    pub router: RouterConfig,
    /// Pages for people.
    pub web: WebConfig,
    /// Logging.
    pub log: LogConfig,
}

/// `PostgreSQL`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// A libpq connection URI.
    pub url: String,
    /// Most connections of one process.
    pub connections: NonZeroUsize,
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

/// Pages for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where people reach it; pushes name the page of their job when this is not empty.
    pub url: String,
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

const MIB: u64 = 1024 * 1024;

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
            docker: DockerConfig::default(),
            router: RouterConfig::default(),
            web: WebConfig::default(),
            log: LogConfig::default(),
        }
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: "postgres:///pierhead?host=/run/postgresql".to_owned(), connections: count(16) }
    }
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self { url: "redis://127.0.0.1:6379".to_owned(), queue: "pierhead".to_owned() }
    }
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

impl Default for GitConfig {
    fn default() -> Self {
        Self {
            program: "/usr/bin/git".into(),
            hooks_dir: "/usr/lib/pierhead/hooks".into(),
            max_pack: 512 * MIB,
            max_checkout: 2048 * MIB,
            max_files: 200_000,
        }
    }
}

impl Default for PushConfig {
    fn default() -> Self {
        Self { wait_limit: Span::seconds(3600), heartbeat: Span::seconds(15), max_refs: count(50) }
    }
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

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            run_job: Span::seconds(1800),
            image: Span::seconds(900),
            rollout: Span::seconds(600),
        }
    }
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

impl Default for RouterConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8080)),
            port: 8080,
            response_limit: Span::seconds(60),
        }
    }
}

impl Default for WebConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8088)), url: String::new() }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info,apalis=warn,russh=warn".to_owned() }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no TOML, or a value has another type.
    #[error("{origin}: {}", source.to_string().trim_end())]
    Form {
        /// The file, or the environment.
        origin: String,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// There is no such setting.
    #[error("{origin}: unknown setting `{key}`{}", hint(nearest.as_deref()))]
    Unknown {
        /// The file, or the variable.
        origin: String,
        /// The key, with its table.
        key: String,
        /// The key that was probably meant.
        nearest: Option<String>,
    },
    /// A value that cannot work.
    #[error("setting `{key}`: {problem}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|key| format!("; did you mean `{key}`?")).unwrap_or_default()
}

/// Variables of the process that may be settings.
#[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
pub fn environment() -> BTreeMap<String, String> {
    let named = |name: &str| std::env::var(name).ok().map(|value| (name.to_owned(), value));
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with(PREFIX) || name == "DATABASE_URL" || name == "REDIS_URL")
        .filter_map(|name| named(&name))
        .collect()
}

/// The session and the socket that the server gave to a hook, if it did.
#[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
pub fn hook_environment() -> Option<(String, PathBuf)> {
    let session = std::env::var("PIERHEAD_SESSION").ok()?;
    let socket = std::env::var_os("PIERHEAD_SOCKET")?;
    Some((session, socket.into()))
}

impl Config {
    /// Reads the file, if one is named, and the environment.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, a key is unknown, or a value cannot work.
    pub fn load(
        path: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let mut table = match path {
            Some(path) => read(path)?,
            None => Table::new(),
        };
        let known = Table::try_from(Self::default()).expect("the default is a table");
        let origin = path.map_or_else(String::new, |path| path.display().to_string());
        refuse_unknown(&origin, "", &table, &known)?;
        for (variable, text) in environment {
            let is_ours = variable.starts_with(PREFIX) || URLS.contains(&variable.as_str());
            if is_ours && !OTHERS.contains(&variable.as_str()) {
                override_with(&mut table, &known, variable, text)?;
            }
        }
        let config: Self = table
            .try_into()
            .map_err(|source| ConfigError::Form { origin, source: Box::new(source) })?;
        config.check()?;
        Ok(config)
    }

    /// Checks what one value alone cannot tell.
    fn check(&self) -> Result<(), ConfigError> {
        let problem = |key, problem: &str| Err(ConfigError::Value { key, problem: problem.into() });
        if self.worker.lease.duration() < Duration::from_secs(1) {
            return problem("worker.lease", "a lease is at least one second");
        }
        if self.paas_file.is_empty() || self.paas_file.contains(['/', '\\', '\0']) {
            return problem("paas_file", "this is not the name of a file at a repository's root");
        }
        if self.docker.networks.parse::<crate::domain::address_pool::AddressPool>().is_err() {
            return problem("docker.networks", "write an IPv4 network such as 10.213.0.0/16");
        }
        Ok(())
    }

    /// Folder of bare repositories.
    pub fn repositories(&self) -> PathBuf {
        self.state_dir.join("repositories")
    }

    /// Folder of workspaces, one a run.
    pub fn workspaces(&self) -> PathBuf {
        self.state_dir.join("workspaces")
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

fn read(path: &Path) -> Result<Table, ConfigError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    text.parse().map_err(|source| ConfigError::Form {
        origin: path.display().to_string(),
        source: Box::new(source),
    })
}

fn refuse_unknown(
    origin: &str,
    prefix: &str,
    given: &Table,
    known: &Table,
) -> Result<(), ConfigError> {
    for (key, value) in given {
        let full = format!("{prefix}{key}");
        match (known.get(key), value) {
            (Some(Value::Table(known)), Value::Table(given)) => {
                refuse_unknown(origin, &format!("{full}."), given, known)?;
            }
            (Some(_), _) => {}
            (None, _) => {
                let nearest = nearest(key, known.keys().map(String::as_str));
                let nearest = nearest.map(|key| format!("{prefix}{key}"));
                return Err(ConfigError::Unknown { origin: origin.to_owned(), key: full, nearest });
            }
        }
    }
    Ok(())
}

/// The table and the key that a variable sets, for every key there is.
fn variables(known: &Table) -> BTreeMap<String, (Option<String>, String)> {
    let name = |table: &str, key: &str| format!("{PREFIX}{table}{key}").to_uppercase();
    let mut variables = BTreeMap::new();
    for (key, value) in known {
        let Some(inner) = value.as_table() else {
            variables.insert(name("", key), (None, key.clone()));
            continue;
        };
        for inner_key in inner.keys() {
            let place = (Some(key.clone()), inner_key.clone());
            variables.insert(name(&format!("{key}_"), inner_key), place);
        }
    }
    variables.insert("DATABASE_URL".to_owned(), (Some("database".into()), "url".into()));
    variables.insert("REDIS_URL".to_owned(), (Some("redis".into()), "url".into()));
    variables
}

fn override_with(
    table: &mut Table,
    known: &Table,
    variable: &str,
    text: &str,
) -> Result<(), ConfigError> {
    let variables = variables(known);
    let Some((section, key)) = variables.get(variable) else {
        let nearest = nearest(variable, variables.keys().map(String::as_str)).map(str::to_owned);
        let origin = "environment".to_owned();
        return Err(ConfigError::Unknown { origin, key: variable.to_owned(), nearest });
    };
    let section_of = |table: &Table| match section {
        Some(section) => table.get(section).and_then(Value::as_table).cloned(),
        None => Some(table.clone()),
    };
    let is_text = section_of(known).and_then(|known| known.get(key).map(Value::is_str));
    // Numbers may be given where the key takes one; everything else is text.
    let value = match text.parse::<i64>() {
        Ok(number) if is_text == Some(false) => Value::Integer(number),
        _ => Value::String(text.to_owned()),
    };
    let target = match section {
        Some(section) => table
            .entry(section.clone())
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut(),
        None => Some(table),
    };
    if let Some(target) = target {
        target.insert(key.clone(), value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pierhead.toml");
        fs::write(&path, text).unwrap();
        let environment =
            environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::load(Some(&path), &environment)
    }

    fn refusal(text: &str, environment: &[(&str, &str)]) -> String {
        let message = load(text, environment).unwrap_err().to_string();
        message.split_once("pierhead.toml: ").map_or(message.clone(), |(_, rest)| rest.to_owned())
    }

    #[test]
    fn the_example_file_shows_every_key_with_its_default() {
        let example = include_str!("../docs/config.example.toml");
        let shown: Table = example.parse().unwrap();
        assert_eq!(Table::try_from(Config::default()).unwrap(), shown);
        assert_eq!(load(example, &[]).unwrap(), Config::default());
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let environment = [
            ("PIERHEAD_SSH_LISTEN", "127.0.0.1:0"),
            ("PIERHEAD_WORKER_CONCURRENCY", "4"),
            ("PIERHEAD_PUSH_WAIT_LIMIT", "90s"),
            ("PIERHEAD_WORKER_LEASE", "5"),
            ("DATABASE_URL", "postgres:///other"),
        ];
        let config = load("[worker]\nconcurrency = 1", &environment).unwrap();
        assert_eq!(config.ssh.listen.port(), 0);
        assert_eq!(config.worker.concurrency.get(), 4);
        assert_eq!(config.push.wait_limit.duration(), Duration::from_secs(90));
        assert_eq!(config.worker.lease.duration(), Duration::from_secs(5));
        assert_eq!(config.database.url, "postgres:///other");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        assert_snapshot!(refusal("[ssh]\nlsten = 'x'", &[]), @"unknown setting `ssh.lsten`; did you mean `ssh.listen`?");
        assert_snapshot!(refusal("state-dir = '/x'", &[]), @"unknown setting `state-dir`; did you mean `state_dir`?");
        assert_snapshot!(
            refusal("", &[("PIERHEAD_SSH_LISTN", "x")]),
            @"environment: unknown setting `PIERHEAD_SSH_LISTN`; did you mean `PIERHEAD_SSH_LISTEN`?"
        );
    }

    #[test]
    fn a_value_that_cannot_work_is_refused_by_its_key() {
        assert_snapshot!(refusal("[docker]\nnetworks = 'all'", &[]), @"setting `docker.networks`: write an IPv4 network such as 10.213.0.0/16");
        assert_snapshot!(refusal("paas_file = '../x'", &[]), @"setting `paas_file`: this is not the name of a file at a repository's root");
        assert_snapshot!(refusal("[worker]\nlease = '10ms'", &[]), @"setting `worker.lease`: a lease is at least one second");
        assert!(refusal("[worker]\nlease = 'soon'", &[]).contains("30s"));
        assert!(refusal("[ssh", &[]).contains("line 1"));
    }
}
