//! A whole Pierhead of its own for one test, used as people use it: with git, ssh and HTTP.

pub(crate) mod developer;
mod engine;
pub(crate) mod gate;
mod leftovers;
pub(crate) mod process;
pub(crate) mod secrets;
pub(crate) mod typed;
mod waiting;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::RemoveImageOptionsBuilder;
use pierhead::db::acting::Acting;
use pierhead::db::models::environment::Environment;
use pierhead::db::models::job::Job;
use pierhead::db::models::project::Project;
use pierhead::db::pool::Db;
use pierhead::domain::access::{Role, Standing};
use pierhead::domain::audit::{Actor, Entrance};
use pierhead::domain::cluster::{ClusterKind, KubernetesOptions};
use pierhead::domain::deploy_rule::Protection;
use pierhead::domain::ids::JobNumber;
use pierhead::git::bare_repository::{GitError, Repositories};
use pierhead::people::{self, KeyTerms};
use pierhead::projects::{self, NewRule, NewTarget};
use tempfile::TempDir;

use crate::support::app::developer::Developer;
use crate::support::app::gate::BuildGate;
use crate::support::app::process::{Process, run_as};
use crate::support::database::{TestDatabase, count};
use crate::support::environment_variable;
use crate::support::http::{body, say, status};

/// How long a visible effect is waited for. It only decides how long a failing test takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// One installation: its own database, queue, folders, ports and processes.
pub(crate) struct App {
    pub(crate) database: TestDatabase,
    pub(crate) db: Db,
    pub(crate) folder: TempDir,
    pub(crate) settings: Settings,
    pub(crate) processes: Vec<Process>,
    docker: Docker,
    docker_address: String,
    own_images: Mutex<Vec<String>>,
}

/// What a test may want to be different.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Lines of the configuration file, by table.
    pub(crate) tables: Vec<(&'static str, String)>,
    /// Processes, each with the role it plays.
    pub(crate) roles: &'static [&'static str],
    /// What Redis is asked at; the shared one of the test run unless a test has its own.
    pub(crate) redis: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tables: Vec::new(), roles: &["serve"], redis: None }
    }
}

impl Settings {
    /// A line of the configuration file.
    pub(crate) fn with(mut self, table: &'static str, line: &str) -> Self {
        self.tables.push((table, line.to_owned()));
        self
    }
}

impl App {
    /// Starts an installation with ana in it, and her account `acme`.
    pub(crate) async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    pub(crate) async fn start_with(settings: Settings) -> Self {
        let database = TestDatabase::create().await;
        let db = database.db();
        let folder = tempfile::Builder::new().prefix("ph").tempdir_in("/tmp").unwrap();
        // Hooks of a worker that is root are run by somebody else, who has to get there.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let docker_address = environment_variable("TEST_DOCKER_HOST", "a Docker Engine's socket");
        let docker = engine::connect(&docker_address).await;
        let (processes, own_images) = (Vec::new(), Mutex::default());
        let mut app =
            Self { database, db, folder, settings, processes, docker, docker_address, own_images };
        app.write_configuration();
        for role in app.settings.roles {
            app.spawn(role).await;
        }
        projects::create_account(&app.admin(), "acme".parse().unwrap(), None).await.unwrap();
        app
    }

    /// Starts one more process and waits until it is ready.
    pub(crate) async fn spawn(&mut self, role: &'static str) {
        let process = Process::start(role, &self.configuration()).await;
        self.processes.push(process);
    }

    /// The engine, as it is.
    pub(crate) const fn docker(&self) -> &Docker {
        &self.docker
    }

    /// The process that plays a role.
    pub(crate) fn process(&self, role: &str) -> &Process {
        let plays = |process: &&Process| process.role == role || process.role == "serve";
        self.processes.iter().find(plays).expect("a process plays this role")
    }

