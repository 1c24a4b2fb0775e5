//! The story of a job: from a commit to a release that serves, or back to what was.
//!
//! ```text
//!   checkout ─▶ check ─▶ image ─▶ release ─▶ rollout ─▶ route ─▶ live ─▶ ref ─▶ sweep ─▶ end
//!      └─────────┴────────┴─────────┤            └────────┤
//!                     nothing to take back            put back, then end
//! ```
//!
//! A plan goes as far as what would be applied, tells it and ends: `checkout ─▶ check ─▶ image ─▶ plan`.
//! A rollback begins with what a release has stored: `check ─▶ image ─▶ release` and on.
//!
//! Up to `live` the story may end at any point: a step fails, somebody cancels, time is over, the
//! worker stops. What it was doing is dropped, and dropping ends it. From `live` on it only goes
//! forward. A run whose environment was lost stops at once and touches nothing more.

mod answers;
pub mod docker_target;
mod failure;
mod finish;
pub mod kubernetes_target;
pub mod opened;
mod put_back;
pub mod ready;
mod registry_layers;
mod secrets;
mod steps;
mod stored;
mod sweep;
mod targets;
pub mod trial;
mod undone;
mod workspace;

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::builder::Builder;
use crate::config::{
    BuilderConfig, DockerConfig, GitConfig, LimitsConfig, RouterConfig, Span, WorkerConfig,
};
use crate::db::feed::Feed;
use crate::deploy::failure::{Cause, Failure};
use crate::deploy::opened::Opened;
use crate::deploy::targets::{Targets, Visitor, connect};
use crate::deploy::undone::Ledger;
use crate::deploy::workspace::Workspace;
use crate::domain::cluster::ClusterKind;
use crate::domain::history::Step;
use crate::domain::job::{JobKind, Outcome};
use crate::domain::redact::Redactor;
use crate::domain::run::RunOutcome;
use crate::history::{Recorder, Stopwatch};
use crate::hooks::{Hooks, RunningHook};
use crate::jobs::{Ended, Jobs, Lease, Run, RunEnd, RunError, Task};
use crate::layers::Layers;
use crate::manifests;
use crate::paas::{Places, Platform};
use crate::seal::Keyring;
use crate::tasks::{Tasks, blocking};

/// Settings of deployments.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the deployment file.
    pub paas_file: String,
    /// What files are compiled with.
    pub platform: Arc<Platform>,
    /// Folder of workspaces.
    pub workspaces: PathBuf,
    /// What a checkout may at most be.
    pub git: GitConfig,
    /// Workers.
    pub worker: WorkerConfig,
    /// Limits of one job.
    pub limits: LimitsConfig,
    /// The builders of images.
    pub builder: BuilderConfig,
    /// The one that was found.
    pub built_by: Builder,
    /// Makes images of others and files.
    pub layers: Layers,
    /// Runs build hooks.
    pub hooks: Hooks,
    /// The Docker target.
    pub docker: DockerConfig,
    /// Kubernetes targets.
    pub kubernetes: manifests::Settings,
    /// The HTTP entrance.
    pub router: RouterConfig,
    /// Opens what is sealed, and seals releases.
    pub keyring: Keyring,
}

/// Brings jobs to their end.
#[derive(Debug, Clone)]
pub struct Deployer {
    jobs: Jobs,
    feed: Feed,
    settings: Settings,
    tasks: Tasks,
    interrupt: CancellationToken,
}

/// One run under way.
struct Deployment<'a> {
    deployer: &'a Deployer,
    run: Run,
    recorder: Recorder,
    /// Hides what is secret in words of tools.
    redactor: Redactor,
    /// When the run began.
    began: Stopwatch,
    /// When the step under way began.
    watch: Stopwatch,
    /// The step under way, for whatever ends it from outside.
    step: Step,
    /// What only this run may read.
    opened: Opened,
    /// Where the things of the file stand in it, once it was compiled.
    places: Places,
    /// What the run has done to objects that serve on clusters.
    replaced: Replaced,
    /// What it knows of targets that it may have changed.
    ledger: Ledger,
    /// The hook that runs, while one does.
    hook: Option<RunningHook>,
    /// The run's own folder, while it has one.
    workspace: Option<Workspace>,
    /// Bytes of the files that were written there.
    files: u64,
}

