//! Reads the file and the environment, and says what cannot be used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use toml::{Table, Value};

use crate::config::{Config, HookConfig, HookLimits};
use crate::domain::address_pool::AddressPool;
use crate::domain::nearest::nearest;
use crate::image::layer::User;
use crate::paas::{Libraries, check_libraries};

/// Prefix of the variables that are read.
const PREFIX: &str = "PIERHEAD_";

/// Variables without that prefix that are read too.
const URLS: [&str; 2] = ["DATABASE_URL", "REDIS_URL"];

/// Variables with that prefix that are no settings: they name the file, or are set by the server
/// for the hooks that git starts.
const OTHERS: [&str; 3] = ["PIERHEAD_CONFIG", "PIERHEAD_SESSION", "PIERHEAD_SOCKET"];

/// Shortest pause between two looks, and shortest time for anything.
const SHORTEST: Duration = Duration::from_millis(100);

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

/// The variables of this process; one that is no text is no setting.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
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
        refuse_unknown(&origin, "", &table, &with_names(&known))?;
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
        for (key, span) in [
            ("ssh.login_time", self.ssh.login_time),
            ("push.heartbeat", self.push.heartbeat),
            ("worker.janitor_interval", self.worker.janitor_interval),
            ("worker.sweep_interval", self.worker.sweep_interval),
            ("limits.run_job", self.limits.run_job),
            ("limits.image", self.limits.image),
            ("limits.rollout", self.limits.rollout),
            ("router.response_limit", self.router.response_limit),
        ] {
            if span.duration() < SHORTEST {
                return problem(key, "this is at least 100ms");
            }
        }
        if self.paas_file.is_empty() || self.paas_file.contains(['/', '\\', '\0']) {
            return problem("paas_file", "this is not the name of a file at a repository's root");
        }
        if self.docker.networks.parse::<AddressPool>().is_err() {
            return problem("docker.networks", "write an IPv4 network such as 10.213.0.0/16");
        }
        if self.builder.writer.parse::<User>().is_err() {
            return problem("builder.writer", "write two numbers such as 1000:1000");
        }
        let platforms = &self.builder.platforms;
        if platforms.iter().collect::<BTreeSet<_>>().len() < platforms.len() {
            return problem("builder.platforms", "this names a platform twice");
        }
        if self.seal.private_keys.is_empty() {
            return problem("seal.private_keys", "name one file at least");
        }
        let program = &self.builder.program;
        if !matches!(program.as_str(), "docker" | "buildah" | "podman") && !program.starts_with('/')
        {
            return problem(
                "builder.program",
                "write docker, buildah, podman, or the whole path of a program",
            );
        }
        if let Some(fault) = self.hooks.user_problem() {
            return problem("hooks.user", fault);
        }
        if let Some(fault) = self.hooks.problem() {
            return problem("hooks", &fault);
        }
        let faults = check_libraries(&self.libraries);
        if !faults.is_empty() {
            return problem("libraries", &faults.join("; "));
        }
        Ok(())
    }
}

