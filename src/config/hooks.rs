//! Build hooks: what an administrator defines.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::config::Span;
use crate::domain::egress::EgressRules;
use crate::image::layer::User;
use crate::paas::{HookKind, HookRule};

const MIB: u64 = 1024 * 1024;

/// Build hooks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HooksConfig {
    /// Certificates of authorities that hooks trust besides those of their image; empty: none.
    pub ca_file: PathBuf,
    /// The program that keeps hooks without a container apart from the machine.
    pub bwrap: PathBuf,
    /// Who runs hooks for a worker that is root, as `uid:gid`; another worker does it as itself.
    pub user: String,
    /// Bytes of the disk that hooks leave free: one that runs when less is left is ended.
    pub keep_free: u64,
    /// The hooks, by the names that files use.
    #[serde(flatten)]
    pub definitions: BTreeMap<String, HookConfig>,
}

impl Default for HooksConfig {
    fn default() -> Self {
        Self {
            ca_file: PathBuf::new(),
            bwrap: "/usr/bin/bwrap".into(),
            user: "65532:65532".to_owned(),
            keep_free: 1024 * MIB,
            definitions: BTreeMap::new(),
        }
    }
}

/// A build hook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookConfig {
    /// What it runs, which fixes its options.
    pub kind: HookKind,
    /// What keeps it apart from the machine.
    #[serde(default)]
    pub runner: Runner,
    /// The image that it runs in, in a container.
    #[serde(default)]
    pub image: String,
    /// A folder whose files it sees without a container; empty: the machine's programs.
    #[serde(default)]
    pub root: PathBuf,
    /// The command, before an action; empty: that of its kind.
    #[serde(default, deserialize_with = "one_or_several")]
    pub command: Vec<String>,
    /// Variables of its environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Hosts that it reaches by HTTPS.
    #[serde(default)]
    pub network: EgressRules,
    /// Most bytes of what it keeps for the next push of a project; 0: nothing is kept.
    #[serde(default = "default_cache")]
    pub cache: u64,
    /// Whether it sees the job's variables, secrets left out.
    #[serde(default)]
    pub expose_variables: bool,
    /// How much of the machine it takes.
    #[serde(default)]
    pub limits: HookLimits,
    /// The only actions it takes; empty: all of its kind.
    #[serde(default)]
    pub actions: Vec<String>,
}

/// What keeps a hook apart from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runner {
    /// A container on the engine that builds images.
    #[default]
    Container,
    /// Namespaces and a control group, without an engine.
    Process,
}

/// How much of the machine one use of a hook takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HookLimits {
    /// How long it may take.
    pub time: Span,
    /// Bytes of memory.
    pub memory: u64,
    /// Processors, as a number such as `1.5`.
    pub cpus: f64,
    /// Processes and threads.
    pub pids: u32,
    /// Bytes of the workspace.
    pub disk: u64,
    /// Files and folders of the workspace.
    pub files: u64,
    /// Bytes that it prints.
    pub output: u64,
}

impl Default for HookLimits {
    fn default() -> Self {
        Self {
            time: Span::seconds(240),
            memory: 1024 * MIB,
            cpus: 1.0,
            pids: 256,
            disk: 4096 * MIB,
            files: 500_000,
            output: 64 * MIB,
        }
    }
}

impl HooksConfig {
    /// What cannot work in one of the definitions.
    pub(super) fn problem(&self) -> Option<String> {
        let mut all = self.definitions.iter();
        all.find_map(|(name, hook)| Some(format!("{name}: {}", hook.problem()?)))
    }

    /// Why hooks cannot be run by the user that they are to be.
    pub(super) fn user_problem(&self) -> Option<&'static str> {
        let Ok(User { uid, gid }) = self.user.parse() else {
            return Some("write two numbers such as 65532:65532");
        };
        // The last number is nobody's: the kernel takes it for whoever asks.
        let is_root = [uid, gid].into_iter().any(|id| matches!(id, 0 | u32::MAX));
        is_root.then_some("hooks do not run as root: write numbers such as 65532:65532")
    }
}