/// What a run has done to objects that serve on clusters.
#[derive(Debug, Clone)]
enum Replaced {
    /// Nothing.
    Nothing,
    /// It replaces them.
    Since {
        /// Since when.
        began: Stopwatch,
        /// What of it does not serve meanwhile, by its place in the file.
        interrupts: Vec<String>,
    },
    /// A run before it did, and nobody remembers.
    Unknown,
}

impl Deployer {
    /// A deployer whose leases and rows are kept by these tasks.
    pub fn new(jobs: Jobs, feed: Feed, settings: Settings, tasks: Tasks) -> Self {
        Self { jobs, feed, settings, tasks, interrupt: CancellationToken::new() }
    }

    /// Ends what runs: what has changed nothing goes back to the queue, the rest is put back.
    pub fn interrupt(&self) {
        self.interrupt.cancel();
    }

    /// Brings a run to its end, unless its environment is lost.
    pub async fn run(&self, run: Run, task: Task) {
        let lease = Lease::keep(&run, &self.feed, &self.tasks);
        let recorder = run.recorder(&self.tasks);
        let refused = recorder.refused();
        let number = run.job().number;
        let (began, step) = (Stopwatch::start(), Step::Checkout);
        let mut deployment = Deployment {
            deployer: self,
            run,
            recorder,
            redactor: Redactor::default(),
            began,
            watch: began,
            step,
            opened: Opened::default(),
            places: Places::default(),
            replaced: Replaced::Nothing,
            ledger: Ledger::default(),
            hook: None,
            workspace: None,
            files: 0,
        };
        let ended = tokio::select! {
            ended = deployment.play(task, &lease) => ended,
            () = lease.lost() => Err(RunError::Lost),
            () = refused => Err(RunError::Lost),
        };
        // Of a run that was lost; nothing is to write to a folder that is gone.
        deployment.end_hook().await;
        deployment.clear_workspace().await;
        match ended {
            Ok(()) => {}
            Err(RunError::Lost) => info!("Left job {number}: another worker owns it"),
            // The lease runs out, and whoever takes the job over goes on from its rows.
            Err(error) => error!("Job {number} stands still: {error:?}"),
        }
    }
}

/// What may end a story before its end.
struct Bounds<'a> {
    lease: &'a Lease,
    time_limit: Span,
    interrupt: CancellationToken,
}

impl Bounds<'_> {
    /// Goes on with a part of a story until something ends it.
    async fn hold<T>(
        &self,
        part: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Result<T, Failure>, RunError> {
        Ok(tokio::select! {
            done = part => done,
            ended = self.lease.ended() => match ended {
                Ended::CancelAsked { by } => Err(Cause::Cancelled { by }.into()),
                Ended::Lost => return Err(RunError::Lost),
            },
            () = tokio::time::sleep(self.time_limit.duration()) => {
                Err(Cause::TooLong { limit: self.time_limit.to_string() }.into())
            }
            () = self.interrupt.cancelled() => Err(Cause::Interrupted.into()),
        })
    }
}