    /// Takes a process out, to end it in some way.
    pub(crate) fn take(&mut self, role: &str) -> Process {
        let place = self.processes.iter().position(|process| process.role == role);
        self.processes.remove(place.expect("a process plays this role"))
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.path().join("pierhead.toml")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn write_configuration(&self) {
        let root = env!("CARGO_MANIFEST_DIR");
        let redis = self.settings.redis.clone();
        let redis = redis
            .unwrap_or_else(|| environment_variable("TEST_REDIS_URL", "the URL of a Redis server"));
        let queue = self.folder.path().file_name().unwrap().to_string_lossy().into_owned();
        let mut tables: Vec<(&str, String)> = vec![
            ("", format!("state_dir = {:?}", self.state())),
            ("", format!("runtime_dir = {:?}", self.folder.path().join("run"))),
            ("database", format!("url = {:?}", self.database.url())),
            ("redis", format!("url = {redis:?}")),
            ("redis", format!("queue = {queue:?}")),
            ("git", format!("hooks_dir = \"{root}/hooks\"")),
            ("builder", format!("engine = {:?}", self.docker_address)),
            ("docker", "min_ready = \"1s\"".to_owned()),
            ("worker", "lease = \"3s\"".to_owned()),
            ("worker", "janitor_interval = \"1s\"".to_owned()),
            ("worker", "sweep_interval = \"1s\"".to_owned()),
            ("worker", "drain_limit = \"5s\"".to_owned()),
            ("web", format!("key = {:?}", self.state().join("web-key"))),
            ("log", "filter = \"info,pierhead=debug\"".to_owned()),
            ("seal", format!("public_key = {:?}", secrets::public_key())),
            ("seal", format!("private_keys = [{:?}]", secrets::private_key(&self.folder))),
        ];
        for table in ["ssh", "web", "router"] {
            tables.push((table, "listen = \"127.0.0.1:0\"".to_owned()));
        }
        for (table, line) in &self.settings.tables {
            let key = line.split('=').next().unwrap().trim();
            tables.retain(|(known, other)| {
                known != table || other.split('=').next().unwrap().trim() != key
            });
            tables.push((table, line.clone()));
        }
        let names: BTreeSet<&str> = tables.iter().map(|(table, _)| *table).collect();
        let mut text = String::new();
        for name in names {
            if !name.is_empty() {
                text.push_str(&format!("[{name}]\n"));
            }
            for (_, line) in tables.iter().filter(|(table, _)| *table == name) {
                text.push_str(&format!("{line}\n"));
            }
        }
        fs::write(self.configuration(), text).unwrap();
    }

    /// The database, as an administrator of the test changes it.
    pub(crate) fn admin(&self) -> Acting {
        let actor = Actor {
            entrance: Entrance::Admin,
            who: "test".to_owned(),
            user: None,
            key: None,
            origin: "test".to_owned(),
        };
        Acting { db: self.db.clone(), actor }
    }

    /// Somebody with a key of their own, who is a developer of `acme`.
    pub(crate) async fn developer(&self, name: &str) -> Developer {
        let developer = self.stranger(name).await;
        let email = developer.email();
        projects::set_member(&self.admin(), "acme".parse().unwrap(), email, Role::Developer)
            .await
            .unwrap();
        developer
    }

    /// Somebody with a key of their own, who is a member of nothing.
    pub(crate) async fn stranger(&self, name: &str) -> Developer {
        let developer = self.nobody(name).await;
        let email = developer.email();
        people::create_user(&self.admin(), &email, name, Standing::Person).await.unwrap();
        let key = developer.public_key();
        people::create_key(&self.admin(), &email, &key, KeyTerms::default()).await.unwrap();
        developer
    }

    /// Somebody whose key nobody knows.
    pub(crate) async fn nobody(&self, name: &str) -> Developer {
        Developer::new(self.folder.path(), name, self.process("ssh").port("SSH")).await
    }

    /// A project of `acme` whose `main` deploys to `production` on the test's engine.
    pub(crate) async fn project(&self, name: &str) {
        self.project_without_target(name).await;
        self.cluster(name, "docker", "production").await;
    }

    pub(crate) async fn project_without_target(&self, name: &str) {
        let names = ("acme".parse().unwrap(), name.parse().unwrap());
        projects::create_project(&self.admin(), names, "main").await.unwrap();
    }

    pub(crate) async fn cluster(&self, project: &str, name: &str, environment: &str) {
        self.cluster_at(&self.docker_address, project, (name, environment)).await;
    }

    /// The test's engine, by an address that leads to it.
    pub(crate) async fn cluster_at(
        &self,
        address: &str,
        project: &str,
        (name, environment): (&str, &str),
    ) {
        let target = NewTarget {
            project: format!("acme/{project}").parse().unwrap(),
            name: name.to_owned(),
            environment: environment.parse().unwrap(),
            kind: ClusterKind::Docker,
            address: address.to_owned(),
            // Names on the engine are this test's own.
            namespace: Some(self.namespace()),
            kubernetes: KubernetesOptions::default(),
        };
        projects::create_cluster(&self.admin(), target, None).await.unwrap();
    }

    /// The first part of names on the engine.
    pub(crate) fn namespace(&self) -> String {
        let name = self.folder.path().file_name().unwrap().to_string_lossy().to_lowercase();
        name.chars().filter(char::is_ascii_alphanumeric).collect()
    }

    /// Changes rows as an administrator would.
    pub(crate) async fn execute(&self, sql: &'static str) {
        use diesel_async::RunQueryDsl as _;

        let done: diesel::QueryResult<usize> =
            self.db.run(async move |c| diesel::sql_query(sql).execute(c).await).await;
        done.unwrap();
    }

    /// The number that a query gives.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        count(&self.db, sql).await
    }

