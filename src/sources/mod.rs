//! Projects whose commits come from elsewhere: looked at by workers, who alone can sign in there.
//!
//! ```text
//!  somebody asks ──┐                    ┌─▶ list refs ─▶ decide ─▶ fetch, look, store ─▶ jobs
//!                  ├──row──▶ a worker ──┤      ▲
//!  it is time to ──┘                    └──────┴── git, behind a proxy or a passage of its own
//! ```
//!
//! A look changes nothing but rows, refs and jobs, all of which may be written twice: one that is
//! broken off is taken over by whoever comes next.

mod asking;
mod check;
mod deploy;
mod fault;
mod key;
mod outlet;
mod still;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tracing::{info, warn};

use crate::config::{Config, SourcesConfig};
use crate::db::feed::{Bell, Feed};
use crate::db::models::source_check::{self, Standing, Taken};
use crate::domain::ids::CheckId;
use crate::domain::source::Checked;
use crate::git::remote::RemoteFolder;
use crate::jobs::Jobs;
use crate::seal::Opener;
use crate::tasks::{Tasks, blocking};

pub use asking::{Asking, BY_PAGE, NotChecked, ask};
pub use key::make_key;

/// For how long a worker that falls silent keeps a look.
const LEASE: Duration = Duration::from_secs(30);

/// Time between two signs that a worker looks.
const SIGN_EVERY: Duration = Duration::from_secs(10);

/// Time after which it is seen without a bell that there is something to look at.
const WITHOUT_BELL: Duration = Duration::from_secs(5);

/// How often a look is begun that breaks off again and again.
const MOST_ATTEMPTS: i32 = 3;

/// Looks at the sources of an installation.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Who it is, unique for every start of a process.
    name: String,
    jobs: Jobs,
    opener: Opener,
    settings: SourcesConfig,
    /// The program.
    git: PathBuf,
    /// Folder of workspaces, for a home of each look.
    workspaces: PathBuf,
    tasks: Tasks,
}

impl Sources {
    /// Looks at sources as a worker of this name, which opens what signs in there.
    pub fn new(config: &Config, (name, opener): (&str, Opener), jobs: Jobs, tasks: Tasks) -> Self {
        Self {
            name: name.to_owned(),
            jobs,
            opener,
            settings: config.sources.clone(),
            git: config.git.program.clone(),
            workspaces: config.workspaces(),
            tasks,
        }
    }

    /// Looks at what is asked for until the tasks stop.
    pub async fn serve(self, feed: Feed) {
        let places = Arc::new(Semaphore::new(self.settings.at_once.get()));
        let mut bells = feed.subscribe();
        self.sweep().await;
        while !self.tasks.is_stopping() {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match self.take().await {
                Ok(Some(taken)) => {
                    let own = self.clone();
                    drop(self.tasks.start(async move {
                        Box::pin(own.answer(&taken)).await;
                        drop(place);
                    }));
                    continue;
                }
                Ok(None) => {}
                Err(error) => warn!("Could not look for sources to check: {error}"),
            }
            drop(place);
            tokio::select! {
                () = bells.heard_any(&[Bell::Sources], WITHOUT_BELL) => {}
                () = self.tasks.stopping() => {}
            }
        }
    }

    async fn take(&self) -> diesel::QueryResult<Option<Taken>> {
        let name = self.name.clone();
        let lease = LEASE.as_secs_f64();
        self.jobs
            .db()
            .run(async move |connection| source_check::take(connection, &name, lease).await)
            .await
    }

    /// Does one look, and writes what it came to.
    async fn answer(&self, taken: &Taken) {
        let came_to = tokio::select! {
            came_to = self.once(taken) => came_to,
            () = self.lost(taken.id) => {
                warn!("Somebody else checks the source of {} by now", taken.project_id);
                return;
            }
            () = self.tasks.stopping() => return self.give_back(taken.id).await,
        };
        match &came_to {
            Ok(checked) => info!(
                project.id = %taken.project_id,
                "Checked the source of {} ({}): {} refs", taken.project_id, taken.purpose,
                checked.refs.len()
            ),
            Err(fault) => warn!(
                project.id = %taken.project_id,
                "Could not check the source of {} ({}): {fault}", taken.project_id, taken.purpose
            ),
        }
        let (id, name) = (taken.id, self.name.clone());
        let ending = self.jobs.db().transaction(async move |connection| {
            source_check::end(connection, (id, &name), &came_to).await
        });
        match ending.await {
            // Not ours any more, or the answer to a first try was lost.
            Ok(_) => {}
            Err(error) => {
                let error: diesel::result::Error = error;
                warn!("Could not write what a check of a source came to: {error}");
            }
        }
    }

    async fn once(&self, taken: &Taken) -> Result<Checked, String> {
        if taken.attempt > MOST_ATTEMPTS {
            return Err(format!(
                "it broke off {MOST_ATTEMPTS} times; the log of the workers says why"
            ));
        }
        self.check(taken).await
    }

    /// Waits until a look is not ours any more, and says again and again that it is.
    async fn lost(&self, id: CheckId) {
        let lease = LEASE.as_secs_f64();
        loop {
            tokio::time::sleep(SIGN_EVERY).await;
            let name = self.name.clone();
            let renewing = self.jobs.db().run(async move |connection| {
                source_check::renew(connection, id, &name, lease).await
            });
            match renewing.await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    let error: diesel::result::Error = error;
                    warn!("Could not say that a source is still checked: {error}");
                }
            }
        }
    }

    async fn give_back(&self, id: CheckId) {
        let name = self.name.clone();
        let giving = self
            .jobs
            .db()
            .run(async move |connection| source_check::give_back(connection, id, &name).await);
        if let Err(error) = giving.await {
            let error: diesel::result::Error = error;
            warn!("Could not give a check of a source back: {error}");
        }
    }

    /// Removes what looks of killed workers have left on this machine.
    async fn sweep(&self) {
        let root = self.workspaces.clone();
        let left = blocking(move || RemoteFolder::all(&root)).await.unwrap_or_default();
        for id in left {
            let standing = self
                .jobs
                .db()
                .run(async move |connection| source_check::standing(connection, id).await)
                .await;
            let is_over = match standing {
                Ok(None | Some(Standing::Ended(_) | Standing::Running { expired: true })) => true,
                Ok(Some(Standing::Waiting | Standing::Running { expired: false })) => false,
                Err(error) => {
                    let error: diesel::result::Error = error;
                    warn!("Could not look for what checks of sources left: {error}");
                    false
                }
            };
            let root = self.workspaces.clone();
            if is_over && let Err(error) = blocking(move || RemoteFolder::remove(&root, id)).await {
                warn!("Could not remove what a check of a source left: {error}");
            }
        }
    }
}