impl Deployment<'_> {
    fn settings(&self) -> &Settings {
        &self.deployer.settings
    }

    fn jobs(&self) -> &Jobs {
        &self.deployer.jobs
    }

    fn feed(&self) -> &Feed {
        &self.deployer.feed
    }

    /// Notes which step is under way, and measures it.
    fn begin(&mut self, step: Step) -> Stopwatch {
        self.step = step;
        self.watch = Stopwatch::start();
        self.watch
    }

    /// Hides secrets, in the History and everywhere else, from now on.
    fn hide(&mut self, redactor: Redactor) {
        self.recorder.hide(redactor.clone());
        self.redactor = redactor;
    }

    /// The job's targets, connected by whoever signs in there today.
    async fn targets(&mut self) -> Result<Targets, Cause> {
        let mut clusters = self.run.job().snapshot.clusters.clone();
        if clusters.iter().any(|cluster| cluster.kind == ClusterKind::Kubernetes) {
            self.sign_in(&mut clusters).await?;
        }
        let visitor = Visitor {
            job: self.run.job().number,
            project: self.run.project(),
            environment: self.run.job().environment_id,
            logins: &self.opened.logins,
        };
        Ok(connect(clusters, visitor, self.settings(), &self.redactor).await?)
    }

    /// Removes the run's own folder, on a thread that may block.
    async fn clear_workspace(&mut self) {
        if let Some(workspace) = self.workspace.take() {
            blocking(move || drop(workspace)).await;
        }
    }

    async fn play(&mut self, task: Task, lease: &Lease) -> Result<(), RunError> {
        match task {
            Task::Deploy => self.deploy(lease).await,
            Task::Finish => self.finish().await,
            Task::PutBack => {
                self.replaced = Replaced::Unknown;
                self.put_back_lost().await
            }
        }
    }

    async fn deploy(&mut self, lease: &Lease) -> Result<(), RunError> {
        let bounds = Bounds {
            lease,
            time_limit: self.deployer.settings.limits.run_job,
            interrupt: self.deployer.interrupt.clone(),
        };
        if self.run.job().kind == JobKind::Plan {
            return match bounds.hold(self.plan()).await? {
                Ok(()) => self.end_plan().await,
                Err(failure) => self.give_up(failure).await,
            };
        }
        let rolled_out = match self.run.job().kind {
            JobKind::Rollback => bounds.hold(self.roll_back()).await?,
            JobKind::Deploy | JobKind::Redeploy | JobKind::Plan => {
                bounds.hold(self.roll_out()).await?
            }
        };
        self.end_hook().await;
        // Dropped by nothing but the loss of the environment: the answer to its COMMIT decides which
        // way the story goes.
        let live = match rolled_out {
            Ok(release) => self.run.go_live(&release).await.map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        match live {
            Ok(()) => self.finish().await,
            Err(failure) => self.give_up(failure).await,
        }
    }

    /// Ends a job that is not to be live, and takes back what it has changed.
    async fn give_up(&mut self, failure: Failure) -> Result<(), RunError> {
        if let Cause::Run(error) = failure.cause {
            return Err(error);
        }
        let applied = self.run.has_applied().await?;
        if matches!(failure.cause, Cause::Interrupted) && !applied {
            self.clear_workspace().await;
            self.recorder.flush().await;
            return self.run.give_back().await;
        }
        let step = failure.step.unwrap_or(self.step);
        self.tell(step, &failure).await;
        self.clear_workspace().await;
        let mut reason = failure.reason(&self.redactor);
        if applied && let Err(not_put_back) = self.put_back().await? {
            reason = format!("{reason}; not put back: {not_put_back}");
        }
        self.end(failure.cause.outcomes(), step, reason).await
    }

    /// Writes why it failed, and what the tools said last.
    async fn tell(&mut self, step: Step, failure: &Failure) {
        if matches!(failure.cause, Cause::Cancelled { .. }) {
            return;
        }
        let number = self.run.job().number;
        if failure.cause.is_ours() {
            let cause = self.redactor.text(&format!("{:?}", failure.cause));
            warn!("Job {number} fails in {step}: {cause}");
        } else {
            info!("Job {number} fails in {step}: {}", failure.text(&self.redactor));
        }
        self.recorder.result(step, failure.text(&self.redactor), self.watch).await;
        let place = |path: &str| match self.places.find(path) {
            Some((line, path)) => format!("{}:{line} ({path})", self.settings().paas_file),
            None => path.to_owned(),
        };
        for line in failure.lines(&self.redactor, place) {
            self.recorder.line(step, line).await;
        }
    }

    /// Writes the last row of a job that is not live.
    async fn end(
        &mut self,
        (outcome, run): (Outcome, RunOutcome),
        step: Step,
        reason: String,
    ) -> Result<(), RunError> {
        self.recorder.flush().await;
        let reason = self.redactor.text(&reason);
        let number = self.run.job().number;
        let (failed_step, last, text) = match outcome {
            Outcome::Failed => {
                let logs = format!("logs {number} --step {step}");
                (Some(step), Step::Help, self.deployer.jobs.command(&logs))
            }
            Outcome::Live
            | Outcome::Cancelled
            | Outcome::Superseded
            | Outcome::Stale
            | Outcome::Lost
            | Outcome::Refused
            | Outcome::Planned => (None, Step::Ended, reason.clone()),
        };
        self.run.end(RunEnd { outcome, failed_step, reason, step: last, text, run }).await
    }
}
