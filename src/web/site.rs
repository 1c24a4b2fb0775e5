//! What pages are made from.

use std::path::PathBuf;

use actix_web::HttpRequest;
use actix_web::web::Data;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::config::{SshConfig, WebConfig};
use crate::db::feed::Feed;
use crate::db::pool::Db;
use crate::jobs::Jobs;
use crate::people::SignIns;
use crate::questions::Questions;
use crate::tasks::Tasks;
use crate::web::followed::Followed;
use crate::web::refusal::Refusal;

/// Everything a page needs.
pub(super) struct Site {
    parts: Parts,
    tasks: Tasks,
    runtime: Handle,
    followed: Followed,
}

/// What the server of pages and the API is built from.
#[derive(Debug, Clone)]
pub struct Parts {
    /// What deploys, with the database that all of it is kept in.
    pub jobs: Jobs,
    /// Where bells ring.
    pub feed: Feed,
    /// Where people sign in.
    pub sign_ins: SignIns,
    /// The file of the key that secrets are sealed with.
    pub public_key: PathBuf,
    /// Where people push to.
    pub ssh: SshConfig,
    /// How all of it is reached.
    pub web: WebConfig,
}

impl Site {
    /// `runtime` is that of the whole process.
    pub(super) fn new(parts: Parts, tasks: Tasks, runtime: Handle) -> Self {
        let followed = Followed::new(parts.jobs.db().clone(), parts.feed.clone(), tasks.clone());
        Self { parts, tasks, runtime, followed }
    }

    /// What a request is answered from.
    pub(super) fn of(request: &HttpRequest) -> Result<Data<Self>, Refusal> {
        let site = request.app_data::<Data<Self>>().cloned();
        site.ok_or_else(|| Refusal::Broken("a server without its site".to_owned()))
    }

    /// What it is built from.
    pub(super) const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Where rows are.
    pub(super) fn db(&self) -> Db {
        self.parts.jobs.db().clone()
    }

    /// What deploys.
    pub(super) fn jobs(&self) -> Jobs {
        self.parts.jobs.clone()
    }

    /// The file of the key that secrets are sealed with.
    pub(super) fn public_key(&self) -> PathBuf {
        self.parts.public_key.clone()
    }

    /// Where workers are asked.
    pub(super) fn questions(&self) -> Questions {
        Questions::new(self.db(), self.feed())
    }

    /// Where bells ring.
    pub(super) fn feed(&self) -> Feed {
        self.parts.feed.clone()
    }

    /// Jobs that somebody follows.
    pub(super) fn followed(&self) -> Followed {
        self.followed.clone()
    }

    /// Who runs, and how they stop.
    pub(super) fn tasks(&self) -> Tasks {
        self.tasks.clone()
    }

    /// Starts work on the threads of the whole process.
    ///
    /// Requests are answered on threads that end with the server. A connection to `PostgreSQL`
    /// dies with the thread it was opened on, and those of the pool belong to everybody, so
    /// whoever needs one runs here.
    pub(super) fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let _inside = self.runtime.enter();
        self.tasks.start(work)
    }

    /// Does work on the threads of the whole process.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.start(work).await {
            Ok(value) => value,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