impl HookLimits {
    /// Thousandths of a processor.
    pub fn milli_cpus(&self) -> u64 {
        // Whole numbers of nanoseconds are too fine a measure for people, and a float for a kernel.
        Duration::try_from_secs_f64(self.cpus)
            .map_or(1_000, |cpus| u64::try_from(cpus.as_millis()).unwrap_or(1_000))
            .max(1)
    }
}

fn default_cache() -> u64 {
    1024 * MIB
}

/// A command is written as one text, which is one word, or as a list.
fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Command {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Command::deserialize(deserializer)? {
        Command::One(word) => vec![word],
        Command::Several(words) => words,
    })
}

impl HookConfig {
    /// Keys of a definition.
    pub(super) const KEYS: [&str; 11] = [
        "kind",
        "runner",
        "image",
        "root",
        "command",
        "env",
        "network",
        "cache",
        "expose_variables",
        "limits",
        "actions",
    ];

    /// What files may ask of it.
    pub fn rule(&self) -> HookRule {
        HookRule { kind: self.kind, actions: self.actions.clone() }
    }

    /// What cannot work in a definition.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let limits = &self.limits;
        let is_container = self.runner == Runner::Container;
        let is_command = |kind| kind == self.kind && self.command.is_empty();
        if self.kind == HookKind::Git {
            return None;
        }
        if is_container && self.image.is_empty() {
            Some("name the `image` it runs in, or set `runner = \"process\"`")
        } else if is_container && self.root.is_absolute() {
            Some("`root` is for `runner = \"process\"`")
        } else if is_command(HookKind::Exec) {
            Some("name the `command` of an exec hook")
        } else if self.env.keys().any(|name| name.is_empty() || name.contains(['=', '\0'])) {
            Some("a name in its `env` is empty or has a `=`")
        } else if self.command.iter().any(String::is_empty) {
            Some("a word of its `command` is empty")
        } else if !(limits.cpus > 0.0 && limits.cpus < 10_000.0)
            || [limits.memory, u64::from(limits.pids), limits.disk, limits.files].contains(&0)
        {
            Some("a limit is more than nothing")
        } else if self.rule().allowed().is_empty() && !self.actions.is_empty() {
            Some("`actions` names none of its kind")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn problem(text: &str) -> String {
        let hooks: HooksConfig = toml::from_str(&format!("[a]\n{text}")).unwrap();
        hooks.problem().unwrap_or_default()
    }

    #[test]
    fn a_definition_that_cannot_work_is_refused() {
        assert_snapshot!(problem("kind = 'npm'"), @r#"a: name the `image` it runs in, or set `runner = "process"`"#);
        assert_snapshot!(problem("kind = 'exec'\nimage = 'a'"), @"a: name the `command` of an exec hook");
        assert_snapshot!(problem("kind = 'npm'\nimage = 'a'\nlimits = { pids = 0 }"), @"a: a limit is more than nothing");
        assert_snapshot!(problem("kind = 'npm'\nimage = 'a'\nactions = ['publish']"), @"a: `actions` names none of its kind");
        assert_snapshot!(problem("kind = 'npm'\nimage = 'a'\nenv = { 'A=B' = '' }"), @"a: a name in its `env` is empty or has a `=`");
        assert_snapshot!(problem("kind = 'npm'\nimage = 'a'\nroot = '/a'"), @r#"a: `root` is for `runner = "process"`"#);
        assert_eq!(problem("kind = 'make'\nrunner = 'process'\ncommand = 'make'"), "");
    }

    #[test]
    fn shares_of_processors_become_thousandths() {
        let milli = |cpus| HookLimits { cpus, ..HookLimits::default() }.milli_cpus();
        assert_eq!([milli(1.5), milli(0.000_1), milli(2.0)], [1_500, 1, 2_000]);
    }
}