impl Config {
    /// Checks that the folders of the library's images are there, as whoever builds needs them.
    ///
    /// # Errors
    ///
    /// When one is not.
    pub fn check_library(&self) -> Result<(), ConfigError> {
        let root = &self.builder.library;
        let missing = self.libraries.image_folders().find(|(_, path)| {
            root.as_os_str().is_empty() || !root.join(path.trim_start_matches('/')).is_dir()
        });
        missing.map_or(Ok(()), |(name, path)| {
            let problem =
                format!("image `{name}` has no folder `{path}` below \"{}\"", root.display());
            Err(ConfigError::Value { key: "builder.library", problem })
        })
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

/// Stands for any name in a table of what is known.
const ANY: &str = "*";

/// The known keys, also of tables that hold what people name.
fn with_names(known: &Table) -> Table {
    let table = |entries: Vec<(&str, Value)>| {
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    };
    // Content of any form is not looked into.
    let any = || Value::Boolean(true);
    let limits = Table::try_from(HookLimits::default()).expect("limits are a table");
    let mut hook: Table = table(HookConfig::KEYS.map(|key| (key, any())).into());
    hook.insert("limits".to_owned(), Value::Table(limits));
    let mut hooks: Table = table(vec![(ANY, Value::Table(hook))]);
    hooks.extend(known.get("hooks").and_then(Value::as_table).cloned().unwrap_or_default());
    let libraries: Table = table(Libraries::KINDS.map(|kind| (kind, any())).into());
    let mut known = known.clone();
    known.insert("hooks".to_owned(), Value::Table(hooks));
    known.insert("libraries".to_owned(), Value::Table(libraries));
    known
}

fn refuse_unknown(
    origin: &str,
    prefix: &str,
    given: &Table,
    known: &Table,
) -> Result<(), ConfigError> {
    for (key, value) in given {
        let full = format!("{prefix}{key}");
        match (known.get(key).or(known.get(ANY)), value) {
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
    let known = section_of(known).and_then(|known| known.get(key).cloned());
    // Numbers and the like may be given where the key takes one; everything else is text.
    let value = match (known, text.parse::<i64>(), text.parse::<bool>()) {
        (Some(Value::Boolean(_)), _, Ok(flag)) => Value::Boolean(flag),
        (Some(Value::Array(_)), ..) => {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            Value::Array(words.map(|word| Value::String(word.to_owned())).collect())
        }
        (Some(known), Ok(number), _) if !known.is_str() => Value::Integer(number),
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
    use crate::paas::HookKind;

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
        let example = include_str!("../../docs/config.example.toml");
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
            ("PIERHEAD_PLATFORM_FEATURES", "block-storage, https-ingress"),
            ("PIERHEAD_PLATFORM_DEFAULT_BACKEND", "true"),
        ];
        let config = load("[worker]\nconcurrency = 1", &environment).unwrap();
        assert_eq!(config.ssh.listen.port(), 0);
        assert_eq!(config.worker.concurrency.get(), 4);
        assert_eq!(config.push.wait_limit.duration(), Duration::from_secs(90));
        assert_eq!(config.worker.lease.duration(), Duration::from_secs(5));
        assert_eq!(config.database.url, "postgres:///other");
        let platform = config.platform();
        assert!(platform.features.iter().eq(["block-storage", "https-ingress"]));
        assert!(platform.default_backend);
    }

    #[test]
    fn the_platform_is_made_of_its_tables() {
        let text = "[platform]\nstorage_size = '5Gi'\n[hooks.npm-20]\nkind = 'npm'\nimage = 'node:20'\n\
                    [libraries.pods.b]\nreplicas = 1\n[libraries.pods.a]\nif{A=b} = { c = 1 }";
        let platform = load(&text.replace("if{A=b}", "'if{A=b}'"), &[]).unwrap().platform();
        assert_eq!(platform.defaults.storage_size.as_deref(), Some("5Gi"));
        assert_eq!(platform.defaults.storage_provider, None);
        assert_eq!(platform.hooks["npm-20"], HookKind::Npm.into());
        assert!(platform.libraries.pods.keys().eq(["b", "a"]));
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        assert_snapshot!(refusal("[ssh]\nlsten = 'x'", &[]), @"unknown setting `ssh.lsten`; did you mean `ssh.listen`?");
        assert_snapshot!(refusal("state-dir = '/x'", &[]), @"unknown setting `state-dir`; did you mean `state_dir`?");
        assert_snapshot!(refusal("[hooks.npm]\nkidn = 'npm'", &[]), @"unknown setting `hooks.npm.kidn`; did you mean `hooks.npm.kind`?");
        assert_snapshot!(refusal("[libraries.pod.a]", &[]), @"unknown setting `libraries.pod`; did you mean `libraries.pods`?");
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
        assert_snapshot!(refusal("[push]\nheartbeat = '0s'", &[]), @"setting `push.heartbeat`: this is at least 100ms");
        assert_snapshot!(refusal("[limits]\nrollout = 0", &[]), @"setting `limits.rollout`: this is at least 100ms");
        let twice = "[builder]\nplatforms = ['linux/arm64', 'linux/arm64/v8']";
        assert_snapshot!(refusal(twice, &[]), @"setting `builder.platforms`: this names a platform twice");
        let message = refusal("[builder]\nplatforms = ['arm64']", &[]);
        assert!(message.contains("`arm64` is no platform: write os/arch or"), "{message}");
        assert_snapshot!(refusal("[seal]\nprivate_keys = []", &[]), @"setting `seal.private_keys`: name one file at least");
        assert_snapshot!(refusal("[libraries.pods.a]\nextends = 'b'\n[libraries.images.c]", &[]), @"setting `libraries`: pods.a: it extends another of the pods; images.c: it needs a `path`");
        assert_snapshot!(refusal("[hooks]\nuser = 'root'", &[]), @"setting `hooks.user`: write two numbers such as 65532:65532");
        assert_snapshot!(refusal("[hooks]\nuser = '1000:0'", &[]), @"setting `hooks.user`: hooks do not run as root: write numbers such as 65532:65532");
        assert!(refusal("[worker]\nlease = 'soon'", &[]).contains("30s"));
        assert!(refusal("[ssh", &[]).contains("line 1"));
        assert!(refusal("[hooks.npm]\nkind = 'nmp'", &[]).contains("`nmp`"));
    }
}
