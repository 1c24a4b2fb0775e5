//! `pierhead serve`, `ssh`, `web`, `worker` and `router`: the drivers are built here and handed to
//! the doors.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::builder::Builder;
use crate::cli::pages;
use crate::cli::sockets::{hook_socket, listen, make_folder, say_listening};
use crate::config::{Config, ConfigError};
use crate::db::feed::Feed;
use crate::db::migrate::{MigrateError, is_behind, migrate};
use crate::db::pool::Db;
use crate::deploy::{Deployer, Settings};
use crate::git::bare_repository::Repositories;
use crate::git::wire::{NoProgram, Wire};
use crate::git_hook;
use crate::hooks::{Hooks, NoHooks};
use crate::janitor::Janitor;
use crate::jobs::Jobs;
use crate::layers::Layers;
use crate::paas::Platform;
use crate::people::PeopleError;
use crate::push::{Pushes, Sessions, Viewer};
use crate::questions::Questions;
use crate::queue::{Queue, QueueError};
use crate::router;
use crate::routing;
use crate::seal::{self, KeyError};
use crate::sources::Sources;
use crate::ssh::{self, Door, HostKeyError, load_or_make};
use crate::tasks::Tasks;
use crate::web;
use crate::worker::{self, Worker};
use crate::worker_keys::{WorkerKeysError, worker_keys};

// How long a server takes to stop, at most: `worker.drain_limit`, and then the last three of these.
// systemd/pierhead.service waits for as long.

/// Time that people's connections have to end, while runs drain.
const DOORS_GRACE: Duration = Duration::from_secs(30);

/// Time that a run has to take back what it did, beyond the drain limit.
const TAKE_BACK: Duration = Duration::from_secs(25);

/// Time that requests under way have to end.
const REQUESTS_GRACE: Duration = Duration::from_secs(20);

/// Time that the last rows have to be written.
const ROWS_GRACE: Duration = Duration::from_secs(5);

/// Connections kept for leases and Histories, beside `database.connections`.
const VITAL_CONNECTIONS: usize = 4;