    /// Waits until a query gives a number.
    pub(crate) async fn until_count(&self, sql: &'static str, expected: i64) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.count(sql).await != expected {
            assert!(tokio::time::Instant::now() < deadline, "{sql} never gave {expected}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until no build stands at a gate any more.
    pub(crate) async fn until_gone(&self, gate: &BuildGate) {
        gate.reached_by(0).await;
    }

    /// What a pattern of refs deploys to.
    pub(crate) async fn rule(&self, project: &str, pattern: &str, environment: &str) {
        let rule = NewRule {
            project: format!("acme/{project}").parse().unwrap(),
            pattern: pattern.parse().unwrap(),
            environment: environment.parse().unwrap(),
            priority: 0,
            protection: Protection::Open,
        };
        projects::set_rule(&self.admin(), rule).await.unwrap();
    }

    /// An environment of a project.
    pub(crate) async fn environment(&self, project: &str, name: &str) -> Environment {
        let project = self.project_row(project).await.id;
        let all = self.db.run(async move |c| Environment::of_project(c, project).await).await;
        let mut all = all.unwrap().into_iter();
        all.find(|row| row.name.as_str() == name).expect("there is this environment")
    }

    /// A job, as it is now.
    pub(crate) async fn job(&self, number: i64) -> Job {
        self.find_job(number).await.unwrap_or_else(|| panic!("there is no job {number}"))
    }

    async fn find_job(&self, number: i64) -> Option<Job> {
        let found = self.db.run(async move |c| Job::by_number(c, JobNumber(number)).await).await;
        found.unwrap().map(|(job, _)| job)
    }

    /// Waits until a job is as it should be.
    pub(crate) async fn until(&self, number: i64, what: &str, is: impl Fn(&Job) -> bool) -> Job {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let job = self.find_job(number).await;
            if let Some(job) = job.filter(&is) {
                return job;
            }
            assert!(tokio::time::Instant::now() < deadline, "job {number} never {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a job has ended.
    pub(crate) async fn ended(&self, number: i64) -> Job {
        self.until(number, "ended", |job| job.state.outcome().is_some()).await
    }

    /// The tip of a ref in a project's repository.
    pub(crate) async fn tip(&self, project: &str, name: &str) -> Option<String> {
        let found = self.project_row(project).await;
        let repositories = Repositories::new(self.state().join("repositories"));
        let repository = match repositories.open(found.id) {
            // It is made by whoever asks first.
            Err(GitError::Missing(_)) => return None,
            other => other.unwrap(),
        };
        repository.tip(&name.parse().unwrap()).unwrap().map(|oid| oid.to_string())
    }

    pub(crate) async fn project_row(&self, project: &str) -> Project {
        let name = format!("acme/{project}").parse().unwrap();
        let mut rows = self.db.run(async move |c| Project::by_name(c, &name).await).await.unwrap();
        rows.pop().expect("there is this project")
    }

    /// What the entrance answers for a host.
    pub(crate) async fn get(&self, host: &str, path: &str) -> (u16, String) {
        let port = self.process("router").port("router");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = say(SocketAddr::from(([127, 0, 0, 1], port)), request).await;
        (status(&answer), body(&answer).to_owned())
    }

    /// Ends every process and removes what is on the engine.
    pub(crate) async fn stop(mut self) {
        for process in std::mem::take(&mut self.processes) {
            process.terminate().await;
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // Processes first: a worker would put things back.
        self.processes.clear();
        let own_images = std::mem::take(self.own_images.get_mut().unwrap());
        let (url, address) = (self.database.url().to_owned(), self.docker_address.clone());
        // Connections of their own: those of the test belong to a runtime that stands still now.
        run_as(async move {
            let (db, docker) = (Db::open(&url, 1).unwrap(), engine::connect(&address).await);
            let all = db.run(async move |c| Environment::all(c).await).await.unwrap_or_default();
            let environments: Vec<_> = all.iter().map(|row| row.id).collect();
            engine::clear(&docker, &environments).await;
            for image in own_images {
                // By its id, under all names that it has by now.
                let found = docker.inspect_image(&image).await.ok().and_then(|image| image.id);
                let force = RemoveImageOptionsBuilder::default().force(true).build();
                docker.remove_image(&found.unwrap_or(image), Some(force), None).await.ok();
            }
        });
    }
}
