//! Build hooks: what an administrator defined is run in a cage, heard, bounded and ended.
//!
//! ```text
//!  definition + call ──▶ prepared ──▶ cage: a container, or a process ──▶ lines
//!                        home, cache      │ time, output, disk, a wish
//!                                         └──▶ ended, and everything it started
//! ```
//!
//! Each use is a task of its own, which goes on to the cage's end whatever becomes of whoever waits
//! for it.

mod caches;
mod fault;
mod folders;
mod listen;
mod outlet;
mod runner;
mod sweep;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::{OnceCell, mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::cage::{Cages, NoCage};
use crate::caging::User;
use crate::config::{Config, HookConfig, HooksConfig, Runner};
use crate::domain::ids::{JobId, ProjectId};
use crate::domain::redact::Redactor;
use crate::hooks::outlet::Forwarder;
use crate::paas::HookCall;
use crate::tasks::Tasks;

pub use fault::HookFault;

/// Lines of a hook that may wait to be written. When the database falls behind, the hook does.
const BACKLOG: usize = 256;

/// Stands for the folder that a hook runs in, in its command and its environment.
const PWD: &str = "${PWD}";

/// Runs hooks.
#[derive(Debug, Clone)]
pub struct Hooks {
    parts: Arc<Parts>,
    tasks: Tasks,
}

#[derive(Debug)]
struct Parts {
    config: HooksConfig,
    /// The engine of hooks in containers.
    engine: String,
    /// Prefix of labels.
    domain: String,
    /// Where runs have their folders; stands for this installation on the engine.
    workspaces: PathBuf,
    caches: PathBuf,
    user: User,
    cages: Option<Cages>,
    /// This very program, which forwards in cages with a way out.
    program: PathBuf,
    /// Where it is unpacked for cages without containers.
    gates: PathBuf,
    forwarder: OnceCell<Forwarder>,
    /// Whether the engine was seen to see this machine's files.
    is_local: AtomicBool,
}

/// Why a worker does not start.
#[derive(Debug, thiserror::Error)]
pub enum NoHooks {
    /// A hook without a container cannot be caged.
    #[error("hook `{hook}` has runner = \"process\", which this machine cannot do: {source}")]
    Cage {
        /// Which.
        hook: String,
        /// Why.
        source: NoCage,
    },
    /// The certificates cannot be read.
    #[error("setting hooks.ca_file: {}: {source}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// One use of a hook.
#[derive(Debug, Clone)]
pub struct HookUse {
    /// Its name.
    pub hook: String,
    /// What it is to do.
    pub call: HookCall,
    /// Its place among those of the job, from 1.
    pub place: usize,
    /// The run's own folder.
    pub folder: PathBuf,
    /// The files of the commit in it, which the hook changes.
    pub checkout: PathBuf,
    /// Whose caches it uses.
    pub project: ProjectId,
    /// The job.
    pub job: JobId,
    /// Labels of the run.
    pub labels: BTreeMap<String, String>,
    /// Variables of the job that are no secrets.
    pub variables: Vec<(String, String)>,
    /// Whether it finds what was kept.
    pub uses_cache: bool,
    /// Hides secrets in what it says.
    pub redactor: Redactor,
}

/// A hook that runs; dropped, it is ended.
#[derive(Debug)]
pub struct RunningHook {
    lines: mpsc::Receiver<String>,
    result: oneshot::Receiver<Result<(), HookFault>>,
    cancel: CancellationToken,
    _guard: DropGuard,
}

impl Hooks {
    /// The hooks of an installation, started as `program`.
    ///
    /// # Errors
    ///
    /// When one of them could not be caged.
    pub async fn find(config: &Config, program: &Path, tasks: Tasks) -> Result<Self, NoHooks> {
        let hooks = &config.hooks;
        let user = folders::user(&hooks.user);
        let by_process = |(_, hook): &(&String, &HookConfig)| hook.runner == Runner::Process;
        let mut cages = None;
        if let Some((name, _)) = hooks.definitions.iter().find(by_process) {
            let fails = |source| NoHooks::Cage { hook: name.clone(), source };
            let found = Cages::find(&hooks.bwrap, program).map_err(fails)?;
            found.check(&config.workspaces(), user).await.map_err(fails)?;
            cages = Some(found);
        }
        if !hooks.ca_file.as_os_str().is_empty() {
            let path = hooks.ca_file.clone();
            let fails = |source| NoHooks::Certificates { path: path.clone(), source };
            drop(std::fs::File::open(&path).map_err(fails)?);
        }
        let parts = Parts {
            config: hooks.clone(),
            engine: config.builder.engine.clone(),
            domain: config.docker.label_domain.clone(),
            workspaces: config.workspaces(),
            caches: config.hook_caches(),
            user,
            cages,
            program: program.to_owned(),
            gates: config.hook_gates(),
            forwarder: OnceCell::new(),
            is_local: AtomicBool::new(false),
        };
        Ok(Self { parts: Arc::new(parts), tasks })
    }

    /// Starts a use of a hook.
    pub fn start(&self, asked: HookUse) -> RunningHook {
        let (said, lines) = mpsc::channel(BACKLOG);
        let (told, result) = oneshot::channel();
        let cancel = CancellationToken::new();
        let (parts, wish) = (Arc::clone(&self.parts), cancel.clone());
        drop(self.tasks.start(async move {
            let result = parts.run(&asked, &said, &wish).await;
            // Nobody waits for the result of a hook that was ended.
            drop(told.send(result));
        }));
        let guard = cancel.clone().drop_guard();
        RunningHook { lines, result, cancel, _guard: guard }
    }
}

impl RunningHook {
    /// The next line that it says; `None` when there is no more.
    pub async fn line(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// How it ended.
    ///
    /// # Errors
    ///
    /// When it did not do its work.
    pub async fn result(&mut self) -> Result<(), HookFault> {
        (&mut self.result).await.unwrap_or(Err(HookFault::Ended))
    }

    /// Ends it, and waits until it has.
    pub async fn end(mut self) {
        self.cancel.cancel();
        while self.lines.recv().await.is_some() {}
        drop(self.result().await);
    }
}