/// One part of the server, which may run as a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Takes pushes.
    Ssh,
    /// Shows pages.
    Web,
    /// Deploys.
    Worker,
    /// The HTTP entrance.
    Router,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Ssh, Self::Web, Self::Worker, Self::Router];
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The tables.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The tables are those of an older version.
    #[error("the database is not up to date: run `pierhead migrate`")]
    Behind,
    /// The address of the database.
    #[error("setting database.url: {0}")]
    Pool(#[from] diesel_async::pooled_connection::deadpool::BuildError),
    /// The address of Redis.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Build hooks.
    #[error(transparent)]
    Hooks(#[from] NoHooks),
    /// The platform's library of images.
    #[error(transparent)]
    Library(#[from] ConfigError),
    /// Where people sign in.
    #[error(transparent)]
    SignIn(#[from] PeopleError),
    /// The host key.
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
    /// The key that secrets are sealed with.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keys that they are opened with.
    #[error(transparent)]
    WorkerKeys(#[from] WorkerKeysError),
    /// A port is taken, or is not ours to take.
    #[error("could not listen on {address} ({setting}): {source}")]
    Listen {
        /// The address.
        address: String,
        /// The setting it comes from.
        setting: &'static str,
        /// Why.
        source: io::Error,
    },
    /// git, or one of its hooks.
    #[error(transparent)]
    Program(#[from] NoProgram),
    /// A folder.
    #[error("could not make the folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Signals, or the program's own place.
    #[error("the system refused: {0}")]
    System(io::Error),
}

/// Tasks by the order in which they stop.
#[derive(Default)]
struct Stages {
    /// People's connections, and the consumer of bells.
    doors: Tasks,
    /// Runs of jobs.
    runs: Tasks,
    /// The HTTP entrance: what runs drain into it until they are over.
    entrance: Tasks,
    /// Leases, rows and bells, which all of them need.
    background: Tasks,
}

/// What every role is built from.
struct Parts {
    config: Config,
    platform: Arc<Platform>,
    db: Db,
    feed: Feed,
    jobs: Jobs,
    stages: Stages,
}

/// Runs roles until the process is told to stop.
pub(super) async fn run(config: Config, roles: &[Role]) -> Result<(), ServeError> {
    if roles.len() > 1 {
        for step in migrate(&config.database.url).await? {
            info!("Applied {step}");
        }
    } else if is_behind(&config.database.url).await? {
        return Err(ServeError::Behind);
    }
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::System)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::System)?;
    let parts = Parts::new(config)?;
    let deployer = parts.start(roles).await?;
    either(&mut terminate, &mut interrupt).await;
    info!("Stopping");
    parts.stop(deployer, either(&mut terminate, &mut interrupt)).await;
    Ok(())
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

impl Parts {
    fn new(config: Config) -> Result<Self, ServeError> {
        for folder in
            [&config.state_dir, &config.repositories(), &config.workspaces(), &home(&config)]
        {
            make_folder(folder)?;
        }
        let stages = Stages::default();
        let db = Db::open(&config.database.url, config.database.connections.get())?;
        let feed = Feed::start(&config.database.url, &stages.background);
        let command = format!("ssh {}", config.ssh.address());
        let repositories = Repositories::new(config.repositories());
        let vital = Db::open(&config.database.url, VITAL_CONNECTIONS)?;
        let lease = config.worker.lease.duration();
        let jobs = Jobs::new(db.clone(), vital, repositories, lease, command);
        let platform = Arc::new(config.platform());
        Ok(Self { config, platform, db, feed, jobs, stages })
    }

    /// Starts roles; gives what a worker deploys with, so that it can be interrupted.
    async fn start(&self, roles: &[Role]) -> Result<Option<Deployer>, ServeError> {
        let mut deployer = None;
        // The entrance first: a deployment needs one that is alive.
        if roles.contains(&Role::Router) {
            self.start_router().await?;
        }
        if roles.contains(&Role::Web) {
            self.start_web().await?;
        }
        if roles.contains(&Role::Worker) {
            deployer = Some(self.start_worker().await?);
        }
        if roles.contains(&Role::Ssh) {
            self.start_ssh().await?;
        }
        Ok(deployer)
    }

    async fn start_router(&self) -> Result<(), ServeError> {
        let listener = listen(self.config.router.listen, "router.listen").await?;
        say_listening("router", &listener);
        let tasks = &self.stages.entrance;
        let settings = router::Settings::new(self.config.router.response_limit.duration());
        // Answered only once it is known what is deployed.
        if let Some(routes) = routing::follow(&self.db, &self.feed, tasks).await {
            drop(tasks.start(router::serve(listener, routes, settings, tasks.clone())));
        }
        Ok(())
    }

    async fn start_web(&self) -> Result<(), ServeError> {
        let listener = listen(self.config.web.listen, "web.listen").await?;
        say_listening("web", &listener);
        let tasks = &self.stages.doors;
        let parts = pages::parts(&self.config, self.jobs.clone(), self.feed.clone()).await?;
        let serving = web::serve(listener, parts, tasks.clone());
        drop(tasks.start(async move {
            if let Err(error) = serving.await {
                error!("The pages stopped: {error}");
            }
        }));
        Ok(())
    }

    async fn start_worker(&self) -> Result<Deployer, ServeError> {
        let config = &self.config;
        config.check_library()?;
        let keyring = worker_keys(&self.db, &config.seal).await?;
        info!("Secrets are sealed with key {}", keyring.sealer.key_id());
        let (opener, builder) = (keyring.opener.clone(), Builder::find(config));
        let program = std::env::current_exe().map_err(ServeError::System)?;
        let hooks = Hooks::find(config, &program, self.stages.background.clone()).await?;
        let settings = Settings {
            paas_file: config.paas_file.clone(),
            platform: self.platform.clone(),
            workspaces: config.workspaces(),
            git: config.git.clone(),
            worker: config.worker.clone(),
            limits: config.limits.clone(),
            builder: config.builder.clone(),
            built_by: builder.clone(),
            layers: Layers::new(&config.layers_folder()),
            hooks,
            docker: config.docker.clone(),
            kubernetes: config.kubernetes.clone(),
            router: config.router.clone(),
            keyring,
        };
        let (jobs, feed) = (self.jobs.clone(), self.feed.clone());
        let background = &self.stages.background;
        drop(background.start(builder.keep_house(background.clone())));
        let deployer = Deployer::new(jobs.clone(), feed.clone(), settings, background.clone());
        let queue = Queue::new(&config.redis.url, &config.redis.queue)?;
        let trash_time = config.git.trash_time.duration();
        let janitor = Janitor::new(jobs.clone(), queue.clone(), config.worker.clone(), trash_time);
        drop(background.start(janitor.run(feed, background.clone())));
        let name = format!("{}-{}", std::process::id(), Uuid::now_v7().simple());
        let doors = &self.stages.doors;
        let sources = Sources::new(config, (&name, opener), jobs.clone(), doors.clone());
        drop(doors.start(sources.serve(self.feed.clone())));
        let (settings, runs) = (config.worker.clone(), self.stages.runs.clone());
        let worker = Worker { name, jobs, deployer: deployer.clone(), settings, runs };
        drop(doors.start(worker::answer(worker.clone(), self.questions(), doors.clone())));
        drop(doors.start(worker::serve(worker, queue, doors.clone())));
        info!("worker waits for jobs");
        Ok(deployer)
    }

    async fn start_ssh(&self) -> Result<(), ServeError> {
        let config = &self.config;
        match seal::load_public(&config.seal.public_key) {
            // It is read when the first secret comes.
            Ok(_) => {}
            Err(error @ KeyError::NotMade(_)) => warn!("No secret can be stored: {error}"),
            Err(error) => return Err(error.into()),
        }
        let door = self.door()?;
        door.wire.check()?;
        let host_key = load_or_make(&config.host_key())?;
        let hooks = hook_socket(&config.hook_socket()).await?;
        let listener = listen(config.ssh.listen, "ssh.listen").await?;
        let fingerprint = host_key.fingerprint(ssh_key::HashAlg::Sha256);
        say_listening("SSH", &listener);
        info!("Its host key is {fingerprint}");
        let doors = &self.stages.doors;
        let (pushes, sessions) = (door.pushes.clone(), door.sessions.clone());
        drop(doors.start(git_hook::serve(hooks, pushes, sessions, doors.clone())));
        drop(doors.start(ssh::serve(listener, host_key, door, doors.clone())));
        Ok(())
    }

    fn questions(&self) -> Questions {
        Questions::new(self.db.clone(), self.feed.clone())
    }

    fn door(&self) -> Result<Door, ServeError> {
        let config = &self.config;
        let viewer = Viewer {
            jobs: self.jobs.clone(),
            feed: self.feed.clone(),
            tasks: self.stages.doors.clone(),
            heartbeat: config.push.heartbeat.duration(),
            wait_limit: config.push.wait_limit.duration(),
            pages: config.web.url.clone(),
        };
        let pushes = Pushes {
            jobs: self.jobs.clone(),
            viewer,
            paas_file: config.paas_file.clone(),
            platform: self.platform.clone(),
            public_key: config.seal.public_key.clone(),
            max_refs: config.push.max_refs,
            max_files: config.git.max_files,
        };
        let program = std::env::current_exe().map_err(ServeError::System)?;
        let wire = Wire {
            git: config.git.program.clone(),
            hooks: config.git.hooks_dir.clone(),
            program_folder: program.parent().unwrap_or(Path::new("/")).to_owned(),
            home: home(config),
            socket: config.hook_socket(),
            max_pack: config.git.max_pack,
            time_limit: config.git.time_limit.duration(),
        };
        Ok(Door {
            db: self.db.clone(),
            jobs: self.jobs.clone(),
            pushes,
            sessions: Sessions::default(),
            questions: self.questions(),
            wire,
            public_key: config.seal.public_key.clone(),
            settings: config.ssh.clone(),
        })
    }

    /// Stops in the order in which parts need each other. `again` ends when the process is told to
    /// stop once more: then runs are not waited for.
    async fn stop(self, deployer: Option<Deployer>, again: impl Future<Output = ()>) {
        let stages = &self.stages;
        // Readers are told how to go on while what they read of goes on.
        let doors = stages.doors.shut_down(DOORS_GRACE);
        let runs = async {
            let drain = self.config.worker.drain_limit.duration();
            let drained = tokio::select! {
                drained = stages.runs.shut_down(drain) => drained.is_ok(),
                () = again => false,
            };
            if !drained && let Some(deployer) = deployer {
                info!("Taking back what still runs");
                deployer.interrupt();
                report("runs", stages.runs.shut_down(TAKE_BACK).await);
            }
        };
        let (doors, ()) = tokio::join!(doors, runs);
        report("connections", doors);
        report("requests", stages.entrance.shut_down(REQUESTS_GRACE).await);
        report("rows", stages.background.shut_down(ROWS_GRACE).await);
    }
}

fn report(what: &str, stopped: Result<(), crate::tasks::StillRunning>) {
    if let Err(error) = stopped {
        warn!("Left {what}: {error}");
    }
}

/// An empty folder, so that git finds no configuration of a user.
fn home(config: &Config) -> PathBuf {
    config.state_dir.join("home")
}
