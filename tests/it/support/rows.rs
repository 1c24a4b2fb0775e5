//! Rows that tests begin with.

use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use pierhead::db::models::environment::Environment;
use pierhead::db::models::job::{Job, NewJob};
use pierhead::db::models::project::Project;
use pierhead::db::models::release::{NewRelease, Release};
use pierhead::db::models::run::NewRun;
use pierhead::db::models::user::NewUser;
use pierhead::db::models::{account, route};
use pierhead::db::pool::Db;
use pierhead::domain::access::Role;
use pierhead::domain::git_ref::RefName;
use pierhead::domain::history::{End, NewEntry};
use pierhead::domain::ids::{EnvironmentId, Fence, JobId, RouteVersion, UserId};
use pierhead::domain::job::{JobKind, Outcome};
use pierhead::domain::oid::Oid;
use pierhead::domain::ref_move::RefMoves;
use pierhead::domain::route::Route;
use pierhead::domain::snapshot::Snapshot;
use pierhead::domain::stored_variables::StoredVariables;
use pierhead::history::{Appended, Writer, append};
use serde_json::json;
use uuid::Uuid;

/// Ana, and `shop/production`, where she deploys to.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    db: Db,
    user: UserId,
    environment: EnvironmentId,
}

impl Shop {
    pub(crate) async fn new(db: Db) -> Self {
        let (user, environment) = db.transaction(create).await.unwrap();
        Self { db, user, environment }
    }

    /// A job that waits, for a commit with this subject.
    pub(crate) async fn job(&self, subject: &str) -> Job {
        let variables = StoredVariables::default();
        let new = NewJob {
            id: JobId::from(Uuid::now_v7()),
            kind: JobKind::Deploy,
            environment_id: self.environment,
            push_id: None,
            user_id: Some(self.user),
            pusher: "ana".to_owned(),
            fingerprint: "SHA256:Qm3".to_owned(),
            ref_name: Some(RefName::branch("main").unwrap()),
            old_oid: None,
            new_oid: Some(Oid::from_bytes([0x3f; 20])),
            subject: subject.to_owned(),
            forced: false,
            variables_hash: variables.hash(),
            variables,
            snapshot: Snapshot {
                account: "acme".parse().unwrap(),
                project: "shop".parse().unwrap(),
                environment: "production".parse().unwrap(),
                prefix: String::new(),
                clusters: Vec::new(),
                variables: StoredVariables::default(),
                quotas: Vec::new(),
                registry: None,
                source: None,
                without_cache: false,
            },
            ref_moves: RefMoves::OnSuccess,
            source: None,
        };
        let job = self.db.run(async move |connection| new.insert(connection).await).await.unwrap();
        job.expect("no open job has the same key")
    }

    /// A worker takes the job.
    pub(crate) async fn claim(&self, job: &Job) -> Fence {
        let (id, environment) = (job.id, self.environment);
        self.db
            .transaction(async move |connection| claim(connection, environment, id).await)
            .await
            .unwrap()
    }

    /// Appends to the job's History.
    pub(crate) async fn say(&self, job: &Job, entries: Vec<NewEntry>) {
        let id = job.id;
        let appended = self
            .db
            .transaction(async move |connection| {
                append(connection, id, Writer::Outside, &entries).await
            })
            .await
            .unwrap();
        assert_eq!(appended, Appended::Written);
    }

    /// Ends the job with this last line.
    pub(crate) async fn end(&self, job: &Job, last: NewEntry) {
        let (id, end) = (job.id, last.extra.end.clone().expect("this is a last line"));
        self.db
            .transaction(async move |connection| finish(connection, id, &end, &last).await)
            .await
            .unwrap();
    }

    /// Stores the release of a claimed job and makes it the one that serves.
    pub(crate) async fn release(&self, job: &Job, fence: Fence) -> Release {
        let (id, environment) = (job.id, self.environment);
        self.db
            .transaction(async move |connection| release(connection, environment, id, fence).await)
            .await
            .unwrap()
    }

    /// Replaces the routes of the environment.
    pub(crate) async fn route(&self, release: &Release, routes: Vec<Route>) -> RouteVersion {
        let (environment, release) = (self.environment, release.id);
        self.db
            .transaction(async move |connection| {
                route::replace(connection, environment, Some(release), &routes).await
            })
            .await
            .unwrap()
    }
}

async fn create(connection: &mut AsyncPgConnection) -> QueryResult<(UserId, EnvironmentId)> {
    let ana = NewUser {
        id: UserId::from(Uuid::now_v7()),
        email: "ana@example.org",
        name: "ana",
        password_hash: "*",
        password_once: false,
        administrator: false,
    };
    let user = ana.insert(connection).await?.unwrap().id;
    let account = account::insert(connection, Uuid::now_v7().into(), &"acme".parse().unwrap())
        .await?
        .unwrap();
    account::set_member(connection, account, user, Role::Developer).await?;
    let shop = "shop".parse().unwrap();
    let project = Project::insert(connection, Uuid::now_v7().into(), (account, &shop), "main")
        .await?
        .unwrap();
    let name = "production".parse().unwrap();
    let environment = Environment::ensure(connection, project, &name).await?;
    Ok((user, environment.id))
}

async fn claim(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
    job: JobId,
) -> QueryResult<Fence> {
    let mut lock = Environment::lock(connection, environment).await?;
    let fence = lock.raise_fence(connection).await?;
    Job::lock(connection, job).await?.set_running(connection, fence, None).await?;
    let run = NewRun { job, environment, worker: "test", fence, lease_ms: 3_600_000 };
    run.insert(connection).await?;
    Ok(fence)
}

async fn finish(
    connection: &mut AsyncPgConnection,
    job: JobId,
    end: &End,
    last: &NewEntry,
) -> QueryResult<()> {
    let appended = append(connection, job, Writer::Outside, std::slice::from_ref(last)).await?;
    assert_eq!(appended, Appended::Written);
    let job = Job::lock(connection, job).await?;
    job.set_ended(connection, end.outcome, &end.reason, None).await
}

async fn release(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
    job: JobId,
    fence: Fence,
) -> QueryResult<Release> {
    let (held, _) = Job::hold(connection, job, fence).await?.unwrap();
    let new = NewRelease {
        fence,
        commit_oid: Oid::from_bytes([0x3f; 20]),
        model: json!({}),
        images: json!({}),
        variables: json!({}),
        objects: json!({}),
        uses: json!({}),
        source: None,
    };
    let release = new.store(connection, environment, &held).await?;
    release.set_live(connection, &held).await?;
    Ok(release)
}

/// How a job ends that went well, or did not.
pub(crate) fn end(outcome: Outcome, reason: &str) -> End {
    let exit_code = u8::from(outcome != Outcome::Live);
    End { outcome, failed_step: None, reason: reason.to_owned(), exit_code }
}
